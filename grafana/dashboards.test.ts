/** The dashboards as they are committed: `npm run dashboards` writes them anew. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import test from 'node:test';
import * as units from '@grafana/grafana-foundation-sdk/units';
import { parse } from 'yaml';
import { INSTRUMENT_NAMES, type InstrumentName, instrument } from '#collector/catalogue.ts';
import type { Selector } from '#slo/objective.ts';
import { readPromql, selectorsOf } from '#slo/promql.ts';
import { filledIn, type PanelFile, queriesOf, readDashboards } from '#test/kit/grafana.ts';
import { dashboardFiles } from './dashboards.ts';

/** Metrics of others, by who makes them. test/acceptance/grafana.test.ts meets each where its maker can be run. */
const FOREIGN: Readonly<Record<string, readonly string[]>> = {
  'Prometheus itself': ['ALERTS', 'up', 'scrape_samples_scraped', 'prometheus_tsdb_head_series'],
  'the Collector’s hostmetrics receiver': [
    'system_cpu_utilization_ratio',
    'system_cpu_load_average_1m',
    'system_cpu_load_average_15m',
    'system_memory_usage_bytes',
    'system_filesystem_utilization_ratio',
    'system_disk_io_bytes_total',
    'system_disk_io_time_seconds_total',
    'system_network_io_bytes_total',
    'system_network_errors_total',
    'system_network_dropped_total',
  ],
  'the Collector’s span_metrics connector': [
    'traces_span_metrics_calls_total',
    'traces_span_metrics_duration_seconds_bucket',
  ],
  'the Collector itself': ['otelcol_exporter_queue_size', 'otelcol_exporter_queue_capacity'],
  postgres_exporter: [
    'pg_up',
    'pg_database_size_bytes',
    'pg_stat_database_xact_commit',
    'pg_stat_database_xact_rollback',
    'pg_stat_database_blks_hit',
    'pg_stat_database_blks_read',
  ],
  'k6’s remote write': [
    'k6_vus',
    'k6_http_reqs_total',
    'k6_http_req_failed_rate',
    'k6_http_req_duration_seconds',
    'k6_checks_rate',
    'k6_iterations_total',
    'k6_dropped_iterations_total',
    'k6_data_sent_total',
    'k6_data_received_total',
  ],
  'loadtests/': [
    'k6_document_duration_seconds',
    'k6_document_processed_rate',
    'k6_document_on_time_rate',
    'k6_document_as_expected_rate',
    'k6_api_available_rate',
    'k6_api_fast_rate',
    'k6_documents_sent_total',
    'k6_documents_completed_total',
    'k6_documents_missing_total',
  ],
};
const foreign = new Set(Object.values(FOREIGN).flat());
const records = new Set(
  globSync('prometheus/rules/*.yaml').flatMap((path) => {
    const { groups } = parse(readFileSync(path, 'utf8')) as { groups: { rules: { record?: string }[] }[] };
    return groups.flatMap(({ rules }) => rules.flatMap(({ record }) => record ?? []));
  }),
);
const dashboards = readDashboards();
const asked = [...dashboards.values()].flatMap(queriesOf);

/** The instrument of a series, whose histograms are three. */
function instrumentOf(series: string): InstrumentName | undefined {
  const named = INSTRUMENT_NAMES.find((name) => {
    const histogram = instrument(name).kind === 'histogram';
    return histogram
      ? /^_(?:bucket|sum|count)$/.test(series.slice(name.length)) && series.startsWith(name)
      : series === name;
  });
  return named;
}

/** What is wrong with a selector's labels, by the catalogue. */
function faultsOf({ name, matchers }: Selector): string[] {
  const instrumentName = instrumentOf(name);
  if (instrumentName === undefined) return [];
  const { attributes, buckets = [] } = instrument(instrumentName);
  const known = Object.fromEntries(
    Object.entries(attributes).map(([key, values]) => [key.replaceAll('.', '_'), values]),
  );
  return matchers.flatMap(({ label, op, value }) => {
    if (label === 'job' || label === 'instance' || value.includes('$')) return [];
    if (label === 'le') return buckets.includes(Number(value)) ? [] : [`${name} has no bucket ${value}`];
    const values = known[label];
    if (values === undefined) return [`${name} has no label ${label}`];
    if (typeof values === 'string') return [];
    const wanted = op.includes('~') ? value.split('|') : [value];
    return wanted.filter((one) => !values.includes(one)).map((one) => `${label} of ${name} is never ${one}`);
  });
}

