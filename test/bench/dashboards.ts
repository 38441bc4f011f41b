/**
 * `npm run bench:dashboards [-- --series 10000 --rounds 3]`: how long a real Prometheus takes for each dashboard, of 28 days
 * of 10,000 series. Which series there are is learned from a real run (test/kit/observed-run.ts) and made more by more
 * workers. The last six hours are as they are scraped, every 15 s, and what is before them every ten minutes, much as
 * long-term stores keep it: 28 days at 15 s would be 1.6 billion samples. Records are every two minutes all the time.
 *
 * Asked is what Grafana asks, a thousand points, six queries at once as a browser does; the range is the dashboard's own,
 * and 28 days. k6's are left out: a load test lasts minutes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { days, hours, minutes, type Seconds, seconds } from '#kernel/units.ts';
import { getJson } from '#test/kit/alertmanager.ts';
import { type Asked, filledIn, queriesOf, readDashboards } from '#test/kit/grafana.ts';
import { peakMemory } from '#test/kit/memory.ts';
import { observedRun, type Programs } from '#test/kit/observed-run.ts';
import { startPrometheus } from '#test/kit/prometheus.ts';
import { findOtelcol } from '#test/tools/otelcol.ts';
import { findPrometheus } from '#test/tools/prometheus.ts';
import { fill, type PastSeries } from './history.ts';

const { values } = parseArgs({
  options: { series: { type: 'string', default: '10000' }, rounds: { type: 'string', default: '3' } },
});
const WANTED = Number(values.series);
const ROUNDS = Number(values.rounds);
const PERIOD = days(28);
const RECENT = hours(6);
const SCRAPE = seconds(15);
const POINTS = 1_000;
const AT_ONCE = 6;

type Labels = Readonly<Record<string, string>>;
type Seen = { readonly labels: Labels; readonly value: number };

/** Every series of a real run, with its last value. */
async function learn(programs: Programs): Promise<Seen[]> {
  await using stack = new AsyncDisposableStack();
  const url = await observedRun(stack, programs);
  const { data } = await getJson<{ data: { result: { metric: Labels; value: [number, string] }[] } }>(
    `${url}/api/v1/query?${new URLSearchParams({ query: '{__name__!=""}' })}`,
  );
  return data.result.map(({ metric, value }) => ({ labels: metric, value: finite(Number(value[1])) }));
}

const finite = (n: number): number => (Number.isFinite(n) ? n : 0);

/** More workers, until there are as many series as are wanted. */
function multiplied(seen: readonly Seen[]): Seen[] {
  const workers = seen.filter(({ labels }) => labels['job'] === 'worker');
  const all = [...seen];
  for (let n = 2; all.length < WANTED; n++) {
    const missing = WANTED - all.length;
    all.push(
      ...workers.slice(0, missing).map((one) => ({ ...one, labels: { ...one.labels, instance: `worker-${n}:9464` } })),
    );
  }
  return all.slice(0, WANTED).sort((a, b) => ((a.labels['__name__'] ?? '') < (b.labels['__name__'] ?? '') ? -1 : 1));
}

/** Filled one after the other, since promtool holds what it reads. Seconds before now. */
type Week = { readonly from: Seconds; readonly to: Seconds };
const WEEKS: readonly Week[] = [4, 3, 2, 1].map((n) => ({ from: days(7 * n), to: days(7 * (n - 1)) }));

const COUNTS = /_(?:total|bucket|count|sum)$/;

/** The past of one series: a counter grows at a pace of its own, a bucket faster the higher its bound; a gauge goes up and down. */
function* pastOf({ labels, value }: Seen, i: number, week: Week): Generator<PastSeries> {
  const { __name__: name = '', ...others } = labels;
  const recorded = name.includes(':');
  const rank = labels['le'] === undefined ? 1 : Math.log2(2 + Math.min(Number(labels['le']), 1e6));
  const pace = ((i % 17) + 1) * 0.05 * rank;
  const grows = COUNTS.test(name) && !recorded;
  const common = {
    name,
    labels: Object.entries(others)
      .map(([key, text]) => `${key.replaceAll(/\W/g, '_')}=${JSON.stringify(text)}`)
      .join(','),
    value: grows
      ? (at: number) => Math.floor((at % 1e8) * pace)
      : (at: number) => value * (0.9 + 0.2 * Math.abs(((at / 613 + i) % 2) - 1)),
  };
  const pieces = recorded
    ? [{ from: PERIOD, to: seconds(0), step: minutes(2) }]
    : [
        { from: PERIOD, to: RECENT, step: minutes(10) },
        { from: RECENT, to: seconds(0), step: SCRAPE },
      ];
  for (const { from, to, step } of pieces) {
    const clipped = { from: seconds(Math.min(from, week.from)), to: seconds(Math.max(to, week.to)) };
    if (clipped.from > clipped.to) yield { ...common, ...clipped, step };
  }
}

