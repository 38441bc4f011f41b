/** The whole way of a document through a real worker, on every engine, against simulated vendors that misbehave. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, afterEach, before, beforeEach } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentTelemetry } from '#collector/silent.ts';
import { systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { systemRandom, uuidv7 } from '#kernel/random.ts';
import { secret } from '#kernel/secret.ts';
import { type SharedClock, sharedClock } from '#kernel/shared-clock.ts';
import { milliseconds } from '#kernel/units.ts';
import { type Simulators, startSimulators } from '#simulators/start.ts';
import { json } from '#test/kit/client.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import { accept } from './accept.ts';
import { CANARY_TENANT } from './canary.ts';
import { POLICY } from './decide.ts';
import { retryDocument } from './retry-document.ts';
import { readCounters } from './rows/counters.ts';
import { type DocumentRow, readDocument } from './rows/documents.ts';
import { listChunks, readParse } from './rows/results.ts';
import { readWay } from './rows/way.ts';
import { type DocumentWorker, makeDocumentWorker, type WorkerSettings } from './worker.ts';

const QUOTA = { requestsPerMinute: 100_000, tokensPerMinute: 10_000_000, concurrency: 20 };
const FAST = {
  ...POLICY,
  backoff: { first: milliseconds(20), most: milliseconds(50) },
  circuitRest: milliseconds(200),
  databaseRest: milliseconds(20),
};
const paragraphs = (n: number) =>
  Array.from({ length: n }, (_, i) => `Paragraph ${i} tells of pump ${i}.`).join('\n\n');

onEveryEngine('a worker', (db, engine) => {
  let simulators: Simulators;
  let shared: SharedClock;
  const folder = mkdtempSync(join(tmpdir(), 'burnline-pipeline-'));
  const running: { stop: AbortController; ended: Promise<void> }[] = [];

  before(async () => {
    shared = await sharedClock(db(), systemClock);
    simulators = await startSimulators({
      host: '127.0.0.1',
      port: 0,
      smtpPort: 0,
      folder,
      seed: 1,
      latency: 'zero',
      clock: systemClock,
      log: silentLog,
    });
  });
  after(async () => {
    await simulators.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await emptyTables(db());
    await json('DELETE', `${simulators.url}/faults`);
    await json('DELETE', `${simulators.url}/stats`);
  });
  afterEach(async () => {
    for (const { stop, ended } of running.splice(0)) {
      stop.abort();
      await ended;
    }
  });

  const start = (more: Partial<WorkerSettings> = {}): DocumentWorker => {
    const key = secret('simulated');
    const vendors = {
      timeout: milliseconds(2_000),
      llamaparse: {
        apiKey: key,
        baseUrl: `${simulators.url}/llamaparse`,
        tier: 'fast',
        version: 'latest',
        quota: QUOTA,
      },
      openai: {
        apiKey: key,
        baseUrl: `${simulators.url}/openai/v1`,
        model: 'text-embedding-3-small',
        usdPerMillionTokens: undefined,
        quota: QUOTA,
      },
    } as const;
    const settings: WorkerSettings = {
      workerId: 'w',
      places: { parse: 4, chunk: 2, embed: 2, store: 2 },
      localFormats: [],
      cache: true,
      canaryEvery: undefined,
      webhookSecret: secret('0123456789abcdef'),
      webhookPrivateHosts: [],
      vendors,
      policy: FAST,
      sole: engine !== 'Postgres',
      ...more,
    };
    const around = {
      db: db(),
      clock: systemClock,
      shared,
      random: systemRandom,
      log: silentLog,
      telemetry: silentTelemetry,
    };
    const worker = makeDocumentWorker(settings, around);
    const stop = new AbortController();
    running.push({ stop, ended: worker.run(stop.signal, milliseconds(5_000)) });
    return worker;
  };
  const put = async (text: string, more: object = {}): Promise<string> => {
    const bytes = Buffer.from(text);
    const id = uuidv7(shared.now(), systemRandom);
    const document = {
      id,
      tenant: 'acme',
      filename: 'report.md',
      contentType: 'text/markdown',
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      metadata: {},
      webhookUrl: null,
      correlationId: `c-${id}`,
      traceparent: undefined,
      idempotencyKey: null,
      noCache: false,
      canary: false,
      pieces: bytes.length > 0 ? [{ ordinal: 0, bytes }] : [],
      ...more,
    };
    await accept(db(), document, shared.now());
    return id;
  };
  const until = async <T>(read: () => Promise<T>, good: (value: T) => boolean, limit = 15_000): Promise<T> => {
    const begun = performance.now();
    for (;;) {
      const value = await read();
      if (good(value)) return value;
      if (performance.now() - begun > limit) assert.fail(`not within ${limit} ms: ${JSON.stringify(value)}`);
      await sleep(15);
    }
  };
  const finished = (id: string, status?: string): Promise<DocumentRow | undefined> =>
    until(
      () => readDocument(db(), id),
      (row) => (status ? row?.status === status : row?.finishedAt != null),
    );
  const fault = (vendor: string, plan: object) => json('PUT', `${simulators.url}/faults/${vendor}`, plan);
  const counter = async (name: string, labels: object): Promise<number> => {
    const rows = await readCounters(db(), 'w');
    return rows.find((row) => row.name === name && JSON.stringify(row.labels) === JSON.stringify(labels))?.value ?? 0;
  };

  test('carries a document all the way, says so in words, and leaves nothing behind', async () => {
    start();
    const id = await put(`# Pumps\n\n${paragraphs(200)}`);
    const row = await finished(id);
    assert.equal(row?.status, 'completed');
    const chunks = await listChunks(db(), id, -1, 500);
    assert.equal(row.chunks, chunks.length);
    assert(chunks.length > 2);
    assert.match(chunks.at(-1)?.text ?? '', /Paragraph 199/);
    assert.deepEqual(
      (await readWay(db(), id)).timeline.map(({ from, to }) => `${from}>${to}`),
      [
        'null>queued',
        'queued>parsing',
        'parsing>chunking',
        'chunking>embedding',
        'embedding>storing',
        'storing>completed',
      ],
    );
    const { calls } = await readWay(db(), id);
    assert.deepEqual(
      calls.map(({ vendor, outcome, wasted }) => [vendor, outcome, wasted]),
      [
        ['llamaparse', 'completed', false],
        ['openai', 'completed', false],
      ],
    );
    assert(Math.abs(row.costUsd - calls.reduce((sum, one) => sum + one.costUsd, 0)) < 1e-9);
    for (const table of ['jobs', 'drafts', 'contents']) {
      assert.deepEqual(await db().query(`select count(*) as n from worker.${table}`), [{ n: 0 }], table);
    }
    assert.equal(await counter('documents_finished_total', { outcome: 'completed' }), 1);
  });

  test('rejects what is the fault of the document, without an attempt at a vendor', async () => {
    start();
    const empty = await finished(await put('', { filename: 'empty.pdf' }));
    assert.deepEqual([empty?.status, empty?.errorCode], ['rejected', 'empty']);
    assert.deepEqual((await readWay(db(), empty?.id ?? '')).calls, []);
    assert.equal(await counter('documents_finished_total', { outcome: 'rejected' }), 1);
    assert.equal(await counter('document_step_attempts_total', { outcome: 'failed', step: 'parse' }), 0);
  });

  test('tries again after a passing failure and counts each attempt', async () => {
    await fault('llamaparse', { errorRate: 1, status: 500, times: 2 });
    start();
    const row = await finished(await put(`# A\n\n${paragraphs(3)}`));
    assert.equal(row?.status, 'completed');
    assert.equal(await counter('document_step_attempts_total', { outcome: 'failed', step: 'parse' }), 2);
    assert.equal(await counter('document_step_attempts_total', { outcome: 'completed', step: 'parse' }), 1);
    const because = (await readWay(db(), row.id)).timeline.map((entry) => entry.because).join('\n');
    assert.match(because, /attempt 1 of 5 failed: llamaparse answered 500; again in/);
  });

  test('fails after the last attempt, and a retry goes on where the result is missing, without paying again', async () => {
    await fault('openai', { errorRate: 1, status: 503 });
    start({ policy: { ...FAST, attempts: 2 } });
    const id = await put(`# B\n\n${paragraphs(3)}`);
    const failed = await finished(id, 'failed');
    assert.equal(failed?.errorCode, 'vendor_error');
    assert(await readParse(db(), id));
    await json('DELETE', `${simulators.url}/faults`);
    assert.deepEqual(await retryDocument(db(), id, 'tester', shared.now()), { kind: 'queued' });
    assert.equal((await finished(id, 'completed'))?.errorCode, null);
    const uploads = (await readWay(db(), id)).calls.filter((call) => call.vendor === 'llamaparse');
    assert.equal(uploads.length, 1);
    assert.equal(await counter('documents_finished_total', { outcome: 'failed' }), 1);
    assert.equal(await counter('documents_finished_total', { outcome: 'completed' }), 1);
  });

  test('gives no document up for a database whose disk is full, and counts what was bad', async () => {
    await db().query('create sequence worker.full_disk');
    await db().query(`create function worker.full_disk() returns trigger language plpgsql as $$ begin
      if nextval('worker.full_disk') <= 12 then
        raise exception 'could not extend file: No space left on device' using errcode = '53100';
      end if;
      return new; end $$`);
    await db().query(
      'create trigger full_disk before insert on worker.vendor_calls for each row execute function worker.full_disk()',
    );
    try {
      start();
      const id = await put(`# Pumps\n\n${paragraphs(2)}`);
      assert.equal((await finished(id))?.status, 'completed');
      assert((await counter('document_step_attempts_total', { outcome: 'failed', step: 'parse' })) >= POLICY.attempts);
      const because = (await readWay(db(), id)).timeline.map((entry) => entry.because).join();
      assert.match(because, /Database: could not extend file/);
    } finally {
      await db().query('drop function worker.full_disk cascade');
      await db().query('drop sequence worker.full_disk');
    }
  });

  test('ends what it has begun before it begins what waits', async () => {
    // All of them take longer than a vendor's job until it is looked at.
    await fault('llamaparse', { operation: 'upload', latencyMs: 100 });
    const ids: string[] = [];
    for (let n = 0; n < 12; n++) ids.push(await put(`# Report ${n}\n\n${paragraphs(2)}`));
    start({ places: { parse: 1, chunk: 1, embed: 1, store: 1 } });
    const ends = await Promise.all(ids.map(async (id) => (await finished(id, 'completed'))?.finishedAt ?? 0));
    const [call] = (await readWay(db(), ids.at(-1) ?? '')).calls;
    assert(Math.min(...ends) < (call?.startedAt ?? 0), 'all were begun before one was at its end');
  });

  test('waits for a quota without spending an attempt', async () => {
    await fault('openai', { errorRate: 1, status: 429, retryAfterSeconds: 1, times: 2 });
    start({ policy: { ...FAST, attempts: 1 } });
    const row = await finished(await put(`# C\n\n${paragraphs(3)}`));
    assert.equal(row?.status, 'completed');
    assert((await counter('document_step_attempts_total', { outcome: 'deferred', step: 'embed' })) >= 2);
    assert.equal(await counter('document_step_attempts_total', { outcome: 'failed', step: 'embed' }), 0);
  });

  test('uploads again when the vendor has forgotten the job, and marks the first as wasted', async () => {
    await fault('llamaparse', { latencyMs: 1_500 });
    start();
    const id = await put(`# D\n\n${paragraphs(3)}`);
    await until(
      () =>
        db().query<{ job: string | null }>(
          `select payload->>'vendorJob' as job from worker.jobs where document_id = $1`,
          [id],
        ),
      (rows) => rows[0]?.job != null,
    );
    await db().query(`update worker.jobs set payload = payload || '{"vendorJob":"pjb-gone"}' where document_id = $1`, [
      id,
    ]);
    await db().query(`update worker.vendor_calls set vendor_job = 'pjb-gone' where document_id = $1`, [id]);
    await json('DELETE', `${simulators.url}/faults`);
    assert.equal((await finished(id))?.status, 'completed');
    const uploads = (await readWay(db(), id)).calls.filter((call) => call.vendor === 'llamaparse');
    assert.deepEqual(
      uploads.map((call) => call.wasted),
      [true, false],
    );
  });

  test('takes the result of the same bytes from the cache of the same tenant, and of no other', async () => {
    start();
    const text = `# E\n\n${paragraphs(30)}`;
    const first = await finished(await put(text));
    const second = await finished(await put(text));
    const other = await finished(await put(text, { tenant: 'rival' }));
    const uncached = await finished(await put(text, { noCache: true }));
    const calls = await Promise.all(
      [first, second, other, uncached].map(async (row) => (await readWay(db(), row?.id ?? '')).calls.length),
    );
    assert.deepEqual(calls, [2, 0, 2, 2]);
    const texts = await Promise.all([first, second].map((row) => listChunks(db(), row?.id ?? '', -1, 500)));
    assert.deepEqual(texts[0], texts[1]);
    assert.equal(await readParse(db(), uncached?.id ?? ''), undefined);
  });

  test('counts an open circuit as bad once for each rest, and goes on when the vendor is back', async () => {
    await fault('llamaparse', { errorRate: 1, status: 500 });
    const worker = start({ policy: { ...FAST, attempts: 20 } });
    const ids = await Promise.all(Array.from({ length: 8 }, (_, i) => put(`# F${i}\n\n${paragraphs(3)}`)));
    await until(
      async () => worker.circuits()['llamaparse'],
      (state) => state === 'open',
    );
    const uploads = async () =>
      ((await json('GET', `${simulators.url}/stats`)).body as { llamaparse?: unknown }).llamaparse;
    const before = JSON.stringify(await uploads());
    const bad = await counter('document_step_attempts_total', { outcome: 'failed', step: 'parse' });
    await sleep(600);
    assert.equal(JSON.stringify(await uploads()), before, 'an open circuit lets nothing through');
    assert((await counter('document_step_attempts_total', { outcome: 'failed', step: 'parse' })) > bad);
    await json('DELETE', `${simulators.url}/faults`);
    for (const id of ids) assert.equal((await finished(id))?.status, 'completed');
  });

  test('sends a canary all the way, counts it apart, and clears it up', async () => {
    start({ canaryEvery: milliseconds(60_000) });
    await until(
      () => counter('canary_finished_total', { outcome: 'completed' }),
      (n) => n === 1,
    );
    const rows = () => db().query(`select id from worker.documents where tenant = $1`, [CANARY_TENANT]);
    await until(rows, (found) => found.length === 0);
    assert.equal(await counter('documents_finished_total', { outcome: 'completed' }), 0);
    assert.deepEqual(await db().query('select document_id from worker.chunks'), []);
    assert.equal(await counter('document_step_attempts_total', { outcome: 'completed', step: 'parse' }), 0);
  });

  test('takes up an unfinished document that has no job', async () => {
    const id = await put(`# G\n\n${paragraphs(3)}`);
    await db().query('delete from worker.jobs');
    await db().query(`update worker.documents set updated_at = updated_at - interval '1 minute'`);
    start();
    assert.equal((await finished(id))?.status, 'completed');
    assert.match((await readWay(db(), id)).timeline.map(({ because }) => because).join(), /found by the reaper/);
  });

  test('parses here what is configured to be parsed here', async () => {
    start({ localFormats: ['markdown'] });
    const row = await finished(await put(`# H\n\n${paragraphs(3)}`));
    assert.equal(row?.status, 'completed');
    assert.deepEqual(
      (await readWay(db(), row.id)).calls.map((call) => call.vendor),
      ['openai'],
    );
  });

  test('hands undone work back when it stops, without an interruption', async () => {
    await fault('llamaparse', { latencyMs: 1_800 });
    start();
    const id = await put(`# I\n\n${paragraphs(3)}`);
    await until(
      () => readDocument(db(), id),
      (row) => row?.status === 'parsing',
    );
    for (const { stop, ended } of running.splice(0)) {
      stop.abort();
      await ended;
    }
    const [job] = await db().query<{ owner: string | null; interruptions: number }>(
      'select owner, interruptions from worker.jobs',
    );
    assert.deepEqual([job?.owner, job?.interruptions], [null, 0]);
    start();
    assert.equal((await finished(id))?.status, 'completed');
  });
});
