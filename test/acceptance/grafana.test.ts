/**
 * Every query of every dashboard, asked of a real Prometheus that scraped a real run with the real Collector before it:
 * documents that are completed, rejected and failed, a vendor that breaks and one that is full, an incident that was
 * acknowledged and resolved, and k6.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { getJson, until } from '#test/kit/alertmanager.ts';
import { json, untilFinished, upload } from '#test/kit/client.ts';
import { OTELCOL, startCollector } from '#test/kit/collector.ts';
import { type Asked, filledIn, queriesOf, readDashboards } from '#test/kit/grafana.ts';
import { startPrometheus } from '#test/kit/prometheus.ts';
import { removeFolder, startRole, temporaryFolder } from '#test/kit/stack.ts';

const PROMETHEUS = process.env['TEST_TOOL_PROMETHEUS'];
const K6 = process.env['TEST_TOOL_K6'];

/** What rightly has no data in this run, by what its query says. A test sees to it that each is empty indeed. */
const EMPTY: readonly [expr: RegExp, because: string][] = [
  [/\bpg_/, 'the run has the embedded database, and no exporter of it; a test of prometheus/ meets these names'],
  [/error_type!=""/, 'no statement fails'],
];
const isEmpty = ({ expr }: Asked) => EMPTY.some(([pattern]) => pattern.test(expr));
const isOfK6 = ({ expr }: Asked) => /\bk6_/.test(expr);

/** All that is offered, and of the one that takes one only, the one that broke. */
const CHOICES = { objective: 'burnline-documents-documents-processed' };
const ALL = ['service', 'step', 'vendor', 'channel', 'host', 'job', 'test', 'scenario'];
const CHOSEN = { ...Object.fromEntries(ALL.map((name) => [name, '.*'])), ...CHOICES };

const asked = [...readDashboards().values()].flatMap(queriesOf);

describe('the dashboards', { skip: (!PROMETHEUS || !OTELCOL) && 'prometheus or otelcol is not here' }, () => {
  const stack = new AsyncDisposableStack();
  let prometheus = '';
  /** For all of them together: what has no data now may have some soon. */
  let patience = 0;

  before(async () => {
    prometheus = await aRun(stack);
    patience = performance.now() + 60_000;
  });
  after(async () => await stack.disposeAsync());

  for (const uid of new Set(asked.map(({ dashboard }) => dashboard))) {
    const mine = asked.filter((one) => one.dashboard === uid && !isEmpty(one) && (K6 !== undefined || !isOfK6(one)));
    test(`${uid}: each of ${mine.length} queries has data`, async () => {
      const left = new Map(mine.map((one) => [one.where, one]));
      const look = async () => {
        for (const one of left.values()) if (await hasData(prometheus, one)) left.delete(one.where);
        return left.size === 0 || undefined;
      };
      await until('all have data', look, Math.max(100, patience - performance.now())).catch(() => {});
      assert.deepEqual(
        [...left.values()].map(({ where, expr }) => `${where}: ${expr}`),
        [],
      );
    });
  }

  test('what is said to be empty is empty, and is still asked for', async () => {
    for (const [pattern, because] of EMPTY) {
      const meant = asked.filter(({ expr }) => pattern.test(expr));
      assert(meant.length > 0, `nobody asks for ${pattern} any more`);
      for (const one of meant) assert(!(await hasData(prometheus, one)), `${one.where} has data, though ${because}`);
    }
  });

  test('what happened is on them', async () => {
    const value = async (uid: string, title: string) => {
      const one = asked.find(({ where }) => where.startsWith(`burnline-${uid}: ${title} (`));
      assert(one, title);
      const [series] = await ask<{ readonly value: readonly [number, string] }>(prometheus, one);
      return Number(series?.value[1]);
    };
    for (const [uid, title] of [
      ['documents', 'Finished'],
      ['documents', 'Failed'],
      ['vendors', 'Cost'],
      ['vendors', 'Pages'],
      ['vendors', 'Requests that failed'],
      ['paging', 'MTTA'],
      ['paging', 'MTTR'],
      ['paging', 'Who was woken'],
      ['slo-detail', 'Bad events'],
      ['slo-detail', 'Burn, 1 h'],
    ] as const) {
      assert((await value(uid, title)) > 0, `${uid}: ${title}`);
    }
    assert.equal(await value('paging', 'Pages in time'), 1);
  });
});

