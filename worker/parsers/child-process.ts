/** One parser child, seen from the worker: its start, one document at a time, and its end, whoever brings it about. */
import { type ChildProcess, fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import type { Clock } from '#kernel/clock.ts';
import { type Bytes, type Milliseconds, milliseconds } from '#kernel/units.ts';
import { CHILD_FILE, childArguments, childSettings, type Job, type Reply } from './child-protocol.ts';
import type { LocalParse } from './outcome.ts';

export type Ran =
  | { readonly kind: 'answered'; readonly outcome: LocalParse }
  /** The child lives and is not to be trusted with another document. */
  | { readonly kind: 'late' }
  | { readonly kind: 'broken'; readonly because: string }
  | Ended;

export type Ended =
  | { readonly kind: 'memory' }
  /** It ended without saying why, or could not be started. */
  | { readonly kind: 'died'; readonly because: string };

export interface ParserChild {
  /** @throws the signal's reason. */
  run(job: Omit<Job, 'id'>, time: Milliseconds, signal: AbortSignal): Promise<Ran>;
  /** By SIGKILL: it has nothing to tidy up. */
  kill(): void;
  readonly ended: Promise<Ended>;
  /** Whether its end was our doing. */
  wasKilled(): boolean;
  served(): number;
}

/** Measured 150 ms; ten seconds is a machine that has other troubles. */
const START_LIMIT = milliseconds(10_000);
/** What is kept of the child's last words. */
const STDERR_TAIL = 1000;

export function startChild(clock: Clock, memory: Bytes): ParserChild {
  const { execArgv, args } = childArguments(childSettings(memory));
  const child = fork(CHILD_FILE, args, {
    execArgv,
    env: {},
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  offerToOutOfMemoryKiller(child);
  const ready = Promise.withResolvers<void>();
  let answer = Promise.withResolvers<Ran>();
  let killed = false;
  let served = 0;
  let outOfMemory = false;
  child.on('message', (reply: Reply) => {
    if (reply.kind === 'ready') ready.resolve();
    else if (reply.kind === 'memory') outOfMemory = true;
    else if (reply.id === served)
      answer.resolve(reply.kind === 'done' ? { kind: 'answered', outcome: reply.outcome } : reply);
  });
  const ended = endOf(child, () => outOfMemory);

  const kill = () => {
    killed = true;
    child.kill('SIGKILL');
  };
  return {
    ended,
    kill,
    served: () => served,
    wasKilled: () => killed,
    async run(job, time, signal) {
      const started = await within(
        clock,
        START_LIMIT,
        signal,
        Promise.race([ready.promise.then(() => 'ready' as const), ended]),
      );
      if (started === undefined) return { kind: 'died', because: `it did not start within ${START_LIMIT} ms` };
      if (started !== 'ready') return started;
      served++;
      answer = Promise.withResolvers();
      // A failed write means that the child is gone, which `ended` says better.
      child.send({ ...job, id: served } satisfies Job, () => {});
      return (await within(clock, time, signal, Promise.race([answer.promise, ended]))) ?? { kind: 'late' };
    },
  };
}

function endOf(child: ChildProcess, outOfMemory: () => boolean): Promise<Ended> {
  const { promise, resolve } = Promise.withResolvers<Ended>();
  let lastWords = '';
  child.stderr?.setEncoding('utf8').on('data', (words: string) => {
    lastWords = (lastWords + words).slice(-STDERR_TAIL);
  });
  child.on('error', (error) => resolve({ kind: 'died', because: error.message }));
  child.on('exit', (code, signal) => {
    // V8 aborts when it cannot even say that the heap is full.
    if (outOfMemory() || signal === 'SIGABRT') resolve({ kind: 'memory' });
    else resolve({ kind: 'died', because: `it ended with ${signal ?? `code ${code}`}. ${lastWords}`.trim() });
  });
  return promise;
}

/** Where memory is short for the whole machine or container, the kernel should end a parser and not the worker. */
function offerToOutOfMemoryKiller(child: ChildProcess): void {
  if (child.pid !== undefined) writeFile(`/proc/${child.pid}/oom_score_adj`, '1000').catch(() => {});
}

/** `work`'s value, or undefined when `limit` passes first. @throws the signal's reason. */
async function within<T>(
  clock: Clock,
  limit: Milliseconds,
  signal: AbortSignal,
  work: Promise<T>,
): Promise<T | undefined> {
  const over = new AbortController();
  const timer = clock.sleep(limit, AbortSignal.any([signal, over.signal])).then(
    () => undefined,
    () => {
      if (!over.signal.aborted) throw signal.reason;
      return undefined;
    },
  );
  try {
    return await Promise.race([work, timer]);
  } finally {
    over.abort();
  }
}
