import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { fakeClock } from '#kernel/clock.ts';
import { type Db, databaseFault } from '#kernel/database.ts';
import { silentLog } from '#kernel/log.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { databaseErrorType, describeStatement, instrumentDb } from './database.ts';
import { startTelemetry, type Telemetry } from './telemetry.ts';

const statements: readonly [text: string, operation: string, summary: string][] = [
  ['select * from worker.documents where id = $1', 'SELECT', 'SELECT worker.documents'],
  ['  -- why\n /* and how */ INSERT INTO access.audit (at) values ($1)', 'INSERT', 'INSERT access.audit'],
  ['update only worker.jobs set a = 1', 'UPDATE', 'UPDATE worker.jobs'],
  ['with due as (select id from worker.jobs) delete from worker.jobs', 'WITH', 'WITH worker.jobs'],
  ['(select 1)', 'SELECT', 'SELECT'],
  ['vacuum', 'OTHER', 'VACUUM'],
  ['', 'OTHER', 'OTHER'],
];
for (const [text, operation, summary] of statements) {
  test(`describeStatement() reads "${text.slice(0, 30)}" as ${summary}`, () =>
    assert.deepEqual(describeStatement(text), { operation, summary }));
}

test('databaseErrorType() is from a closed set', () => {
  assert.equal(databaseErrorType(databaseFault({ code: '23505', message: 'x' })), 'duplicate');
  assert.equal(databaseErrorType(new Error('x')), 'other');
});

async function setUp(t: TestContext, engine: Db['engine'] = 'pglite') {
  const clock = fakeClock(1_790_000_000_000);
  const shared = { role: 'worker', instanceId: 'w', version: 'x', metricsEnabled: true, tracesEnabled: true } as const;
  const telemetry = await startTelemetry({ ...shared, log: silentLog, clock, strict: true });
  t.after(() => telemetry.stop());
  const query: Db['query'] = async (text) => {
    await clock.sleep(200 as Milliseconds);
    if (text.includes('broken')) throw databaseFault({ code: '57014', message: 'canceling statement' });
    return [];
  };
  const plain: Db = {
    engine,
    query,
    relaxed: { query },
    foreground() {
      return this;
    },
    tx: (work) => work({ query }),
    listen: async () => async () => {},
    close: async () => {},
  };
  const running = async <T>(work: Promise<T>): Promise<T> => {
    const settled = work.catch(() => {});
    await clock.advance(200);
    await settled;
    return work;
  };
  const instrumented = (slow: number, other = telemetry) =>
    instrumentDb(plain, { telemetry: other, clock, slow: slow as Milliseconds });
  return { telemetry, running, instrumented, db: instrumented(0) };
}
const count = 'db_client_operation_duration_seconds_bucket';

test('every statement is measured, in and out of a transaction, with what went wrong', async (t) => {
  const { telemetry, running, db } = await setUp(t);
  await running(db.query('select 1 from worker.documents'));
  await running(db.tx((q) => q.query('select 2 from worker.documents')));
  await assert.rejects(running(db.query('select broken')), /canceling/);
  const text = await telemetry.exposition('rest');
  const system = 'db_system_name="pglite",db_operation_name="SELECT"';
  assert(text.includes(`${count}{${system},le="0.1"} 0\n${count}{${system},le="0.2"} 2\n`), text);
  assert(text.includes(`${count}{${system},error_type="timeout",le="0.2"} 1\n`), text);
});

test('Postgres is called postgresql, as the conventions do', async (t) => {
  const { telemetry, running, db } = await setUp(t, 'postgres');
  await running(db.query('delete from worker.jobs'));
  assert.match(await telemetry.exposition('rest'), /db_system_name="postgresql",db_operation_name="DELETE"/);
});

test('a statement has a span only inside a trace, and only if it was slow or failed', async (t) => {
  const { telemetry, running, instrumented } = await setUp(t);
  const spans: string[] = [];
  const watching: Telemetry = {
    ...telemetry,
    pastSpan: (name, options, past) => {
      spans.push(`${name} ${past.ended - past.begun} ${past.code ?? ''}`);
      telemetry.pastSpan(name, options, past);
    },
  };
  const [slow, fast] = [instrumented(200, watching), instrumented(201, watching)];
  await running(slow.query('select 1 from worker.jobs'));
  assert.deepEqual(spans, []);
  const inTrace = async (db: Db, text: string) =>
    await telemetry.inSpan('job', {}, () => running(db.tx((q) => q.query(text))));
  await inTrace(fast, 'select 1 from worker.jobs');
  assert.deepEqual(spans, []);
  await inTrace(slow, 'select 1 from worker.jobs');
  assert.deepEqual(spans.splice(0), ['SELECT worker.jobs 200 ', 'transaction 200 ']);
  await assert.rejects(inTrace(fast, 'select broken from worker.jobs'));
  assert.deepEqual(spans, ['SELECT worker.jobs 200 timeout']);
});