const CHOSEN = {
  ...Object.fromEntries(['service', 'step', 'vendor', 'channel', 'host', 'job'].map((name) => [name, '.*'])),
  objective: 'burnline-documents-documents-processed',
};

/** @returns how long it took, in seconds. */
async function ask(url: string, one: Asked, range: number, end: number): Promise<number> {
  const step = Math.max(SCRAPE, Math.ceil(range / POINTS / SCRAPE) * SCRAPE);
  const interval = Math.max(step + SCRAPE, 4 * SCRAPE);
  const query = filledIn(one.expr, CHOSEN, `${range}s`, `${interval}s`);
  const time = { start: String(end - range), end: String(end) };
  const [path, fields] =
    one.label !== undefined
      ? [`label/${one.label}/values`, { 'match[]': query, ...time }]
      : one.instant
        ? ['query', { query, time: String(end) }]
        : ['query_range', { query, ...time, step: String(step) }];
  const begun = performance.now();
  const answer = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(fields as Record<string, string>)}`);
  if (!answer.ok) throw new Error(`${one.where}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
  return (performance.now() - begun) / 1_000;
}

type Took = { readonly all: number; readonly slowest: number; readonly where: string };

async function open(url: string, asked: readonly Asked[], range: number, end: number): Promise<Took> {
  const begun = performance.now();
  let slowest = { took: 0, where: '' };
  const waiting = [...asked];
  const lane = async () => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      const took = await ask(url, one, range, end);
      if (took > slowest.took) slowest = { took, where: one.where };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return { all: (performance.now() - begun) / 1_000, slowest: slowest.took, where: slowest.where };
}

const median = (given: readonly Took[]): Took | undefined =>
  given.toSorted((a, b) => a.all - b.all)[Math.floor(given.length / 2)];
const secondsOf = (from: string): number => {
  const [, n = '1', unit = 'h'] = /now-(\d+)([mhd])/.exec(from) ?? [];
  return Number(n) * { m: 60, h: 3_600, d: 86_400 }[unit as 'm'];
};

const [prometheus, promtool, otelcol] = [findPrometheus('prometheus'), findPrometheus('promtool'), findOtelcol()];
if (prometheus.kind === 'missing' || promtool.kind === 'missing' || otelcol.kind === 'missing') {
  throw new Error('prometheus, promtool and otelcol are needed: npm run tools');
}
const say = (line: string) => process.stderr.write(`${line}\n`);
say('a run, to learn which series there are …');
const series = multiplied(
  await learn({ prometheus: prometheus.where, otelcol: otelcol.where, k6: undefined, exporter: undefined }),
);
const folder = mkdtempSync(join(tmpdir(), 'burnline-bench-dashboards-'));
try {
  say(`a past of ${series.length} series …`);
  const end = Math.floor(Date.now() / 1_000 / SCRAPE) * SCRAPE;
  function* past(week: Week): Generator<PastSeries> {
    for (const [i, one] of series.entries()) yield* pastOf(one, i, week);
  }
  const samples = WEEKS.reduce((sum, week) => sum + fill(promtool.where, folder, past(week), end), 0);
  await using server = await startPrometheus(prometheus.where, {
    config: 'global: {}',
    folder,
    // What is ten minutes apart is still one line.
    flags: ['--storage.tsdb.retention.time=60d', '--query.lookback-delta=11m'],
    readyWithin: 300_000,
  });
  const row = (...cells: readonly (string | number)[]) => process.stdout.write(`| ${cells.join(' | ')} |\n`);
  process.stdout.write(`${series.length} series, ${(samples / 1e6).toFixed(0)} million samples\n\n`);
  row(
    'dashboard',
    'queries',
    'own range',
    'first, s',
    'again, s',
    'slowest, s',
    '28 days first, s',
    'again, s',
    'slowest, s',
    'which',
  );
  row('---', ...Array.from({ length: 9 }, () => '---:'), '---');
  for (const dashboard of readDashboards().values()) {
    const asked = queriesOf(dashboard).filter(({ expr }) => !/\bk6_/.test(expr));
    const cells: (string | number)[] = [
      dashboard.title.replace('Burnline / ', ''),
      asked.length,
      dashboard.time.from.slice(4),
    ];
    let which = '';
    for (const range of [secondsOf(dashboard.time.from), PERIOD]) {
      const first = await open(server.url, asked, range, end - SCRAPE);
      const again: Took[] = [];
      for (let n = 0; n < ROUNDS; n++) again.push(await open(server.url, asked, range, end - SCRAPE));
      const usual = median(again);
      which = usual?.where.replace(/^[^:]+: /, '') ?? '';
      cells.push(first.all.toFixed(2), (usual?.all ?? 0).toFixed(2), (usual?.slowest ?? 0).toFixed(2));
    }
    row(...cells, which);
  }
  process.stdout.write(`\nPrometheus held ${peakMemory(server.pid).toFixed(0)} MiB at most.\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