/** @returns the address of the Prometheus that saw it, and goes on seeing it. */
async function aRun(stack: AsyncDisposableStack): Promise<string> {
  const state = temporaryFolder();
  stack.defer(() => removeFolder(state));
  const prometheus = stack.use(
    await startPrometheus(PROMETHEUS ?? '', { config: CONFIG, files: rules(), flags: FLAGS }),
  );
  const collector = stack.use(
    await startCollector({
      METRICS_OTLP_URL: `${prometheus.url}/api/v1/otlp`,
      METRICS_EVERY: '1s',
    }),
  );
  const { urls } = stack.use(
    await startRole('start', {
      BURNLINE_STATE: state,
      SIMULATORS_LATENCY: 'zero',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    }),
  );
  const { api = '', metrics = '', router = '', simulators = '' } = urls;
  const jobs = { api, worker: metrics, router, 'otel-collector': collector.metrics };
  const targets = Object.entries(jobs).map(([job, url]) => ({ targets: [new URL(url).host], labels: { job } }));
  writeFileSync(join(prometheus.folder, 'targets.json'), JSON.stringify(targets));
  const over = new AbortController();
  const sending = sendDocuments(api, over.signal);
  stack.defer(async () => {
    over.abort();
    await sending;
  });
  await aBadMinute(api, router, simulators);
  if (K6 !== undefined) await load(K6, api, prometheus.url);
  return prometheus.url;
}

/** As they ship, but evaluated every two seconds, and blocks made of steps of just now: nobody waits five minutes for them. */
function rules(): Record<string, string> {
  const files = globSync('prometheus/rules/*.yaml').map((path) => {
    const text = readFileSync(path, 'utf8')
      .replace(/^( *interval:) \w+$/gm, '$1 2s')
      .replace(/ offset 1m\b/g, ' offset 2s');
    return [`rules-${basename(path)}`, text] as const;
  });
  return { ...Object.fromEntries(files), 'targets.json': '[]' };
}

const CONFIG = `
global: {scrape_interval: 1s, evaluation_interval: 2s}
rule_files: [rules-*.yaml]
otlp: {promote_resource_attributes: [service.name, host.name]}
scrape_configs:
- {job_name: roles, file_sd_configs: [{files: [targets.json]}]}
- {job_name: prometheus, static_configs: [{targets: [SELF]}]}
`;
const FLAGS = ['--web.enable-otlp-receiver', '--web.enable-remote-write-receiver', '--enable-feature=exemplar-storage'];

/** Three a second: one that is paid for, one that is known already, one that nobody can read. */
async function sendDocuments(api: string, stop: AbortSignal): Promise<void> {
  const locked = readFileSync('samples/documents/bad/password-protected.pdf');
  for (let sent = 0; !stop.aborted; sent++) {
    await Promise.allSettled([
      upload(api, `# Letter ${sent}\n\nSomething new.`, 'letter.md', { headers: { 'cache-control': 'no-cache' } }),
      upload(api, `# Notice\n\nThe same as ${sent % 2 === 0 ? 'ever' : 'always'}.`, 'notice.md'),
      sent % 10 === 0 ? upload(api, locked, 'locked.pdf') : undefined,
    ]);
    await sleep(400, undefined, { signal: stop }).catch(() => {});
  }
}

type Incidents = { readonly items: readonly { readonly id: string; readonly state: string }[] };

