/**
 * The embedded engine: PGlite in a worker_thread, behind the Db interface.
 *
 * There is one connection. So statements wait in line, a transaction holds the line until it ends, and nothing but the
 * database may be waited for inside one. A statement over its limit can not be cancelled from outside (the thread stands
 * still): the thread is ended, the folder opened again, and the caller told that trying again can help.
 */
import { Worker } from 'node:worker_threads';
import type { Clock } from './clock.ts';
import { type DatabaseLimits, type Db, databaseFault, plainParams, type Queryable, type Row } from './database.ts';
import { Fault } from './errors.ts';
import { type FolderLock, lockFolder } from './folder-lock.ts';
import type { Milliseconds } from './units.ts';

export type ThreadData = { readonly folder: string | null; readonly fsync: boolean };
export type Ask =
  | { kind: 'query'; id: number; text: string; params: unknown[] }
  | { kind: 'script'; id: number; text: string }
  | { kind: 'close'; id: number };
export type Answer =
  | { kind: 'opened' }
  | { kind: 'done'; id: number; rows: Row[] }
  | { kind: 'failed'; id: number; error: { message: string; code?: string; constraint?: string } }
  | { kind: 'notified'; channel: string; payload: string };

export type PgliteOptions = {
  /** Undefined: in memory, for tests. */
  readonly folder?: string;
  readonly fsync?: boolean;
  readonly limits: DatabaseLimits;
  readonly clock: Clock;
};

/** Opening runs Postgres' recovery; measured 0.7 to 2.8 s on two busy cores. */
const OPEN_LIMIT = 60_000 as Milliseconds;
const CLOSE_LIMIT = 5_000 as Milliseconds;
/** Callers that wait for the one connection. Beyond it the program is broken or overloaded, and says so at once. */
const WAITING_MAX = 10_000;

/** @throws {Fault} `folder_locked` when another process has the folder open. */
export async function openPglite(options: PgliteOptions): Promise<Db> {
  const lock = options.folder === undefined ? undefined : await lockFolder(options.folder, options.clock);
  try {
    return await makePglite(options, lock);
  } catch (error) {
    await lock?.release();
    throw error;
  }
}

async function makePglite(options: PgliteOptions, lock: FolderLock | undefined): Promise<Db> {
  const heard = new Map<string, Set<(payload: string) => void>>();
  const notify = (channel: string, payload: string) => {
    for (const listener of heard.get(channel) ?? []) listener(payload);
  };
  let thread = await startThread(options, notify);
  let closed = false;
  const line = makeLine();

  const ask = async (make: (id: number) => Ask): Promise<Row[]> => {
    if (closed) throw new Fault('unavailable', 'Database: it is closed', { retryable: false });
    if (thread.gone()) {
      // The folder must be free of the old thread before a new one opens it.
      await thread.kill();
      thread = await startThread(options, notify);
    }
    return await thread.ask(make, options.limits.statement);
  };
  const query = (text: string, params: readonly unknown[] = []) =>
    ask((id) => ({ kind: 'query', id, text, params: plainParams(params) }));
  const script = (text: string) => ask((id) => ({ kind: 'script', id, text }));

  const inTransaction = async <T>(work: (q: Queryable) => Promise<T>): Promise<T> => {
    await script('begin');
    const opened = thread;
    let open = true;
    const q: Queryable = {
      query: async <R extends object>(text: string, params?: readonly unknown[]) => {
        if (!open || opened.gone())
          throw new Fault('timeout', 'Database: the transaction is over', { retryable: true });
        return (await query(text, params)) as R[];
      },
    };
    try {
      const result = await limited(options.clock, options.limits.transaction, work(q));
      if (opened.gone()) throw new Fault('unavailable', 'Database: the engine was restarted', { retryable: true });
      await script('commit');
      return result;
    } catch (error) {
      if (!opened.gone()) await script('rollback').catch(() => opened.kill());
      throw error;
    } finally {
      open = false;
    }
  };

  const close = async () => {
    if (closed) return;
    await line.run(async () => {
      if (!thread.gone()) await thread.ask((id) => ({ kind: 'close', id }), CLOSE_LIMIT).catch(() => []);
      closed = true;
      await thread.kill();
    });
    await lock?.release();
  };
  return {
    engine: 'pglite',
    query: (text, params) => line.run(async () => (await query(text, params)) as never),
    tx: (work) => line.run(() => inTransaction(work)),
    listen: async (channel, listener) => {
      const listeners = heard.get(channel) ?? new Set();
      heard.set(channel, listeners.add(listener));
      await line.run(() => script(`listen ${channel}`));
      return async () => void listeners.delete(listener);
    },
    close,
  };
}

type Thread = {
  ask(make: (id: number) => Ask, limit: Milliseconds): Promise<Row[]>;
  gone(): boolean;
  kill(): Promise<void>;
};

async function startThread(
  options: PgliteOptions,
  notify: (channel: string, payload: string) => void,
): Promise<Thread> {
  const data: ThreadData = { folder: options.folder ?? null, fsync: options.fsync ?? true };
  const worker = new Worker(new URL('./pglite-thread.ts', import.meta.url), { workerData: data, execArgv: [] });
  const waiting = new Map<number, PromiseWithResolvers<Row[]>>();
  const opened = Promise.withResolvers<void>();
  let ended = false;
  let next = 0;
  const end = (why: string, cause?: unknown) => {
    ended = true;
    const fault = () => new Fault('unavailable', `Database: ${why}`, { retryable: true, cause });
    opened.reject(fault());
    for (const caller of waiting.values()) caller.reject(fault());
    waiting.clear();
  };
  worker.on('message', (answer: Answer) => {
    if (answer.kind === 'opened') return opened.resolve();
    if (answer.kind === 'notified') return notify(answer.channel, answer.payload);
    const caller = waiting.get(answer.id);
    waiting.delete(answer.id);
    if (answer.kind === 'done') caller?.resolve(answer.rows);
    else caller?.reject(databaseFault(answer.error));
  });
  worker.on('error', (error) => end('the embedded engine failed', error));
  worker.on('exit', () => end('the embedded engine ended'));
  const kill = async () => {
    ended = true;
    await worker.terminate();
  };
  const ask: Thread['ask'] = async (make, limit) => {
    const caller = Promise.withResolvers<Row[]>();
    const id = next++;
    waiting.set(id, caller);
    worker.postMessage(make(id));
    return await limited(options.clock, limit, caller.promise, kill);
  };
  try {
    await limited(options.clock, OPEN_LIMIT, opened.promise, kill);
  } catch (error) {
    await kill();
    throw error;
  }
  return { ask, gone: () => ended, kill };
}

/** @throws {Fault} `timeout` when `work` takes longer; `late` runs first. */
async function limited<T>(clock: Clock, limit: Milliseconds, work: Promise<T>, late?: () => Promise<void>): Promise<T> {
  const done = new AbortController();
  const alarm = clock.sleep(limit, done.signal).then(
    () => {
      void late?.();
      throw new Fault('timeout', `Database: no answer within ${limit} ms`, { retryable: true });
    },
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([work, alarm]);
  } finally {
    done.abort();
  }
}

/** One at a time, in order. */
function makeLine() {
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  return {
    async run<T>(work: () => Promise<T>): Promise<T> {
      if (waiting >= WAITING_MAX) {
        throw new Fault('unavailable', `Database: ${waiting} callers wait for the one connection`, { retryable: true });
      }
      waiting++;
      const mine = last.then(work);
      last = mine.then(
        () => {},
        () => {},
      );
      try {
        return await mine;
      } finally {
        waiting--;
      }
    },
  };
}
