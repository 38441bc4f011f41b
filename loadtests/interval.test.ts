/** Held against the binomial distribution summed term by term, which is what the interval is defined by. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { ratio } from '#kernel/units.ts';
import { CONFIDENCE, leastToProve, shareBetween } from './interval.ts';

/** P(X ≤ hits) of so many tries. */
function atMost(hits: number, tries: number, share: number): number {
  let sum = 0;
  let log = tries * Math.log1p(-share);
  for (let k = 0; k <= hits; k++) {
    sum += Math.exp(log);
    log += Math.log((tries - k) / (k + 1)) + Math.log(share / (1 - share));
  }
  return sum;
}

const counts = fc
  .tuple(fc.integer({ min: 1, max: 3_000 }), fc.nat())
  .map(([tries, n]) => [n % (tries + 1), tries] as const);
const TAIL = (1 - CONFIDENCE) / 2;

test('shareBetween() ends where so few, and so many, would be seen once in forty tests', () => {
  fc.assert(
    fc.property(counts, ([hits, tries]) => {
      const { low, high } = shareBetween(hits, tries);
      assert(low <= hits / tries && hits / tries <= high);
      if (hits < tries) assert(Math.abs(atMost(hits, tries, high) - TAIL) < 1e-7, `${hits}/${tries} high ${high}`);
      if (hits > 0) assert(Math.abs(1 - atMost(hits - 1, tries, low) - TAIL) < 1e-7, `${hits}/${tries} low ${low}`);
    }),
  );
});

for (const [hits, tries, low, high] of [
  [0, 10, 0, 0.3085],
  [5, 10, 0.1871, 0.8129],
  [1, 100, 0.0003, 0.0545],
  [10, 10, 0.6915, 1],
] as const) {
  test(`shareBetween(${hits}, ${tries}) is the published ${low} to ${high}`, () => {
    const found = shareBetween(hits, tries);
    assert(Math.abs(found.low - low) < 5e-5 && Math.abs(found.high - high) < 5e-5, JSON.stringify(found));
  });
}

test('shareBetween() holds the truth at least as often as it says, whatever the truth is', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 80 }), fc.double({ min: 0.001, max: 0.999, noNaN: true }), (tries, truth) => {
      let held = 0;
      for (let hits = 0; hits <= tries; hits++) {
        const { low, high } = shareBetween(hits, tries);
        const chance = atMost(hits, tries, truth) - (hits === 0 ? 0 : atMost(hits - 1, tries, truth));
        if (low <= truth && truth <= high) held += chance;
      }
      assert(held >= CONFIDENCE - 1e-9, `${held} of ${tries} at ${truth}`);
    }),
    { numRuns: 40 },
  );
});

test('shareBetween() is surer the more it has seen, and turns over with what is counted', () => {
  fc.assert(
    fc.property(counts, ([hits, tries]) => {
      const one = shareBetween(hits, tries);
      const four = shareBetween(4 * hits, 4 * tries);
      assert(four.high - four.low <= one.high - one.low + 1e-12);
      const other = shareBetween(tries - hits, tries);
      assert(Math.abs(1 - one.high - other.low) < 1e-9 && Math.abs(1 - one.low - other.high) < 1e-9);
    }),
  );
});

test('shareBetween() knows nothing of nothing, and stays exact for millions', () => {
  assert.deepEqual(shareBetween(0, 0), { low: 0, high: 1 });
  const { low, high } = shareBetween(20_000, 1_000_000);
  assert(low > 0.0197 && low < 0.02 && high > 0.02 && high < 0.0203, `${low} ${high}`);
});

test('leastToProve() is the fewest good events that prove it', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.5, max: 0.999, noNaN: true }), (share) => {
      const target = ratio(share);
      const least = leastToProve(target);
      assert(shareBetween(least, least).low >= target - 1e-9);
      assert(least <= 1 || shareBetween(least - 1, least - 1).low < target);
    }),
  );
  assert.deepEqual([leastToProve(ratio(0.98)), leastToProve(ratio(0.999))], [183, 3_688]);
});
