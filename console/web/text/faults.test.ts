import assert from 'node:assert/strict';
import test from 'node:test';
import { faultsByField } from './faults.ts';

test('each fault is put beside the field that it names', () => {
  const { byField, rest } = faultsByField('body "minutes": expected a number; body "by": too long', ['minutes', 'by']);
  assert.deepEqual(byField, { minutes: 'expected a number', by: 'too long' });
  assert.equal(rest, undefined);
});

test('a part of a field belongs to it, and what belongs to none stays', () => {
  const { byField, rest } = faultsByField('body "matchers.0.value": no; the store is away', ['matchers']);
  assert.deepEqual(byField, { matchers: 'no; the store is away' });
  assert.equal(rest, undefined);
  assert.equal(faultsByField('There is no incident 7', ['by']).rest, 'There is no incident 7');
});
