import assert from 'node:assert/strict';
import test from 'node:test';
import { days, hours, minutes, seconds } from '#kernel/units.ts';
import type { Objective } from '#slo/objective.ts';
import { readObjectives } from './read.ts';

/** Right in both verdicts. Cases replace a part of it; its lines are counted on. */
const BASE = `apiVersion: openslo/v1
kind: SLO
metadata:
  name: processed
spec:
  service: documents
  indicator:
    metadata:
      name: processed
    spec:
      ratioMetric:
        counter: true
        bad:
          metricSource:
            type: Prometheus
            spec:
              query: finished_total{outcome="failed"}
        total:
          metricSource:
            type: Prometheus
            spec:
              query: finished_total
  timeWindow:
    - duration: 28d
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - target: 0.98
---
apiVersion: openslo/v1
kind: Service
metadata:
  name: documents
spec: {}
`;

const LENIENT = { strict: false, references: true };
const STRICT = { strict: true, references: true };

function changed(...changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce((text, [from, to]) => {
    assert(text.includes(from), `the base has no ${from}`);
    return text.replace(from, to);
  }, BASE);
}

const read = (text: string, options = LENIENT) => readObjectives([{ name: 'a.yaml', text }], options);
const lines = (findings: readonly { line: number; column: number; message: string }[]): string[] =>
  findings.map(({ line, column, message }) => `${line}:${column} ${message}`);

function only(text: string, options = LENIENT): Objective {
  const { objectives, faults } = read(text, options);
  assert.deepEqual(lines(faults), []);
  assert.equal(objectives.length, 1);
  return objectives[0] as Objective;
}

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
    alerting: { falsePagesPerYear: 4, smallestBurn: 4, runbookUrl: undefined, page: true, ticket: true },
    source: { file: 'a.yaml', line: 28, column: 7 },
  });
  assert.deepEqual(read(BASE).objectives, objectives);
});

