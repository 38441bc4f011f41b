/** What a statement reads must not grow with the tables: a soak was late after 50 minutes, since a search read every chunk. */
import assert from 'node:assert/strict';
import test, { before } from 'node:test';
import type { Queryable } from '#kernel/database.ts';
import type { Usd } from '#kernel/units.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import { type DocumentRow, findSame, listDocuments } from './documents.ts';
import { nearestChunks } from './results.ts';
import { settleCall } from './vendor-calls.ts';

/** So many that reading all costs more than the index of the nearest does, by the planner's reckoning. */
const MANY = 3_000;
/** Vectors are kept elsewhere: the pages of the table are full of text. */
const TEXT = 'x'.repeat(400);
const ODD_ONE = '00000000-0000-4000-8000-000000000007';

onEveryEngine('with thousands of documents', (db) => {
  before(async () => {
    await emptyTables(db());
    await db().query(
      `insert into worker.documents (id, tenant, filename, content_type, bytes, sha256, status, correlation_id, traceparent,
         request_hash, accepted_at, queued_at, updated_at)
       select case n when 7 then $2::uuid else gen_random_uuid() end, 'default', 'a.txt', 'text/plain', 1, 'same', 'completed',
         case n when 7 then 'rare' else 'common' end, '', '', now(), now(), now() from generate_series(1, $1::int) n`,
      [MANY, ODD_ONE],
    );
    await db().query(
      `insert into worker.chunks (document_id, ordinal, tenant, text, tokens, page, heading, embedding)
       select id, 0, case when correlation_id = 'rare' then 'small' else 'default' end, $1, 1, 1, '', array_fill(0.5::real, array[1536])::vector
       from worker.documents`,
      [TEXT],
    );
    await db().query(
      `insert into worker.vendor_calls (id, document_id, tenant, step, vendor, operation, started_at, outcome, vendor_job)
       select gen_random_uuid(), id, 'default', 'parse', 'llamaparse', 'upload', now(), 'completed', 'job-' || correlation_id
       from worker.documents`,
    );
    for (const table of ['documents', 'chunks', 'vendor_calls']) await db().query(`analyze worker.${table}`);
  });

  /** Rows of a table that `work` reads, by an index or all in turn. */
  async function read(table: string, work: (q: Queryable) => Promise<unknown>): Promise<number> {
    return await db().tx(async (q) => {
      const before = await readSoFar(q, table);
      await work(q);
      return (await readSoFar(q, table)) - before;
    });
  }
  async function readSoFar(q: Queryable, table: string): Promise<number> {
    const rows = await q.query<{ n: number }>(
      `select seq_tup_read + coalesce(idx_tup_fetch, 0) as n from pg_stat_xact_user_tables where relid = $1::regclass`,
      [`worker.${table}`],
    );
    return rows[0]?.n ?? 0;
  }
  const few = (count: number) => assert.ok(count <= 20, `${count} rows were read`);
  const vector = new Float32Array(1536).fill(0.5);

  test('a search reads a few chunks', async () => {
    few(await read('chunks', async (q) => assert.equal((await nearestChunks(q, 'default', vector, 3)).length, 3)));
  });

  test('a search of a tenant that has one chunk reads that one', async () => {
    const hits = await db().tx((q) => nearestChunks(q, 'small', vector, 3));
    assert.deepEqual(
      hits.map(({ documentId }) => documentId),
      [ODD_ONE],
    );
    few(await read('chunks', (q) => nearestChunks(q, 'small', vector, 3)));
  });

  test('a list of one correlation ID reads what it shows', async () => {
    const filter = { tenant: 'default', correlationId: 'rare', limit: 200 };
    few(await read('documents', async (q) => assert.equal((await listDocuments(q, filter)).length, 1)));
  });

  test('bytes that nobody sent before are looked for without reading the others', async () => {
    const of = { id: ODD_ONE, tenant: 'default', sha256: 'new' } as DocumentRow;
    few(await read('documents', async (q) => assert.equal(await findSame(q, of, ''), undefined)));
  });

  test('a bill is written to the call of its document', async () => {
    const job = { documentId: ODD_ONE, vendorJob: 'job-rare' };
    few(await read('vendor_calls', (q) => settleCall(q, job, { credits: 3, cost: 0.5 as Usd })));
    const rows = await db().query('select document_id as id from worker.vendor_calls where credits = 3');
    assert.deepEqual(rows, [{ id: ODD_ONE }]);
  });
});
