/** chunk: pages → drafts of chunks. Computation only; large documents are cut in a thread, so that heartbeats go on. */
import { Worker } from 'node:worker_threads';
import type { Db } from '#kernel/database.ts';
import { Fault } from '#kernel/errors.ts';
import { CHUNKING, chunk } from '#worker/chunker.ts';
import { REJECTIONS } from '#worker/parsers/rejections.ts';
import { type Draft, putDrafts, readParse } from '#worker/rows/results.ts';
import { counted } from '#worker/words.ts';
import type { StepHandler } from './step.ts';

/** About 20 ms of tokenising: what the event loop can spare. */
const INLINE_CHARACTERS = 20_000;
const THREAD_MEMORY_MB = 512;

/** @param model what will embed the chunks: vectors of an earlier try by another are not kept. */
export function makeChunkStep(db: Db, model: string): StepHandler {
  return async ({ document, claim, signal }) => {
    const parse = await readParse(db, document.id);
    if (!parse) {
      const message = 'The result of the parse step is missing';
      return { outcome: { kind: 'fault', code: 'result_missing', message, retryable: false } };
    }
    const size = parse.pages.reduce((sum, page) => sum + page.length, 0);
    const drafts = size <= INLINE_CHARACTERS ? chunk(parse.pages) : await chunkInThread(parse.pages, signal);
    if (drafts.length === 0) {
      const { message, remedy } = REJECTIONS.no_text;
      return { outcome: { kind: 'rejected', code: 'no_text', message: `${message} ${remedy}` } };
    }
    const tokens = drafts.reduce((sum, draft) => sum + draft.tokens, 0);
    return {
      outcome: { kind: 'done', because: `${counted(drafts.length, 'chunk')} of at most ${CHUNKING.tokens} tokens` },
      payload: claim.payload,
      facts: { chunks: drafts.length, tokens },
      write: (q) => putDrafts(q, document.id, drafts, model),
    };
  };
}

async function chunkInThread(pages: readonly string[], signal: AbortSignal): Promise<Draft[]> {
  const thread = new Worker(new URL('./chunk-thread.ts', import.meta.url), {
    workerData: pages,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: THREAD_MEMORY_MB },
  });
  const answer = Promise.withResolvers<Draft[]>();
  const abort = () => answer.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  thread.on('message', answer.resolve);
  thread.on('error', (cause) => {
    answer.reject(new Fault('chunker_died', 'The document could not be cut into chunks', { retryable: true, cause }));
  });
  try {
    return await answer.promise;
  } finally {
    signal.removeEventListener('abort', abort);
    await thread.terminate();
  }
}