const T = 'target: 0.98';
const DURATION = 'duration: 28d\n      isRolling: true';
/** Wrong for anybody: change, place, words. */
const faults: readonly [title: string, change: readonly [string, string], at: string, words: RegExp][] = [
  ['a target of 98', [T, 'target: 98'], '28:15', /did you mean targetPercent: 98 or target: 0\.98\?/],
  ['a target of 99.95', [T, 'target: 99.95'], '28:15', /did you mean targetPercent: 99\.95 or target: 0\.9995\?/],
  ['a target of 1', [T, 'target: 1'], '28:15', /less than 100 %/],
  ['a target of 0', [T, 'target: 0'], '28:15', /more than 0/],
  ['a target below 0', [T, 'target: -1'], '28:15', /more than 0/],
  ['a target of 100 per cent', [T, 'targetPercent: 100'], '28:22', /less than 100 %/],
  ['a target of 0 per cent', [T, 'targetPercent: 0'], '28:22', /more than 0/],
  ['both targets', [T, 'target: 0.98\n      targetPercent: 98'], '29:7', /target and targetPercent/],
  ['no target', [T, 'displayName: x'], '28:7', /neither target nor targetPercent/],
  [
    'a target that is text',
    [T, 'target: "0.98"'],
    '28:15',
    /spec\.objectives\[0\]\.target is the text "0\.98": expected a number/,
  ],
  ['a target that is no number', [T, 'target: .nan'], '28:15', /expected a number/],
  [
    'a name that is a number',
    ['name: processed', 'name: 123'],
    '4:9',
    /metadata\.name is the number 123: expected text; write it in quotes: "123"/,
  ],
  ['a name that is no name', ['name: processed', 'name: "a b"'], '4:9', /name is the text "a b": expected letters/],
  ['a missing service', ['  service: documents\n', ''], '5:1', /spec\.service is missing: expected text/],
  [
    'a kind in the wrong case',
    ['kind: SLO', 'kind: slo'],
    '2:7',
    /kind slo: expected one of SLO, .*did you mean SLO\?/,
  ],
  [
    'another version',
    ['openslo/v1', 'openslo/v1alpha'],
    '1:13',
    /apiVersion openslo\/v1alpha: expected apiVersion: openslo\/v1/,
  ],
  ['no version', ['apiVersion: openslo/v1\n', ''], '1:1', /has no apiVersion/],
  [
    'an unknown method',
    ['Occurrences', 'Sometimes'],
    '26:20',
    /budgetingMethod is "Sometimes": expected one of Occurrences/,
  ],
  [
    'a duration with a word',
    ['28d', '28 days'],
    '24:17',
    /duration is the text "28 days": expected a whole number and one of m \(minutes\)/,
  ],
  ['a duration of nothing', ['28d', '0d'], '24:17', /more than 0/],
  ['a duration of a thousand years', ['28d', '1000Y'], '24:17', /at most ten years/],
  ['a duration that is a number', ['28d', '28'], '24:17', /duration is the number 28: expected text/],
  ['two windows', [DURATION, `${DURATION}\n    - ${DURATION}`], '26:7', /2 time windows: expected one/],
  ['neither rolling nor a calendar', ['isRolling: true', 'isRolling: false'], '25:7', /calendar is missing/],
  [
    'rolling and a calendar',
    ['isRolling: true', 'isRolling: true\n      calendar: {startTime: "2026-01-01 00:00:00", timeZone: UTC}'],
    '25:18',
    /one of the two/,
  ],
  [
    'a calendar of hours',
    [DURATION, 'duration: 12h\n      calendar: {startTime: "2026-01-01 00:00:00", timeZone: UTC}'],
    '24:17',
    /whole days or more/,
  ],
  [
    'a calendar that starts on 30 February',
    [DURATION, 'duration: 1M\n      calendar: {startTime: "2026-02-30 00:00:00", timeZone: UTC}'],
    '25:29',
    /startTime is "2026-02-30/,
  ],
  [
    'a zone that is none',
    [DURATION, 'duration: 1M\n      calendar: {startTime: "2026-01-01 00:00:00", timeZone: Mars/Base}'],
    '25:62',
    /timeZone is "Mars\/Base"/,
  ],
  ['slices without their window', ['Occurrences', 'RatioTimeslices'], '28:7', /timeSliceWindow is missing/],
  [
    'slices without their target',
    [
      'budgetingMethod: Occurrences\n  objectives:\n',
      'budgetingMethod: Timeslices\n  objectives:\n    - {target: 0.9, timeSliceWindow: 1m}\n',
    ],
    '28:7',
    /timeSliceTarget is missing/,
  ],
  ['no total', ['total:', 'good:'], '12:9', /no total/],
  [
    'neither good nor bad',
    [
      '        bad:\n          metricSource:\n            type: Prometheus\n            spec:\n              query: finished_total{outcome="failed"}\n',
      '',
    ],
    '12:9',
    /neither good nor bad/,
  ],
  ['raw beside total', ['bad:', 'raw:'], '18:9', /raw and total/],
  ['no query', ['query: finished_total\n', 'other: 1\n'], '22:15', /spec\.query is missing/],
  [
    'a query that is a number',
    ['query: finished_total\n', 'query: 12\n'],
    '22:22',
    /the query is the number 12: expected text/,
  ],
  [
    'a query that does not parse',
    ['query: finished_total\n', 'query: sum(finished_total\n'],
    '22:40',
    /the query ends too early/,
  ],
  [
    'a query of the wrong type',
    ['query: finished_total\n', 'query: sum(rate(finished_total))\n'],
    '22:31',
    /expected type matrix/,
  ],
  [
    'a rate over a count',
    ['query: finished_total\n', 'query: sum(rate(finished_total[{{.window}}]))\n'],
    '22:22',
    /count differently/,
  ],
  [
    'a reference to nothing',
    [
      'indicator:\n    metadata:\n      name: processed\n    spec:\n      ratioMetric:',
      'indicatorRef: nowhere\n  unused:\n    a:\n      b: 1\n    c:\n      d:',
    ],
    '7:17',
    /SLI nowhere, which none of the files defines/,
  ],
  [
    'an indicator for the whole and for a part',
    [T, 'target: 0.98\n      indicatorRef: other'],
    '28:5',
    /for the whole and for its objectives/,
  ],
  ['no objectives', [`objectives:\n    - ${T}`, 'objectives: []'], '27:15', /0 objectives/],
  [
    'objectives that are no list',
    [`objectives:\n    - ${T}`, 'objectives: 5'],
    '27:15',
    /objectives is the number 5: expected a list/,
  ],
  ['the same key twice', [T, 'target: 0.98\n      target: 0.99'], '29:7', /"target" a second time/],
  [
    'a tab for indentation',
    ['  service: documents', '\tservice: documents'],
    '6:1',
    /is not YAML: Tabs are not allowed/,
  ],
  ['an alias of nothing', ['name: processed', 'name: *nothing'], '4:9', /alias/],
  ['a key that is a map', ['spec: {}', '? {a: 1}\n: 2'], '34:3', /key that is a map/],
  [
    'a tolerance that is none',
    [
      'metadata:\n  name: processed\n',
      'metadata:\n  name: processed\n  annotations:\n    burnline/false-pages-per-year: "many"\n',
    ],
    '6:36',
    /expected a number from 0\.01 to 1000/,
  ],
  [
    'a runbook that is no address',
    [
      'metadata:\n  name: processed\n',
      'metadata:\n  name: processed\n  annotations:\n    burnline/runbook-url: "wiki"\n',
    ],
    '6:27',
    /expected an address/,
  ],
];
for (const [title, change, at, words] of faults) {
  test(`readObjectives() refuses ${title}, at its place, in both verdicts`, () => {
    for (const options of [LENIENT, STRICT]) {
      const told = lines(read(changed(change), options).faults);
      assert(
        told.some((line) => line.startsWith(`${at} `) && words.test(line)),
        `expected ${at} ${words}, found\n${told.join('\n')}`,
      );
    }
  });
}

