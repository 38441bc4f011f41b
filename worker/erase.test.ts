/** After an erasure nothing in any table says what the document was; that it was, and what it cost, stays. */
import assert from 'node:assert/strict';
import test, { beforeEach } from 'node:test';
import { type AuditEntry, auditTrail } from '#access/audit.ts';
import type { Db, Queryable } from '#kernel/database.ts';
import { seededRandom, uuidv7 } from '#kernel/random.ts';
import { milliseconds, type Usd } from '#kernel/units.ts';
import { emptyTables, onEveryEngine, ROOMS } from '#test/kit/database.ts';
import { accept } from './accept.ts';
import type { Status } from './document.ts';
import { eraseDocument } from './erase.ts';
import { claim, enqueue, stillHeld } from './queue.ts';
import { addTimeline, moveDocument, readDocument } from './rows/documents.ts';
import { putDrafts, putEmbeddings, putParse, storeChunks } from './rows/results.ts';
import { startCall } from './rows/vendor-calls.ts';
import { readWay } from './rows/way.ts';
import { fenced } from './transition.ts';

const T0 = milliseconds(1_790_000_000_000);
const LATER = milliseconds(T0 + 60_000);
const random = seededRandom(2);
/** In every value that says what the document was. */
const NEEDLE = 'zanzibar';

async function documentWithEverything(db: Db, status: Status = 'completed', tenant = 'default'): Promise<string> {
  const id = uuidv7(T0, random);
  const acceptance = {
    ...{ id, tenant, contentType: 'text/plain', bytes: 9, sha256: 'a'.repeat(64), correlationId: 'c-1' },
    ...{
      noCache: false,
      canary: false,
      traceparent: undefined,
      idempotencyKey: `${NEEDLE}-${id}`,
    },
    filename: `${NEEDLE}.txt`,
    metadata: { [NEEDLE]: NEEDLE },
    webhookUrl: `https://${NEEDLE}.example/hook`,
    pieces: [{ ordinal: 0, bytes: Buffer.from(NEEDLE) }],
  };
  await accept(db, acceptance, T0);
  await putParse(db, id, { pages: [NEEDLE], parser: 'p' });
  await putDrafts(db, id, [{ ordinal: 0, text: NEEDLE, tokens: 1, page: 1, heading: NEEDLE }], 'm');
  await putEmbeddings(db, id, [{ ordinal: 0, vector: new Float32Array(1536).fill(0.1) }], 'm');
  await storeChunks(db, { id, tenant }, 0);
  const call = { documentId: id, tenant, step: 'embed', vendor: 'openai', operation: 'embeddings' };
  await startCall(db, { ...call, id: uuidv7(T0, random), at: T0, expectedCost: 0.25 as Usd });
  const error = { code: 'vendor_job_failed', message: `could not parse ${NEEDLE}.txt` };
  const said = { at: T0, from: 'queued', to: 'queued', attempt: 1, because: `failed: ${error.message}` } as const;
  await addTimeline(db, id, said);
  await moveDocument(db, id, { from: 'queued', to: status, attempts: 1, at: T0, error, finished: true });
  // Only a failure's reason is somebody else's words.
  await addTimeline(db, id, { ...said, to: status, ...(status === 'failed' ? {} : { because: 'parsed: 1 page' }) });
  return id;
}

const entryFor = (id: string, tenant = 'default'): AuditEntry => ({
  at: LATER,
  tenant,
  subject: 'key:1',
  action: 'documents:erase',
  target: id,
  outcome: 'done',
  correlationId: 'c-2',
});

/** Every table of every room, every row as text. */
async function rowsWith(db: Db, needle: string): Promise<string[]> {
  const tables = await db.query<{ name: string }>(
    `select schemaname || '.' || tablename as name from pg_tables where schemaname = any ($1)`,
    [[...ROOMS]],
  );
  const hex = Buffer.from(needle).toString('hex');
  const found: string[] = [];
  for (const { name } of tables) {
    const rows = await db.query<{ row: string }>(`select t::text as row from ${name} t`);
    for (const { row } of rows) if (row.includes(needle) || row.includes(hex)) found.push(`${name}: ${row}`);
  }
  return found;
}

