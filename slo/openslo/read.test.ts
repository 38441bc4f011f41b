import assert from 'node:assert/strict';
import test from 'node:test';
import { days, hours, minutes, seconds } from '#kernel/units.ts';
import { BASE, changed, DURATION, LENIENT, lines, only, read, SILENT, STRICT, T } from '#test/kit/objectives.ts';
import { readObjectives } from './read.ts';

test('a whole SLO is read, in both verdicts, without a word', () => {
  const { objectives, faults, warnings, leftOut } = read(BASE, STRICT);
  assert.deepEqual([lines(faults), lines(warnings), leftOut], [[], [], []]);
  const [objective] = objectives;
  assert.deepEqual(objective, {
    id: 'documents-processed',
    service: 'documents',
    name: 'processed',
    displayName: 'processed',
    description: '',
    target: 0.98,
    budget: 0.02,
    window: { kind: 'rolling', period: days(28) },
    method: { kind: 'occurrences' },
    indicator: {
      kind: 'ratio',
      bad: {
        kind: 'selector',
        selector: { name: 'finished_total', matchers: [{ label: 'outcome', op: '=', value: 'failed' }] },
        source: undefined,
      },
      total: { kind: 'selector', selector: { name: 'finished_total', matchers: [] }, source: undefined },
    },
    labels: {},
    annotations: {},
    alerting: { falsePagesPerYear: 2, smallestBurn: 4, runbookUrl: undefined, page: true, ticket: true },
    source: { file: 'a.yaml', line: 28, column: 7 },
  });
  assert.deepEqual(read(BASE).objectives, objectives);
});

test('what is left out is not among the objectives, and is named', () => {
  const { objectives, leftOut } = read(changed(['type: Prometheus', 'type: Datadog']));
  assert.deepEqual(objectives, []);
  assert.deepEqual(
    leftOut.map(({ id }) => id),
    ['documents-processed'],
  );
});

test('every fault of every file is told at once, by file and line', () => {
  const files = [
    { name: 'b.yaml', text: changed([T, 'target: 98'], ['28d', '28x'], ['finished_total{', 'finished_total{{']) },
    { name: 'a.yaml', text: 'nonsense\n---\nkind: [\n' },
  ];
  const told = readObjectives(files, LENIENT).faults.map(({ file, line, column }) => `${file}:${line}:${column}`);
  assert.deepEqual(told.slice(0, 1), ['a.yaml:1:1']);
  assert(told.some((place) => place.startsWith('a.yaml:4:')));
  assert.deepEqual(
    told.filter((place) => place.startsWith('b.')),
    ['b.yaml:17:36', 'b.yaml:24:17', 'b.yaml:28:15'],
  );
});

const NO_ALERTS = ['name: processed\nspec:', `name: processed\n  ${SILENT}\nspec:`] as const;

test('budgets have no noise', () => {
  const budget = (line: string): number => only(changed([T, line], NO_ALERTS)).budget;
  const cases: readonly [line: string, want: number][] = [
    ['target: 0.98', 0.02],
    ['targetPercent: 98', 0.02],
    ['target: 0.9995', 0.0005],
    ['targetPercent: 99.95', 0.0005],
    ['targetPercent: 99.9', 0.001],
    ['target: 0.999999', 0.000001],
    ['targetPercent: 99.9999', 0.000001],
    ['target: 9.0e-1', 0.1],
    ['targetPercent: 0.5', 0.995],
  ];
  assert.deepEqual(
    cases.map(([line]) => budget(line)),
    cases.map(([, want]) => want),
  );
  assert.match(lines(read(changed([T, 'targetPercent: 0.98'])).warnings).join(), /28:22 .*did you mean 98\?/);
});

test('durations: m is a minute and M a month', () => {
  const period = (text: string): number => {
    const { window } = only(changed(['28d', text], [T, 'target: 0.9999']));
    return window.kind === 'rolling' ? window.period : 0;
  };
  const texts = ['90m', '12h', '30d', '4w', '1M', '1Q', '1Y'];
  assert.deepEqual(texts.map(period), [minutes(90), hours(12), days(30), days(28), days(30), days(90), days(365)]);
});

test('a calendar window keeps its zone and its start', () => {
  const calendar =
    'duration: 1Q\n      calendar:\n        startTime: 2026-01-01 12:30:00\n        timeZone: America/New_York';
  assert.deepEqual(only(changed([DURATION, calendar]), STRICT).window, {
    kind: 'calendar',
    count: 1,
    unit: 'quarter',
    start: '2026-01-01 12:30:00',
    timeZone: 'America/New_York',
  });
});

