/**
 * store: embedded drafts → rows that a search finds, in batches that keep the database free for others. The last batch,
 * the count that proves nothing is missing, and the document's end are one transaction.
 */
import { Fault } from '#kernel/errors.ts';
import { dropContent } from '#worker/rows/contents.ts';
import { countStored, dropDrafts, dropParse, STORE_BATCH, storeChunks } from '#worker/rows/results.ts';
import { counted } from '#worker/words.ts';
import type { StepHandler } from './step.ts';

export function makeStoreStep(): StepHandler {
  return async ({ document, save, signal }) => {
    const chunks = document.chunks ?? 0;
    const last = Math.max(0, Math.ceil(chunks / STORE_BATCH) - 1) * STORE_BATCH;
    for (let from = 0; from < last; from += STORE_BATCH) {
      signal.throwIfAborted();
      await save((q) => storeChunks(q, document, from));
    }
    return {
      outcome: { kind: 'done', because: `${counted(chunks, 'chunk')} stored and searchable` },
      payload: {},
      write: async (q) => {
        await storeChunks(q, document, last);
        const stored = await countStored(q, document.id);
        if (stored !== chunks) {
          const message = `${stored} of ${chunks} chunks are stored`;
          throw new Fault('chunks_missing', message, { retryable: true });
        }
        await dropDrafts(q, document.id);
        // The service is a pipeline, not an archive: what was uploaded has done its work.
        await dropContent(q, document.id);
        if (document.noCache) await dropParse(q, document.id);
      },
    };
  };
}
