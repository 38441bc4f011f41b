import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import { fakeClock } from '#kernel/clock.ts';
import { type Log, silentLog } from '#kernel/log.ts';
import { INSTRUMENT_NAMES, type InstrumentName, instrument } from './catalogue.ts';
import { EXPOSITION_TYPE } from './exposition.ts';
import { type Metrics, makeMetrics } from './metrics.ts';

const START = 1_790_000_000_000;
function setUp(options: { log?: Log; strict?: boolean; role?: 'service' | 'router' } = {}) {
  const clock = fakeClock(START);
  const role = options.role ?? 'service';
  const metrics = makeMetrics({ role, clock, log: silentLog, enabled: true, strict: true, ...options });
  return { clock, metrics };
}

/** Something in every instrument of the catalogue. */
function recordEverything(metrics: Metrics): void {
  for (const name of INSTRUMENT_NAMES) {
    const { kind, attributes } = instrument(name);
    const labels = Object.fromEntries(
      Object.entries(attributes).map(([key, values]) => [key, typeof values === 'string' ? 'some' : values[0]]),
    ) as never;
    if (kind === 'counter') metrics.count(name as never, labels, 1);
    else if (kind === 'histogram') metrics.record(name as never, labels, 0.2);
    else metrics.observe(name as never, () => [{ value: 1, attributes: labels }]);
  }
}

