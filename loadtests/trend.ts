/**
 * Does it grow? A straight line through what was measured again and again, and how sure its slope is.
 *
 * What follows a bow so smoothly that its points are hardly more than two has no such line; the slowest and the fastest of four
 * pieces of it stand for the interval then. A leak that gets faster is none the less one.
 *
 * Pure. Sources: ordinary least squares; that what follows on each other tells less than as many independent points: the
 * effective number n·(1−r)/(1+r), r the correlation of each residual with the one before (Santer et al., "Statistical
 * significance of trends and trend differences in layer-average atmospheric temperature time series", JGR 2000, eq. 6).
 */
import { CONFIDENCE, studentT } from './interval.ts';

export type Point = { readonly at: number; readonly value: number };
/** In `value` per unit of `at`. */
export type Trend = { readonly slope: number; readonly low: number; readonly high: number };

/** Fewer say nothing of how they scatter. */
const POINTS_LEAST = 4;
/** What is left of a line that scatters by the rounding of its numbers only. */
const ROUNDING = 1e-20;

/** @returns undefined of too few points. */
export function trendOf(points: readonly Point[], confidence: number = CONFIDENCE): Trend | undefined {
  const n = points.length;
  if (n < POINTS_LEAST) return undefined;
  const [atMean, mean] = [average(points.map(({ at }) => at)), average(points.map(({ value }) => value))];
  const spread = sum(points.map(({ at }) => (at - atMean) ** 2));
  if (spread === 0) return undefined;
  const slope = sum(points.map(({ at, value }) => (at - atMean) * (value - mean))) / spread;
  const residuals = points.map(({ at, value }) => value - mean - slope * (at - atMean));
  const squares = sum(residuals.map((one) => one ** 2));
  if (squares <= ROUNDING * sum(points.map(({ value }) => value ** 2))) return { slope, low: slope, high: slope };
  const together = sum(residuals.slice(1).map((one, i) => one * (residuals[i] ?? 0)));
  // What alternates would count for more than it is.
  const r = Math.max(0, together / squares);
  const effective = (n * (1 - r)) / (1 + r);
  const freedom = effective - 2;
  if (freedom < 1) return inPieces(points);
  const width = studentT(freedom, confidence) * Math.sqrt(squares / freedom / spread);
  return { slope, low: slope - width, high: slope + width };
}

const PIECES = 4;

function inPieces(points: readonly Point[]): Trend | undefined {
  const size = Math.floor(points.length / PIECES);
  if (size < 2) return undefined;
  const pieces = Array.from({ length: PIECES }, (_, i) =>
    points.slice(i * size, i === PIECES - 1 ? undefined : (i + 1) * size),
  );
  const middles = pieces.map((piece) => ({
    at: average(piece.map(({ at }) => at)),
    value: average(piece.map(({ value }) => value)),
  }));
  const between = (a: Point | undefined, b: Point | undefined) => (a && b ? (b.value - a.value) / (b.at - a.at) : 0);
  const slopes = middles.slice(1).map((one, i) => between(middles[i], one));
  return { slope: between(middles[0], middles.at(-1)), low: Math.min(...slopes), high: Math.max(...slopes) };
}

const sum = (values: readonly number[]): number => values.reduce((total, one) => total + one, 0);
const average = (values: readonly number[]): number => sum(values) / values.length;
