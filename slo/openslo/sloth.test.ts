import assert from 'node:assert/strict';
import test from 'node:test';
import { days } from '#kernel/units.ts';
import { readObjectives } from './read.ts';

const SLOTH = `version: "prometheus/v1"
service: "shop"
labels:
  owner: "payments"
  tier: 2
slos:
  - name: "requests-availability"
    objective: 99.95
    description: "Requests that are answered."
    labels: {category: availability}
    sli:
      events:
        error_query: sum(rate(http_requests_total{code=~"(5..|429)"}[{{.window}}]))
        total_query: sum(rate(http_requests_total[{{.window}}]))
    alerting:
      name: ShopAvailability
      labels: {category: availability}
      annotations: {summary: "High error rate", runbook: "https://example.com/runbook"}
      page_alert:
        labels: {severity: pageteam}
      ticket_alert:
        disable: true
  - name: "latency"
    objective: 99
    sli:
      events:
        error_query: |
          (
            sum(rate(http_duration_count[{{.window}}]))
            -
            sum(rate(http_duration_bucket{le="0.4"}[{{.window}}]))
          )
        total_query: sum(rate(http_duration_count[{{.window}}]))
    alerting: {page_alert: {disable: true}}
  - name: "ready"
    objective: 99.9
    sli:
      raw: {error_ratio_query: 'avg_over_time(errors:ratio[{{.window}}])'}
`;

const OPTIONS = { strict: false, references: true };
const read = (text: string) => readObjectives([{ name: 's.yaml', text }], OPTIONS);

test('a file of Sloth is read whole', () => {
  const { objectives, faults, warnings } = read(SLOTH);
  assert.deepEqual([faults, warnings], [[], []]);
  const [first, latency, ready] = objectives;
  assert.deepEqual(first, {
    id: 'shop-requests-availability',
    service: 'shop',
    name: 'requests-availability',
    displayName: 'requests-availability',
    description: 'Requests that are answered.',
    target: 0.9995,
    budget: 0.0005,
    window: { kind: 'rolling', period: days(30) },
    method: { kind: 'occurrences' },
    indicator: {
      kind: 'ratio',
      bad: {
        kind: 'selector',
        selector: { name: 'http_requests_total', matchers: [{ label: 'code', op: '=~', value: '(5..|429)' }] },
        source: undefined,
      },
      total: { kind: 'selector', selector: { name: 'http_requests_total', matchers: [] }, source: undefined },
    },
    labels: { owner: 'payments', tier: '2', category: 'availability' },
    annotations: { summary: 'High error rate', runbook: 'https://example.com/runbook' },
    alerting: {
      falsePagesPerYear: 2,
      smallestBurn: 4,
      runbookUrl: 'https://example.com/runbook',
      page: true,
      ticket: false,
      named: {
        name: 'ShopAvailability',
        pageLabels: { category: 'availability', severity: 'pageteam' },
        ticketLabels: { category: 'availability' },
      },
    },
    source: { file: 's.yaml', line: 7, column: 5 },
  });
  assert.deepEqual(latency?.indicator.kind === 'ratio' && [latency.indicator.bad?.kind, latency.alerting.page], [
    'promql',
    false,
  ]);
  assert(ready?.indicator.kind === 'raw');
  assert.deepEqual([ready.indicator.rawType, ready.budget], ['failure', 0.001]);
});

test('the same as a Kubernetes resource gives the same objectives', () => {
  const inner = SLOTH.split('\n')
    .slice(1)
    .map((line) => `  ${line}`)
    .join('\n');
  const resource = `apiVersion: sloth.slok.dev/v1\nkind: PrometheusServiceLevel\nmetadata: {name: shop, namespace: x}\nspec:\n${inner}`;
  const { objectives, faults } = read(resource);
  assert.deepEqual(faults, []);
  const without = (list: ReturnType<typeof read>['objectives']) => list.map(({ source: _, ...rest }) => rest);
  assert.deepEqual(without(objectives), without(read(SLOTH).objectives));
});

const cases: readonly [title: string, from: string, to: string, want: RegExp][] = [
  ['100 per cent', 'objective: 99.95', 'objective: 100', /^8:16 objective is the number 100: expected less than 100 %/],
  [
    'both kinds of SLI',
    '      raw: {',
    '      events: {error_query: a, total_query: b}\n      raw: {',
    /^38:7 sli has 2 of events, raw and plugin/,
  ],
  [
    'a missing query',
    '        total_query: sum(rate(http_requests_total[{{.window}}]))\n',
    '',
    /total_query is missing: expected text/,
  ],
  [
    'a broken query',
    'sum(rate(http_duration_count[{{.window}}]))\n            -',
    'sum(rate(http_duration_count[{{.window}}])\n            -',
    /^\d+:\d+ the query/,
  ],
  [
    'another version',
    'prometheus/v1',
    'prometheus/v2',
    /^1:10 version is the text "prometheus\/v2": expected prometheus\/v1/,
  ],
  ['an SLO twice', 'name: "latency"', 'name: "ready"', /has the id shop-ready/],
];
for (const [title, from, to, want] of cases) {
  test(`Sloth's file with ${title} is refused`, () => {
    assert(SLOTH.includes(from));
    const told = read(SLOTH.replace(from, to)).faults.map(
      ({ line, column, message }) => `${line}:${column} ${message}`,
    );
    assert.match(told.join('\n'), want);
  });
}

test('a plugin of Sloth is left out, with the reason', () => {
  const text = SLOTH.replace(
    "raw: {error_ratio_query: 'avg_over_time(errors:ratio[{{.window}}])'}",
    'plugin: {id: x, options: {}}',
  );
  const { faults, leftOut } = read(text);
  assert.deepEqual(faults, []);
  assert.match(leftOut[0]?.because ?? '', /only Sloth can run/);
});