/** https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details, without timestamps. */
const LINE =
  /^(?:# HELP [a-z_0-9]+ .+|# TYPE [a-z_0-9]+ (?:counter|gauge|histogram)|[a-z_0-9]+(?:\{[a-z_]+="[^"\\\n]*"(?:,[a-z_]+="[^"\\\n]*")*\})? (?:[0-9.e+-]+|\+Inf|NaN))$/;

function checkGrammar(text: string): void {
  assert(text.endsWith('\n'));
  const lines = text.slice(0, -1).split('\n');
  for (const line of lines) assert.match(line, LINE);
  const samples = lines.filter((line) => !line.startsWith('#')).map((line) => line.slice(0, line.lastIndexOf(' ')));
  assert.deepEqual(samples, [...new Set(samples)], 'a series appears twice: Prometheus refuses such a scrape');
}

const typeOf = (kind: string) => (kind === 'observable counter' ? 'counter' : kind);

test('a real scrape holds every instrument of the catalogue with its type and buckets', async (t) => {
  const { metrics } = setUp();
  recordEverything(metrics);
  const server = createServer((_request, response) => {
    void metrics.exposition('all').then((text) => response.setHeader('content-type', EXPOSITION_TYPE).end(text));
  }).listen(0, '127.0.0.1');
  t.after(() => server.close());
  await new Promise((listening) => server.once('listening', listening));
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`);
  const text = await response.text();
  assert.equal(response.headers.get('content-type'), EXPOSITION_TYPE);
  checkGrammar(text);
  for (const name of INSTRUMENT_NAMES) {
    const { kind, help, buckets } = instrument(name);
    assert(text.includes(`# HELP ${name} ${help}\n# TYPE ${name} ${typeOf(kind)}\n`), name);
    assert.match(text, new RegExp(`^${name}(_count)?(\\{.*\\})? 1$`, 'm'));
    for (const bound of buckets ?? [])
      assert.match(text, new RegExp(`^${name}_bucket\\{(.+,)?le="${bound}"\\} \\d`, 'm'));
  }
  assert.doesNotMatch(text, /otel_scope|target_info|# UNIT/);
});

test('promtool finds no fault with the exposition', (t) => {
  const promtool = process.env['TEST_TOOL_PROMTOOL'] ?? 'promtool';
  if (spawnSync(promtool, ['--version']).error) return t.skip('promtool is not on PATH');
  const { metrics } = setUp();
  recordEverything(metrics);
  return metrics.exposition('all').then((input) => {
    const { status, stdout, stderr } = spawnSync(promtool, ['check', 'metrics'], { input, encoding: 'utf8' });
    assert.equal(status, 0, `${stdout}${stderr}`);
  });
});

test('before anything has happened every name of the role is there, and its counters are 0', async () => {
  const { metrics } = setUp();
  const text = await metrics.exposition('all');
  checkGrammar(text);
  for (const name of INSTRUMENT_NAMES) {
    assert.equal(text.includes(`# TYPE ${name} `), instrument(name).roles.includes('service'), name);
  }
  assert.match(text, /^uploads_refused_total\{reason="overloaded"\} 0$/m);
  assert.match(text, /^document_processing_duration_seconds_bucket\{le="30"\} 0$/m);
});

test('a router does not speak of documents', async () => {
  const { metrics } = setUp({ role: 'router' });
  const text = await metrics.exposition('all');
  assert.doesNotMatch(text, /document|queue|uploads/);
  assert.match(text, /http_server_request_duration_seconds/);
});

test('exposition() of http and of the rest share what every target must show, and nothing else', async () => {
  const { metrics } = setUp();
  recordEverything(metrics);
  const names = async (shown: 'http' | 'rest' | 'all') =>
    new Set([...(await metrics.exposition(shown)).matchAll(/^# TYPE (\w+) /gm)].map(([, name = '']) => name));
  const [http, rest, all] = [await names('http'), await names('rest'), await names('all')];
  assert.deepEqual(http, new Set(['http_server_request_duration_seconds', 'process_start_time_seconds']));
  assert.deepEqual(http.intersection(rest), new Set(['process_start_time_seconds']));
  assert.deepEqual([...http.union(rest)].sort(), [...all].sort());
});

test('a value on a boundary counts into the bucket that it bounds', async () => {
  const { metrics } = setUp();
  metrics.record('document_processing_duration_seconds', {}, 30);
  metrics.record('document_processing_duration_seconds', {}, 30.001);
  const text = await metrics.exposition('rest');
  assert.match(text, /_bucket\{le="20"\} 0$/m);
  assert.match(text, /_bucket\{le="30"\} 1$/m);
  assert.match(text, /_bucket\{le="45"\} 2$/m);
});

test('an observation that fails is absent, while the others stand', async () => {
  const said: unknown[] = [];
  const { metrics } = setUp({ log: { ...silentLog, warn: (fields) => said.push(fields) } });
  let down = false;
  metrics.observe('queue_oldest_ready_age_seconds', () => {
    if (down) throw new Error('connection refused');
    return [{ value: 3, attributes: {} }];
  });
  metrics.observe('worker_last_seen_timestamp_seconds', async () => [{ value: 7, attributes: {} }]);
  assert.match(await metrics.exposition('all'), /^queue_oldest_ready_age_seconds 3$/m);
  down = true;
  await metrics.exposition('all');
  const text = await metrics.exposition('all');
  assert.doesNotMatch(text, /^queue_oldest_ready_age_seconds /m, 'the last value must not live on');
  assert.match(text, /^worker_last_seen_timestamp_seconds 7$/m);
  assert.match(text, /^telemetry_observations_failed_total\{reason="error"\} 2$/m);
  assert.equal(said.length, 1, 'a log line for each failure would drown the log');
});

test('an observation that hangs is given up after 2 s and not called again before it ends', async () => {
  const { clock, metrics } = setUp();
  let calls = 0;
  const answer = Promise.withResolvers<{ value: number; attributes: Record<string, never> }[]>();
  metrics.observe('document_oldest_unfinished_age_seconds', () => {
    calls++;
    return answer.promise;
  });
  const scrape = async () => {
    let text: string | undefined;
    void metrics.exposition('all').then((done) => {
      text = done;
    });
    await clock.advance(1999);
    assert.equal(text, undefined);
    await clock.advance(1);
    return text ?? '';
  };
  assert.doesNotMatch(await scrape(), /^document_oldest_unfinished_age_seconds /m);
  assert.doesNotMatch(await scrape(), /^document_oldest_unfinished_age_seconds /m);
  assert.equal(calls, 1);
  answer.resolve([{ value: 9, attributes: {} }]);
  assert.match(await metrics.exposition('all'), /^document_oldest_unfinished_age_seconds 9$/m);
});

test('several observers of a counter add up, of a gauge the last one stands', async () => {
  const { metrics } = setUp();
  for (const value of [3, 4]) {
    metrics.observe('documents_finished_total', () => [{ value, attributes: { outcome: 'completed' } as const }]);
    metrics.observe('queue_oldest_ready_age_seconds', () => [{ value, attributes: {} }]);
  }
  const text = await metrics.exposition('all');
  checkGrammar(text);
  assert.match(text, /^documents_finished_total\{outcome="completed"\} 7$/m);
  assert.match(text, /^queue_oldest_ready_age_seconds 4$/m);
});

test('an observer that is stopped is not asked any more', async () => {
  const { metrics } = setUp();
  const stop = metrics.observe('queue_estimated_wait_seconds', () => [{ value: 1, attributes: {} }]);
  stop();
  assert.doesNotMatch(await metrics.exposition('all'), /^queue_estimated_wait_seconds /m);
});

test('strict metrics throw at a deviation, others count it and go on', async () => {
  const strict = setUp().metrics;
  assert.throws(() => strict.count('uploads_refused_total', { reason: 'mood' as never }), /"reason" must be one of/);
  assert.throws(() => strict.count('lease_lost_total', {}, -1), /must be finite and not negative/);
  assert.throws(() => strict.record('job_wait_duration_seconds', {}, Number.NaN), /as NaN/);
  const lenient = setUp({ strict: false }).metrics;
  lenient.count('uploads_refused_total', { reason: 'mood' as never });
  lenient.count('lease_lost_total', {}, Number.NaN);
  const text = await lenient.exposition('all');
  assert.match(text, /^uploads_refused_total\{reason="other"\} 1$/m);
  assert.match(text, /^lease_lost_total 0$/m);
  assert.match(text, /^telemetry_attributes_dropped_total\{signal="metric"\} 1$/m);
});

test('metrics that are switched off still answer a scrape', async () => {
  const clock = fakeClock(START);
  const metrics = makeMetrics({ role: 'api', clock, log: silentLog, enabled: false, strict: true });
  metrics.count('uploads_refused_total', { reason: 'overloaded' });
  assert.equal(await metrics.exposition('all'), '# metrics are switched off\n');
});

test('two roles in one process do not share their counts', async () => {
  const [one, other] = [setUp().metrics, setUp().metrics];
  one.count('lease_lost_total', {});
  const value = (name: InstrumentName, text: string) => new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1];
  assert.equal(value('lease_lost_total', await one.exposition('all')), '1');
  assert.equal(value('lease_lost_total', await other.exposition('all')), '0');
});
