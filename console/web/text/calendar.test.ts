import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { dayOf, daysFrom, fromLocal, midnights, momentAt, placeOf, toLocal } from './calendar.ts';

const HOUR = 3_600_000;

test('days begin at midnight of the reader, one after the other', () => {
  const today = Date.UTC(2026, 2, 28, 15);
  const range = daysFrom(today, 0, 7);
  const days = midnights(range);
  assert.equal(days.length, 7);
  assert.equal(days[0], dayOf(today));
  for (const day of days) assert.equal(new Date(day).getHours(), 0);
});

test('what is dragged lies within the range and on a quarter of an hour', () => {
  fc.assert(
    fc.property(fc.double({ min: -1, max: 2, noNaN: true }), (share) => {
      const range = { from: 0, to: 24 * HOUR };
      const at = momentAt(range, share);
      assert(at >= range.from && at <= range.to);
      assert.equal(at % (HOUR / 4), 0);
    }),
  );
});

test('a shift is placed by its share of the range, and cut at its ends', () => {
  const range = { from: 0, to: 10 * HOUR };
  assert.deepEqual(placeOf(range, -5 * HOUR, 5 * HOUR), { start: 0, size: 50 });
  assert.deepEqual(placeOf(range, 5 * HOUR, 50 * HOUR), { start: 50, size: 50 });
  assert.equal(placeOf(range, 11 * HOUR, 12 * HOUR), undefined);
});

test('a moment survives its way through a field of a form', () => {
  const at = Date.UTC(2026, 6, 1, 9, 30);
  assert.equal(fromLocal(toLocal(at)), at);
  assert(Number.isNaN(fromLocal('')));
});
