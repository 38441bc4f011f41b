/**
 * SQL seen at our own `Db`, on both engines alike: instrumentation-pg would see one of them, need a loader hook, and
 * know no more than the statement. Every statement is measured; it gets a span only where there is a trace to belong to,
 * so the queue's polls leave none. Parameters are never looked at.
 */
import type { Clock } from '#kernel/clock.ts';
import type { Db, Queryable } from '#kernel/database.ts';
import { Fault } from '#kernel/errors.ts';
import { DB_ERRORS, DB_OPERATIONS } from './catalogue-operation.ts';
import type { Telemetry } from './telemetry.ts';

type Operation = (typeof DB_OPERATIONS)[number];
type ErrorType = (typeof DB_ERRORS)[number];
type Statement = { readonly operation: Operation; readonly summary: string };

/** Our statements are constants, some hundred of them; text beyond that is made at run time and not worth keeping. */
const STATEMENTS_MAX = 500;

export function instrumentDb(db: Db, telemetry: Telemetry, clock: Clock): Db {
  const system = db.engine === 'postgres' ? ('postgresql' as const) : ('pglite' as const);
  const known = new Map<string, Statement>();
  const measured = async <T>(statement: Statement, work: () => Promise<T>): Promise<T> => {
    const begun = clock.steady();
    const record = (failure: { 'error.type'?: ErrorType }) => {
      const attributes = { 'db.system.name': system, 'db.operation.name': statement.operation, ...failure } as const;
      telemetry.record('db_client_operation_duration_seconds', attributes, (clock.steady() - begun) / 1000);
    };
    try {
      const answer = await work();
      record({});
      return answer;
    } catch (error) {
      record({ 'error.type': databaseErrorType(error) });
      throw error;
    }
  };
  const watched = (q: Queryable): Queryable => ({
    query: async (text, params) => {
      const statement = known.get(text) ?? describeStatement(text);
      if (known.size < STATEMENTS_MAX) known.set(text, statement);
      const run = () => measured(statement, () => q.query(text, params));
      if (telemetry.currentTraceparent() === undefined) return (await run()) as never;
      const attributes = {
        'db.system.name': system,
        'db.operation.name': statement.operation,
        'db.query.summary': statement.summary,
        'db.query.text': text,
      };
      return (await telemetry.inSpan(statement.summary, { kind: 'client', attributes }, async (span) => {
        const rows = await run();
        span.set({ 'db.response.returned_rows': rows.length });
        return rows;
      })) as never;
    },
  });
  const tx: Db['tx'] = (work) => {
    const run = () => db.tx((q) => work(watched(q)));
    if (telemetry.currentTraceparent() === undefined) return run();
    return telemetry.inSpan('transaction', { kind: 'internal', attributes: { 'db.system.name': system } }, run);
  };
  return {
    engine: db.engine,
    query: watched(db).query,
    relaxed: watched(db.relaxed),
    foreground: () => instrumentDb(db.foreground(), telemetry, clock),
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
