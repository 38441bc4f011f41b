/** What is refused, where, and with what words; in both verdicts or in the strict one. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { changed, DURATION, LENIENT, lines, read, STRICT, T } from '#test/kit/objectives.ts';

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
    'a rule that can never fire',
    [T, 'target: 0.9'],
    '28:7',
    /rule "page-fast" of documents-processed can never fire: it needs a burn rate of 13\.44, and with 10 %.* above 92\.56 %/,
  ],
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
