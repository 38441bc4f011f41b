import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import test from 'node:test';
import { fakeClock, systemClock } from '#kernel/clock.ts';
import { type Log, silentLog } from '#kernel/log.ts';
import { crashHandler, FLUSH_LIMIT, startTelemetry } from './telemetry.ts';

const options = {
  role: 'api',
  instanceId: 'a1',
  version: '1.2.3',
  log: silentLog,
  metricsEnabled: true,
  tracesEnabled: true,
  strict: true,
} as const;

test('every role says when it started and what it is', async (t) => {
  const telemetry = await startTelemetry({ ...options, clock: fakeClock(1_790_000_000_500) });
  t.after(() => telemetry.stop());
  const text = await telemetry.exposition('rest');
  assert.match(text, /^process_start_time_seconds 1790000000\.5$/m);
  assert.match(text, /^burnline_build_info\{version="1\.2\.3",role="api"\} 1$/m);
  assert.match(text, /^process_resident_memory_bytes \d{7,}$/m);
  assert.match(text, /^nodejs_eventloop_lag_p99_seconds \d/m);
});

test('stop() waits for a receiver that never answers exactly as long as the limit', async (t) => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const clock = fakeClock();
  const warned: string[] = [];
  const log: Log = { ...silentLog, warn: (_fields, message) => warned.push(message) };
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const telemetry = await startTelemetry({ ...options, log, clock, otlp: { endpoint } });
  await telemetry.inSpan('job', {}, async () => {});
  let stopped = false;
  const stop = telemetry.stop();
  assert.equal(telemetry.stop(), stop, 'stopping twice is stopping once');
  const stopping = stop.then(() => {
    stopped = true;
  });
  await clock.advance(FLUSH_LIMIT - 1);
  assert.equal(stopped, false);
  await clock.advance(1);
  await stopping;
  assert(warned.includes('sending the last telemetry did not end in time'), warned.join());
});

test('a receiver that refuses connections does not keep a role from working or stopping', async () => {
  const otlp = { endpoint: 'http://127.0.0.1:1' };
  const telemetry = await startTelemetry({ ...options, clock: systemClock, otlp });
  assert.equal(await telemetry.inSpan('job', {}, async () => 'done'), 'done');
  await telemetry.stop();
});

test('crashHandler() logs, flushes, ends with 1, once', async () => {
  const order: string[] = [];
  const log: Log = { ...silentLog, error: (_fields, message) => order.push(message) };
  const telemetry = { stop: async () => void order.push('flushed') };
  const crashed = crashHandler(telemetry, log, (code) => order.push(`exit ${code}`));
  await Promise.all([crashed(new Error('first')), crashed(new Error('second'))]);
  assert.deepEqual(order, ['Crashed', 'flushed', 'exit 1']);
});

test('crashHandler() ends the process even when the flush fails', async () => {
  const codes: number[] = [];
  const crashed = crashHandler({ stop: () => Promise.reject(new Error('x')) }, silentLog, (code) => codes.push(code));
  await crashed(new Error('first'));
  assert.deepEqual(codes, [1]);
});
