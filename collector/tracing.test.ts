/** Spans as a real OTLP receiver gets them, and one trace across processes. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { systemClock } from '#kernel/clock.ts';
import { Fault } from '#kernel/errors.ts';
import { http } from '#kernel/http.ts';
import { silentLog } from '#kernel/log.ts';
import { secret } from '#kernel/secret.ts';
import type { Milliseconds } from '#kernel/units.ts';
import type { SpanAttributes } from './attributes.ts';
import { logContext, parseTraceparent } from './context.ts';
import { startTelemetry, type Telemetry } from './telemetry.ts';

type Received = { readonly path: string; readonly headers: NodeJS.Dict<string | string[]>; readonly body: Buffer };

/** Takes everything with 200. A span's name, ids and attribute values stand in the protobuf as they are. */
async function receiver(t: TestContext): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    received.push({ path: request.url ?? '', headers: request.headers, body: Buffer.concat(pieces) });
    response.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

async function begin(t: TestContext, options: { endpoint?: string; traces?: boolean } = {}): Promise<Telemetry> {
  const headers = { 'x-api-token': secret('collector-password') };
  const telemetry = await startTelemetry({
    role: 'worker',
    instanceId: 'w1',
    version: '0.0.0-test',
    log: silentLog,
    clock: systemClock,
    metricsEnabled: true,
    tracesEnabled: options.traces ?? true,
    strict: true,
    ...(options.endpoint === undefined ? {} : { otlp: { endpoint: options.endpoint, headers } }),
  });
  t.after(() => telemetry.stop());
  return telemetry;
}

const holds = (received: readonly Received[], path: string, bytes: Buffer | string) =>
  received.some((one) => one.path === path && one.body.includes(bytes));

test('spans and log lines reach an OTLP receiver, with its header', async (t) => {
  const { url, received } = await receiver(t);
  const telemetry = await begin(t, { endpoint: `${url}/` });
  const log = telemetry.bridgeLog(silentLog).child({ workerId: 'w1' });
  const traceId = await telemetry.withCorrelation('order-7', () =>
    telemetry.inSpan('process parse', { kind: 'consumer', attributes: { 'burnline.step': 'parse' } }, async (span) => {
      span.event('vendor job stored', { 'burnline.vendor.job_id': 'job-42' });
      log.info({ documentId: 'doc-1', filename: 'salaries.pdf' }, 'parsed');
      log.debug({}, 'only for the terminal');
      return span.traceId;
    }),
  );
  await telemetry.stop();
  for (const found of ['process parse', 'parse', 'order-7', 'job-42', 'burnline-worker', Buffer.from(traceId, 'hex')]) {
    assert(holds(received, '/v1/traces', found), `spans lack ${found}`);
  }
  for (const found of ['parsed', 'doc-1', 'w1', Buffer.from(traceId, 'hex')])
    assert(holds(received, '/v1/logs', found));
  assert(received.every(({ headers }) => headers['x-api-token'] === 'collector-password'));
  for (const kept of ['salaries.pdf', 'only for the terminal', 'collector-password']) {
    assert(!received.some(({ body }) => body.includes(kept)), `${kept} left`);
  }
});

test('a secret planted everywhere a span can hold one leaves by none of them', async (t) => {
  const { url, received } = await receiver(t);
  const telemetry = await begin(t, { endpoint: url });
  const PLANTED = 'sk-planted0123456789abcdef';
  const sly = { [`header.${PLANTED}`]: 'x', filename: PLANTED, 'burnline.because': PLANTED } as SpanAttributes;
  await assert.rejects(
    telemetry.inSpan(`step ${PLANTED}`, { attributes: sly }, async (span) => {
      span.set(sly);
      span.event(PLANTED, sly);
      telemetry.bridgeLog(silentLog).warn({ reason: PLANTED, code: PLANTED }, `failed: ${PLANTED}`);
      await http(`http://127.0.0.1:1/${PLANTED}?token=${PLANTED}`, { timeout: 500 as Milliseconds }).catch(() => {});
      throw new Error(`Cannot read salaries.pdf with ${PLANTED}`, { cause: new Error(PLANTED) });
    }),
  );
  const scrape = await telemetry.exposition('all');
  await telemetry.stop();
  const bodies = Buffer.concat(received.map(({ body }) => body));
  assert(bodies.length > 0 && bodies.includes('error.type'));
  for (const kept of [PLANTED, 'salaries.pdf']) assert(!bodies.includes(kept), `${kept} left`);
  assert(!scrape.includes(PLANTED));
  assert.match(scrape, /^telemetry_attributes_dropped_total\{signal="log"\} 1$/m);
});

