/** Webhooks to a real server, from a real queue: what is sent, what becomes of each answer, and what is never called. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import test, { after, before, beforeEach } from 'node:test';
import { silentTelemetry } from '#collector/silent.ts';
import type { Telemetry } from '#collector/telemetry.ts';
import type { Db } from '#kernel/database.ts';
import { silentLog } from '#kernel/log.ts';
import { seededRandom, uuidv7 } from '#kernel/random.ts';
import { secret } from '#kernel/secret.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import { type Receiver, startReceiver } from '#test/kit/receiver.ts';
import { accept } from './accept.ts';
import { type Status, webhookKey } from './document.ts';
import { type Claim, claim, dropJobs, enqueue } from './queue.ts';
import { retryDocument } from './retry-document.ts';
import { blankDocument, moveDocument } from './rows/documents.ts';
import { readWay } from './rows/way.ts';
import { makeWebhook, sign } from './webhooks.ts';

const T0 = milliseconds(1_790_000_000_000);
const SECRET = secret('a-secret-of-this-test');
const random = seededRandom(4);
const HOUR = 3_600_000;

let now: Milliseconds = T0;
let counts: string[] = [];
const telemetry: Telemetry = {
  ...silentTelemetry,
  count: (name, labels) => void counts.push(`${name} ${JSON.stringify(labels)}`),
};

onEveryEngine('webhooks', (db) => {
  let receiver: Receiver;
  before(async () => {
    receiver = await startReceiver();
  });
  after(async () => await receiver[Symbol.asyncDispose]());
  beforeEach(async () => {
    await emptyTables(db());
    now = T0;
    counts = [];
    (receiver.received as unknown[]).length = 0;
    receiver.react((_request, response) => void response.writeHead(204).end());
  });

  const webhookOf = (allowedPrivateHosts: readonly string[]) =>
    makeWebhook({
      db: db(),
      shared: { now: () => now, sync: async () => {} },
      random: seededRandom(5),
      log: silentLog,
      telemetry,
      secret: SECRET,
      allowedPrivateHosts,
    });

  async function finished(url: string, status: Status = 'completed'): Promise<string> {
    const id = uuidv7(T0, random);
    const shared = { filename: 'a.txt', contentType: 'text/plain', bytes: 1, sha256: 'a', metadata: {}, pieces: [] };
    const plain = { noCache: false, canary: false, traceparent: undefined, idempotencyKey: null } as const;
    await accept(db(), { ...shared, ...plain, id, tenant: 'default', correlationId: 'c-7', webhookUrl: url }, T0);
    await dropJobs(db(), id);
    await end(db(), id, 'queued', status);
    return id;
  }
  /** As worker/transition.ts ends a document: its job is made unless one is there. */
  async function end(on: Db, id: string, from: Status, to: Status): Promise<void> {
    const error = to === 'completed' ? null : { code: 'vendor_error', message: 'it answered 500' };
    await moveDocument(on, id, { from, to, attempts: 1, at: now, error, finished: true, pages: 3, chunks: 7 });
    await enqueue(on, [{ queue: 'webhook', key: webhookKey(id), documentId: id, availableAt: now }], now);
  }
  async function due(): Promise<Claim | undefined> {
    const options = { owner: 'w', now, lease: milliseconds(2_500), held: [] };
    return (await claim(db(), [{ queue: 'webhook', limit: 1 }], options)).claims[0];
  }
  async function run(allowed: readonly string[] = ['127.0.0.1'], signal = new AbortController().signal): Promise<void> {
    const job = await due();
    assert(job, 'a webhook is due');
    await webhookOf(allowed)(job, signal);
  }
  const wait = async (): Promise<number> => {
    const rows = await db().query<{ at: Milliseconds }>('select available_at as at from worker.jobs');
    return rows[0] === undefined ? -1 : rows[0].at - now;
  };
  const last = async (id: string) => (await readWay(db(), id)).timeline.at(-1);

  test('posts what became of the document, signed, with its correlation ID', async () => {
    const id = await finished(`${receiver.url}/done?x=1`);
    await run();
    const [post] = receiver.received;
    assert.equal(post?.method, 'POST');
    assert.equal(post.url, '/done?x=1');
    assert.equal(post.headers['content-type'], 'application/json');
    assert.equal(post.headers['x-correlation-id'], 'c-7');
    const t = T0 / 1000;
    const v1 = createHmac('sha256', SECRET.reveal()).update(`${t}.${post.body}`).digest('hex');
    assert.equal(post.headers['burnline-signature'], `t=${t},v1=${v1}`);
    const rest = { correlationId: 'c-7', pages: 3, chunks: 7, costUsd: 0, error: null };
    const finishedAt = new Date(T0).toISOString();
    assert.deepEqual(JSON.parse(post.body.toString()), {
      type: 'document.completed',
      id,
      status: 'completed',
      ...rest,
      finishedAt,
    });
    assert.equal((await last(id))?.because, 'webhook delivered');
    assert.equal(await wait(), -1, 'the job is gone');
    assert.deepEqual(counts, ['webhook_deliveries_total {"outcome":"delivered"}']);
  });

  test('tells of a failure with its code', async () => {
    await finished(receiver.url, 'failed');
    await run();
    const body = JSON.parse(receiver.received[0]?.body.toString() ?? '{}') as Record<string, unknown>;
    assert.equal(body['type'], 'document.failed');
    assert.deepEqual(body['error'], { code: 'vendor_error', message: 'it answered 500' });
  });

  type Answer = (response: ServerResponse) => void;
  const AGAIN: readonly [title: string, answer: Answer, least: number, most: number][] = [
    ['500', (response) => void response.writeHead(500).end(), 500, 1_000],
    ['404', (response) => void response.writeHead(404).end(), 500, 1_000],
    ['a broken connection', (response) => void response.destroy(), 500, 1_000],
    [
      '503 with Retry-After',
      (response) => void response.writeHead(503, { 'retry-after': '120' }).end(),
      120_000,
      120_000,
    ],
    [
      'a Retry-After that is shorter than the backoff',
      (response) => void response.writeHead(429, { 'retry-after': '0' }).end(),
      500,
      1_000,
    ],
    [
      'a Retry-After beyond all measure',
      (response) => void response.writeHead(503, { 'retry-after': '99999999999999' }).end(),
      24 * HOUR,
      24 * HOUR,
    ],
    [
      'a Retry-After that cannot be read',
      (response) => void response.writeHead(503, { 'retry-after': 'soon' }).end(),
      500,
      1_000,
    ],
  ];
  for (const [title, answer, least, most] of AGAIN) {
    test(`tries again after ${title}, in ${least} to ${most} ms`, async () => {
      await finished(receiver.url);
      receiver.react((_request, response) => answer(response));
      await run();
      const waited = await wait();
      assert(waited >= least && waited <= most, `waits ${waited} ms`);
      assert.deepEqual(counts, ['webhook_deliveries_total {"outcome":"failed"}']);
      receiver.react((_request, response) => void response.writeHead(200).end());
      now = milliseconds(now + waited);
      await run();
      assert.equal(receiver.received.length, 2);
      assert.equal(await wait(), -1);
    });
  }

  test('doubles its wait up to an hour, and gives up after a day or so', async () => {
    const id = await finished(receiver.url);
    receiver.react((_request, response) => void response.writeHead(500).end());
    const waits: number[] = [];
    for (;;) {
      await run();
      const waited = await wait();
      if (waited < 0) break;
      waits.push(waited);
      now = milliseconds(now + waited);
    }
    assert.equal(waits.length, 29);
    waits.forEach((span, i) => {
      const full = Math.min(HOUR, 1_000 * 2 ** i);
      assert(span >= full / 2 && span <= full, `wait ${i} is ${span} ms`);
    });
    const hours = (now - T0) / HOUR;
    assert(hours > 8 && hours < 26, `${hours} h`);
    assert.equal((await last(id))?.because, 'webhook given up after attempt 30: answered 500');
    assert.equal(counts.at(-1), 'webhook_deliveries_total {"outcome":"given_up"}');
  });

  test('gives up at once for 410', async () => {
    const id = await finished(receiver.url);
    receiver.react((_request, response) => void response.writeHead(410).end());
    await run();
    assert.equal((await last(id))?.because, 'webhook given up after attempt 1: answered 410');
    assert.equal(await wait(), -1);
  });

  test('follows no redirect', async () => {
    await finished(`${receiver.url}/here`);
    receiver.react((_request, response) => void response.writeHead(307, { location: `${receiver.url}/there` }).end());
    await run();
    assert.deepEqual(
      receiver.received.map(({ url }) => url),
      ['/here'],
    );
    assert((await wait()) > 0, 'it is tried again');
  });

  const PRIVATE = [
    'http://127.0.0.1:9',
    'http://localhost:9',
    'http://[::1]:9',
    'http://10.0.0.7',
    'http://169.254.169.254/latest',
    'http://[::ffff:127.0.0.1]:9',
    'http://0.0.0.0:9',
    'http://2130706433:9',
  ];
  for (const url of PRIVATE) {
    test(`never calls ${url}, and the timeline says so without an address of the network`, async () => {
      const id = await finished(url);
      await run([]);
      const line = await last(id);
      assert.match(
        line?.because ?? '',
        /^webhook given up after attempt 1: Cannot post to ".+": it leads to an address that is not public$/,
      );
      assert.equal(await wait(), -1);
      assert.deepEqual(counts, ['webhook_deliveries_total {"outcome":"forbidden"}']);
    });
  }

  test('calls nobody for a document that was erased meanwhile', async () => {
    const id = await finished(receiver.url);
    await blankDocument(db(), id, T0);
    await run();
    assert.equal(receiver.received.length, 0);
    assert.equal(await wait(), -1);
  });

  test('says nothing of a document that was taken up again, and tells its next end', async () => {
    const id = await finished(receiver.url, 'failed');
    await retryDocument(db(), id, 'somebody', now);
    await run();
    assert.equal(receiver.received.length, 0);
    now = milliseconds(now + 10);
    await end(db(), id, 'queued', 'completed');
    await run();
    assert.match(receiver.received[0]?.body.toString() ?? '', /document\.completed/);
  });

  test('tells both ends when the second comes while the first is told', async () => {
    const id = await finished(receiver.url, 'failed');
    const seen = Promise.withResolvers<ServerResponse>();
    receiver.react((_request, response) => seen.resolve(response));
    const running = run();
    const response = await seen.promise;
    now = milliseconds(now + 10);
    await retryDocument(db(), id, 'somebody', now);
    await end(db(), id, 'queued', 'completed');
    response.writeHead(200).end();
    receiver.react((_request, answer) => void answer.writeHead(200).end());
    await running;
    await run();
    const types = receiver.received.map(({ body }) => (JSON.parse(body.toString()) as { type: string }).type);
    assert.deepEqual(types, ['document.failed', 'document.completed']);
  });

  test('stops with its worker and spends no attempt', async () => {
    await finished(receiver.url);
    const stop = new AbortController();
    receiver.react(() => stop.abort(new Error('stopping')));
    await assert.rejects(run(undefined, stop.signal));
    const [job] = await db().query<{ attempts: number }>('select attempts from worker.jobs');
    assert.equal(job?.attempts, 0);
  });
});

test('sign() gives another signature for another body, time or secret', () => {
  const all = [
    sign(SECRET, 'a', T0),
    sign(SECRET, 'b', T0),
    sign(SECRET, 'a', milliseconds(T0 + 1_000)),
    sign(secret('another-secret-of-this'), 'a', T0),
  ];
  assert.equal(new Set(all).size, 4);
  assert.equal(sign(SECRET, 'a', milliseconds(T0 + 999)), all[0], 'within one second');
});
