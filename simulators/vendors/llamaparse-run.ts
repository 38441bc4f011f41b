/** Runs parse jobs: a few at a time through the parser, then told to the store and to webhooks. */
import { describe } from '#kernel/errors.ts';
import { milliseconds } from '#kernel/units.ts';
import { parseTime } from '#simulators/latency.ts';
import { finish, isOver, type Job, moved, type Parsed, pagesOf } from '#simulators/llamaparse-job.ts';
import { pause, type Stage } from '#simulators/stage.ts';
import type { JobStore } from './llamaparse-store.ts';
import type { Notify } from './llamaparse-webhooks.ts';

/** What the simulator needs of a parser. One that throws makes the job FAILED, as a crash inside the vendor would. */
export type Parser = (file: {
  readonly bytes: Uint8Array;
  readonly filename: string;
  readonly signal: AbortSignal;
}) => Promise<Exclude<Parsed, { kind: 'crashed' }>>;

/** Parsing is CPU; more at once only makes all of them later. */
export const PARSED_AT_ONCE = 2;

export type Runner = {
  start(job: Job): void;
  cancel(job: Job): Promise<Job>;
  /** Jobs that are neither over nor given up. */
  open(): number;
  /** Resolves when nothing runs any more. Call it after `closing` aborted. */
  settle(): Promise<void>;
};

export function makeRunner(store: JobStore, parser: Parser, notify: Notify, stage: Stage): Runner {
  const running = new Set<Promise<void>>();
  const turn = makeTurns(PARSED_AT_ONCE);
  const parse = async (job: Job): Promise<Parsed> => {
    try {
      const bytes = await store.bytes(job.id);
      return await unlessAborted(stage.closing, parser({ bytes, filename: job.name, signal: stage.closing }));
    } catch (error) {
      stage.closing.throwIfAborted();
      stage.log.warn({ job: job.id, reason: describe(error) }, 'The parser failed on a document');
      return { kind: 'crashed', because: describe(error) };
    }
  };
  const run = async (waiting: Job): Promise<void> => {
    const began = stage.clock.steady();
    const parsed = await turn(async () => {
      stage.closing.throwIfAborted();
      const job = store.get(waiting.id);
      if (!job || isOver(job.status)) return undefined;
      const started = job.status === 'PENDING' ? moved(job, 'RUNNING', stage.clock.now()) : job;
      await store.save(started);
      notify(started);
      return await parse(started);
    });
    if (!parsed) return;
    const pages = pagesOf(parsed);
    await pause(stage, milliseconds(parseTime(stage.latency, pages?.length ?? 1) - (stage.clock.steady() - began)));
    if (pages) await store.savePages(waiting.id, pages);
    const job = store.get(waiting.id);
    if (!job || isOver(job.status)) return; // cancelled or deleted meanwhile
    const finished = finish(job, parsed, stage.clock.now());
    stage.stats.countCredits(finished.credits);
    stage.faults.charge(finished.credits);
    await store.save(finished);
    notify(finished);
  };
  return {
    start: (job) => {
      const work = run(job).catch((error: unknown) => {
        if (stage.closing.aborted) return;
        stage.log.error({ job: job.id, reason: describe(error) }, 'A parse job was lost');
      });
      running.add(work);
      void work.then(() => running.delete(work));
    },
    cancel: async (job) => {
      const cancelled = moved(job, 'CANCELLED', stage.clock.now());
      await store.save(cancelled);
      notify(cancelled);
      return cancelled;
    },
    open: () => running.size,
    settle: async () => {
      await Promise.all(running);
    },
  };
}

/** A parser that is deaf to its signal must not hold the simulators open. */
async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const leave = () => reject(signal.reason);
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

/** At most `most` at once, the others in the order they came. */
function makeTurns(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = most;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((go) => waiting.push(go));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}
