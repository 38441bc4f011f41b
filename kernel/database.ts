/**
 * What the rooms know of a database: queries, transactions, notifications. Two engines stand behind it, the same SQL and
 * the same tests run on both.
 *
 * Values: int8 and numeric come back as numbers, timestamptz as Milliseconds, jsonb parsed, bytea as Uint8Array.
 * Parameters: a Date becomes a timestamptz, a plain object jsonb, a Uint8Array bytea (or what else its binary form
 * says: `vectorParam`, `textsParam`, …).
 */
import { Fault } from './errors.ts';
import type { Milliseconds } from './units.ts';

export type Row = Record<string, unknown>;

export interface Queryable {
  /** One statement. @throws {DatabaseFault} */
  query<R extends object = Row>(text: string, params?: readonly unknown[]): Promise<R[]>;
}

export interface Db extends Queryable {
  readonly engine: 'postgres' | 'pglite';
  /**
   * Statements whose commit need not wait for the disk: after a power cut of the database the last of them may be gone,
   * whole. For what is worthless then anyway, such as a lease.
   */
  readonly relaxed: Queryable;
  /**
   * The same database for callers that somebody waits for: where all stand in line for one connection, these go before
   * the rest, which is not starved by it.
   */
  foreground(): Db;
  /** `work` sees one connection; its throw rolls back. Never wait for anything but the database inside. */
  tx<T>(work: (q: Queryable) => Promise<T>): Promise<T>;
  /** A hint, never the truth: notifications are lost with the connection, which is made again by itself. */
  listen(channel: string, heard: (payload: string) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export type DatabaseCode = 'unavailable' | 'timeout' | 'conflict' | 'duplicate' | 'refused';
export type DatabaseFault = Fault<DatabaseCode>;

export type DatabaseLimits = {
  readonly statement: Milliseconds;
  /** A whole transaction, so that a stuck caller cannot hold its locks for ever. */
  readonly transaction: Milliseconds;
};

/** SQLSTATE → what the caller can do about it. https://www.postgresql.org/docs/18/errcodes-appendix.html */
export function databaseFault(error: { code?: string; message: string; constraint?: string }): DatabaseFault {
  const fields = {
    ...(error.code ? { sqlstate: error.code } : {}),
    ...(error.constraint ? { constraint: error.constraint } : {}),
  };
  const make = (code: DatabaseCode, retryable: boolean) =>
    new Fault(code, `Database: ${error.message}`, { retryable, fields, cause: error });
  const state = error.code ?? '';
  if (state === '23505') return make('duplicate', false);
  if (state === '40001' || state === '40P01' || state === '55P03') return make('conflict', true);
  if (state === '57014' || state === '25P04' || state === '25P03') return make('timeout', true);
  if (/^(08|53|57P|58|XX)/.test(state) || !/^[0-9A-Z]{5}$/.test(state)) return make('unavailable', true);
  return make('refused', false);
}

export function isDatabaseFault(error: unknown, code: DatabaseCode): error is DatabaseFault {
  return error instanceof Fault && error.code === code && error.message.startsWith('Database:');
}

/** Makes parameters plain before they meet an engine, so that both read them alike. */
export function plainParams(params: readonly unknown[]): unknown[] {
  return params.map((value) => {
    if (value === undefined) return null;
    if (value instanceof Date) return value.toISOString();
    if (value instanceof Uint8Array || Array.isArray(value) || value === null) return value;
    return typeof value === 'object' ? JSON.stringify(value) : value;
  });
}

/**
 * One statement of a transaction, planned with its values; so are those that follow in it. All others are planned once, without
 * (postgres.ts): a limit that nobody knows is then taken for a tenth of all rows, and an index that would give the first
 * three at once is passed over for reading everything. Sent together: both take one journey.
 */
export async function queryWithValues<R extends object>(
  q: Queryable,
  text: string,
  params: readonly unknown[],
): Promise<R[]> {
  const [, rows] = await Promise.all([
    q.query(`select set_config('plan_cache_mode', 'force_custom_plan', true)`),
    q.query<R>(text, params),
  ]);
  return rows;
}

export const instant = (at: Milliseconds): Date => new Date(at);

/**
 * pgvector's binary form: two int16 (dimensions, unused), then float4 big-endian. Measured six times faster than text.
 * Source: pgvector src/vector.c, vector_send.
 */
export function vectorParam(values: Float32Array): Uint8Array {
  const buffer = Buffer.alloc(4 + values.length * 4);
  buffer.writeInt16BE(values.length, 0);
  values.forEach((value, i) => {
    buffer.writeFloatBE(value, 4 + i * 4);
  });
  return buffer;
}

/**
 * A column of many rows in Postgres' binary form: nothing is escaped here and nothing parsed there, for rows that come by
 * the hundred. Source: PostgreSQL src/backend/utils/adt/arrayfuncs.c, array_recv: int32 dimensions, flags, type of the
 * elements, length, lower bound; then for each element its int32 size and its own binary form.
 */
export const textsParam = (values: readonly string[]): Uint8Array => textElements(TYPE_TEXT, values);
/** Each is JSON as text. */
export const jsonsParam = (values: readonly string[]): Uint8Array => textElements(TYPE_JSON, values);

export function instantsParam(values: readonly Milliseconds[]): Uint8Array {
  const buffer = arrayHead(TYPE_TIMESTAMPTZ, values.length, values.length * 12);
  let at = ARRAY_HEAD;
  for (const value of values) {
    // Microseconds since 2000.
    buffer.writeInt32BE(8, at);
    buffer.writeBigInt64BE(BigInt(value - YEAR_2000) * 1_000n, at + 4);
    at += 12;
  }
  return buffer;
}

const [TYPE_TEXT, TYPE_JSON, TYPE_TIMESTAMPTZ] = [25, 114, 1184];
const YEAR_2000 = Date.UTC(2000, 0, 1);
const ARRAY_HEAD = 20;

function textElements(type: number, values: readonly string[]): Uint8Array {
  const size = values.reduce((sum, value) => sum + 4 + Buffer.byteLength(value), 0);
  const buffer = arrayHead(type, values.length, size);
  let at = ARRAY_HEAD;
  for (const value of values) {
    const length = buffer.write(value, at + 4);
    buffer.writeInt32BE(length, at);
    at += 4 + length;
  }
  return buffer;
}

function arrayHead(type: number, length: number, size: number): Buffer {
  // Of its own memory: a part of Node's pool would be sent to the embedded engine's thread with the whole pool.
  const buffer = Buffer.allocUnsafeSlow(ARRAY_HEAD + size);
  [1, 0, type, length, 1].forEach((word, i) => {
    buffer.writeInt32BE(word, i * 4);
  });
  return buffer;
}
