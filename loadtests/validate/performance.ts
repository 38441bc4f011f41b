/**
 * Two sets of times, and whether the second is worse by more than chance and by more than anybody would mind. Pure.
 *
 * - More than chance: the one-sided test of Mann and Whitney (with ties, normal approximation). Times have long tails and several
 *   humps; it asks for no shape, and one hiccup among sixty moves it by a rank and not by its size, as it would a mean.
 *   Several operations are asked at once, so the level is Holm's.
 * - More than minded: the ratio of the medians must be above a limit, its interval half way to it or further, and the difference
 *   above a floor (of a 95th percentile, which no test of ranks sees, the whole interval must be above the limit). With enough
 *   repetitions a test finds any difference at all; a network that is 2 ms longer is one.
 *
 * What this cannot see: that the machine itself was busier. Samples of one run are alike; docs/validate.md says what to do.
 *
 * Sources: H. B. Mann and D. R. Whitney, 1947; S. Holm, 1979; B. Efron, 1979 (percentile interval); the complementary error
 * function: Press et al., Numerical Recipes, 3rd ed., §6.2.2.
 */
import { seededRandom } from '#kernel/random.ts';
import { quantile } from '#loadtests/phases.ts';
import type { Samples } from './facts.ts';

export type Pace = {
  readonly name: string;
  /** Of what is counted a second, less is worse; of milliseconds, more. */
  readonly unit: 'ms' | '/s';
  readonly was: Middle;
  readonly is: Middle;
  /** How many times worse, by the medians: 2 is twice as slow, or half as many. */
  readonly times: number;
  /** 99 % of resampled ratios (bootstrap) lie between. */
  readonly low: number;
  readonly high: number;
  readonly timesP95: number;
  readonly lowP95: number;
  /** That samples so much worse come from the same service; adjusted by Holm for all that were asked. */
  readonly p: number;
  readonly verdict: 'same' | 'slower' | 'faster' | 'too few';
  readonly matters: boolean;
};
export type Middle = { readonly count: number; readonly p50: number; readonly p95: number };

/** Worse than this, surely, and it matters. */
export const SLOWER = 1.5;
const LEVEL = 0.01;
/** Below, nobody notices: the network alone makes it. Milliseconds. */
const FLOOR_P50 = 10;
const FLOOR_P95 = 50;
const FEWEST = 8;
/** Of fewer, the 95th percentile is nearly the largest. */
const FEWEST_P95 = 30;
const RESAMPLES = 1_000;
const TAIL = 0.005;

export const unitOf = (name: string): Pace['unit'] => (name.endsWith('per second') ? '/s' : 'ms');

/** Of what both have. @param slower a ratio above 1. */
export function comparePaces(recorded: Samples, found: Samples, slower: number = SLOWER): Pace[] {
  const names = Object.keys(recorded)
    .filter((name) => found[name] !== undefined)
    .sort();
  const pairs = names.map((name) => ({ name, was: recorded[name] ?? [], is: found[name] ?? [] }));
  const asked = pairs.map(({ name, was, is }) => (unitOf(name) === 'ms' ? chanceOf(was, is) : chanceOf(is, was)));
  const worse = holm(asked);
  const better = holm(
    pairs.map(({ name, was, is }) => (unitOf(name) === 'ms' ? chanceOf(is, was) : chanceOf(was, is))),
  );
  return pairs.map((pair, i) => paceOf(pair, worse[i] ?? 1, better[i] ?? 1, slower));
}

type Pair = { readonly name: string; readonly was: readonly number[]; readonly is: readonly number[] };