test('slices: of text, of a number of minutes, and of seconds, which are ours', () => {
  const sliced = (slices: string, method = 'Timeslices') =>
    changed(
      ['Occurrences', method],
      [T, `target: 0.99\n      timeSliceTarget: 0.95\n      timeSliceWindow: ${slices}`],
    );
  assert.deepEqual(only(sliced('1m'), STRICT).method, { kind: 'timeslices', slice: minutes(1), sliceTarget: 0.95 });
  assert.deepEqual(only(sliced('5')).method, { kind: 'timeslices', slice: minutes(5), sliceTarget: 0.95 });
  assert.deepEqual(only(sliced('15s')).method, { kind: 'timeslices', slice: seconds(15), sliceTarget: 0.95 });
  assert.deepEqual(only(sliced('1h', 'RatioTimeslices')).method, { kind: 'ratio-timeslices', slice: hours(1) });
  for (const slices of ['5', '15s']) assert.equal(read(sliced(slices), STRICT).faults.length, 1);
});

const METRIC =
  'ratioMetric:\n        counter: true\n        bad:\n          metricSource:\n            type: Prometheus\n            spec:\n              query: finished_total{outcome="failed"}\n        total:\n          metricSource:\n            type: Prometheus\n            spec:\n              query: finished_total\n';
const metric = (query: string): string => `{metricSource: {type: Prometheus, spec: {query: '${query}'}}}`;

test('a threshold is held against op and value, a sum stays PromQL', () => {
  const threshold = (query: string) =>
    only(
      changed([METRIC, `thresholdMetric: ${metric(query)}\n`], [T, 'target: 0.98\n      op: lt\n      value: 0']),
      STRICT,
    ).indicator;
  const selector = { name: 'age_seconds', matchers: [] };
  assert.deepEqual(threshold('age_seconds'), {
    kind: 'threshold',
    query: { kind: 'selector', selector, source: undefined },
    op: 'lt',
    limit: 0,
  });
  assert.deepEqual(threshold('sum(age_seconds)'), {
    kind: 'threshold',
    query: { kind: 'promql', text: 'sum(age_seconds)', source: undefined },
    op: 'lt',
    limit: 0,
  });
});

test('a threshold without op and value is refused', () => {
  const told = lines(read(changed([METRIC, `thresholdMetric: ${metric('age_seconds')}\n`])).faults);
  assert.deepEqual(
    told.map((line) => line.replace(/^\d+:\d+ (\w+) is missing.*/, '$1')),
    ['op', 'value'],
  );
});

test('a ready ratio says which way it points', () => {
  const { indicator } = only(changed([METRIC, `ratioMetric: {rawType: failure, raw: ${metric('a:ratio')}}\n`]), STRICT);
  assert(indicator.kind === 'raw');
  assert.equal(indicator.rawType, 'failure');
  assert.match(
    lines(read(changed([METRIC, `ratioMetric: {raw: ${metric('a')}}\n`])).faults).join(),
    /rawType is missing/,
  );
});

test('sums of the same increments are selectors to both eyes; other PromQL is left as it is', () => {
  const kinds = (bad: string, total: string) => {
    const { indicator } = only(
      changed([METRIC, `ratioMetric: {counter: true, bad: ${metric(bad)}, total: ${metric(total)}}\n`]),
      STRICT,
    );
    return indicator.kind === 'ratio' ? [indicator.bad?.kind, indicator.total.kind] : [];
  };
  const both = ['selector', 'selector'];
  assert.deepEqual(kinds('sum(rate(a[{{.window}}]))', 'sum(rate(b[{{.window}}]))'), both);
  assert.deepEqual(kinds('sum(increase(a[{{.window}}]))', 'b'), both);
  assert.deepEqual(kinds('sum(a)', 'b'), both);
  assert.deepEqual(kinds('sum(rate(a[{{.window}}])) - sum(rate(c[{{.window}}]))', 'sum(rate(b[{{.window}}]))'), [
    'promql',
    'promql',
  ]);
});

