/** Against a real Prometheus: what is read is what was exposed, and what goes wrong is said as what it is. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { systemClock } from '#kernel/clock.ts';
import { Fault } from '#kernel/errors.ts';
import { http } from '#kernel/http.ts';
import { secret } from '#kernel/secret.ts';
import { milliseconds, seconds } from '#kernel/units.ts';
import { errorsOf, KINDS, objective, selector } from '#test/kit/objectives-by-hand.ts';
import { type Page, servePages, startPrometheus } from '#test/kit/prometheus.ts';
import { readAt, readBack, readingQuery, slicesOf } from './query.ts';
import { makePromql } from './vendors/promql.ts';

const PROMETHEUS = process.env['TEST_TOOL_PROMETHEUS'];
const skip = PROMETHEUS === undefined ? 'prometheus is not here: `npm run tools` says why' : false;
const connect = (url: string, timeout = 5_000) =>
  makePromql({ http, clock: systemClock, url, timeout: milliseconds(timeout), authorization: secret('Bearer hidden') });

const EXPOSED = `# TYPE requests_total counter
requests_total{code="200"} 41
requests_total{code="500"} 3
# TYPE errors_total counter
errors_total{code="200"} 0
errors_total{code="500"} 3
# TYPE unknown gauge
unknown NaN
endless -Inf
`;

test('a real Prometheus', { skip }, async (t) => {
  await using target = await servePages(() => ({ body: EXPOSED }));
  const config = `global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
- job_name: app
  static_configs: [{targets: ['${target.host}']}]
`;
  await using prometheus = await startPrometheus(PROMETHEUS ?? '', { config });
  const server = connect(`${prometheus.url}/`);
  await until(async () => (await server.instant('count_over_time(up[1m]) > 2', systemClock.now())).series.length > 0);

  await t.test('gives every series of every part, apart though their labels are the same', async () => {
    const reading = await readAt(server, objective('answers', errorsOf('app')), systemClock.now());
    const seen = (part: 'bad' | 'total') =>
      reading?.[part].map(({ labels, points }) => `${labels['code']} ${points[0]?.value}`).sort();
    assert.deepEqual(seen('total'), ['200 41', '500 3']);
    assert.deepEqual(seen('bad'), ['200 0', '500 3']);
    assert.deepEqual(reading?.good, []);
    assert(reading?.total.every(({ labels }) => labels['job'] === 'app' && !('burnline_part' in labels)));
  });
  await t.test('gives nothing of what is not there', async () => {
    const reading = await readAt(server, objective('answers', errorsOf('nobody')), systemClock.now());
    assert.deepEqual([reading?.total, reading?.bad], [[], []]);
  });
  await t.test('gives a range as one reading with a point a step', async () => {
    const to = milliseconds(Math.floor(systemClock.now() / 1000) * 1000);
    const span = { from: milliseconds(to - 2_000), to, step: seconds(1) };
    const readings = [];
    for await (const one of readBack(server, objective('answers', errorsOf('app')), span)) readings.push(one);
    assert.equal(readings.length, 1);
    const points = readings[0]?.total[0]?.points ?? [];
    assert(points.length >= 1 && points.length <= 3);
    assert.equal(points.at(-1)?.at, to);
  });
  await t.test('gives NaN and infinity as they are, and a scalar', async () => {
    const numberOf = async (query: string) =>
      (await server.instant(query, systemClock.now())).series[0]?.points[0]?.value;
    assert.equal(await numberOf('unknown'), Number.NaN);
    assert.equal(await numberOf('endless'), Number.NEGATIVE_INFINITY);
    assert.equal(await numberOf('1 + 1'), 2);
  });
  await t.test('refuses what is no query, which asking again does not mend', async () => {
    await rejects(server.instant('sum(', systemClock.now()), 'promql_refused', false, /400.*bad_data/);
    const tooFine = { from: milliseconds(0), to: milliseconds(1e9), step: seconds(1) };
    await rejects(server.range('up', tooFine), 'promql_refused', false, /11,000 points/);
  });
});

const answers: readonly [title: string, page: Page, code: string, retryable: boolean][] = [
  [
    'that is busy',
    { status: 503, headers: { 'retry-after': '7' }, body: '{"status":"error","errorType":"timeout","error":"late"}' },
    'promql_unavailable',
    true,
  ],
  ['that limits us', { status: 429, body: 'slow down' }, 'promql_unavailable', true],
  ['that does not know us', { status: 401, body: '' }, 'promql_refused', false],
  [
    'that sends us elsewhere',
    { status: 302, headers: { location: 'http://127.0.0.1:1/' }, body: '' },
    'promql_refused',
    false,
  ],
  ['that speaks HTML', { body: '<html>' }, 'promql_malformed', false],
  ['that leaves out the data', { body: '{"status":"success"}' }, 'promql_malformed', false],
  [
    'that answers a string',
    { body: '{"status":"success","data":{"resultType":"string","result":[1,"x"]}}' },
    'promql_malformed',
    false,
  ],
  ['that is silent', { body: '', hang: true }, 'promql_timeout', true],
];
for (const [title, page, code, retryable] of answers) {
  test(`of a server ${title} it is said: ${code}`, async () => {
    await using server = await servePages(() => page);
    await rejects(connect(server.url, 300).instant('up', milliseconds(0)), code, retryable, /./);
  });
}

test('of a server that is not there it is said: promql_unreachable', async () => {
  await rejects(connect('http://127.0.0.1:1').instant('up', milliseconds(0)), 'promql_unreachable', true, /./);
});

test('an answer that is too large is not read to its end', async () => {
  await using server = await servePages(() => ({ body: ' '.repeat(33 * 1024 * 1024) }));
  await rejects(connect(server.url, 60_000).instant('up', milliseconds(0)), 'response_too_large', false, /./);
});

test('who stops the question gets his own reason', async () => {
  await using server = await servePages(() => ({ body: '', hang: true }));
  const stop = new AbortController();
  const answer = connect(server.url).instant('up', milliseconds(0), stop.signal);
  stop.abort(new Error('the day is over'));
  await assert.rejects(answer, /the day is over/);
});

test('warnings come with the answer', async () => {
  const body = '{"status":"success","data":{"resultType":"vector","result":[]},"warnings":["one store is down"]}';
  await using server = await servePages(() => ({ body }));
  assert.deepEqual((await connect(server.url).instant('up', milliseconds(0))).warnings, ['one store is down']);
});

test('readingQuery() asks for all parts at once, and for nothing that only the server can judge', () => {
  assert.equal(
    readingQuery(objective('answers', errorsOf('app'))),
    'label_replace(errors_total{job="app"}, "burnline_part", "bad", "", "") or label_replace(requests_total{job="app"}, "burnline_part", "total", "", "")',
  );
  const threshold = { kind: 'threshold', query: selector('age'), op: 'lt', limit: 1 } as const;
  assert.match(readingQuery(objective('age', threshold)) ?? '', /"value"/);
  assert.deepEqual(
    KINDS.filter((one) => readingQuery(one) === undefined).map(({ name }) => name),
    ['own-promql', 'raw-windowed', 'whole'],
  );
});

test('slicesOf() covers every step of a span once, and asks for no more points than a server gives', () => {
  const time = fc.integer({ min: 0, max: 10_000_000 });
  fc.assert(
    fc.property(time, time, fc.integer({ min: 1, max: 300 }), (a, b, every) => {
      const [from, to, step] = [
        milliseconds(Math.min(a, b) * 1000),
        milliseconds(Math.max(a, b) * 1000),
        seconds(every),
      ];
      const asked = slicesOf({ from, to, step }).map((one) => ({
        ...one,
        points: Math.floor((one.to - one.from) / (every * 1000)) + 1,
      }));
      assert(asked.every(({ points }) => points >= 1 && points <= 10_000));
      assert.equal(
        asked.reduce((sum, { points }) => sum + points, 0),
        Math.min(Math.floor((to - from) / (every * 1000)) + 1, 10_000_000),
      );
    }),
  );
});

async function rejects(answer: Promise<unknown>, code: string, retryable: boolean, message: RegExp): Promise<void> {
  await assert.rejects(answer, (error) => {
    assert(error instanceof Fault);
    assert.deepEqual([error.code, error.retryable], [code, retryable], error.message);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /hidden/);
    return true;
  });
}

async function until(check: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await check()); tries++) {
    assert(tries < 300, 'Prometheus scraped nothing');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
