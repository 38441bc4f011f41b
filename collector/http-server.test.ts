/** A real Fastify server on a real port, as the metrics and the spans see it. */
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import multipart from '@fastify/multipart';
import fastify, { type FastifyInstance } from 'fastify';
import { systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { seededRandom } from '#kernel/random.ts';
import { logContext } from './context.ts';
import { instrumentFastify } from './http-server.ts';
import { startTelemetry, type Telemetry } from './telemetry.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const TRACEPARENT = `00-${TRACE}-00f067aa0ba902b7-01`;
const CORRELATION = 'x-correlation-id';

type Setup = { readonly url: string; readonly telemetry: Telemetry; readonly app: FastifyInstance };

async function serve(t: TestContext, routes: (app: FastifyInstance) => void): Promise<Setup> {
  const clock = systemClock;
  const shared = { role: 'api', instanceId: 'a', version: 'x', metricsEnabled: true, tracesEnabled: true } as const;
  const telemetry = await startTelemetry({ ...shared, log: silentLog, clock, strict: true });
  const app = fastify();
  instrumentFastify(app, telemetry, { clock, random: seededRandom(1) });
  await app.register(multipart);
  routes(app);
  await app.listen({ host: '127.0.0.1', port: 0 });
  t.after(async () => {
    await app.close();
    await telemetry.stop();
  });
  return { url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`, telemetry, app };
}

/** `labels` in the catalogue's order. The measurement comes after the answer's last byte. */
async function measured(telemetry: Telemetry, labels: string): Promise<string | undefined> {
  const series = `http_server_request_duration_seconds_count{${labels}} `;
  for (let tries = 0; tries < 100; tries++) {
    const text = await telemetry.exposition('http');
    const line = text.split('\n').find((one) => one.startsWith(series));
    if (line !== undefined) return line.slice(series.length);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return undefined;
}

test('a request is counted under its route’s template and never under its path', async (t) => {
  const { url, telemetry } = await serve(t, (app) => app.get('/v1/documents/:id', async () => ({})));
  await fetch(`${url}/v1/documents/1`);
  await fetch(`${url}/v1/documents/2?x=1`);
  const labels =
    'http_request_method="GET",http_route="/v1/documents/:id",http_response_status_code="200",url_scheme="http"';
  assert.equal(await measured(telemetry, labels), '2');
});

test('what no route knows is counted without one, an unknown method as _OTHER', async (t) => {
  const { url, telemetry } = await serve(t, () => {});
  await fetch(`${url}/secret/path`);
  assert.equal(
    await measured(telemetry, 'http_request_method="GET",http_response_status_code="404",url_scheme="http"'),
    '1',
  );
  await new Promise((done) => httpRequest(url, { method: 'REPORT' }, (r) => r.resume().on('end', done)).end());
  assert.equal(
    await measured(telemetry, 'http_request_method="_OTHER",http_response_status_code="404",url_scheme="http"'),
    '1',
  );
  assert.doesNotMatch(await telemetry.exposition('http'), /secret/);
});

test('a throw of a handler is counted with its status as the error', async (t) => {
  const { url, telemetry } = await serve(t, (app) =>
    app.get('/broken', async () => {
      throw new Error('with a secret in it');
    }),
  );
  await fetch(`${url}/broken`);
  const labels =
    'http_request_method="GET",http_route="/broken",http_response_status_code="500",url_scheme="http",error_type="500"';
  assert.equal(await measured(telemetry, labels), '1');
});

test('a client that goes away is counted as aborted, without a status', async (t) => {
  const { url, telemetry } = await serve(t, (app) => app.get('/slow', () => new Promise(() => {})));
  const client = httpRequest(`${url}/slow`).on('error', () => {});
  client.end(() => setImmediate(() => setTimeout(() => client.destroy(), 20)));
  await new Promise((resolve) => client.on('close', resolve));
  const labels = 'http_request_method="GET",http_route="/slow",url_scheme="http",error_type="aborted"';
  for (let tries = 0; tries < 50 && (await measured(telemetry, labels)) === undefined; tries++);
  assert.equal(await measured(telemetry, labels), '1');
});

test('the machines’ own questions are neither measured nor traced', async (t) => {
  const { url, telemetry } = await serve(t, (app) => app.get('/healthz', async () => logContext()));
  const answer = await fetch(`${url}/healthz`);
  assert.deepEqual(Object.keys((await answer.json()) as object), ['correlationId']);
  assert.doesNotMatch(await telemetry.exposition('http'), /healthz/);
});

const seen = async (answer: Response) => ({
  header: answer.headers.get(CORRELATION),
  ...((await answer.json()) as { traceId: string; correlationId: string }),
});

test('the caller’s trace and correlation ID reach the handler and come back', async (t) => {
  const { url } = await serve(t, (app) => app.get('/', async () => logContext()));
  const headers = { traceparent: TRACEPARENT, [CORRELATION]: 'order-7', baggage: 'correlation.id=not-this,x=y' };
  const { header, traceId, correlationId } = await seen(await fetch(url, { headers }));
  assert.deepEqual([header, traceId, correlationId], ['order-7', TRACE, 'order-7']);
});

test('a correlation ID in the baggage counts where the header has none, and one is made where neither can serve', async (t) => {
  const { url } = await serve(t, (app) => app.get('/', async () => logContext()));
  const baggage = await seen(await fetch(url, { headers: { baggage: 'correlation.id=order-8' } }));
  assert.deepEqual([baggage.header, baggage.correlationId], ['order-8', 'order-8']);
  const made = await seen(await fetch(url, { headers: { [CORRELATION]: 'a b', traceparent: 'garbage' } }));
  assert.match(made.header ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  assert.equal(made.correlationId, made.header);
  assert.match(made.traceId, /^[0-9a-f]{32}$/);
});

test('the context is the request’s own after a body that came in pieces, for each of several at once', async (t) => {
  const { url } = await serve(t, (app) => {
    app.post('/json', async () => logContext());
    app.post('/upload', async (request) => {
      for await (const part of request.parts()) if (part.type === 'file') for await (const _ of part.file);
      await new Promise((resolve) => setImmediate(resolve));
      return logContext();
    });
  });
  const send = async (i: number) => {
    const form = new FormData();
    form.set('file', new Blob(['x'.repeat(300_000)]), 'a.txt');
    const body = JSON.stringify({ padding: 'x'.repeat(300_000) });
    const headers = { [CORRELATION]: `order-${i}` };
    const json = { ...headers, 'content-type': 'application/json' };
    const answers = await Promise.all([
      fetch(`${url}/upload`, { method: 'POST', body: form, headers }),
      fetch(`${url}/json`, { method: 'POST', body, headers: json }),
    ]);
    for (const { header, correlationId } of await Promise.all(answers.map(seen))) {
      assert.deepEqual([header, correlationId], [`order-${i}`, `order-${i}`]);
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, i) => send(i)));
});

test('an injected request, as tests make it, is measured too', async (t) => {
  const { telemetry, app } = await serve(t, (own) => own.get('/', async () => logContext()));
  const answer = await app.inject({ url: '/', headers: { [CORRELATION]: 'order-9' } });
  assert.equal(answer.json().correlationId, 'order-9');
  assert.equal(answer.headers[CORRELATION], 'order-9');
  const labels = 'http_request_method="GET",http_route="/",http_response_status_code="200",url_scheme="http"';
  assert.equal(await measured(telemetry, labels), '1');
});