test('several objectives of one SLO are told apart by what they are called', () => {
  const { objectives } = read(
    changed([`- ${T}`, '- target: 0.98\n      displayName: Good enough\n    - target: 0.999']),
  );
  assert.deepEqual(
    objectives.map(({ id, displayName }) => [id, displayName]),
    [
      ['documents-processed-good-enough', 'Good enough'],
      ['documents-processed-2', 'processed'],
    ],
  );
});

const COMPOSITE = `apiVersion: openslo/v1
kind: SLO
metadata: {name: whole, ${SILENT}}
spec:
  service: documents
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives:
    - {displayName: A, target: 0.9, compositeWeight: 3, indicatorRef: a}
    - displayName: B
      target: 0.99
      indicator:
        metadata: {name: b}
        spec: {ratioMetric: {counter: true, good: ${metric('b_good')}, total: ${metric('b')}}}
---
- apiVersion: openslo/v1
  kind: SLI
  metadata: {name: a}
  spec: {ratioMetric: {counter: true, good: ${metric('a_good')}, total: ${metric('a')}}}
- apiVersion: openslo/v1
  kind: Service
  metadata: {name: documents}
`;

test('a composite promises what its parts do, by weight', () => {
  const whole = only(COMPOSITE, LENIENT);
  assert(whole.indicator.kind === 'composite');
  assert.deepEqual(
    whole.indicator.parts.map(({ weight, objective }) => [weight, objective.id, objective.budget]),
    [
      [3, 'documents-whole-a', 0.1],
      [1, 'documents-whole-b', 0.01],
    ],
  );
  assert.deepEqual([whole.id, whole.target, whole.budget], ['documents-whole', 0.9225, 0.0775]);
  assert.match(
    lines(read(COMPOSITE.replace('compositeWeight: 3', 'compositeWeight: 0')).faults).join(),
    /9:\d+ compositeWeight/,
  );
  assert.match(lines(read(COMPOSITE.replace(', indicatorRef: a', '')).faults).join(), /9:7 the objective has neither/);
});

const POLICIES = `
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: pages}
spec:
  alertWhenBreaching: true
  conditions: [{conditionRef: fast}]
  notificationTargets: [{targetRef: phone}]
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: {name: fast}
spec: {severity: page, condition: {kind: burnrate, op: gt, threshold: 14, lookbackWindow: 1h, alertAfter: 5m}}
---
apiVersion: openslo/v1
kind: AlertNotificationTarget
metadata: {name: phone}
spec: {target: pagerduty}
`;
const withPolicy = (ref: string): string =>
  changed([`    - ${T}`, `    - ${T}\n  alertPolicies: [{alertPolicyRef: ${ref}}]`]);

test('alert policies say which kinds of alert there are', () => {
  const text = withPolicy('pages') + POLICIES;
  const { page, ticket } = only(text, STRICT).alerting;
  assert.deepEqual([page, ticket], [true, false]);
  assert.match(
    lines(read(text).warnings).join('\n'),
    /no alert of kind ticket is raised[\s\S]*threshold and window are not used/,
  );
  assert.deepEqual(only(text.replace('severity: page', 'severity: odd')).alerting.ticket, true);
  assert.deepEqual(only(text.replace('alertWhenBreaching: true', 'alertWhenBreaching: false')).alerting.page, false);
});

for (const [name, from, words] of [
  ['alertPolicyRef', 'alertPolicyRef: pages', /29:36 alertPolicyRef refers to the AlertPolicy gone/],
  ['conditionRef', 'conditionRef: fast', /conditionRef refers to the AlertCondition gone/],
  ['targetRef', 'targetRef: phone', /targetRef refers to the AlertNotificationTarget gone/],
] as const) {
  test(`a ${name} to nothing is a fault, unless references are not asked for`, () => {
    const text = (withPolicy('pages') + POLICIES).replace(from, `${name}: gone`);
    assert.match(lines(read(text).faults).join(), words);
    assert.deepEqual(lines(read(text, { strict: false, references: false }).faults), []);
  });
}

test('without references an SLO whose indicator stands elsewhere is left out', () => {
  const text = COMPOSITE.slice(0, COMPOSITE.indexOf('---'));
  const { faults, leftOut } = read(text, { strict: false, references: false });
  assert.deepEqual([lines(faults), leftOut.map(({ id }) => id)], [[], ['documents-whole']]);
});

