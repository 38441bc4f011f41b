/**
 * What happened, by time: good events, bad events and watched seconds, as running sums at the borders of buckets that grow
 * coarser with age. The count of any window is the sum at its new edge less the sum at its old one: two look-ups, whatever
 * its length.
 *
 *   for the last     90 minutes   25 hours   29 days       the rest of what is kept
 *   a bucket is      5 s          1 minute   15 minutes    1 hour
 *
 * Times are seconds since the epoch and buckets are cut at their multiples. A bucket is open on the left: what is counted
 * at 12:00:05 lies in the bucket that ends then, as the growth that a scrape finds happened before it. An edge that falls
 * inside a bucket is moved to that bucket's beginning (floor), so a window is at most one bucket of its old edge's age
 * longer than asked for. What is later than the last addition costs nothing: the sum is the same.
 *
 * Rings are changed in place: they are large, and a scrape changes a few numbers of them. Whole numbers stay exact up to
 * 2^53 events.
 */
import { days, hours, minutes, type Seconds, seconds } from '#kernel/units.ts';
import { type Column, columnBytes, newColumn, readColumn, writeColumn } from './column.ts';

export type Level = {
  readonly width: Seconds;
  readonly size: number;
  /** Sums at the border k · width, k modulo size, for the `size` borders up to `last`. */
  readonly good: Column;
  readonly bad: Column;
  /** In ticks of 1/64 s, modulo 2^32: differences are right for windows up to two years, and it is half the size. */
  readonly observed: Uint32Array;
  /** The newest border that is written: the last before `head`. */
  last: number;
};

export type Ring = {
  readonly start: Seconds;
  readonly levels: readonly Level[];
  /** The newest time anything was said about. */
  head: Seconds;
  good: number;
  bad: number;
  observed: number;
};

export const TICKS = 64;
/** Widths, and for how long: with 28 days 64 kB. Short windows of the workbook's pairs are 5 and 30 minutes, 2 and 6 hours. */
const SHAPE: readonly { readonly width: Seconds; readonly span: Seconds }[] = [
  { width: seconds(5), span: minutes(90) },
  { width: minutes(1), span: hours(25) },
  { width: minutes(15), span: days(29) },
];
const COARSEST = hours(1);
/** A leap year with a day to spare; the observed sums would wrap at two years. */
export const KEPT_MAX = days(400);

/** @param kept how far back windows reach. */
export function newRing(start: Seconds, kept: Seconds): Ring {
  const span = Math.min(kept, KEPT_MAX);
  const levels = SHAPE.map((level) => newLevel(level.width, level.span, start));
  if (span > days(28)) levels.push(newLevel(COARSEST, seconds(span + hours(2)), start));
  return { start, levels, head: start, good: 0, bad: 0, observed: 0 };
}

/**
 * The same ring, reaching `kept` back from now on. What it had forgotten stays so: its older borders get the sums of the oldest
 * one that it still has, so that the time before that is unknown, and no event is told of a time it did not happen in.
 */
export function widenRing(ring: Ring, kept: Seconds): Ring {
  const span = Math.min(kept, KEPT_MAX);
  const coarsest = ring.levels.at(-1);
  if (coarsest === undefined || coarsest.width * coarsest.size >= span) return ring;
  const wide = newLevel(COARSEST, seconds(span + hours(2)), ring.head);
  const sums = newSums();
  for (let k = Math.max(0, wide.last - wide.size + 1); k <= wide.last; k++) {
    readSums(ring, k * wide.width, sums);
    const slot = k % wide.size;
    writeColumn(wide.good, slot, sums.good);
    writeColumn(wide.bad, slot, sums.bad);
    wide.observed[slot] = sums.ticks;
  }
  return { ...ring, levels: [...ring.levels.filter(({ width }) => width < COARSEST), wide] };
}

export function newLevel(width: Seconds, span: Seconds, head: Seconds): Level {
  const size = Math.ceil(span / width);
  const [good, bad] = [newColumn(size), newColumn(size)];
  return { width, size, good, bad, observed: new Uint32Array(size), last: Math.ceil(head / width) - 1 };
}