test('the files are those that npm run dashboards writes', () => {
  const files = dashboardFiles();
  assert.deepEqual([...dashboards.keys()], Object.keys(files).sort());
  for (const [name, text] of Object.entries(files)) {
    assert.equal(readFileSync(`grafana/dashboards/${name}`, 'utf8'), text, `${name}: npm run dashboards`);
  }
});

test('there are seven, of the schema that Grafana 13 provisions, under names that never change', () => {
  assert.deepEqual(
    [...dashboards.values()].map(({ uid, schemaVersion }) => [uid, schemaVersion]),
    ['documents', 'hosts', 'load-test', 'paging', 'slo-detail', 'slo-overview', 'vendors'].map((name) => [
      `burnline-${name}`,
      42,
    ]),
  );
});

for (const [file, { panels, description, links, ...dashboard }] of dashboards) {
  const shown = panels.filter(({ type }) => type !== 'row');
  test(`${file}: panels have ids of their own, which Grafana takes`, () => {
    const ids = panels.map(({ id }) => id);
    assert.deepEqual(ids, [...new Set(ids)]);
    assert(ids.every((id) => id > 0));
  });

  test(`${file}: each panel says what it shows, and so does the dashboard`, () => {
    assert.match(description, /\.$/);
    for (const panel of shown) assert.match(panel.description ?? '', /^[A-Z0-9].+\.$/, panel.title);
  });

  test(`${file}: no panel lies over another, and every line is full`, () => {
    const cells = new Set<string>();
    for (const { title, gridPos } of panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert(!cells.has(`${x} ${y}`), `${title} lies over another at ${x} ${y}`);
          cells.add(`${x} ${y}`);
        }
      }
    }
    const rows = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h));
    assert.equal(cells.size, 24 * rows);
  });

  test(`${file}: units are Grafana’s`, () => {
    const known = new Set<unknown>(Object.values(units));
    for (const panel of shown) {
      for (const unit of unitsOf(panel)) assert(known.has(unit), `${panel.title}: ${unit}`);
    }
  });

  test(`${file}: links lead to dashboards that are there and to what is chosen there`, () => {
    const text = JSON.stringify({ panels, links });
    for (const [, uid = '', query = ''] of text.matchAll(/\/d\/([\w-]+)\?([^"]*)/g)) {
      const target = [...dashboards.values()].find((one) => one.uid === uid);
      assert(target, `there is no ${uid}`);
      const names = target.templating.list.map(({ name }) => name);
      for (const [, name = ''] of query.matchAll(/var-(\w+)=/g)) assert(names.includes(name), `${uid} has no ${name}`);
      for (const [, name = ''] of query.matchAll(/\$\{(\w+):queryparam\}/g)) assert(names.includes(name), name);
    }
    // A link's variables are filled in by the dashboard that holds it.
    const mine = dashboard.templating.list.map(({ name }) => name);
    for (const [, name = ''] of text.matchAll(/\$\{(\w+)(?::queryparam)?\}/g)) {
      assert(mine.includes(name) || ['__from', '__to'].includes(name), `${name} is no choice`);
    }
    for (const link of links) assert.equal(link.placement, undefined, 'hidden in a menu');
  });

  test(`${file}: a table shows fields that its queries have`, () => {
    for (const { title, type, targets = [], transformations = [] } of shown) {
      if (type !== 'table') continue;
      const { include } = (transformations.find(({ id }) => id === 'filterFieldsByName')?.options ?? {}) as {
        include?: { names: string[] };
      };
      const labels = targets.flatMap(({ expr }) =>
        [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, by = '']) => by.split(', ')),
      );
      const fields = new Set([...labels, ...targets.map(({ refId }) => `Value #${refId}`)]);
      for (const name of include?.names ?? []) assert(fields.has(name), `${title}: ${name}`);
    }
  });
}

