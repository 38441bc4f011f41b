/** Times against recorded ones: noise fails nothing, twice as slow does. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type Random, seededRandom } from '#kernel/random.ts';
import { chanceOf, comparePaces, holm, type Pace } from './performance.ts';

/** Log-normal, as answers are, with a hiccup in thirty. */
function timesOf(random: Random, count: number, median: number): number[] {
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return Array.from({ length: count }, () => median * Math.exp(0.35 * normal()) * (random.next() < 1 / 30 ? 5 : 1));
}
const one = (was: readonly number[], is: readonly number[], name = 'read', slower?: number): Pace => {
  const [pace] = comparePaces({ [name]: was }, { [name]: is }, slower);
  assert(pace);
  return pace;
};
const RUNS = 25;

test('the same service is nearly never called slower, and never in a way that matters', () => {
  let called = 0;
  for (let seed = 1; seed <= RUNS; seed++) {
    const random = seededRandom(seed);
    const pace = one(timesOf(random, 64, 40), timesOf(random, 64, 40));
    assert(!pace.matters, `seed ${seed}: ${JSON.stringify(pace)}`);
    if (pace.verdict !== 'same') called++;
  }
  assert(called <= 3, `${called} of ${RUNS}, two in a hundred are expected`);
});

test('a service that is a fifth slower may be called slower, but it does not matter', () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const random = seededRandom(seed);
    assert(!one(timesOf(random, 64, 40), timesOf(random, 64, 48)).matters, `seed ${seed}`);
  }
});

test('a service that is twice as slow is found, and one that is twice as quick is better', () => {
  for (let seed = 1; seed <= RUNS; seed++) {
    const random = seededRandom(seed);
    const [fast, slow] = [timesOf(random, 64, 40), timesOf(random, 64, 88)];
    const pace = one(fast, slow);
    assert(pace.matters, `seed ${seed}: ${JSON.stringify(pace)}`);
    assert(pace.low <= pace.times && pace.times <= pace.high);
    assert.deepEqual([one(slow, fast).verdict, one(slow, fast).matters], ['faster', false]);
  }
});

test('what nobody notices does not matter: from one millisecond to three', () => {
  const random = seededRandom(1);
  const pace = one(timesOf(random, 64, 1), timesOf(random, 64, 3));
  assert.deepEqual([pace.verdict, pace.matters], ['slower', false]);
});

test('a tail alone matters: one answer in five, a second late, moves no median', () => {
  const random = seededRandom(1);
  const was = timesOf(random, 80, 40);
  const pace = one(
    was,
    was.map((value, i) => (i % 5 === 0 ? value + 1_000 : value)),
  );
  assert(pace.times < 1.5, String(pace.times));
  assert(pace.matters && pace.lowP95 > 1.5);
});

test('of a rate less is worse', () => {
  const random = seededRandom(1);
  const [many, few] = [timesOf(random, 12, 10), timesOf(random, 12, 3)];
  assert(one(many, few, 'documents per second').matters);
  assert.equal(one(few, many, 'documents per second').matters, false);
});

test('of few samples nothing is said', () => {
  assert.deepEqual(
    [one([1, 2, 3], [900, 901, 902]).verdict, one([1, 2, 3], [900, 901, 902]).matters],
    ['too few', false],
  );
});

test('chanceOf() is symmetric, in [0, 1], and depends on ranks alone', () => {
  const values = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(values, values, (a, b) => {
      const p = chanceOf(a, b);
      assert(p >= 0 && p <= 1, String(p));
      const stretched = (all: readonly number[]) => all.map((value) => value ** 3 + 7);
      assert.equal(chanceOf(stretched(a), stretched(b)), p);
      assert.equal(chanceOf(a.toReversed(), b), p);
      // Each tail with its half step: together they hold everything, the middle twice.
      assert(p + chanceOf(b, a) >= 1 - 1e-6);
    }),
  );
});

test('chanceOf() agrees with a count by hand', () => {
  // U = 35 of 36 pairs, mean 18, variance 39: z = (35 − 18 − 0.5) / √39 = 2.642, above which 0.41 % of a normal curve lie.
  const p = chanceOf([1, 2, 3, 4, 5, 7], [6, 8, 9, 10, 11, 12]);
  assert(Math.abs(p - 0.004124) < 1e-4, String(p));
});

test('holm() never lowers a p, keeps their order, and is Bonferroni for the smallest', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 }), (ps) => {
      const adjusted = holm(ps);
      ps.forEach((p, i) => {
        assert((adjusted[i] ?? 0) >= p && (adjusted[i] ?? 2) <= 1);
        for (const [j, other] of ps.entries()) if (p < other) assert((adjusted[i] ?? 0) <= (adjusted[j] ?? 0));
      });
      const least = Math.min(...ps);
      assert.equal(adjusted[ps.indexOf(least)], Math.min(1, least * ps.length));
    }),
  );
});
