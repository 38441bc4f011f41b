/**
 * What OpenSLO's README and examples do: read leniently with warnings, refused strictly, as its own SDK does. The shapes
 * are theirs (https://github.com/OpenSLO/OpenSLO, README and examples/), the words are ours.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { readObjectives } from './read.ts';

const RATIO = `      ratioMetric:
        good:
          metricSource:
            type: Any
            spec:
              query: Any
        total:
          metricSource:
            type: Any
            spec:
              query: Any
`;

const cases: readonly [title: string, text: string, warnings: readonly RegExp[], strictFaults: readonly RegExp[]][] = [
  [
    'an SLO without a time window, of a source that is not ours',
    `apiVersion: openslo/v1
kind: SLO
metadata:
  name: foo-slo
spec:
  service: foo
  indicator:
    metadata:
      name: foo-error
    spec:
      ratioMetric:
        counter: true
        good:
          metricSource:
            metricSourceRef: datadog-datasource
            type: Datadog
            spec:
              query: sum:trace.http.request.hits{code:200}.as_count()
        total:
          metricSource:
            metricSourceRef: datadog-datasource
            type: Datadog
            spec:
              query: sum:trace.http.request.hits{*}.as_count()
  budgetingMethod: Occurrences
  objectives:
    - displayName: Total errors
      target: 0.98
`,
    [/no timeWindow/, /Service foo/, /DataSource datadog-datasource/, /of type Datadog/],
    [/no timeWindow/, /Service foo/, /DataSource datadog-datasource/, /of type Datadog/],
  ],
  [
    'op beside a ratio, over slices',
    `apiVersion: openslo/v1
kind: SLO
metadata:
  name: main-page
  displayName: Main page
spec:
  service: web-shop
  indicator:
    metadata:
      name: response-code
    spec:
${RATIO}  timeWindow:
    - duration: 2w
      isRolling: true
  budgetingMethod: RatioTimeslices
  objectives:
    - displayName: Good
      op: gt
      timeSliceWindow: 1m
      target: 0.99
`,
    [/op is not read/, /of type Any/],
    [/op is not read/, /of type Any/],
  ],
  [
    'a policy in CamelCase whose condition has no op',
    `apiVersion: openslo/v1
kind: AlertPolicy
metadata:
  name: AlertPolicy
spec:
  alertWhenBreaching: true
  alertWhenResolved: false
  conditions:
    - kind: AlertCondition
      metadata:
        name: cpu-usage-breach
      spec:
        severity: page
        condition:
          kind: burnrate
          threshold: 2
          lookbackWindow: 1h
          alertAfter: 5m
  notificationTargets:
    - targetRef: OnCallDevopsMailNotification
---
apiVersion: openslo/v1
kind: AlertNotificationTarget
metadata:
  name: OnCallDevopsMailNotification
spec:
  target: email
`,
    [/name is the text "AlertPolicy"/, /condition\.op is missing/, /targetRef is the text "OnCall/],
    [/name is the text "AlertPolicy"/, /condition\.op is missing/, /targetRef is the text "OnCall/],
  ],
  [
    'labels that are lists, and a source with details',
    `apiVersion: openslo/v1
kind: DataSource
metadata:
  name: string
  labels:
    userImpacting: "true"
    tags:
      - auth
  annotations:
    openslo.com/key1: value1
spec:
  type: CloudWatch
  connectionDetails:
    accessKeyID: accessKey
`,
    [],
    [],
  ],
  [
    'the sum of a counter, which is a counter',
    `apiVersion: openslo/v1
kind: SLI
metadata:
  name: requests
spec:
  ratioMetric:
    counter: true
    good:
      metricSource:
        type: Prometheus
        metricSourceRef: prometheus-datasource
        spec:
          query: sum(localhost_server_requests{code=~"2xx|3xx",host="*"})
    total:
      metricSource:
        type: Prometheus
        metricSourceRef: prometheus-datasource
        spec:
          query: localhost_server_requests{code="total",host="*"}
`,
    [],
    [],
  ],
];
for (const [title, text, warnings, strictFaults] of cases) {
  test(`${title}: lenient`, () => {
    const read = readObjectives([{ name: 'x.yaml', text }], { strict: false, references: true });
    assert.deepEqual(read.faults, []);
    const told = read.warnings.map(({ message }) => message).join('\n');
    for (const words of warnings) assert.match(told, words);
    if (warnings.length === 0) assert.equal(told, '');
  });
  test(`${title}: strict`, () => {
    const told = readObjectives([{ name: 'x.yaml', text }], { strict: true, references: true })
      .faults.map(({ message }) => message)
      .join('\n');
    for (const words of strictFaults) assert.match(told, words);
    if (strictFaults.length === 0) assert.equal(told, '');
  });
}
