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

test('a rule that can never fire for a part of a composite is a fault at the part', () => {
  // The whole, at 94.5 %, could fire.
  const parts = (a: string, b: string) => lines(read(composite(a, b)).faults);
  assert.deepEqual(parts('0.95', '0.99'), []);
  const [first, ...rest] = parts('0.9', '0.99');
  assert.match(
    first ?? '',
    /^9:7 rule "page-fast" of documents-whole-a can never fire: .*even a total outage burns 10 times/,
  );
  assert.deepEqual(rest, []);
  assert.match(parts('0.99', '0.9').join(), /^10:7 rule "page-fast" of documents-whole-b can never fire[^\n]*$/);
  const both = parts('0.9', '0.9');
  assert.deepEqual(
    both.map((line) => /^\d+:\d+ rule "[-a-z]+" of [-a-z]+/.exec(line)?.[0]),
    [
      '3:18 rule "page-fast" of documents-whole',
      '9:7 rule "page-fast" of documents-whole-a',
      '10:7 rule "page-fast" of documents-whole-b',
    ],
  );
});
