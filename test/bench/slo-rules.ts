/**
 * `node test/bench/slo-rules.ts [--objectives 100] [--each 5] [--minutes 4] [--only burnline,sloth,none]`: what rules cost
 * a real Prometheus whose store holds a full period, for the same objectives scraped from the same exporter: ours, those in
 * the shape that Sloth publishes, and none at all, which is what scraping alone costs. One after the other. Our objectives
 * share rules within a service, so it matters how many (`--each`) a service has.
 *
 * On an empty store the windows are empty and the numbers mean nothing: Sloth's rules then cost an eighth.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { systemClock } from '#kernel/clock.ts';
import { http } from '#kernel/http.ts';
import { days, hours, minutes, ratio, type Seconds, seconds } from '#kernel/units.ts';
import { compileFiles } from '#prometheus/compile.ts';
import { BLOCKS_BAD, BLOCKS_TOTAL, EVENTS_BAD, EVENTS_TOTAL, HOURS_BAD, HOURS_TOTAL } from '#prometheus/names.ts';
import { makePromql } from '#prometheus/vendors/promql.ts';
import { objective, selector } from '#test/kit/objectives-by-hand.ts';
import { servePages, startPrometheus } from '#test/kit/prometheus.ts';
import { findPrometheus } from '#test/tools/prometheus.ts';
import { fill, type PastSeries } from './history.ts';
import { slothRules } from './sloth-shape.ts';

const { values } = parseArgs({
  options: {
    objectives: { type: 'string', default: '100' },
    each: { type: 'string', default: '5' },
    minutes: { type: 'string', default: '4' },
    warm: { type: 'string', default: '2' },
    only: { type: 'string', default: 'burnline,sloth,none' },
  },
});
const COUNT = Number(values.objectives);
const PERIOD = days(28);
const SCRAPE = seconds(15);
const RATE = 10;
const BAD_SHARE = 0.01;

const serviceOf = (i: number) => `bench-${Math.floor(i / Number(values.each))}`;
const OBJECTIVES = Array.from({ length: COUNT }, (_, i) =>
  objective(
    `slo-${i}`,
    {
      kind: 'ratio',
      bad: selector(`errors_total{job="bench",slo="${i}"}`),
      total: selector(`requests_total{job="bench",slo="${i}"}`),
    },
    { service: serviceOf(i), target: ratio(0.98) },
  ),
);

const own = (i: number) => `sloth_id="${serviceOf(i)}-slo-${i}",sloth_service="${serviceOf(i)}",sloth_slo="slo-${i}"`;
const everyone = (past: Omit<PastSeries, 'labels' | 'to'>, labels: (i: number) => string): PastSeries[] =>
  OBJECTIVES.map((_, i) => ({ ...past, labels: labels(i), to: seconds(0) }));
const counter = (name: string, share: number, from: Seconds): PastSeries[] =>
  everyone(
    { name, from, step: SCRAPE, value: (at) => Math.floor(at * RATE * share) },
    (i) => `instance="bench",job="bench",slo="${i}"`,
  );
const constant = (
  name: string,
  labels: (i: number) => string,
  from: Seconds,
  step: Seconds,
  value: number,
): PastSeries[] =>
  // Not quite constant: a store keeps equal numbers for nothing.
  everyone({ name, from, step, value: (at) => value * (1 + ((at / step) % 7) / 10) }, labels);

type Contender = { readonly rules: readonly string[]; readonly history: readonly (readonly PastSeries[])[] };
const CONTENDERS: Readonly<Record<string, () => Contender>> = {
  burnline: () => ({
    rules: [...compileFiles(OBJECTIVES).files.values()],
    history: [
      counter('requests_total', 1, hours(1)),
      counter('errors_total', BAD_SHARE, hours(1)),
      constant(EVENTS_TOTAL, own, hours(7), minutes(1), RATE * 60),
      constant(EVENTS_BAD, own, hours(7), minutes(1), RATE * 60 * BAD_SHARE),
      constant(HOURS_TOTAL, own, PERIOD, hours(1), RATE * 3_600),
      constant(HOURS_BAD, own, PERIOD, hours(1), RATE * 3_600 * BAD_SHARE),
      constant(BLOCKS_TOTAL, own, days(3.1), minutes(5), RATE * 300),
      constant(BLOCKS_BAD, own, days(3.1), minutes(5), RATE * 300 * BAD_SHARE),
    ],
  }),
  sloth: () => ({
    rules: [slothRules(OBJECTIVES)],
    history: [
      counter('requests_total', 1, days(3)),
      counter('errors_total', BAD_SHARE, days(3)),
      constant('slo:sli_error:ratio_rate5m', (i) => `${own(i)},sloth_window="5m"`, PERIOD, minutes(1), BAD_SHARE),
    ],
  }),
  none: () => ({ rules: [], history: [] }),
};

const MEASURES = {
  cpu: 'process_cpu_seconds_total{job="self"}',
  memory: 'process_resident_memory_bytes{job="self"}',
  samples: 'prometheus_engine_query_samples_total{job="self"}',
  rules: 'sum(prometheus_rule_evaluations_total{job="self"})',
  missed: 'sum(prometheus_rule_group_iterations_missed_total{job="self"}) or vector(0)',
  failed: 'sum(prometheus_rule_evaluation_failures_total{job="self"}) or vector(0)',
} as const;

async function measure(
  name: string,
  programs: { prometheus: string; promtool: string },
  target: string,
): Promise<void> {
  const { rules, history } = CONTENDERS[name]?.() ?? { rules: [], history: [] };
  const folder = mkdtempSync(join(tmpdir(), `burnline-bench-${name}-`));
  try {
    const filled = fill(programs.promtool, folder, history.flat());
    const config = `global: {scrape_interval: 15s, evaluation_interval: 1m}
rule_files: ['*.rules.yaml']
scrape_configs:
- {job_name: bench, honor_labels: true, static_configs: [{targets: ['${target}'], labels: {instance: bench}}]}
- {job_name: self, scrape_interval: 15s, static_configs: [{targets: ['SELF']}]}
`;
    await using prometheus = await startPrometheus(programs.prometheus, {
      config,
      folder,
      files: Object.fromEntries(rules.map((text, i) => [`${i}.rules.yaml`, text])),
      flags: ['--storage.tsdb.retention.time=60d'],
      readyWithin: 300_000,
    });
    const server = makePromql({ http, clock: systemClock, url: prometheus.url });
    const read = async (query: string) =>
      (await server.instant(query, systemClock.now())).series[0]?.points[0]?.value ?? Number.NaN;
    const readAll = async () =>
      Object.fromEntries(
        await Promise.all(Object.entries(MEASURES).map(async ([key, query]) => [key, await read(query)])),
      );
    await sleep(Number(values.warm) * 60_000);
    const [begun, before] = [performance.now(), await readAll()];
    await sleep(Number(values.minutes) * 60_000);
    const [after, span] = [await readAll(), (performance.now() - begun) / 60_000];
    const each = (key: string) => (after[key] - before[key]) / span;
    const row = [
      name,
      COUNT,
      filled,
      each('cpu').toFixed(2),
      each('samples').toExponential(2),
      each('rules').toFixed(0),
      (after['memory'] / 1e6).toFixed(0),
      `${after['missed']}/${after['failed']}`,
    ];
    process.stdout.write(`| ${row.join(' | ')} |\n`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const [prometheus, promtool] = [findPrometheus('prometheus'), findPrometheus('promtool')];
if (prometheus.kind === 'missing' || promtool.kind === 'missing')
  throw new Error('prometheus and promtool are needed: npm run tools');
await using exporter = await servePages(() => {
  const now = Date.now() / 1000;
  const lines = OBJECTIVES.map(
    (_, i) =>
      `requests_total{slo="${i}"} ${Math.floor(now * RATE)}\nerrors_total{slo="${i}"} ${Math.floor(now * RATE * BAD_SHARE)}\n`,
  );
  return { body: lines.join('') };
});
process.stdout.write(
  '| rules | objectives | samples filled | CPU s/min | samples read/min | evaluations/min | resident MB | missed/failed |\n',
);
process.stdout.write('| --- | --- | --- | --- | --- | --- | --- | --- |\n');
for (const name of values.only.split(',')) {
  await measure(name, { prometheus: prometheus.where, promtool: promtool.where }, exporter.host);
}
