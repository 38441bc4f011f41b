import assert from 'node:assert/strict';
import test, { beforeEach } from 'node:test';
import type { Traceparent } from '#collector/context.ts';
import type { Db } from '#kernel/database.ts';
import { Fault } from '#kernel/errors.ts';
import { seededRandom, uuidv7 } from '#kernel/random.ts';
import { milliseconds } from '#kernel/units.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import { type Acceptance, accept, hashRequest } from './accept.ts';
import { readContent } from './rows/contents.ts';
import { readDocument } from './rows/documents.ts';
import { readWay } from './rows/way.ts';

const T0 = milliseconds(1_790_000_000_000);
const random = seededRandom(1);
const acceptance = (more: Partial<Acceptance> = {}): Acceptance => ({
  id: uuidv7(T0, random),
  tenant: 'default',
  filename: 'a.txt',
  contentType: 'text/plain',
  bytes: 5,
  sha256: 'a'.repeat(64),
  metadata: { case: 'A-17' },
  webhookUrl: null,
  correlationId: 'c-1',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' as Traceparent,
  idempotencyKey: null,
  noCache: false,
  canary: false,
  pieces: [{ ordinal: 0, bytes: Buffer.from('bytes') }],
  ...more,
});

const rowsOf = async (db: Db, table: string): Promise<number> =>
  (await db.query<{ n: number }>(`select count(*) as n from worker.${table}`))[0]?.n ?? -1;

onEveryEngine('accept()', (db) => {
  beforeEach(async () => await emptyTables(db()));

  test('commits bytes, row, timeline and job together', async () => {
    const given = acceptance();
    const { document, replayed } = await accept(db(), given, T0);
    assert.equal(replayed, false);
    assert.equal(document.status, 'queued');
    assert.deepEqual(await readDocument(db(), given.id), document);
    assert.equal((await readContent(db(), { id: given.id, bytes: 5 })).toString(), 'bytes');
    assert.deepEqual((await readWay(db(), given.id)).timeline, [
      { at: T0, from: null, to: 'queued', attempt: 0, because: 'accepted' },
    ]);
    const jobs = await db().query<object>('select queue, document_id, priority from worker.jobs');
    assert.deepEqual(jobs, [{ queue: 'parse', document_id: given.id, priority: 1 }]);
  });

  test('leaves nothing when any part of it fails', async () => {
    const twice = { ordinal: 0, bytes: Buffer.from('x') };
    await assert.rejects(accept(db(), acceptance({ pieces: [twice, twice] }), T0));
    for (const table of ['documents', 'contents', 'timeline', 'jobs']) {
      assert.equal(await rowsOf(db(), table), 0, `${table} has rows`);
    }
  });

  test('gives the first document again for the same key and request', async () => {
    const first = await accept(db(), acceptance({ idempotencyKey: 'k' }), T0);
    const second = await accept(db(), acceptance({ idempotencyKey: 'k', correlationId: 'c-2' }), T0);
    assert.deepEqual(second, { document: first.document, replayed: true });
    assert.equal(await rowsOf(db(), 'documents'), 1);
    assert.equal(await rowsOf(db(), 'jobs'), 1);
  });

  const OTHERS: readonly [what: string, other: Partial<Acceptance>][] = [
    ['bytes', { sha256: 'b'.repeat(64) }],
    ['name', { filename: 'b.txt' }],
    ['metadata', { metadata: { case: 'A-18' } }],
    ['webhook', { webhookUrl: 'https://example.com/' }],
  ];
  for (const [what, other] of OTHERS) {
    test(`refuses a key that was used with another ${what}`, async () => {
      await accept(db(), acceptance({ idempotencyKey: 'k' }), T0);
      await assert.rejects(
        accept(db(), acceptance({ idempotencyKey: 'k', ...other }), T0),
        (error) => error instanceof Fault && error.code === 'idempotency_conflict',
      );
      assert.equal(await rowsOf(db(), 'documents'), 1);
    });
  }

  test('keeps the keys of tenants apart', async () => {
    await accept(db(), acceptance({ idempotencyKey: 'k' }), T0);
    const other = await accept(db(), acceptance({ idempotencyKey: 'k', tenant: 'other', filename: 'b' }), T0);
    assert.equal(other.replayed, false);
  });

  test('makes one document of ten that come at once with one key', async () => {
    const all = await Promise.all(
      Array.from({ length: 10 }, () => accept(db(), acceptance({ idempotencyKey: 'k' }), T0)),
    );
    assert.equal(new Set(all.map(({ document }) => document.id)).size, 1);
    assert.equal(all.filter(({ replayed }) => !replayed).length, 1);
    assert.equal(await rowsOf(db(), 'contents'), 1);
  });

  test('takes the same bytes twice where no key says that they are one', async () => {
    const ids = new Set<string>();
    for (let i = 0; i < 2; i++) ids.add((await accept(db(), acceptance(), T0)).document.id);
    assert.equal(ids.size, 2);
  });
});

test('hashRequest() does not mix up what stands in neighbouring fields', () => {
  const base = { sha256: 'a', filename: 'b', metadata: {}, webhookUrl: null };
  const all = [
    base,
    { ...base, sha256: 'ab', filename: '' },
    { ...base, filename: 'b{}' },
    { ...base, webhookUrl: 'null' },
    { ...base, metadata: { webhookUrl: null } },
  ];
  assert.equal(new Set(all.map(hashRequest)).size, all.length);
});
