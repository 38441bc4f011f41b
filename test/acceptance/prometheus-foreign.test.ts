/** The metrics of others that our rules name, looked for where they come from: real programs, scraped as prometheus.yml does. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { FOREIGN_METRICS } from '#prometheus/foreign-metrics.ts';
import { getJson, until } from '#test/kit/alertmanager.ts';
import { OTELCOL, sendLogs, sendSpans, startCollector } from '#test/kit/collector.ts';
import { POSTGRES_URL } from '#test/kit/database.ts';
import { servePages, startPrometheus } from '#test/kit/prometheus.ts';
import { freePort } from '#test/tools/postgres.ts';

const PROMETHEUS = process.env['TEST_TOOL_PROMETHEUS'];
const EXPORTER = process.env['TEST_TOOL_POSTGRES_EXPORTER'];
const missing = Object.entries({ PROMETHEUS, EXPORTER, OTELCOL, POSTGRES_URL }).flatMap(([name, value]) =>
  value ? [] : name,
);
const skip = missing.length > 0 && `not here: ${missing.join(', ')}`;

/** Shown once a queue of 200,000 is full, or by whoever has it; of the failures to send, one stands for its family. */
const NOT_HERE = [
  ...['log_records', 'metric_points', 'spans'].map((kind) => `otelcol_exporter_enqueue_failed_${kind}`),
  ...['log_records', 'metric_points'].map((kind) => `otelcol_exporter_send_failed_${kind}`),
  ...FOREIGN_METRICS.probe,
];

/** prometheus.yml with these parts at these places, and without what is not here. */
function configFor(places: Readonly<Record<string, string>>): string {
  const [head = '', ...jobs] = readFileSync('prometheus/prometheus.yml', 'utf8').split(/^(?=- job_name: )/m);
  const here = jobs.filter((job) => Object.keys(places).some((place) => job.includes(`'${place}'`)));
  let text = [head.replace(/^ {4}authorization:.*$/m, ''), ...here]
    .join('')
    .replaceAll(/scrape_interval: \d+s/g, 'scrape_interval: 1s');
  text = text.replaceAll(/scrape_timeout: \d+s/g, 'scrape_timeout: 1s').replace("'router:9093'", "'127.0.0.1:1'");
  for (const [from, to] of Object.entries(places)) text = text.replaceAll(`'${from}'`, `'${to}'`);
  return text;
}

test('every metric of others that a rule names is shown by the program that it is said to be of', {
  skip,
  timeout: 120_000,
}, async () => {
  const [own, port] = [await freePort(), await freePort()];
  await using refusing = await servePages(() => ({ status: 400, body: 'no' }));
  await using collector = await startCollector({
    METRICS_OTLP_URL: `http://127.0.0.1:${own}/api/v1/otlp`,
    METRICS_EVERY: '1s',
    SAMPLING_WAIT: '1s',
    SAMPLING_PERCENT: '100',
  });
  await using broken = await startCollector({
    TRACES_OTLP_URL: refusing.url,
    SAMPLING_WAIT: '1s',
    SAMPLING_PERCENT: '100',
  });
  const exporter = spawn(EXPORTER ?? '', [`--web.listen-address=127.0.0.1:${port}`, '--log.level=error'], {
    env: { ...process.env, DATA_SOURCE_NAME: `${POSTGRES_URL}?sslmode=disable` },
    stdio: 'ignore',
  });
  const places = {
    'otel-collector:8888': `${new URL(collector.metrics).host}', '${new URL(broken.metrics).host}`,
    'postgres-exporter:9187': `127.0.0.1:${port}`,
    'localhost:9090': `127.0.0.1:${own}`,
  };
  const rules = 'groups: [{name: one, interval: 1s, rules: [{alert: Always, expr: vector(1)}]}]\n';
  await using prometheus = await startPrometheus(PROMETHEUS ?? '', {
    config: configFor(places),
    files: { 'rules/one.yaml': rules },
    flags: ['--web.enable-otlp-receiver'],
    port: own,
  });
  try {
    const trace = 'a'.repeat(32);
    for (const { url } of [collector, broken]) await sendSpans(url, [{ trace, isError: true }]);
    await sendLogs(collector.url, ['one line']);
    const wanted = Object.values(FOREIGN_METRICS)
      .flat()
      .filter((name) => !NOT_HERE.includes(name));
    let left: string[] = [];
    await until(
      'all of them are there',
      async () => {
        const { data } = await getJson<{ data: string[] }>(`${prometheus.url}/api/v1/label/__name__/values`);
        left = wanted.filter((name) => !data.includes(name));
        return left.length === 0 || undefined;
      },
      45_000,
    ).catch((error: unknown) => assert.fail(`${error}: not there: ${left.join(', ')}`));
    const up = `${prometheus.url}/api/v1/query?query=${encodeURIComponent('min by (job) (up)')}`;
    const { data } = await getJson<{ data: { result: { metric: { job: string }; value: [number, string] }[] } }>(up);
    const well = data.result.map(({ metric, value }) => `${metric.job} ${value[1]}`).sort();
    assert.deepEqual(well, ['otel-collector 1', 'postgres 1', 'prometheus 1']);
    const opened = await getJson<{ data: { result: { value: [number, string] }[] } }>(
      `${prometheus.url}/api/v1/query?query=${encodeURIComponent('pg_up')}`,
    );
    assert.deepEqual(
      opened.data.result.map(({ value }) => value[1]),
      ['1'],
    );
  } finally {
    exporter.kill('SIGKILL');
  }
});
