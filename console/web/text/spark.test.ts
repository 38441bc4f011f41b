import assert from 'node:assert/strict';
import test from 'node:test';
import { sparkPath } from './spark.ts';

test('a line is drawn from left to right, with a gap where nothing was seen', () => {
  assert.equal(sparkPath([0, 1, 2]).path, 'M0 26L50 14L100 2');
  assert.equal(sparkPath([1, null, 1]).path, 'M0 14h0M100 14h0');
  assert.equal(sparkPath([]).path, '');
  assert.equal(sparkPath([null]).last, undefined);
});

test('what is allowed sinks as the burn rate rises', () => {
  assert.equal(sparkPath([0, 0]).allowed, 14);
  assert.equal(sparkPath([0, 24]).allowed, 25);
});