test('the trace goes on in another process from the stored traceparent', async (t) => {
  const { url, received } = await receiver(t);
  const telemetry = await begin(t);
  const stored = await telemetry.inSpan('upload', { kind: 'server' }, async () => telemetry.currentTraceparent());
  assert.equal(parseTraceparent(stored), stored);
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', CHILD], {
    cwd: new URL('..', import.meta.url),
    env: { ...process.env, STORED: stored, OTLP: url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (piece) => {
    said += piece;
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 0);
  const [, traceId = '', spanId = ''] = stored?.split('-') ?? [];
  const { log, onward } = JSON.parse(said);
  assert.equal(log.traceId, traceId);
  assert.equal(log.correlationId, 'order-7');
  assert.equal(onward.split('-')[1], traceId);
  assert.notEqual(onward.split('-')[2], spanId);
  for (const id of [traceId, spanId, log.spanId]) assert(holds(received, '/v1/traces', Buffer.from(id, 'hex')), id);
});
const CHILD = `
  import { logContext } from '#collector/context.ts';
  import { startTelemetry } from '#collector/telemetry.ts';
  import { systemClock } from '#kernel/clock.ts';
  import { silentLog } from '#kernel/log.ts';
  const telemetry = await startTelemetry({
    role: 'worker', instanceId: 'w2', version: 'x', log: silentLog, clock: systemClock,
    metricsEnabled: true, tracesEnabled: true, otlp: { endpoint: process.env.OTLP } });
  await telemetry.withCorrelation('order-7', () =>
    telemetry.inSpan('process embed', { kind: 'consumer', parent: process.env.STORED }, async (span) => {
      process.stdout.write(JSON.stringify({ log: logContext(), onward: span.traceparent }));
    }));
  await telemetry.stop();
`;

test('a request that we send carries the trace, and keeps the baggage to itself', async (t) => {
  const { url, received } = await receiver(t);
  const telemetry = await begin(t);
  const traceId = await telemetry.withCorrelation('order-7', () =>
    telemetry.inSpan('embed', {}, async (span) => {
      await http(url, { timeout: 2000 as Milliseconds });
      return span.traceId;
    }),
  );
  const [request] = received;
  assert.equal(String(request?.headers['traceparent']).split('-')[1], traceId);
  assert.equal(request?.headers['baggage'], undefined);
});

test('a throw fails its span by its code, goes on unchanged, and leaves the next span alone', async (t) => {
  const { url, received } = await receiver(t);
  const telemetry = await begin(t, { endpoint: url });
  const fault = new Fault('rate_limited', 'Cannot embed: the vendor said "slow down, Ada"');
  await assert.rejects(
    telemetry.inSpan('failing', {}, () => Promise.reject(fault)),
    fault,
  );
  await assert.rejects(
    telemetry.inSpan('throwing', {}, () => {
      throw new TypeError('x');
    }),
    TypeError,
  );
  assert.deepEqual(logContext(), {});
  await telemetry.stop();
  assert(holds(received, '/v1/traces', 'rate_limited') && holds(received, '/v1/traces', 'TypeError'));
  assert(!holds(received, '/v1/traces', 'slow down'));
});

test('without an endpoint ids are real all the same, and with traces off too', async (t) => {
  for (const traces of [true, false]) {
    const telemetry = await begin(t, { traces });
    await telemetry.inSpan('job', {}, async (span) => {
      assert.match(span.traceId, /^(?!0+$)[0-9a-f]{32}$/);
      assert.equal(telemetry.currentTraceparent(), span.traceparent);
      assert(span.traceparent.endsWith('-00'), 'nothing is recorded where nobody would read it');
      await telemetry.inSpan('inner', {}, async (inner) => assert.equal(inner.traceId, span.traceId));
    });
    assert.equal(telemetry.currentTraceparent(), undefined);
    await telemetry.stop();
  }
});

test('a parent that is none, and a correlation ID that may not be, are left out and hurt nobody', async (t) => {
  const telemetry = await begin(t);
  const parent = 'garbage' as ReturnType<typeof parseTraceparent>;
  const answer = await telemetry.withCorrelation('two\nlines', () =>
    telemetry.inSpan('job', { parent }, async () => logContext().correlationId ?? 'none'),
  );
  assert.equal(answer, 'none');
});

test('a second role in the process shares the spans’ way and outlives the first', async (t) => {
  const first = await begin(t);
  const second = await begin(t);
  await first.stop();
  await second.inSpan('job', {}, async (span) => assert.match(span.traceId, /[1-9a-f]/));
  await second.stop();
});
