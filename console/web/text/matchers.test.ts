import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  matcherFault,
  matcherOf,
  matchersFromAddress,
  matchersInAddress,
  matchersOf,
  matcherText,
  OPERATORS,
  operatorOf,
} from './matchers.ts';

test('a matcher is what was written, whatever its operator', () => {
  fc.assert(
    fc.property(fc.string(), fc.constantFrom(...OPERATORS), fc.string(), (name, operator, value) => {
      const matcher = matcherOf(name, operator, value);
      assert.equal(operatorOf(matcher), operator);
      assert.deepEqual(matchersFromAddress(matchersInAddress([matcher])), [matcher]);
    }),
  );
  assert.equal(matcherText(matcherOf('a', '=~', 'b"c')), 'a=~"b\\"c"');
});

test('an address that somebody changed is no fault', () => {
  for (const text of ['', 'null', '{}', '[1, null, {"name": 3}]', '[{"name":"a"}]']) {
    assert.deepEqual(matchersFromAddress(text), []);
  }
});

test('of an alert its eye and its tier are left out', () => {
  assert.deepEqual(matchersOf({ alertname: 'A', eye: 'router', severity: 'critical', note: 'x'.repeat(501) }), [
    matcherOf('alertname', '=', 'A'),
  ]);
});

test('what the router would refuse is said at once', () => {
  assert.equal(matcherFault(matcherOf(' ', '=', 'x')), 'The label has no name');
  assert.equal(matcherFault(matcherOf('a', '=~', '(')), 'This is no regular expression');
  assert.equal(matcherFault(matcherOf('a', '=', '(')), undefined);
});
