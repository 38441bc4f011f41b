import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import test from 'node:test';
import fc from 'fast-check';
import { parseAllDocuments, stringify } from 'yaml';
import { exportResolved } from './export.ts';
import { type ObjectiveFile, readObjectives } from './read.ts';

const OPTIONS = { strict: false, references: true };

/** Read, exported, read again: the same objectives, and nothing left to look up. */
function roundTrip(files: readonly ObjectiveFile[]): string {
  const once = readObjectives(files, OPTIONS);
  assert.deepEqual(once.faults, []);
  const text = exportResolved(once.documents);
  const again = readObjectives([{ name: 'export.yaml', text }], OPTIONS);
  assert.deepEqual(again.faults, [], text);
  const placeless = ({ objectives }: typeof once) =>
    JSON.parse(JSON.stringify(objectives, (key, value) => (key === 'source' && value?.line ? undefined : value)));
  assert.deepEqual(placeless(again), placeless(once));
  const documents = (yaml: string) => parseAllDocuments(yaml).map((one) => one.toJS());
  assert.deepEqual(documents(exportResolved(again.documents)), documents(text), 'an export of an export is itself');
  for (const ref of ['indicatorRef', 'alertPolicyRef', 'conditionRef', 'targetRef']) assert(!text.includes(ref), ref);
  return text;
}

test('the shipped objectives survive an export', () => {
  const files = globSync('slo/objectives/*.yaml')
    .sort()
    .map((name) => ({ name, text: readFileSync(name, 'utf8') }));
  assert.match(roundTrip(files), /kind: DataSource/);
});

const REFERRING = `apiVersion: openslo/v1
kind: SLI
metadata: {name: ratio}
spec: {ratioMetric: {counter: true, bad: {metricSource: {type: Prometheus, spec: {query: bad}}}, total: {metricSource: {type: Prometheus, spec: {query: total}}}}}
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: {name: fast}
spec: {severity: page, condition: {kind: burnrate, op: gt, threshold: 14, lookbackWindow: 1h}}
---
apiVersion: openslo/v1
kind: AlertNotificationTarget
metadata: {name: phone}
spec: {target: pagerduty}
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: pages}
spec: {alertWhenBreaching: true, conditions: [{conditionRef: fast}], notificationTargets: [{targetRef: phone}]}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: processed}
spec:
  service: documents
  indicatorRef: ratio
  budgetingMethod: Occurrences
  objectives: [{target: 0.95}, {displayName: High, targetPercent: 99.95}]
  alertPolicies: [{alertPolicyRef: pages}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: whole}
spec:
  service: documents
  timeWindow: [{duration: 1M, calendar: {startTime: 2026-01-01 00:00:00, timeZone: Europe/Paris}}]
  budgetingMethod: RatioTimeslices
  objectives:
    - {target: 0.96, timeSliceWindow: 1m, indicatorRef: ratio, compositeWeight: 2}
    - {target: 0.95, timeSliceWindow: 5, indicatorRef: ratio}
`;

test('what was referred to stands where it is used', () => {
  const text = roundTrip([{ name: 'a.yaml', text: REFERRING }]);
  for (const word of ['threshold: 14', 'target: pagerduty', 'query: bad']) assert(text.includes(word), word);
});

test('a file of Sloth becomes one of OpenSLO', () => {
  const sloth = {
    version: 'prometheus/v1',
    service: 'shop',
    labels: { owner: 'payments' },
    slos: [
      {
        name: 'answered',
        objective: 99.95,
        description: 'Answered: all "of" them',
        sli: { events: { error_query: 'sum(rate(errors[{{.window}}]))', total_query: 'sum(rate(all[{{.window}}]))' } },
        alerting: {
          name: 'Shop',
          labels: { team: 'x' },
          annotations: { runbook: 'https://example.com/r' },
          page_alert: { labels: { severity: 'p' } },
          ticket_alert: { disable: true },
        },
      },
      { name: 'ready', objective: 99, sli: { raw: { error_ratio_query: 'errors:ratio' } }, alerting: { name: 'R' } },
    ],
  };
  assert.match(roundTrip([{ name: 's.yaml', text: stringify(sloth) }]), /kind: SLO/);
});

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
/** Texts that YAML would take for something else, among others. */
const text = fc.oneof(
  word,
  fc.constantFrom(
    'yes',
    'null',
    '1.10',
    '0x1f',
    '~',
    'a: b',
    '# x',
    ' padded ',
    "it's",
    '"q"',
    '- x',
    '2026-01-01',
    '&a',
    '*a',
    'a\nb',
    '{{.window}}',
  ),
);
const query = fc.oneof(
  word.map((name) => `${name}_total{a="b"}`),
  word.map((name) => `sum(rate(${name}_total[{{.window}}]))`),
);
const metric = (value: string) => ({ metricSource: { type: 'Prometheus', spec: { query: value } } });

const SILENT = { 'burnline/page': 'false', 'burnline/ticket': 'false' };

test('an export reads back to the same objectives, whatever they say', () => {
  const slo = fc.record({
    name: word,
    displayName: text,
    description: text,
    labels: fc.dictionary(word, fc.oneof(text, fc.array(text, { minLength: 1, maxLength: 2 })), { maxKeys: 3 }),
    annotations: fc.dictionary(word, text, { maxKeys: 3 }),
    target: fc.integer({ min: 1, max: 9_999 }).map((n) => n / 10_000),
    bad: query,
    calendar: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.uniqueArray(slo, { selector: ({ name }) => name, minLength: 1, maxLength: 3 }), (slos) => {
      const documents = slos.map(({ name, displayName, description, labels, annotations, target, bad, calendar }) => ({
        apiVersion: 'openslo/v1',
        kind: 'SLO',
        // Any target is right of one that raises no alert.
        metadata: { name, displayName, labels, annotations: { ...annotations, ...SILENT } },
        spec: {
          description,
          service: 'documents',
          indicator: {
            metadata: { name },
            spec: { ratioMetric: { counter: true, bad: metric(bad), total: metric(bad.replace('{a="b"}', '')) } },
          },
          timeWindow: [
            calendar
              ? { duration: '1M', calendar: { startTime: '2026-01-01 00:00:00', timeZone: 'UTC' } }
              : { duration: '4w', isRolling: true },
          ],
          budgetingMethod: 'Occurrences',
          objectives: [{ target }],
        },
      }));
      roundTrip([{ name: 'a.yaml', text: documents.map((one) => stringify(one)).join('---\n') }]);
    }),
    { numRuns: 200 },
  );
});