test('annotations under burnline/ set the alerting, the others stay', () => {
  const annotations = `metadata:
  name: processed
  annotations:
    burnline/false-pages-per-year: "2"
    burnline/smallest-burn: "6"
    burnline/runbook-url: https://example.com/runbook
    burnline/ticket: "false"
    burnline/alert-name: DocumentsFailing
    burnline/page-labels: '{"team":"documents"}'
    example.com/dashboard: x
`;
  const objective = only(changed(['metadata:\n  name: processed\n', annotations]), STRICT);
  assert.deepEqual(objective.alerting, {
    falsePagesPerYear: 2,
    smallestBurn: 6,
    runbookUrl: 'https://example.com/runbook',
    page: true,
    ticket: false,
    named: { name: 'DocumentsFailing', pageLabels: { team: 'documents' }, ticketLabels: {} },
  });
  assert.deepEqual(objective.annotations, { 'example.com/dashboard': 'x' });
});

test('labels are texts, lists have commas, numbers keep their written form', () => {
  const labels = 'metadata:\n  name: processed\n  labels: {team: [a, b], release: 1.10, on: true}\n';
  assert.deepEqual(only(changed(['metadata:\n  name: processed\n', labels])).labels, {
    team: 'a,b',
    release: '1.10',
    on: 'true',
  });
});

test('what is defined twice is told with both places', () => {
  const files = [
    { name: 'a.yaml', text: BASE },
    { name: 'b.yaml', text: BASE },
  ];
  const told = readObjectives(files, LENIENT);
  assert.deepEqual(
    told.faults.map(({ file, line, message }) => `${file}:${line} ${message}`),
    [
      'b.yaml:4 defines the SLO processed again, first at a.yaml:4:9',
      'b.yaml:33 defines the Service documents again, first at a.yaml:33:9',
    ],
  );
  assert.equal(told.objectives.length, 1);
});

test('two names that give one id are a fault', () => {
  const other = changed(['name: processed', 'name: b-c'], ['service: documents', 'service: a']).split('---')[0] ?? '';
  const same = other.replace('name: b-c', 'name: c').replace('service: a', 'service: a-b');
  assert.match(lines(read(`${other}---\n${same}`).faults).join(), /has the id a-b-c, as the objective at a\.yaml:28:7/);
});

test('anchors, aliases and merge keys are resolved, and faults are told where the value was written', () => {
  const shared = changed(
    [
      'bad:\n          metricSource:\n            type: Prometheus\n            spec:',
      'bad:\n          metricSource:\n            <<: &source\n              type: Prometheus\n            spec:',
    ],
    [
      'total:\n          metricSource:\n            type: Prometheus\n',
      'total:\n          metricSource:\n            <<: *source\n',
    ],
  );
  assert.equal(only(shared, STRICT).indicator.kind, 'ratio');
  const broken = changed(
    ['query: finished_total{outcome="failed"}', 'query: &q sum('],
    ['query: finished_total\n', 'query: *q\n'],
  );
  assert.deepEqual(
    lines(read(broken).faults).map((line) => line.split(' ')[0]),
    ['17:29'],
  );
});

const PLACES: readonly [title: string, written: string, at: string][] = [
  ['plain', 'query: sum(rate(finished_total))', '22:31'],
  ['in single quotes', "query: 'sum(rate(finished_total{a=''b''}))'", '22:32'],
  ['in single quotes, behind doubled ones', "query: 'sum(a{b=''c''}) + rate(d)'", '22:46'],
  ['in double quotes, behind escapes', 'query: "sum(a{b=\\"\\x63\\"}) + rate(d)"', '22:49'],
  ['in double quotes', 'query: "sum(rate(finished_total{a=\\"b\\"}))"', '22:32'],
  ['literal', 'query: |\n                sum(\n                  rate(finished_total))', '24:24'],
  ['folded', 'query: >-\n                sum(\n                rate(finished_total))', '24:22'],
  ['over several plain lines', 'query: sum(\n                rate(finished_total))', '23:22'],
];
for (const [title, written, at] of PLACES) {
  test(`a fault in a query written ${title} is told where it stands`, () => {
    const told = lines(read(changed(['query: finished_total\n', `${written}\n`])).faults);
    assert.match(told.join('\n'), new RegExp(`^${at} the query expected type matrix`));
  });
}

test('a file without objectives is right and holds none', () => {
  for (const text of ['', '# nothing\n', '---\n---\n', 'null\n']) {
    assert.deepEqual(read(text), { objectives: [], faults: [], warnings: [], leftOut: [], documents: [] });
  }
});
