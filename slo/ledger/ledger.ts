/**
 * The ledger of one objective: everything that was counted for it, over its whole period, with and without corrections.
 *
 * Three kinds of time are told apart. *Watched*: scrapes came, so the counts are what happened. *Bridged*: no scrape came,
 * but the counters went on across the gap, so what happened in it is known as one sum; it is booked at the gap's beginning,
 * so that exactly those windows have it that cover the whole gap, and no short window sees a heap of old events at once.
 * *Unknown*: the rest. Missing data is no proof of health, so the budget is an interval there (`budget.ts`).
 *
 * A ledger is changed in place. It holds numbers by the objective's id alone: its queries, labels and target may change,
 * and the history stays.
 */
import { type Seconds, seconds } from '#kernel/units.ts';
import type { Counts, WindowCounts } from '#slo/objective.ts';
import { type Applied, cutRing, keep } from './corrections.ts';
import {
  addEvents,
  addObserved,
  bucketOf,
  KEPT_MAX,
  newRing,
  newSums,
  type Ring,
  readSums,
  ringBytes,
  TICKS,
  widenRing,
} from './ring.ts';

export type Ledger = {
  /** As counted. */
  readonly counted: Ring;
  /** The same without what corrections take out; made when the first one comes. */
  corrected: Ring | undefined;
  readonly corrections: Applied[];
  /** Oldest first. */
  readonly bridges: Bridge[];
  /** All that was ever booked across gaps. */
  readonly across: { good: number; bad: number };
};

/** Events booked across a gap, or the time of a gap of which the sum is known. The events are in the rings, after `from`. */
export type Bridge = Counts & { readonly from: Seconds; readonly to: Seconds };

/** With corrections, or as it was counted. */
export type View = 'corrected' | 'counted';

/** The oldest are forgotten first: their events stay, and their time becomes unknown again. */
export const BRIDGES_MAX = 256;
/** Just after the last scrape before the gap: a window that begins with that scrape has the gap, a later one has not. */
const BRIDGE_STAMP = seconds(0.001);

/** @param kept how far back windows reach; the objective's period, or more for reports. */
export function newLedger(start: Seconds, kept: Seconds): Ledger {
  if (kept > KEPT_MAX) throw new RangeError(`A ledger keeps at most ${KEPT_MAX} s, asked for ${kept}`);
  return {
    counted: newRing(start, kept),
    corrected: undefined,
    corrections: [],
    bridges: [],
    across: { good: 0, bad: 0 },
  };
}

/** The same ledger, or one with the same history that reaches further back from now on. */
export function widenLedger(ledger: Ledger, kept: Seconds): Ledger {
  const counted = widenRing(ledger.counted, kept);
  if (counted === ledger.counted) return ledger;
  return { ...ledger, counted, corrected: ledger.corrected && widenRing(ledger.corrected, kept) };
}

/** Counts events that happened up to `at`, since the time before. */
export function add(ledger: Ledger, at: Seconds, good: number, bad: number): void {
  addEvents(ledger.counted, at, good, bad);
  if (ledger.corrected === undefined) return;
  const kept = keep(ledger.corrections, at, good, bad);
  addEvents(ledger.corrected, at, kept.good, kept.bad);
}

export function observe(ledger: Ledger, from: Seconds, to: Seconds): void {
  addObserved(ledger.counted, from, to);
  if (ledger.corrected !== undefined) addObserved(ledger.corrected, from, to);
}

/** Books what happened somewhere after `from`, in a gap that nobody watched. */
export function bookAcross(ledger: Ledger, from: Seconds, good: number, bad: number): void {
  const ring = ledger.corrected ?? ledger.counted;
  const before = { good: ring.good, bad: ring.bad };
  add(ledger, seconds(from + BRIDGE_STAMP), good, bad);
  ledger.across.good += ring.good - before.good;
  ledger.across.bad += ring.bad - before.bad;
  note(ledger.bridges, { from, to: from, good, bad });
}

/** Says that the counters went through the gap, so that what was booked across it is all there was. */
export function markBridged(ledger: Ledger, from: Seconds, to: Seconds): void {
  if (to > from) note(ledger.bridges, { from, to, good: 0, bad: 0 });
}

