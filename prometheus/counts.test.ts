/** Many objectives asked at once: one visit a target, what is missing is said, and history comes in bearable stretches. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { systemClock } from '#kernel/clock.ts';
import { http } from '#kernel/http.ts';
import { milliseconds, minutes, seconds } from '#kernel/units.ts';
import { errorsOf, objective, promql, selector } from '#test/kit/objectives-by-hand.ts';
import { servePages, startPrometheus } from '#test/kit/prometheus.ts';
import { countsBack, countsNow, gradesOf, stallNow } from './counts.ts';
import { makePromql } from './vendors/promql.ts';

const PROMETHEUS = process.env['TEST_TOOL_PROMETHEUS'];
const skip = PROMETHEUS === undefined ? 'prometheus is not here: `npm run tools` says why' : false;
const connect = (url: string) => makePromql({ http, clock: systemClock, url, timeout: milliseconds(5_000) });
const signal = new AbortController().signal;
const STALL = { waiting: 'documents_unfinished', lastSeen: 'worker_last_seen_timestamp_seconds' };

const TEXT = `# TYPE requests_total counter
requests_total{code="200"} 41
requests_total{code="500"} 3
# TYPE errors_total counter
errors_total{code="500"} 3
# TYPE process_start_time_seconds gauge
process_start_time_seconds 1700000000
# TYPE documents_unfinished gauge
documents_unfinished{status="queued"} 4
documents_unfinished{status="parsing"} 1
# TYPE worker_last_seen_timestamp_seconds gauge
worker_last_seen_timestamp_seconds 1750000000
`;
const ANSWERS = objective('answers', errorsOf('app'));
const ALL = objective('all', {
  kind: 'ratio',
  bad: selector('errors_total{code="500"}'),
  total: selector('requests_total'),
});

test('a real Prometheus of two targets', { skip }, async (t) => {
  await using one = await servePages(() => ({ body: TEXT }));
  await using two = await servePages(() => ({ body: TEXT }));
  const config = `global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
- job_name: app
  static_configs: [{targets: ['${one.host}', '${two.host}', '127.0.0.1:1']}]
`;
  await using prometheus = await startPrometheus(PROMETHEUS ?? '', { config });
  const server = connect(prometheus.url);
  const now = () => systemClock.now();
  for (let tries = 0; tries < 300; tries++) {
    if ((await server.instant('count_over_time(errors_total[1m]) > 2', now())).series.length === 2) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }

  await t.test('is one visit a target, of all that the objectives want of it', async () => {
    const own = objective('own', { kind: 'ratio', bad: promql('sum(x)'), total: promql('sum(y)') });
    const { visits, missing, up } = await countsNow(server, [ANSWERS, ALL, own], now(), signal);
    assert.deepEqual([...missing.keys()], []);
    assert.deepEqual(visits.map(({ target }) => target).sort(), [`app ${one.host}`, `app ${two.host}`].sort());
    for (const { values } of visits) {
      assert.deepEqual(values.map(({ name, value }) => `${name} ${value}`).sort(), [
        'errors_total 3',
        'process_start_time_seconds 1700000000',
        'requests_total 3',
        'requests_total 41',
      ]);
    }
    const listed = [...(up ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    const right = [`app ${one.host}`, `app ${two.host}`].map((target) => [target, true] as const);
    assert.deepEqual(
      listed,
      [...right, ['app 127.0.0.1:1', false] as const].sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  });

  await t.test('counts what waits once, and tells when a worker was seen as of now', async () => {
    const samples = await stallNow(server, STALL, now(), signal);
    const waiting = samples.filter(({ name }) => name === STALL.waiting).map(({ value }) => value);
    assert.deepEqual(waiting.sort(), [1, 4]);
    const seen = samples.find(({ name }) => name === STALL.lastSeen)?.value ?? 0;
    assert(seen >= 1_750_000_000 && seen < 1_750_000_003, `${seen}`);
  });

  await t.test('tells what was as what is, a visit for each step', async () => {
    const to = seconds(Math.floor(now() / 1_000));
    const span = { from: seconds(to - 3), to, finest: seconds(1) };
    const visits = [];
    for await (const stretch of countsBack(server, [ANSWERS], span, signal)) {
      assert.equal(stretch.step, 1);
      visits.push(...stretch.visits);
    }
    const moments = visits.filter(({ target }) => target === `app ${one.host}`).map(({ at }) => at);
    assert(moments.length >= 2 && moments.at(-1) === to, JSON.stringify(moments));
    assert.deepEqual(moments, moments.toSorted());
    assert.equal(visits[0]?.values.length, 4);
  });
});

test('an objective that is not answered is missing with its reason, and the others are there', async () => {
  const answer = { status: 'success', data: { resultType: 'vector', result: [] } };
  await using server = await servePages((_, body) =>
    decodeURIComponent(body).includes('errors_total{job="app"}')
      ? { status: 503, body: '{"status":"error","errorType":"timeout","error":"too slow"}' }
      : { body: JSON.stringify(answer) },
  );
  const { missing, visits } = await countsNow(connect(server.url), [ANSWERS, ALL], milliseconds(1e12), signal);
  assert.deepEqual([...missing.keys()], [ANSWERS.id]);
  assert.match(missing.get(ANSWERS.id) ?? '', /too slow/);
  assert.deepEqual(visits, []);
});

test('gradesOf() looks at each moment once, ever finer, and a change of pace is no gap', () => {
  const moment = fc.integer({ min: 1_700_000_000, max: 1_800_000_000 });
  fc.assert(
    fc.property(
      moment,
      fc.integer({ min: 0, max: 100 * 86_400 }),
      fc.constantFrom(15, 30, 60),
      (to, length, finest) => {
        const grades = gradesOf({ from: seconds(to - length), to: seconds(to), finest: seconds(finest) });
        for (const [i, { from, to: last, step }] of grades.entries()) {
          assert(from % step === 0 && last % step === 0 && from <= last);
          const before = grades[i - 1];
          if (before === undefined) assert(from - (to - length) < step);
          else assert.deepEqual([from - before.to, before.step >= step], [step, true]);
        }
        const end = grades.at(-1);
        if (length >= finest) assert(end !== undefined && to - end.to < finest && end.step === finest);
        const points = grades.reduce((sum, { from, to: last, step }) => sum + (last - from) / step + 1, 0);
        assert(points <= length / 900 + minutes(90) / 15 + 25 * 60 + 3, `${points} points`);
      },
    ),
  );
});
