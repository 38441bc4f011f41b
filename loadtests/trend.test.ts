import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '#kernel/random.ts';
import { studentT } from './interval.ts';
import { type Point, trendOf } from './trend.ts';

for (const [freedom, confidence, t] of [
  [1, 0.95, 12.7062],
  [5, 0.95, 2.5706],
  [30, 0.95, 2.0423],
  [1_000, 0.95, 1.9623],
  [10, 0.99, 3.1693],
] as const) {
  test(`studentT(${freedom}, ${confidence}) is the ${t} of the printed tables`, () => {
    assert(Math.abs(studentT(freedom, confidence) - t) < 1e-3, String(studentT(freedom, confidence)));
  });
}

const line = (n: number, slope: number, noise: (i: number) => number): Point[] =>
  Array.from({ length: n }, (_, at) => ({ at, value: 100 + slope * at + noise(at) }));

test('trendOf() finds the slope of a line exactly', () => {
  fc.assert(
    fc.property(fc.integer({ min: 4, max: 50 }), fc.double({ min: -9, max: 9, noNaN: true }), (n, slope) => {
      const found = trendOf(line(n, slope, () => 0));
      assert(found && Math.abs(found.slope - slope) < 1e-9 && Math.abs(found.high - found.low) < 1e-6);
    }),
  );
});

test('trendOf() says nothing of too few points, or of one moment', () => {
  assert.equal(trendOf(line(3, 1, () => 0)), undefined);
  assert.equal(trendOf(line(9, 1, () => 0).map(({ value }) => ({ at: 5, value }))), undefined);
});

test('trendOf() is not blind to a growth that is no line', () => {
  const bow = (slope: (t: number) => number) =>
    trendOf(Array.from({ length: 45 }, (_, at) => ({ at, value: slope(at / 44) })));
  const faster = bow((t) => 100 + 300 * t * t);
  assert(
    faster !== undefined && faster.low > 0 && faster.low < faster.slope && faster.slope < faster.high,
    JSON.stringify(faster),
  );
  const wave = bow((t) => 100 + 30 * Math.sin(2 * Math.PI * t));
  assert(wave !== undefined && wave.low < 0 && wave.high > 0, JSON.stringify(wave));
});

/** In so many runs, the share whose interval holds the true slope. */
function covered(memory: number): number {
  const random = seededRandom(7);
  const RUNS = 2_000;
  let held = 0;
  for (let run = 0; run < RUNS; run++) {
    let left = 0;
    const found = trendOf(
      line(60, 0.5, () => {
        left = memory * left + random.next() + random.next() + random.next() - 1.5;
        return left;
      }),
    );
    if (found && found.low <= 0.5 && found.high >= 0.5) held++;
  }
  return held / RUNS;
}

test('the interval holds the true slope as often as it says, and hardly less where noise has a memory', () => {
  const [plain, sticky] = [covered(0), covered(0.5)];
  assert(plain > 0.94 && plain < 0.98, String(plain));
  assert(sticky > 0.88, String(sticky));
});
