/**
 * The embedded engine: PGlite in a worker_thread, behind the Db interface.
 *
 * There is one connection. So statements wait in line, a transaction holds the line until it ends, and nothing but the
 * database may be waited for inside one. A statement over its limit can not be cancelled from outside (the thread stands
 * still): the thread is ended, the folder opened again, and the caller told that trying again can help.
 */
import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import type { Clock } from './clock.ts';
import { type DatabaseLimits, type Db, databaseFault, plainParams, type Queryable, type Row } from './database.ts';
import { Fault } from './errors.ts';
import { type FolderLock, lockFolder } from './folder-lock.ts';
import type { Milliseconds } from './units.ts';

export type ThreadData = { readonly folder: string; readonly fsync: boolean };
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
  readonly folder: string;
  readonly fsync?: boolean;
  readonly limits: DatabaseLimits;
  readonly clock: Clock;
};

/** Opening runs Postgres' recovery; measured 0.7 to 2.8 s on two busy cores. */
const OPEN_LIMIT = 60_000 as Milliseconds;
const CLOSE_LIMIT = 5_000 as Milliseconds;
const WATCH_EVERY = 100 as Milliseconds;
/** Callers that wait for the one connection. Beyond it the program is broken or overloaded, and says so at once. */
const WAITING_MAX = 10_000;

/**
 * A function of the engine is compiled a second time, optimised, when it has done so much work. V8's own measure is 13
 * million, which the parser of SQL (105 KB of code, and each word of a statement counts as all of it) reaches at every
 * start, to take 600 MB and 1.8 s for it, and has little to do after that, since statements are prepared. With this much,
 * the most there is, it takes some 30,000 words, which a process that uses all of its statements reads once in its life.
 * What is busy is optimised in its first seconds: 6 % fewer alerts in the first half minute.
 */
const TIERING_BUDGET = 2_000_000_000;