/** A warning, and in the strict verdict a fault. */
const strictly: readonly [title: string, change: readonly [string, string], at: string, words: RegExp][] = [
  ['CamelCase names', ['name: processed', 'name: Processed'], '4:9', /expected lower-case/],
  ['op beside a ratio', [T, 'target: 0.98\n      op: gt'], '29:7', /op is not read/],
  ['value beside a ratio', [T, 'target: 0.98\n      value: 1'], '29:7', /value is not read/],
  ['no time window', [`timeWindow:\n    - ${DURATION}\n  `, ''], '6:3', /no timeWindow: taken as 28 days/],
  ['a window that does not say rolling', ['\n      isRolling: true', ''], '24:7', /taken as rolling/],
  ['an unknown key', [T, 'target: 0.98\n      colour: red'], '29:7', /colour is unknown and not read/],
  [
    'a description that is too long',
    ['  service: documents', `  service: documents\n  description: ${'x'.repeat(1_051)}`],
    '7:16',
    /more than 1050/,
  ],
  ['a name that is too long', ['name: processed', `name: ${'x'.repeat(64)}`], '4:9', /at most 63/],
  ['a method in another case', ['Occurrences', 'occurrences'], '26:20', /expected Occurrences/],
  [
    'a label that is no text',
    ['metadata:\n  name: processed\n', 'metadata:\n  name: processed\n  labels:\n    impact: true\n'],
    '6:13',
    /expected text, in quotes/,
  ],
  [
    'a label with no key',
    ['metadata:\n  name: processed\n', 'metadata:\n  name: processed\n  labels:\n    "a b": x\n'],
    '6:5',
    /is no key/,
  ],
  [
    'an annotation with no key',
    ['metadata:\n  name: processed\n', 'metadata:\n  name: processed\n  annotations:\n    "a b": x\n'],
    '6:5',
    /is no key/,
  ],
  [
    'an inline indicator without metadata',
    ['    metadata:\n      name: processed\n', ''],
    '8:5',
    /indicator\.metadata is missing/,
  ],
  [
    'a service that is not defined',
    ['service: documents', 'service: others'],
    '6:12',
    /Service others, which none of the files defines/,
  ],
  [
    'a source that is not defined',
    ['type: Prometheus', 'metricSourceRef: prom'],
    '15:30',
    /DataSource prom, which none of the files defines/,
  ],
  ['a source of no type', ['type: Prometheus', 'spare: 1'], '15:13', /neither type nor metricSourceRef|unknown/],
  [
    'a period shorter than the windows of the rules',
    ['28d', '2d'],
    '24:17',
    /the rule ticket-slow, which looks back 3 days/,
  ],
  [
    'a query that neither eye can judge',
    ['query: finished_total\n', 'query: sum(rate(finished_total[5m]))\n'],
    '22:22',
    /documents-processed is left out: its query has no \{\{\.window\}\}/,
  ],
  ['a gauge that is counted', ['counter: true', 'counter: false'], '17:22', /left out: its query has counter: false/],
  [
    'a source that does not speak PromQL',
    ['type: Prometheus', 'type: Datadog'],
    '15:13',
    /left out: its query is of a source of type Datadog/,
  ],
];
for (const [title, change, at, words] of strictly) {
  test(`readObjectives() warns of ${title}, and refuses it strictly`, () => {
    const lenient = read(changed(change));
    assert.deepEqual(lines(lenient.faults), []);
    const found = (list: string[]): boolean => list.some((line) => line.startsWith(`${at} `) && words.test(line));
    assert(found(lines(lenient.warnings)), `expected ${at} ${words}, found\n${lines(lenient.warnings).join('\n')}`);
    assert(found(lines(read(changed(change), STRICT).faults)));
  });
}

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

test('budgets have no noise', () => {
  const budget = (line: string): number => only(changed([T, line])).budget;
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
    const { window } = only(changed(['28d', text]));
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
metadata: {name: whole}
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
    ['17:28'],
  );
});

const PLACES: readonly [title: string, written: string, at: string][] = [
  ['plain', 'query: sum(rate(finished_total))', '22:31'],
  ['in single quotes', "query: 'sum(rate(finished_total{a=''b''}))'", '22:32'],
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
