import assert from 'node:assert/strict';
import test from 'node:test';
import { lines, read } from '#test/kit/objectives.ts';

const indicator = (name: string) =>
  `{metadata: {name: ${name}}, spec: {ratioMetric: {counter: true, bad: ${metric(`${name}_bad`)}, total: ${metric(name)}}}}`;
const metric = (query: string) => `{metricSource: {type: Prometheus, spec: {query: ${query}}}}`;

const composite = (a: string, b: string) => `apiVersion: openslo/v1
kind: SLO
metadata: {name: whole}
spec:
  service: documents
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives:
    - {displayName: A, target: ${a}, indicator: ${indicator('a')}}
    - {displayName: B, target: ${b}, indicator: ${indicator('b')}}
`;

test('a rule that can never fire is a fault of the composite that it judges, and of no part alone', () => {
  const faults = (a: string, b: string) => lines(read(composite(a, b)).faults);
  // The whole, at 94.5 %, can fire, although its first part alone could not.
  assert.deepEqual(faults('0.9', '0.99'), []);
  const both = faults('0.9', '0.9');
  assert.deepEqual(
    both.map((line) => /^\d+:\d+ rule "[-a-z]+" of [-a-z]+/.exec(line)?.[0]),
    ['3:18 rule "page-fast" of documents-whole'],
  );
});
