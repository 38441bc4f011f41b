import assert from 'node:assert/strict';
import test, { beforeEach } from 'node:test';
import type { Db } from '#kernel/database.ts';
import { seededRandom, uuidv7 } from '#kernel/random.ts';
import { milliseconds } from '#kernel/units.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import { accept } from './accept.ts';
import { STATUSES, type Status } from './document.ts';
import { dropJobs } from './queue.ts';
import { retryDocument } from './retry-document.ts';
import { moveDocument, readDocument } from './rows/documents.ts';
import { putDrafts, putEmbeddings, readUnembedded } from './rows/results.ts';
import { readWay } from './rows/way.ts';

const T0 = milliseconds(1_790_000_000_000);
const LATER = milliseconds(T0 + 60_000);
const random = seededRandom(3);

async function documentThatIs(db: Db, status: Status): Promise<string> {
  const id = uuidv7(T0, random);
  const shared = {
    filename: 'a.txt',
    contentType: 'text/plain',
    bytes: 1,
    sha256: 'a',
    metadata: {},
    webhookUrl: null,
  };
  const plain = { noCache: false, canary: false, traceparent: undefined, idempotencyKey: null } as const;
  await accept(db, { ...shared, ...plain, id, tenant: 'default', correlationId: 'c', pieces: [] }, T0);
  await dropJobs(db, id);
  const error = { code: 'vendor_error', message: 'it answered 500' };
  await moveDocument(db, id, { from: 'queued', to: status, attempts: 5, at: T0, error, finished: true });
  return id;
}

onEveryEngine('retryDocument()', (db) => {
  beforeEach(async () => await emptyTables(db()));

  test('queues a failed document as if it were new, and says who asked', async () => {
    const id = await documentThatIs(db(), 'failed');
    assert.deepEqual(await retryDocument(db(), id, 'key:7', LATER), { kind: 'queued' });
    const row = await readDocument(db(), id);
    assert.equal(row?.status, 'queued');
    assert.equal(row?.attempts, 0);
    assert.equal(row?.errorCode, null);
    assert.equal(row?.errorMessage, null);
    assert.equal(row?.finishedAt, null);
    const because = 'tried again by key:7';
    assert.deepEqual((await readWay(db(), id)).timeline.at(-1), {
      at: LATER,
      from: 'failed',
      to: 'queued',
      attempt: 0,
      because,
    });
    const jobs = await db().query('select queue, document_id, attempts, interruptions from worker.jobs');
    assert.deepEqual(jobs, [{ queue: 'parse', document_id: id, attempts: 0, interruptions: 0 }]);
  });

  for (const status of STATUSES.filter((one) => one !== 'failed')) {
    test(`refuses a document that is ${status}, and changes nothing`, async () => {
      const id = await documentThatIs(db(), status);
      const before = await readDocument(db(), id);
      assert.deepEqual(await retryDocument(db(), id, 'key:7', LATER), { kind: 'refused', status });
      assert.deepEqual(await readDocument(db(), id), before);
      assert.deepEqual(await db().query('select 1 from worker.jobs'), []);
    });
  }

  test('queues once when two ask at the same time', async () => {
    const id = await documentThatIs(db(), 'failed');
    const answers = await Promise.all([1, 2, 3].map((n) => retryDocument(db(), id, `key:${n}`, LATER)));
    assert.deepEqual(answers.map(({ kind }) => kind).sort(), ['queued', 'refused', 'refused']);
    assert.equal((await db().query('select 1 from worker.jobs')).length, 1);
  });

  test('leaves the vectors that were paid for: cutting the same text again keeps them', async () => {
    const id = await documentThatIs(db(), 'failed');
    const drafts = ['one', 'two', 'three'].map((text, ordinal) => ({ ordinal, text, tokens: 1, page: 1, heading: '' }));
    await putDrafts(db(), id, drafts, 'm');
    const vector = new Float32Array(1536).fill(0.5);
    await putEmbeddings(
      db(),
      id,
      [0, 1].map((ordinal) => ({ ordinal, vector })),
      'm',
    );
    await retryDocument(db(), id, 'key:7', LATER);
    await putDrafts(db(), id, drafts, 'm');
    assert.deepEqual(
      (await readUnembedded(db(), id)).map(({ text }) => text),
      ['three'],
    );
    await putDrafts(db(), id, drafts, 'another model');
    assert.equal((await readUnembedded(db(), id)).length, 3);
    const other = [{ ordinal: 0, text: 'uno', tokens: 1, page: 1, heading: '' }];
    await putDrafts(db(), id, other, 'm');
    assert.deepEqual(
      (await readUnembedded(db(), id)).map(({ text }) => text),
      ['uno'],
      'another text needs another vector',
    );
    assert.equal((await db().query('select 1 from worker.drafts')).length, 1, 'what is no longer a draft is gone');
  });
});