/** By their beginnings: several targets may have been away at once, and come back in any order. */
function note(bridges: Bridge[], bridge: Bridge): void {
  let place = bridges.length;
  while (place > 0 && (bridges[place - 1]?.from ?? 0) > bridge.from) place--;
  bridges.splice(place, 0, bridge);
  if (bridges.length > BRIDGES_MAX) bridges.shift();
}

export function correct(ledger: Ledger, correction: Omit<Applied, 'left'>): void {
  ledger.corrected ??= structuredClone(ledger.counted);
  ledger.corrections.push({ ...correction, left: cutRing(ledger.corrected, correction) });
}

const older = newSums();
const newer = newSums();

/** What happened in the `length` seconds before `now`, and how much of them was watched. */
export function windowCounts(ledger: Ledger, now: Seconds, length: Seconds, view: View = 'corrected'): WindowCounts {
  return countsBetween(ledger, seconds(now - length), now, view);
}

export function countsBetween(ledger: Ledger, from: Seconds, to: Seconds, view: View = 'corrected'): WindowCounts {
  const ring = view === 'corrected' ? (ledger.corrected ?? ledger.counted) : ledger.counted;
  readSums(ring, from, older);
  readSums(ring, to, newer);
  const length = to - from;
  const observed = ((newer.ticks - older.ticks) >>> 0) / TICKS;
  return {
    good: newer.good - older.good,
    bad: newer.bad - older.bad,
    length: length as Seconds,
    observed: (observed < length ? observed : length) as Seconds,
  };
}

/** Written over, so that a tick over thousands of objectives makes no garbage. */
const seen = { good: 0, bad: 0, observed: 0 };

/**
 * All that ever came but what was booked across gaps, which happened nobody knows when: for the evidence detector, which
 * judges when things happened. Good until the next call.
 */
export function witnessed({ corrected, counted, across }: Ledger): Readonly<typeof seen> {
  const ring = corrected ?? counted;
  seen.good = ring.good - across.good;
  seen.bad = ring.bad - across.bad;
  seen.observed = ring.observed;
  return seen;
}

/** Seconds between `from` and `to` of which nobody knows what happened: not watched, not bridged, not excluded. */
export function unknownSeconds(ledger: Ledger, from: Seconds, to: Seconds, view: View): Seconds {
  const { counted, bridges } = ledger;
  const begin = Math.max(bucketOf(counted, from).from, counted.start);
  const end = bucketOf(counted, to).from;
  if (begin >= end) return seconds(0);
  // Bridges lie apart from each other and from what was watched.
  const bridged = (a: number, b: number) =>
    bridges.reduce((sum, one) => sum + Math.max(0, Math.min(one.to, b) - Math.max(one.from, a)), 0);
  const unwatched = (a: number, b: number) => b - a - countsBetween(ledger, seconds(a), seconds(b), view).observed;
  let unknown = unwatched(begin, end) - bridged(begin, end);
  for (const [a, b] of view === 'corrected' ? excluded(ledger.corrections, begin, end) : []) {
    // Buckets that the exclusion cuts belong to it as far as its own length goes.
    const [first, last] = [Math.max(begin, bucketOf(counted, a).from), Math.min(end, bucketOf(counted, b).to)];
    unknown -= Math.max(0, Math.min(b - a, unwatched(first, last) - bridged(first, last)));
  }
  return seconds(Math.max(0, unknown));
}

/** Stretches of which nothing counts, in order and apart. */
function excluded(corrections: readonly Applied[], from: number, to: number): (readonly [Seconds, Seconds])[] {
  const spans: (readonly [Seconds, Seconds])[] = [];
  let end = from;
  for (const one of corrections.filter(({ how }) => how.kind === 'all').sort((a, b) => a.from - b.from)) {
    const [a, b] = [Math.max(one.from, end), Math.min(one.to, to)];
    if (b <= a) continue;
    spans.push([seconds(a), seconds(b)]);
    end = b;
  }
  return spans;
}

export function ledgerBytes(ledger: Ledger): number {
  return ringBytes(ledger.counted) + (ledger.corrected === undefined ? 0 : ringBytes(ledger.corrected));
}
