/** Postgres behind the Db interface: a bounded pool, limits on every statement, and one connection that listens. */
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import pg from 'pg';
import type { Clock } from './clock.ts';
import { type DatabaseLimits, type Db, databaseFault, plainParams, type Queryable } from './database.ts';
import { Fault } from './errors.ts';
import type { Secret } from './secret.ts';
import type { Milliseconds } from './units.ts';

export type PostgresOptions = {
  readonly url: Secret;
  readonly poolSize: number;
  readonly limits: DatabaseLimits;
  readonly clock: Clock;
  readonly applicationName: string;
};

const CONNECT_LIMIT = 5_000 as Milliseconds;
/**
 * Our transactions wait for nothing but the database, so one that is idle this long belongs to a process that hangs or a
 * machine that is gone. It is ended before a lease runs out: else its row locks hold up every other worker.
 */
const IDLE_IN_TRANSACTION = 2_000 as Milliseconds;
/** For claims and heartbeats: a process makes one at a time. */
const RELAXED_CONNECTIONS = 3;
/**
 * Postgres plans a prepared statement anew each time while it thinks that pays; for the queue's claim that was a fifth of
 * its time (1,630 against 2,060 jobs/s). So a statement must be written to be planned without its parameters, or asked by
 * `queryWithValues`.
 */
const PLAN_ONCE = '-c plan_cache_mode=force_generic_plan';
const RELISTEN_AFTER = 1_000 as Milliseconds;

/** The same values as PGlite gives: see the head of database.ts. */
const TYPES: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    const { INT8, NUMERIC, TIMESTAMPTZ } = pg.types.builtins;
    if (oid === INT8 || oid === NUMERIC) return Number;
    if (oid === TIMESTAMPTZ) return (text: string) => Date.parse(text);
    return pg.types.getTypeParser(oid, format);
  }) as pg.CustomTypesConfig['getTypeParser'],
};

export function openPostgres(options: PostgresOptions): Db {
  const settings: pg.ClientConfig = {
    connectionString: options.url.reveal(),
    connectionTimeoutMillis: CONNECT_LIMIT,
    application_name: options.applicationName,
    statement_timeout: options.limits.statement,
    // The server cancels first; this is for a server that has gone silent.
    query_timeout: options.limits.statement + 1_000,
    idle_in_transaction_session_timeout: Math.min(IDLE_IN_TRANSACTION, options.limits.transaction),
    lock_timeout: options.limits.statement,
    keepAlive: true,
    // Statements of a transaction that are sent together cost one journey, not one each.
    pipeline: true,
    types: TYPES,
  };
  const pool = new pg.Pool({ ...settings, options: PLAN_ONCE, max: options.poolSize, idleTimeoutMillis: 30_000 });
  const relaxedOptions = `${PLAN_ONCE} -c synchronous_commit=off`;
  const relaxedPool = new pg.Pool({ ...settings, options: relaxedOptions, max: RELAXED_CONNECTIONS });
  relaxedPool.on('error', () => {});
  pool.on('error', () => {}); // an idle connection broke: the pool has already let it go
  const listeners = makeListener(settings, options.clock);
  const run = (on: pg.Pool | pg.PoolClient): Queryable['query'] => {
    return async (text, params = []) => {
      const values = plainParams(params).map(asBuffer);
      try {
        return (await on.query({ ...preparedName(text), text, values })).rows;
      } catch (error) {
        throw databaseFault(error as Error);
      }
    };
  };
  const db: Db = {
    engine: 'postgres',
    query: run(pool),
    relaxed: { query: run(relaxedPool) },
    foreground: () => db,
    tx: (work) => inTransaction(pool, run, work),
    listen: listeners.listen,
    close: async () => {
      await listeners.close();
      await Promise.all([pool.end(), relaxedPool.end()]);
    },
  };
  return db;
}

async function inTransaction<T>(
  pool: pg.Pool,
  run: (on: pg.PoolClient) => Queryable['query'],
  work: (q: Queryable) => Promise<T>,
): Promise<T> {
  const client = await pool.connect().catch((error: Error) => {
    throw databaseFault(error);
  });
  let broken: Error | undefined;
  const onError = (error: Error) => {
    broken = error;
  };
  client.on('error', onError);
  const statement = run(client);
  const { stream } = (client as unknown as { readonly connection: { readonly stream: Socket } }).connection;
  const query: Queryable['query'] = (text, params) => {
    // What is asked in one turn, such as the first statement after `begin`, leaves as one packet.
    stream.cork();
    process.nextTick(() => stream.uncork());
    return statement(text, params);
  };
  try {
    // Not waited for: the connection answers in order, and what follows fails with it.
    const begun = query('begin');
    begun.catch(() => {});
    const result = await work({ query });
    await begun;
    await query('commit');
    return result;
  } catch (error) {
    await query('rollback').catch((fault: Error) => {
      broken = fault;
    });
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}

/** Our statements are constants, so each connection plans them once. Names are cut to 63 bytes by Postgres: a hash. */
const names = new Map<string, string>();
const NAMES_MOST = 1_000;
function preparedName(text: string): { name?: string } {
  const known = names.get(text);
  if (known !== undefined) return { name: known };
  if (names.size >= NAMES_MOST || !/^\s*(?:select|insert|update|delete|with)\b/i.test(text)) return {};
  const name = createHash('sha256').update(text).digest('base64url');
  names.set(text, name);
  return { name };
}

const asBuffer = (value: unknown): unknown =>
  value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : value;

/** One connection for all channels; made again a second after it broke, since a hint may be lost but not all of them. */
function makeListener(settings: pg.ClientConfig, clock: Clock) {
  const channels = new Map<string, Set<(payload: string) => void>>();
  const stop = new AbortController();
  let client: pg.Client | undefined;
  let starting: Promise<void> | undefined;
  const connect = async () => {
    const { statement_timeout: _1, query_timeout: _2, idle_in_transaction_session_timeout: _3, ...rest } = settings;
    const fresh = new pg.Client(rest);
    fresh.on('error', () => {});
    fresh.on('notification', ({ channel, payload }) => {
      for (const heard of channels.get(channel) ?? []) heard(payload ?? '');
    });
    fresh.on('end', () => {
      client = undefined;
      if (!stop.signal.aborted) void reconnect();
    });
    try {
      await fresh.connect();
      for (const channel of channels.keys()) await fresh.query(`listen ${channel}`);
    } catch (error) {
      await fresh.end().catch(() => {});
      throw databaseFault(error as Error);
    }
    client = fresh;
  };
  /** However many ask for it. */
  const connectOnce = (): Promise<void> => {
    starting ??= connect().finally(() => {
      starting = undefined;
    });
    return starting;
  };
  let reconnecting = false;
  const reconnect = async (): Promise<void> => {
    if (reconnecting) return;
    reconnecting = true;
    while (!stop.signal.aborted && client === undefined) {
      await clock.sleep(RELISTEN_AFTER, stop.signal).catch(() => {});
      await connectOnce().catch(() => {});
    }
    reconnecting = false;
  };
  return {
    listen: async (channel: string, heard: (payload: string) => void) => {
      if (!/^[a-z_]+$/.test(channel)) throw new Fault('refused', `Cannot listen on "${channel}": not a channel name`);
      const known = channels.get(channel);
      channels.set(channel, (known ?? new Set()).add(heard));
      if (!client) await connectOnce();
      else if (!known) await client.query(`listen ${channel}`);
      return async () => void channels.get(channel)?.delete(heard);
    },
    close: async () => {
      stop.abort();
      await client?.end().catch(() => {});
    },
  };
}