/** Moves the head to `to`: the borders that are passed get the sums as they stand. */
export function advance(ring: Ring, to: Seconds): void {
  if (to <= ring.head) return;
  const ticks = Math.floor(ring.observed * TICKS);
  for (const level of ring.levels) {
    const last = Math.ceil(to / level.width) - 1;
    for (let k = Math.max(level.last + 1, last - level.size + 1); k <= last; k++) {
      const slot = k % level.size;
      writeColumn(level.good, slot, ring.good);
      writeColumn(level.bad, slot, ring.bad);
      level.observed[slot] = ticks;
    }
    level.last = last;
  }
  ring.head = to;
}

/** Counts events at `at`. In the past too, at the cost of the borders since. */
export function addEvents(ring: Ring, at: Seconds, good: number, bad: number): void {
  advance(ring, at);
  ring.good += good;
  ring.bad += bad;
  if (at === ring.head) return;
  for (const level of ring.levels) {
    const first = Math.max(Math.ceil(at / level.width), level.last - level.size + 1);
    for (let k = first; k <= level.last; k++) {
      const slot = k % level.size;
      writeColumn(level.good, slot, readColumn(level.good, slot) + good);
      writeColumn(level.bad, slot, readColumn(level.bad, slot) + bad);
    }
  }
}

/** Says that the time from `from` to `to` was watched. Each moment is said once. */
export function addObserved(ring: Ring, from: Seconds, to: Seconds): void {
  if (to <= from) return;
  advance(ring, to);
  ring.observed += to - from;
  for (const level of ring.levels) {
    const first = Math.max(Math.floor(from / level.width) + 1, level.last - level.size + 1);
    for (let k = first; k <= level.last; k++) {
      const slot = k % level.size;
      const span = Math.min(k * level.width, to) - from;
      level.observed[slot] = (level.observed[slot] ?? 0) + Math.round(span * TICKS);
    }
  }
}

/** The bucket in which an edge at `at` lies, of the finest level that still holds it; the edge is moved to its beginning. */
export function bucketOf(ring: Ring, at: Seconds): { readonly from: Seconds; readonly to: Seconds } {
  // Later than anything that was said: nothing lies behind it, and no edge has to move.
  if (at >= ring.head) return { from: at, to: at };
  for (const level of ring.levels) {
    const k = Math.floor(at / level.width);
    if (k > level.last - level.size) return borders(level, k);
  }
  const oldest = ring.levels.at(-1);
  return oldest === undefined ? { from: at, to: at } : borders(oldest, oldest.last - oldest.size + 1);
}

/** Since when all that happened is known, and nothing before: what is older has no border any more. */
export function keptFrom({ start, levels }: Ring): Seconds {
  const oldest = levels.at(-1);
  const first = oldest === undefined ? start : seconds((oldest.last - oldest.size + 1) * oldest.width);
  return first > start ? first : seconds(Number.NEGATIVE_INFINITY);
}

const borders = ({ width }: Level, k: number) => ({ from: seconds(k * width), to: seconds((k + 1) * width) });

/** Sums, read by `readSums`: one object, written over, so that reading a window makes no garbage. */
export type Sums = { good: number; bad: number; ticks: number };
export const newSums = (): Sums => ({ good: 0, bad: 0, ticks: 0 });

/** The sums at the border of `at` into `sums`. */
export function readSums(ring: Ring, at: number, sums: Sums): void {
  const { levels } = ring;
  // Also of a replay that begins at 0, where older times are negative and no place in a ring.
  if (at <= ring.start) {
    sums.good = 0;
    sums.bad = 0;
    sums.ticks = 0;
    return;
  }
  if (at >= ring.head) {
    sums.good = ring.good;
    sums.bad = ring.bad;
    sums.ticks = Math.floor(ring.observed * TICKS);
    return;
  }
  for (let i = 0; i < levels.length; i++) {
    const level = levels[i] as Level;
    let k = Math.floor(at / level.width);
    const oldest = level.last - level.size + 1;
    if (k < oldest) {
      if (i < levels.length - 1) continue;
      k = oldest;
    }
    const slot = k % level.size;
    sums.good = readColumn(level.good, slot);
    sums.bad = readColumn(level.bad, slot);
    sums.ticks = level.observed[slot] as number;
    return;
  }
}

export function ringBytes(ring: Ring): number {
  return ring.levels.reduce(
    (sum, { good, bad, observed }) => sum + columnBytes(good) + columnBytes(bad) + observed.byteLength,
    0,
  );
}