/** @throws {Fault} `folder_locked` when another process has the folder open. */
export async function openPglite(options: PgliteOptions): Promise<Db> {
  const lock = await lockFolder(options.folder, options.clock);
  try {
    return await makePglite(options, lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function makePglite(options: PgliteOptions, lock: FolderLock): Promise<Db> {
  const heard = new Map<string, Set<(payload: string) => void>>();
  const notify = (channel: string, payload: string) => {
    for (const listener of heard.get(channel) ?? []) listener(payload);
  };
  let thread = await startThread(options, notify);
  let closed = false;
  const line = makeLine();

  const ready = async (): Promise<Thread> => {
    if (closed) throw new Fault('unavailable', 'Database: it is closed', { retryable: false });
    if (thread.gone()) {
      // The folder must be free of the old thread before a new one opens it.
      await thread.kill();
      thread = await startThread(options, notify);
      for (const channel of heard.keys()) await scriptOn(thread, `listen ${channel}`);
    }
    return thread;
  };
  const close = async () => {
    if (closed) return;
    await line.run(async () => {
      if (!thread.gone()) {
        const closing = thread.ask((id) => ({ kind: 'close', id }));
        await limited(options.clock, CLOSE_LIMIT, closing).catch(() => {});
      }
      closed = true;
      await thread.kill();
    });
    await lock.release();
  };
  const listen: Db['listen'] = async (channel, listener) => {
    const listeners = heard.get(channel) ?? new Set();
    heard.set(channel, listeners.add(listener));
    await line.run(async () => scriptOn(await ready(), `listen ${channel}`));
    return async () => void listeners.delete(listener);
  };
  const at = (lane: Lane): Db => {
    const query: Queryable['query'] = (text, params) =>
      line.run(async () => (await queryOn(await ready(), text, params)) as never, lane);
    return {
      engine: 'pglite',
      query,
      relaxed: { query },
      foreground: () => at('foreground'),
      tx: (work) => line.run(async () => inTransaction(options, await ready(), work), lane),
      listen,
      close,
    };
  };
  return at('background');
}

const queryOn = (on: Thread, text: string, params: readonly unknown[] = []) =>
  on.ask((id) => ({ kind: 'query', id, text, params: plainParams(params) }));
const scriptOn = (on: Thread, text: string) => on.ask((id) => ({ kind: 'script', id, text }));

/** All of it on one thread: were the engine started anew in between, the rest would run outside of any transaction. */
async function inTransaction<T>(options: PgliteOptions, mine: Thread, work: (q: Queryable) => Promise<T>): Promise<T> {
  // Not waited for: the thread answers in order.
  const begun = queryOn(mine, 'begin');
  begun.catch(() => {});
  let open = true;
  const q: Queryable = {
    query: async <R extends object>(text: string, params?: readonly unknown[]) => {
      if (!open) throw new Fault('timeout', 'Database: the transaction is over', { retryable: true });
      return (await queryOn(mine, text, params)) as R[];
    },
  };
  try {
    const result = await limited(options.clock, options.limits.transaction, work(q));
    await begun;
    open = false;
    await queryOn(mine, 'commit');
    return result;
  } catch (error) {
    open = false; // a straggler's statement would run after the rollback, on its own
    await queryOn(mine, 'rollback').catch(() => mine.kill());
    throw error;
  }
}

type Thread = {
  /** Answered in order. @throws when the engine ended, or a statement took longer than its limit. */
  ask(make: (id: number) => Ask): Promise<Row[]>;
  gone(): boolean;
  kill(): Promise<void>;
};

/**
 * A thread has no compile cache of its own accord: without it the thread loads a compiler for TypeScript, 60 MB, to read
 * three files. Plain JavaScript, so that nothing is compiled before the cache is there.
 */
const compiled = getCompileCacheDir();
const THREAD = `${compiled === undefined ? '' : `require('node:module').enableCompileCache(${JSON.stringify(dirname(compiled))});`}
import(${JSON.stringify(new URL('./pglite-thread.ts', import.meta.url).href)});`;

async function startThread(
  options: PgliteOptions,
  notify: (channel: string, payload: string) => void,
): Promise<Thread> {
  setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET}`);
  const data: ThreadData = { folder: options.folder, fsync: options.fsync ?? true };
  const worker = new Worker(THREAD, { eval: true, workerData: data, execArgv: [] });
  const waiting = new Map<number, PromiseWithResolvers<Row[]>>();
  const opened = Promise.withResolvers<void>();
  const ended = new AbortController();
  let next = 0;
  let busySince = options.clock.steady();
  const end = (fault: Fault) => {
    ended.abort();
    opened.reject(fault);
    for (const caller of waiting.values()) caller.reject(fault);
    waiting.clear();
  };
  worker.on('message', (answer: Answer) => {
    if (answer.kind === 'opened') return opened.resolve();
    if (answer.kind === 'notified') return notify(answer.channel, answer.payload);
    const caller = waiting.get(answer.id);
    waiting.delete(answer.id);
    busySince = options.clock.steady();
    if (answer.kind === 'done') caller?.resolve(answer.rows);
    else caller?.reject(databaseFault(answer.error));
  });
  const gone = (why: string, cause?: unknown) =>
    end(new Fault('unavailable', `Database: the embedded engine ${why}`, { retryable: true, cause }));
  worker.on('error', (error) => gone('failed', error));
  worker.on('exit', () => gone('ended'));
  const kill = async () => {
    gone('was ended');
    await worker.terminate();
  };
  const ask: Thread['ask'] = async (make) => {
    if (ended.signal.aborted) throw new Fault('unavailable', 'Database: the engine was restarted', { retryable: true });
    if (waiting.size === 0) busySince = options.clock.steady();
    const caller = Promise.withResolvers<Row[]>();
    const id = next++;
    waiting.set(id, caller);
    worker.postMessage(make(id));
    return await caller.promise;
  };
  /** One look now and then for all statements: a timer for each would cost more than most statements do. */
  const watch = async () => {
    while (!ended.signal.aborted) {
      await options.clock.sleep(WATCH_EVERY, ended.signal).catch(() => {});
      if (waiting.size === 0 || options.clock.steady() - busySince <= options.limits.statement) continue;
      end(late(options.limits.statement));
      await worker.terminate();
    }
  };
  try {
    await limited(options.clock, OPEN_LIMIT, opened.promise);
  } catch (error) {
    await kill();
    throw error;
  }
  void watch();
  return { ask, gone: () => ended.signal.aborted, kill };
}

const late = (limit: Milliseconds) =>
  new Fault('timeout', `Database: no answer within ${limit} ms`, { retryable: true });

/** @throws {Fault} `timeout` when `work` takes longer. */
async function limited<T>(clock: Clock, limit: Milliseconds, work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const alarm = clock.sleep(limit, done.signal).then(
    () => {
      throw late(limit);
    },
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([work, alarm]);
  } finally {
    done.abort();
  }
}

type Lane = 'foreground' | 'background';
/** So many of the foreground in a row, then one of the background: a burst of readers must not stop the leases. */
const FOREGROUND_ROW = 8;

/** One at a time: the foreground before the background, each in its order. */
function makeLine() {
  const lanes: Readonly<Record<Lane, (() => Promise<void>)[]>> = { foreground: [], background: [] };
  let row = 0;
  let going = false;
  const next = (): (() => Promise<void>) | undefined => {
    const yields = row >= FOREGROUND_ROW && lanes.background.length > 0;
    const one = yields ? undefined : lanes.foreground.shift();
    row = one ? row + 1 : 0;
    return one ?? lanes.background.shift();
  };
  const go = async () => {
    if (going) return;
    going = true;
    for (let one = next(); one; one = next()) await one();
    going = false;
  };
  return {
    async run<T>(work: () => Promise<T>, lane: Lane = 'background'): Promise<T> {
      const waiting = lanes.foreground.length + lanes.background.length;
      if (waiting >= WAITING_MAX) {
        throw new Fault('unavailable', `Database: ${waiting} callers wait for the one connection`, { retryable: true });
      }
      const mine = Promise.withResolvers<T>();
      lanes[lane].push(() => work().then(mine.resolve, mine.reject));
      void go();
      return await mine.promise;
    },
  };
}