onEveryEngine('eraseDocument()', (db) => {
  beforeEach(async () => await emptyTables(db()));

  for (const status of ['completed', 'rejected', 'failed', 'parsing', 'storing'] as const) {
    test(`leaves nothing of a document that is ${status}, in any table`, async () => {
      const id = await documentWithEverything(db(), status);
      assert((await rowsWith(db(), NEEDLE)).length >= 6, 'the document is in all tables before');
      assert.equal(await eraseDocument(db(), id, entryFor(id), LATER), true);
      assert.deepEqual(await rowsWith(db(), NEEDLE), []);
      for (const table of ['contents', 'parses', 'drafts', 'chunks', 'jobs']) {
        assert.deepEqual(await db().query(`select 1 from worker.${table}`), [], table);
      }
    });
  }

  test('keeps the row, its times, its costs and its history, and writes the audit trail', async () => {
    const id = await documentWithEverything(db());
    await eraseDocument(db(), id, entryFor(id), LATER);
    const row = await readDocument(db(), id);
    assert.equal(row?.status, 'erased');
    assert.equal(row?.acceptedAt, T0);
    assert.equal(row?.bytes, 9);
    assert.equal(row?.correlationId, 'c-1');
    assert.equal(row?.errorCode, 'vendor_job_failed');
    assert.equal(row?.costUsd, 0.25);
    const calls = await db().query('select outcome, wasted from worker.vendor_calls');
    assert.deepEqual(calls, [{ outcome: 'interrupted', wasted: true }], 'the call that was open is not open for ever');
    const { timeline } = await readWay(db(), id);
    assert.deepEqual(
      timeline.map(({ to }) => to),
      ['queued', 'queued', 'completed', 'erased'],
    );
    assert.equal(timeline.at(-1)?.because, 'erased on request');
    const [entry] = await auditTrail(db(), 'default', { limit: 10 });
    assert.deepEqual({ ...entry, id: 0 }, { ...entryFor(id), id: 0 });
  });

  test('changes nothing the second time, and is no error', async () => {
    const id = await documentWithEverything(db());
    await eraseDocument(db(), id, entryFor(id), LATER);
    const before = (await readWay(db(), id)).timeline;
    assert.equal(await eraseDocument(db(), id, entryFor(id), milliseconds(LATER + 1)), true);
    assert.deepEqual((await readWay(db(), id)).timeline, before);
    assert.equal((await auditTrail(db(), 'default', { limit: 10 })).length, 1);
  });

  test('finds no document of another tenant, and touches neither it nor its neighbours', async () => {
    const id = await documentWithEverything(db(), 'completed', 'other');
    assert.equal(await eraseDocument(db(), id, entryFor(id), LATER), false);
    const mine = await documentWithEverything(db());
    const neighbour = await documentWithEverything(db());
    await eraseDocument(db(), mine, entryFor(mine), LATER);
    for (const kept of [id, neighbour]) {
      assert.equal((await readDocument(db(), kept))?.status, 'completed');
      assert.equal((await db().query('select 1 from worker.chunks where document_id = $1', [kept])).length, 1);
    }
    assert.equal(await eraseDocument(db(), uuidv7(T0, random), entryFor(''), LATER), false);
  });

  test('frees the Idempotency-Key', async () => {
    const id = await documentWithEverything(db());
    await eraseDocument(db(), id, entryFor(id), LATER);
    const row = await db().query<{ key: null }>('select idempotency_key as key from worker.documents');
    assert.deepEqual(row, [{ key: null }]);
  });

  test('cuts off work in hand: its claim is lost and it can write nothing', async () => {
    const id = await documentWithEverything(db(), 'embedding');
    const demand = { queue: 'parse', limit: 1 };
    const options = { owner: 'w', now: LATER, lease: milliseconds(2_500), held: [] };
    const [held] = (await claim(db(), [demand], options)).claims;
    assert(held);
    const broken = (q: Queryable) => q.query('select 1 / 0');
    await assert.rejects(fenced(db(), held, broken), /division by zero/);
    await eraseDocument(db(), id, entryFor(id), LATER);
    assert.equal(await stillHeld(db(), held), false);
    await assert.rejects(
      fenced(db(), held, (q) => putParse(q, id, { pages: [NEEDLE], parser: 'p' })),
      { code: 'lease_lost' },
    );
    await assert.rejects(fenced(db(), held, broken), { code: 'lease_lost' }, 'what its write met does not matter');
    assert.deepEqual(await rowsWith(db(), NEEDLE), []);
  });

  test('takes the webhook’s job with it', async () => {
    const id = await documentWithEverything(db());
    const job = { queue: 'webhook', key: `webhook/${id}`, documentId: id, availableAt: T0 };
    await enqueue(db(), [job], T0);
    await eraseDocument(db(), id, entryFor(id), LATER);
    assert.deepEqual(await db().query('select 1 from worker.jobs'), []);
  });

  test('erases while a writer commits, without a deadlock and without a rest', async () => {
    for (let round = 0; round < 10; round++) {
      const id = await documentWithEverything(db(), 'embedding');
      const options = { owner: 'w', now: LATER, lease: milliseconds(2_500), held: [] };
      const [held] = (await claim(db(), [{ queue: 'parse', limit: 1 }], options)).claims;
      assert(held);
      const write = fenced(db(), held, (q) => putParse(q, id, { pages: [NEEDLE], parser: 'p' })).catch(() => {});
      await Promise.all([write, eraseDocument(db(), id, entryFor(id), LATER)]);
      assert.deepEqual(await rowsWith(db(), NEEDLE), []);
      await emptyTables(db());
    }
  });
});
