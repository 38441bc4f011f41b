/**
 * SQL seen at our own `Db`, on both engines alike: instrumentation-pg would see one of them, need a loader hook, and
 * know no more than the statement. Every statement is measured. A span it gets only where there is a trace to belong to,
 * and only if it failed or took long: a document has some sixty statements of a millisecond, and a span for each costs more
 * than the statement's own work here. Parameters are never looked at.
 */
import type { Clock } from '#kernel/clock.ts';
import type { Db, Queryable } from '#kernel/database.ts';
import { Fault } from '#kernel/errors.ts';
import { type Milliseconds, milliseconds, toSeconds } from '#kernel/units.ts';
import type { SpanAttributes } from './attributes.ts';
import { DB_ERRORS, DB_OPERATIONS } from './catalogue-operation.ts';
import type { Telemetry } from './telemetry.ts';

type Operation = (typeof DB_OPERATIONS)[number];
type ErrorType = (typeof DB_ERRORS)[number];
type Statement = { readonly operation: Operation; readonly summary: string };

/** Our statements are constants, some hundred of them; text beyond that is made at run time and not worth keeping. */
const STATEMENTS_MAX = 500;

export type DbInstruments = {
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** What takes as long gets a span; 0: everything. */
  readonly slow: Milliseconds;
};

export function instrumentDb(db: Db, instruments: DbInstruments): Db {
  const { telemetry, clock, slow } = instruments;
  const system = db.engine === 'postgres' ? ('postgresql' as const) : ('pglite' as const);
  const known = new Map<string, Statement>();
  const traced = (name: string, attributes: SpanAttributes, took: Milliseconds, code?: string) => {
    if (telemetry.currentTraceparent() === undefined || (took < slow && code === undefined)) return;
    const ended = clock.now();
    const kind = 'db.query.text' in attributes ? 'client' : 'internal';
    telemetry.pastSpan(name, { kind, attributes }, { begun: milliseconds(ended - took), ended, code });
  };
  const told = (
    { operation, summary }: Statement,
    text: string,
    took: Milliseconds,
    error?: ErrorType,
    rows?: number,
  ) => {
    const of = { 'db.system.name': system, 'db.operation.name': operation } as const;
    const failure = error === undefined ? {} : { 'error.type': error };
    telemetry.record('db_client_operation_duration_seconds', { ...of, ...failure }, toSeconds(took));
    const returned = rows === undefined ? {} : { 'db.response.returned_rows': rows };
    traced(summary, { ...of, 'db.query.summary': summary, 'db.query.text': text, ...returned }, took, error);
  };
  const since = (begun: Milliseconds) => milliseconds(clock.steady() - begun);
  const watched = (q: Queryable): Queryable => ({
    query: async (text, params) => {
      const statement = known.get(text) ?? describeStatement(text);
      if (known.size < STATEMENTS_MAX) known.set(text, statement);
      const begun = clock.steady();
      try {
        const rows = await q.query(text, params);
        told(statement, text, since(begun), undefined, rows.length);
        return rows as never;
      } catch (error) {
        told(statement, text, since(begun), databaseErrorType(error));
        throw error;
      }
    },
  });
  const tx: Db['tx'] = async (work) => {
    const begun = clock.steady();
    try {
      return await db.tx((q) => work(watched(q)));
    } finally {
      // What failed in it has failed by itself.
      traced('transaction', { 'db.system.name': system }, since(begun));
    }
  };
  return {
    engine: db.engine,
    query: watched(db).query,
    relaxed: watched(db.relaxed),
    foreground: () => instrumentDb(db.foreground(), instruments),
    tx,
    listen: (channel, heard) => db.listen(channel, heard),
    close: () => db.close(),
  };
}

/** What a statement does and to what: `SELECT worker.documents`. The first table it names stands for all. */
export function describeStatement(text: string): Statement {
  const plain = text.replace(/--[^\n]*|\/\*[\s\S]*?\*\//g, ' ').trim();
  const verb = /^\(*\s*([a-z]+)/i.exec(plain)?.[1]?.toUpperCase() ?? '';
  const operation = DB_OPERATIONS.find((name) => name === verb) ?? 'OTHER';
  const table = /\b(?:from|into|update)\s+(?:only\s+)?([a-z_][\w.]*)/i.exec(plain)?.[1];
  const name = operation === 'OTHER' ? verb || 'OTHER' : operation;
  return { operation, summary: table === undefined ? name : `${name} ${table.toLowerCase()}` };
}

export function databaseErrorType(error: unknown): ErrorType {
  const code = error instanceof Fault ? error.code : 'other';
  return DB_ERRORS.find((name) => name === code) ?? 'other';
}
