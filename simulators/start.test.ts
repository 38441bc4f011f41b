import assert from 'node:assert/strict';
import { connect } from 'node:net';
import test from 'node:test';
import { systemClock } from '#kernel/clock.ts';
import { milliseconds } from '#kernel/units.ts';
import { simulatorsFor } from './harness.ts';

const send = (url: string, method: string, body?: unknown) =>
  fetch(url, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
const slack = (url: string) => send(`${url}/slack/services/T/B/X`, 'POST', { text: 'x' });

test('startSimulators() answers when it is asked how it is', async (t) => {
  const { url } = await simulatorsFor(t);
  assert.deepEqual(await (await send(`${url}/healthz`, 'GET')).json(), { status: 'ok' });
  assert.equal((await send(`${url}/nowhere`, 'GET')).status, 404);
});

test('startSimulators() closes though requests hang, and cuts them', async (t) => {
  const simulators = await simulatorsFor(t);
  const { url, smtpPort } = simulators;
  for (const vendor of ['llamaparse', 'openai', 'slack', 'pagerduty', 'smtp'])
    await send(`${url}/faults/${vendor}`, 'PUT', { hang: true });
  const hanging = [
    slack(url),
    send(`${url}/openai/v1/embeddings`, 'POST', { model: 'text-embedding-3-small', input: 'x' }),
    send(`${url}/llamaparse/api/v2/parse/x`, 'GET'),
    send(`${url}/pagerduty/v2/enqueue`, 'POST', {}),
  ].map((call) =>
    call.then(
      () => 'answered',
      () => 'cut',
    ),
  );
  const lines = ['EHLO x', 'MAIL FROM:<a@b.c>'];
  const mail = connect(smtpPort, '127.0.0.1');
  mail.on('error', () => {});
  mail.on('data', () => lines.length > 0 && mail.write(`${lines.shift()}\r\n`));
  await systemClock.sleep(milliseconds(200));
  const began = systemClock.steady();
  await simulators.close();
  assert(systemClock.steady() - began < 2000, `took ${systemClock.steady() - began} ms`);
  assert.deepEqual(await Promise.all(hanging), ['cut', 'cut', 'cut', 'cut']);
  assert.deepEqual([lines, mail.destroyed], [[], true]);
});

test('startSimulators() closes though a delay runs', async (t) => {
  const simulators = await simulatorsFor(t);
  await send(`${simulators.url}/faults/slack`, 'PUT', { latencyMs: 60_000 });
  const waiting = slack(simulators.url).then(
    () => 'answered',
    () => 'cut',
  );
  await systemClock.sleep(milliseconds(100));
  await simulators.close();
  assert.equal(await waiting, 'cut');
});

test('startSimulators() says which port is taken', async (t) => {
  const { url } = await simulatorsFor(t);
  const port = Number(new URL(url).port);
  await assert.rejects(simulatorsFor(t, { port }), { code: 'port_taken', message: new RegExp(`HTTP on port ${port}`) });
  const { smtpPort } = await simulatorsFor(t);
  await assert.rejects(simulatorsFor(t, { smtpPort }), { code: 'port_taken', message: /SMTP/ });
});

test('the same seed and requests meet the same faults in another process’s place', async (t) => {
  const outcomes = async (seed: number) => {
    const { url } = await simulatorsFor(t, { seed });
    await send(`${url}/faults/slack`, 'PUT', { errorRate: 0.5, status: 503 });
    const statuses = [];
    for (let i = 0; i < 40; i++) statuses.push((await slack(url)).status);
    return statuses;
  };
  const first = await outcomes(7);
  assert.deepEqual(await outcomes(7), first);
  assert.notDeepEqual(await outcomes(8), first);
  assert.deepEqual([...new Set(first)].sort(), [200, 503]);
});

test('PUT /faults names field, found and right', async (t) => {
  const { url } = await simulatorsFor(t);
  const answer = await send(`${url}/faults/openai`, 'PUT', { errorRate: 50 });
  const { detail, errors } = (await answer.json()) as { detail: string; errors: object[] };
  assert.equal(answer.status, 400);
  assert.equal(
    detail,
    'Cannot set faults for openai: errorRate is 50, right would be a number from 0 to 1 (a share of the requests, not a percentage)',
  );
  assert.deepEqual(errors, [
    { field: 'errorRate', found: '50', right: 'a number from 0 to 1 (a share of the requests, not a percentage)' },
  ]);
  assert.equal((await send(`${url}/faults/anthropic`, 'PUT', {})).status, 404);
  const broken = await fetch(`${url}/faults/openai`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: '{',
  });
  assert.equal(broken.status, 400);
});

test('PUT /faults does without a content type', async (t) => {
  const { url } = await simulatorsFor(t);
  const answer = await fetch(`${url}/faults/openai`, { method: 'PUT', body: '{"hang": true}' });
  assert.equal(answer.status, 200);
});

test('faults can be read and taken back, and leave the control routes alone', async (t) => {
  const { url } = await simulatorsFor(t);
  await send(`${url}/faults/slack`, 'PUT', { status: 500 });
  await send(`${url}/faults/openai`, 'PUT', { hang: true });
  await slack(url);
  const read = async () => (await (await send(`${url}/faults`, 'GET')).json()) as Record<string, unknown>;
  assert.deepEqual((await read())['slack'], { status: 500, requests: 1, hits: 1 });
  assert.equal((await send(`${url}/faults/slack`, 'DELETE')).status, 204);
  assert.deepEqual([(await read())['slack'], (await read())['openai']], [null, { hang: true, requests: 0, hits: 0 }]);
  assert.equal((await send(`${url}/faults`, 'DELETE')).status, 204);
  assert.equal((await slack(url)).status, 200);
});

test('the inbox is a bare array, newest last, and can be emptied', async (t) => {
  const { url } = await simulatorsFor(t);
  await slack(url);
  await send(`${url}/pagerduty/v2/enqueue`, 'POST', { routing_key: 'r', event_action: 'resolve', dedup_key: 'd' });
  const list = async () => (await (await send(`${url}/inbox`, 'GET')).json()) as { channel: string }[];
  assert.deepEqual(
    (await list()).map(({ channel }) => channel),
    ['slack', 'pagerduty'],
  );
  assert.equal((await send(`${url}/inbox?channel=pigeon`, 'GET')).status, 400);
  assert.equal((await send(`${url}/inbox`, 'DELETE')).status, 204);
  assert.deepEqual(await list(), []);
});

test('a vendor can refuse the connection', async (t) => {
  const { url } = await simulatorsFor(t);
  await send(`${url}/faults/slack`, 'PUT', { refuse: true, times: 1 });
  await assert.rejects(slack(url), TypeError);
  assert.equal((await slack(url)).status, 200);
  assert.equal(((await (await send(`${url}/inbox`, 'GET')).json()) as []).length, 1);
});

test('bodies have limits', async (t) => {
  const { url } = await simulatorsFor(t);
  const big = await send(`${url}/slack/services/T/B/X`, 'POST', { text: 'x'.repeat(2 * 1024 * 1024) });
  assert.equal(big.status, 413);
  const form = new FormData();
  form.set('file', new Blob([new Uint8Array(60 * 1024 * 1024 + 1)]), 'big.txt');
  const headers = { authorization: 'Bearer x' };
  const upload = await fetch(`${url}/llamaparse/api/v2/parse/upload`, { method: 'POST', headers, body: form });
  assert.equal(upload.status, 413);
});