/** OpenAI is full for a moment, LlamaParse refuses everything until somebody is on it, Slack has to be asked twice. */
async function aBadMinute(api: string, router: string, simulators: string): Promise<void> {
  const enough = async () => {
    const slos = await getJson<{ id: string; total: number }[]>(`${router}/api/v1/slos`);
    return slos.some(({ id, total }) => id.endsWith('step-attempts') && total >= 20) || undefined;
  };
  await until('the watch has seen what is good', enough, 60_000);
  await json('PUT', `${simulators}/faults/openai`, { errorRate: 1, status: 429, times: 5 });
  await json('PUT', `${simulators}/faults/slack`, { errorRate: 1, status: 503, times: 1 });
  await json('PUT', `${simulators}/faults/llamaparse`, { errorRate: 1, status: 400 });
  const { id } = await until(
    'a critical incident',
    async () => (await getJson<Incidents>(`${router}/api/v1/incidents?state=open`)).items[0],
    90_000,
  );
  await json('POST', `${router}/api/v1/incidents/${id}/acknowledge`, { by: 'ada' });
  await json('DELETE', `${simulators}/faults`);
  const { body } = await upload(api, '# All is well again', 'well.md', { headers: { 'cache-control': 'no-cache' } });
  await untilFinished(api, body.id);
  await json('POST', `${router}/api/v1/incidents/${id}/resolve`, { by: 'ada' });
}

/** The load test that ships, for some seconds. */
async function load(k6: string, api: string, prometheus: string): Promise<void> {
  const args = ['run', '--quiet', '--no-summary', '--tag', 'testid=grafana', '-o', 'experimental-prometheus-rw'];
  const child = spawn(k6, [...args, 'loadtests/smoke.ts'], {
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'],
      BURNLINE_URL: api,
      LOAD_SECONDS: '8',
      K6_NO_USAGE_REPORT: 'true',
      K6_AUTO_EXTENSION_RESOLUTION: 'false',
      K6_PROMETHEUS_RW_SERVER_URL: `${prometheus}/api/v1/write`,
      K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM: 'true',
      K6_PROMETHEUS_RW_PUSH_INTERVAL: '1s',
    },
  });
  const status = await new Promise((resolve) => child.once('exit', resolve));
  assert.equal(status, 0, 'k6 held its thresholds');
}

const INTERVAL = '10s';
/** Before the run nothing was there, so it is all of it. */
const RANGE = '5m';
const SECONDS = 300;

/** What Grafana would draw of it. */
async function ask<T>(prometheus: string, { expr, instant, label }: Asked): Promise<T[]> {
  const query = filledIn(expr, CHOSEN, RANGE, INTERVAL);
  const now = Date.now() / 1_000;
  const time = { start: String(now - SECONDS), end: String(now) };
  const [path, fields] =
    label !== undefined
      ? [`label/${label}/values`, { 'match[]': query, ...time }]
      : instant
        ? ['query', { query, time: String(now) }]
        : ['query_range', { query, ...time, step: '5s' }];
  const { data } = await getJson<{ data: T[] | { result: T[] } }>(
    `${prometheus}/api/v1/${path}?${new URLSearchParams(fields as Record<string, string>)}`,
  );
  return Array.isArray(data) ? data : data.result;
}

type Series =
  | string
  | {
      readonly value?: readonly [number, string];
      readonly values?: readonly [number, string][];
      readonly histogram?: object;
    };

async function hasData(prometheus: string, one: Asked): Promise<boolean> {
  const found = (await ask<Series>(prometheus, one)).some((series) => {
    if (typeof series === 'string') return series !== '';
    const values = [...(series.values ?? []), ...(series.value === undefined ? [] : [series.value])];
    return values.some(([, value]) => value !== 'NaN');
  });
  if (!found || !one.exemplar) return found;
  const query = filledIn(one.expr, CHOSEN, RANGE, INTERVAL);
  const now = Date.now() / 1_000;
  const fields = { query, start: String(now - SECONDS), end: String(now) };
  const { data } = await getJson<{ data: object[] }>(
    `${prometheus}/api/v1/query_exemplars?${new URLSearchParams(fields)}`,
  );
  return data.length > 0;
}
