import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { bytes, clock, count, dollars, percent, span, took } from './format.ts';

test('a length of time is said in the two units that matter', () => {
  assert.deepEqual([0, 4_200, 60_000, 200_000, 3_600_000, 9_000_000, 86_400_000 * 2.5, 86_400_000 * 12].map(span), [
    '0 s',
    '4 s',
    '1 min',
    '3 min 20 s',
    '1 h',
    '2 h 30 min',
    '2 d 12 h',
    '12 d',
  ]);
  assert.equal(span(-5), '0 s');
  assert.equal(span(Number.POSITIVE_INFINITY), 'for ever');
  assert.deepEqual([0.0042, 1.26, 90].map(took), ['4 ms', '1.3 s', '1 min 30 s']);
  assert.deepEqual([65_000, 1, 3_661_000, -4].map(clock), ['1:05', '0:01', '1:01:01', '0:00']);
});

test('a share below its target is never shown as the target', () => {
  assert.equal(percent(0.98, 0.98), '98 %');
  assert.equal(percent(0.97996, 0.98), '97.996 %');
  assert.equal(percent(0.99999), '99.999 %');
  assert.equal(percent(-0.25), '-25 %');
  fc.assert(
    fc.property(
      fc.double({ min: 0.5, max: 1, noNaN: true }),
      fc.constantFrom(0.95, 0.98, 0.99, 0.999),
      (share, target) => {
        fc.pre(Math.abs(share - target) > 1e-7);
        assert.notEqual(percent(share, target), percent(target));
      },
    ),
  );
});

test('counts, sizes and money have their units', () => {
  assert.deepEqual([0, 9_999, 12_345, 1_234_567].map(count), ['0', '9999', '12 k', '1.2 M']);
  assert.deepEqual([0, 1_023, 1_024, 5_000_000].map(bytes), ['0 B', '1023 B', '1 KiB', '4.77 MiB']);
  assert.deepEqual([0, 0.0003, 12.5].map(dollars), ['0 USD', '0.0003 USD', '12.50 USD']);
});