function paceOf({ name, was, is }: Pair, p: number, pBetter: number, slower: number): Pace {
  const unit = unitOf(name);
  const [before, now] = [middleOf(was), middleOf(is)];
  const medians = ratioBetween(was, is, 0.5, unit);
  const tails = ratioBetween(was, is, 0.95, unit);
  const enough = Math.min(was.length, is.length) >= FEWEST;
  const isWorse = enough && p < LEVEL;
  const shifted =
    isWorse &&
    medians.times > slower &&
    medians.low > Math.sqrt(slower) &&
    (unit === '/s' || now.p50 - before.p50 > FLOOR_P50);
  // The tail alone may be worse: no test of ranks sees it, so its interval decides.
  const tailed =
    unit === 'ms' &&
    Math.min(was.length, is.length) >= FEWEST_P95 &&
    tails.low > slower &&
    now.p95 - before.p95 > FLOOR_P95;
  const matters = shifted || tailed;
  const verdict = !enough ? 'too few' : matters || isWorse ? 'slower' : pBetter < LEVEL ? 'faster' : 'same';
  const { times, low, high } = medians;
  return {
    name,
    unit,
    was: before,
    is: now,
    times,
    low,
    high,
    timesP95: tails.times,
    lowP95: tails.low,
    p,
    verdict,
    matters,
  };
}

const middleOf = (values: readonly number[]): Middle => ({
  count: values.length,
  p50: quantile(values, 0.5) ?? 0,
  p95: quantile(values, 0.95) ?? 0,
});

/** The same numbers give the same interval: a result can be made again. */
function ratioBetween(was: readonly number[], is: readonly number[], q: number, unit: Pace['unit']) {
  const random = seededRandom(1);
  const draw = (values: readonly number[]): number[] =>
    values.map(() => values[Math.floor(random.next() * values.length)] ?? 0);
  const ratioOf = (a: readonly number[], b: readonly number[]): number => {
    const [before, now] = [quantile(a, q) ?? 0, quantile(b, q) ?? 0];
    const [over, under] = unit === 'ms' ? [now, before] : [before, now];
    return under === 0 ? (over === 0 ? 1 : Number.MAX_VALUE) : over / under;
  };
  const drawn = Array.from({ length: RESAMPLES }, () => ratioOf(draw(was), draw(is)));
  return { times: ratioOf(was, is), low: quantile(drawn, TAIL) ?? 0, high: quantile(drawn, 1 - TAIL) ?? 0 };
}

/** That `high` lies as far above `low` as it does, when both come from the same. 0 to 1; 1 of nothing. */
export function chanceOf(low: readonly number[], high: readonly number[]): number {
  const [n, m] = [low.length, high.length];
  if (n === 0 || m === 0) return 1;
  const all = [...low.map((value) => [value, 0] as const), ...high.map((value) => [value, 1] as const)];
  all.sort(([a], [b]) => a - b);
  let ranks = 0;
  let ties = 0;
  for (let i = 0; i < all.length; ) {
    let j = i;
    while (j < all.length && all[j]?.[0] === all[i]?.[0]) j++;
    const alike = j - i;
    for (let k = i; k < j; k++) ranks += (all[k]?.[1] ?? 0) * ((i + 1 + j) / 2);
    ties += alike ** 3 - alike;
    i = j;
  }
  const above = ranks - (m * (m + 1)) / 2;
  const total = n + m;
  const variance = ((n * m) / 12) * (total + 1 - ties / (total * (total - 1)));
  if (!(variance > 0)) return 1;
  // A half for a count that is taken as a curve.
  return normalAbove((above - (n * m) / 2 - 0.5) / Math.sqrt(variance));
}

/** Each p as if it had been the only one asked, in the order given. */
export function holm(ps: readonly number[]): number[] {
  const order = ps.map((p, i) => [p, i] as const).sort(([a], [b]) => a - b);
  const adjusted: number[] = [];
  let least = 0;
  order.forEach(([p, i], rank) => {
    least = Math.max(least, Math.min(1, p * (ps.length - rank)));
    adjusted[i] = least;
  });
  return adjusted;
}

/** Of a standard normal variable, the share above `z`; wrong by less than 1.2e-7 of itself. */
function normalAbove(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  const t = 2 / (2 + x);
  const curve = ERFC.reduceRight((sum, coefficient) => coefficient + t * sum, 0);
  const above = (t * Math.exp(-x * x + curve)) / 2;
  return z >= 0 ? above : 1 - above;
}

const ERFC = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
  0.17087277,
];
