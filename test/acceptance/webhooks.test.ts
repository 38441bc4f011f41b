/** A running service tells the uploader's server that a document is at its end: a real server, a real clock. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { call, type DocumentView, read, untilFinished, upload } from '#test/kit/client.ts';
import { type Received, type Receiver, startReceiver } from '#test/kit/receiver.ts';
import { type Service, startService } from '#test/kit/service.ts';

type Told = { readonly type: string; readonly id: string; readonly status: string; readonly correlationId: string };

describe('webhooks of a running service', () => {
  let service: Service;
  let receiver: Receiver;
  before(async () => {
    receiver = await startReceiver();
    service = await startService({ env: { WEBHOOK_PRIVATE_HOSTS: '127.0.0.1' } });
  });
  after(async () => {
    await service[Symbol.asyncDispose]();
    await receiver[Symbol.asyncDispose]();
  });

  const uploadFor = async (url: string, text = 'Tell me.'): Promise<string> => {
    const headers = { 'x-correlation-id': 'told-1' };
    const { status, body } = await upload(service.api, text, 'a.txt', { fields: { webhookUrl: url }, headers });
    assert.equal(status, 202, JSON.stringify(body));
    return body.id;
  };
  const postsOf = (path: string): readonly Received[] => receiver.received.filter(({ url }) => url === path);
  const untilTold = async (path: string, count: number): Promise<readonly Received[]> => {
    const begun = performance.now();
    while (postsOf(path).length < count) {
      assert(performance.now() - begun < 30_000, `${postsOf(path).length} of ${count} posts came to ${path}`);
      await sleep(20);
    }
    return postsOf(path);
  };
  /** The line comes after the answer of the other side. */
  const untilSaid = async (id: string, says: RegExp): Promise<DocumentView> => {
    const begun = performance.now();
    for (;;) {
      const document = await read(service.api, id);
      if (document.timeline.some(({ because }) => says.test(because))) return document;
      assert(performance.now() - begun < 15_000, JSON.stringify(document.timeline));
      await sleep(50);
    }
  };

  test('come signed with the service’s own secret, which nobody else can read', async () => {
    const id = await uploadFor(`${receiver.url}/signed`);
    const [post] = await untilTold('/signed', 1);
    assert(post);
    const file = join(service.state, 'webhook-secret');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(post.headers['burnline-signature'])) ?? [];
    const secret = readFileSync(file, 'utf8').trim();
    assert.equal(v1, createHmac('sha256', secret).update(`${t}.${post.body}`).digest('hex'));
    assert(Math.abs(Number(t) * 1_000 - post.at) < 10_000, 'the signed time is now');
    assert.equal(post.headers['x-correlation-id'], 'told-1');
    const told = JSON.parse(post.body.toString()) as Told;
    assert.deepEqual(
      { ...told, type: told.type, finishedAt: 0, costUsd: 0 },
      {
        type: 'document.completed',
        id,
        status: 'completed',
        correlationId: 'told-1',
        pages: 1,
        chunks: 1,
        error: null,
        finishedAt: 0,
        costUsd: 0,
      },
    );
    await untilSaid(id, /^webhook delivered$/);
  });

  test('tell of a rejection with its code', async () => {
    await uploadFor(`${receiver.url}/rejected`, '');
    const [post] = await untilTold('/rejected', 1);
    const told = JSON.parse(post?.body.toString() ?? '{}') as Told & { error: { code: string } };
    assert.equal(told.type, 'document.rejected');
    assert.equal(told.error.code, 'empty');
  });

  test('are tried again after a 500, not before the backoff and not before Retry-After', async () => {
    receiver.react((request, response) => {
      const before = postsOf('/again').length;
      if (request.url !== '/again' || before > 2) return void response.writeHead(200).end();
      response.writeHead(before === 1 ? 500 : 503, before === 1 ? {} : { 'retry-after': '2' }).end();
    });
    const id = await uploadFor(`${receiver.url}/again`);
    const [first, second, third] = await untilTold('/again', 3);
    assert(first && second && third);
    const backoff = second.at - first.at;
    assert(backoff >= 450 && backoff < 5_000, `the first wait was ${backoff} ms`);
    assert(third.at - second.at >= 1_950, `Retry-After: 2 was ${third.at - second.at} ms`);
    assert.notEqual(first.headers['burnline-signature'], third.headers['burnline-signature'], 'each is signed anew');
    await untilSaid(id, /^webhook delivered$/);
    const { body } = await call<string>(`${service.metrics}/metrics`);
    assert.match(body, /^webhook_deliveries_total\{outcome="failed"\} 2$/m);
  });

  test('do not follow a redirect', async () => {
    receiver.react((request, response) => {
      if (request.url === '/moved') response.writeHead(302, { location: `${receiver.url}/inside` });
      response.end();
    });
    await uploadFor(`${receiver.url}/moved`);
    await untilTold('/moved', 2);
    assert.deepEqual(postsOf('/inside'), []);
  });

  test('are given up for a 410, and the timeline says so', async () => {
    receiver.react((_request, response) => void response.writeHead(410).end());
    const id = await uploadFor(`${receiver.url}/gone`);
    await untilSaid(id, /^webhook given up after attempt 1: answered 410$/);
    await sleep(1_500);
    assert.equal(postsOf('/gone').length, 1);
  });

  test('never reach a private address that is not allowed by name, and the timeline says so', async () => {
    const { port } = new URL(receiver.url);
    for (const host of ['localhost', '[::ffff:127.0.0.1]', '127.1', '0.0.0.0']) {
      const id = await uploadFor(`http://${host}:${port}/private`);
      assert.equal((await untilFinished(service.api, id)).status, 'completed');
      // 127.1 is another way to write 127.0.0.1, and that one is allowed.
      if (host === '127.1') await untilTold('/private', 1);
      else await untilSaid(id, /webhook given up after attempt 1: .* leads to an address that is not public/);
    }
    assert.equal(postsOf('/private').length, 1);
  });
});