for (const { where, expr, label } of asked) {
  test(`${where} is PromQL, of metrics and labels that there are`, () => {
    assert(expr.length > 0, 'a choice is label_values(series, label)');
    const text = filledIn(expr, {}, '1h', '1m');
    const read = readPromql(text);
    assert.equal(read.kind, 'query', read.kind === 'faults' ? JSON.stringify(read.faults) : '');
    const selectors = selectorsOf(text);
    assert(selectors.length > 0);
    for (const { name } of selectors) {
      assert(instrumentOf(name) !== undefined || records.has(name) || foreign.has(name), `nobody makes ${name}`);
    }
    assert.deepEqual(selectors.flatMap(faultsOf), []);
    const own = selectors.map(({ name }) => instrumentOf(name)).filter((name) => name !== undefined);
    if (own.length < selectors.length) return;
    const has = new Set(['job', 'instance', 'le', ...own.flatMap((name) => Object.keys(instrument(name).attributes))]);
    const wanted = [...text.matchAll(/by \(([^)]*)\)/g)].flatMap(([, by = '']) => by.split(', '));
    for (const one of [...wanted, ...(label === undefined ? [] : [label])]) {
      assert(
        [...has].some((key) => key.replaceAll('.', '_') === one),
        `no series has the label ${one}`,
      );
    }
  });
}

test('a choice that a query names is one of its dashboard’s', () => {
  for (const { dashboard, where, expr } of asked) {
    const names = [...dashboards.values()]
      .find(({ uid }) => uid === dashboard)
      ?.templating.list.map(({ name }) => name);
    for (const [, name = ''] of expr.replaceAll(/\$__\w+/g, '').matchAll(/\$(\w+)/g)) {
      assert(names?.includes(name), `${where}: ${name}`);
    }
  }
});

test('no foreign metric is listed that no dashboard asks for', () => {
  const used = new Set(
    asked.flatMap(({ expr }) => selectorsOf(filledIn(expr, {}, '1h', '1m')).map(({ name }) => name)),
  );
  assert.deepEqual(
    [...foreign].filter((name) => !used.has(name)),
    [],
  );
});

function unitsOf({ fieldConfig }: PanelFile): string[] {
  const own = fieldConfig?.defaults.unit;
  const overridden = (fieldConfig?.overrides ?? []).flatMap(({ properties }) =>
    properties.flatMap(({ id, value }) => (id === 'unit' ? [String(value)] : [])),
  );
  return [...(own === undefined ? [] : [own]), ...overridden];
}

test('the data sources are those that the dashboards and their links ask for, at the names of compose', () => {
  const { datasources } = parse(readFileSync('grafana/provisioning/datasources/burnline.yaml', 'utf8')) as {
    datasources: { uid: string; type: string; url: string; jsonData: Record<string, unknown> }[];
  };
  assert.deepEqual(
    datasources.map(({ uid, type, url }) => [uid, type, url]),
    [
      ['burnline-prometheus', 'prometheus', 'http://prometheus:9090'],
      ['burnline-tempo', 'tempo', 'http://tempo:3200'],
      ['burnline-loki', 'loki', 'http://loki:3100'],
      ['burnline-router', 'alertmanager', 'http://router:9093'],
    ],
  );
  const text = JSON.stringify(datasources);
  for (const [, uid = ''] of text.matchAll(/(?:datasourceUid|alertmanagerUid)":"([^"]+)"/g)) {
    assert(
      datasources.some((one) => one.uid === uid),
      uid,
    );
  }
  const tempo = datasources.find(({ type }) => type === 'tempo')?.jsonData['tracesToMetrics'];
  for (const { query } of (tempo as { queries: { query: string }[] }).queries) {
    const plain = query.replace(/\$\$__tags(?:, )?/, '');
    assert.equal(readPromql(plain).kind, 'query', plain);
    for (const { name } of selectorsOf(plain)) assert(foreign.has(name), name);
  }
});
