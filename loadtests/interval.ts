/**
 * How sure a share is that was counted: the interval of Clopper and Pearson. It holds the true share at least as often as it
 * says, also where nothing failed among a few hundred and 99.9 % is at stake, where Wilson's (slo/forecast.ts), which is
 * right on average, promises too much. A verdict may be too modest; it may not be too sure.
 *
 * Sources: C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of the
 * binomial", 1934; the incomplete beta function by its continued fraction: Press et al., Numerical Recipes, 3rd ed., §6.4,
 * logarithm of the gamma function: C. Lanczos, 1964 (§6.1 there).
 */
import { type Ratio, ratio } from '#kernel/units.ts';

export type Interval = { readonly low: Ratio; readonly high: Ratio };

/** Of the intervals of so many tests, this share holds the truth. */
export const CONFIDENCE = 0.95;
const BISECTIONS = 60;

/** @param hits of `tries`, 0 ≤ hits ≤ tries. Of nothing, nothing is known: 0 to 1. */
export function shareBetween(hits: number, tries: number, confidence: number = CONFIDENCE): Interval {
  if (!(hits >= 0 && hits <= tries)) throw new RangeError(`Cannot take ${hits} of ${tries}: expected 0 to ${tries}`);
  const tail = (1 - confidence) / 2;
  const low = hits === 0 ? 0 : solve((share) => betaBelow(share, hits, tries - hits + 1), tail);
  const high = hits === tries ? 1 : solve((share) => betaBelow(share, hits + 1, tries - hits), 1 - tail);
  return { low: ratio(low), high: ratio(high) };
}

/**
 * So many standard errors to each side hold the truth in `confidence` of the cases: Student's t, for estimated errors.
 *
 * @param freedom degrees, at least 1; need not be whole. Source: P(|T| > t) = I_x(ν/2, 1/2) with x = ν/(ν + t²).
 */
export function studentT(freedom: number, confidence: number = CONFIDENCE): number {
  const x = solve((share) => betaBelow(share, freedom / 2, 0.5), 1 - confidence);
  return Math.sqrt((freedom * (1 - x)) / x);
}

/** So many events, all of them good, prove a share of good ones: fewer can not. */
export function leastToProve(target: Ratio, confidence: number = CONFIDENCE): number {
  return target >= 1 ? Number.POSITIVE_INFINITY : Math.ceil(Math.log((1 - confidence) / 2) / Math.log(target) - 1e-9);
}

/** Where a rising function of 0 to 1 reaches `level`. */
function solve(rising: (x: number) => number, level: number): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (low + high) / 2;
    if (rising(middle) < level) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The regularised incomplete beta function I_x(a, b). */
export function betaBelow(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  // The fraction converges quickly below the mean only; above it the other end is taken.
  return x < (a + 1) / (a + b + 2) ? (front * fraction(x, a, b)) / a : 1 - (front * fraction(1 - x, b, a)) / b;
}

const TERMS_MOST = 10_000;
const EXACT = 1e-15;
const TINY = 1e-300;

/** By Lentz's method. */
function fraction(x: number, a: number, b: number): number {
  const away = (value: number) => (Math.abs(value) < TINY ? TINY : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let sum = d;
  for (let m = 1; m <= TERMS_MOST; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    sum *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    const step = d * c;
    sum *= step;
    if (Math.abs(step - 1) < EXACT) break;
  }
  return sum;
}

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

function logGamma(x: number): number {
  const [first = 0, ...rest] = LANCZOS;
  const y = x - 1;
  const sum = rest.reduce((total, coefficient, i) => total + coefficient / (y + i + 1), first);
  const t = y + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (y + 0.5) * Math.log(t) - t + Math.log(sum);
}
