/**
 * One objective's account: its ledger, and how far each target that serves it was watched. Several targets make one
 * objective, and time is watched when all of them were: a part that nobody sees may be the part that fails.
 */
import { hours, type Seconds, seconds } from '#kernel/units.ts';
import type { CalendarUnit, Counts, Objective, Window } from '#slo/objective.ts';
import { isGap } from './budget.ts';
import { add, bookAcross, type Ledger, markBridged, newLedger, observe } from './ledger.ts';
import { judged, newSlicer, type SliceMethod, type Slicer, spread, watch } from './slices.ts';

export type Account = {
  readonly id: string;
  readonly ledger: Ledger;
  /** Of the time-slice methods. */
  readonly slicer: Slicer;
  readonly served: Map<string, Served>;
  /** Until when all that serve it were watched, or their gaps are over. */
  frontier: Seconds | undefined;
};

/** What is known of one target as a server of one objective. */
export type Served = {
  /** The last scrape that had what the objective needs. */
  at: Seconds;
  /** End of its last gap, and whether the counters went through it. */
  gapEnd: Seconds;
  gapWhole: boolean;
  /** Good (or bad) events that a scrape showed before their total: an exporter reads its counters one after the other. */
  ahead: number;
};

export type Found = {
  readonly target: string;
  readonly at: Seconds;
  readonly interval: Seconds;
  /** From when on growth is known; undefined on a target's first scrape. */
  readonly since: Seconds | undefined;
  readonly whole: boolean;
  /** A new process' first scrape: what it counted since its start is known as a sum, as across a gap. */
  readonly fresh: boolean;
} & Counts;

/** @param kept how far back windows reach at least; the objective's period may be longer. */
export const newAccount = (objective: Pick<Objective, 'id' | 'window'>, start: Seconds, kept: Seconds): Account => ({
  id: objective.id,
  ledger: newLedger(start, seconds(Math.max(kept, longestPeriod(objective.window)))),
  slicer: newSlicer(),
  served: new Map(),
  frontier: undefined,
});

/** The longest that a calendar's units can be, with the hour that clocks are put back. */
const UNITS: Readonly<Record<CalendarUnit, Seconds>> = {
  day: hours(25),
  week: hours(7 * 24 + 1),
  month: hours(31 * 24 + 1),
  quarter: hours(92 * 24 + 1),
  year: hours(366 * 24 + 1),
};

export const longestPeriod = (window: Window): Seconds =>
  window.kind === 'rolling' ? window.period : seconds(window.count * UNITS[window.unit]);

/** Good, bad and total growth to good and bad: never negative, and in sum exact, should one be read before the other. */
export function balance(part: number, total: number, ahead: number): { readonly part: number; readonly ahead: number } {
  const whole = part + ahead;
  // What is ahead of the total is paid back at the next scrape; what never is (a selector that is no part of its total),
  // is forgotten, so that it cannot grow.
  return whole <= total ? { part: whole, ahead: 0 } : { part: total, ahead: Math.min(whole - total, part) };
}

/** Enters what one scrape of one target showed. */
export function enter(account: Account, { method }: Pick<Objective, 'method'>, found: Found): void {
  const { ledger, slicer, served } = account;
  const before = served.get(found.target);
  const from = before?.at ?? found.since;
  const at = seconds(Math.max(found.at, from ?? found.at));
  const gap = from !== undefined && (found.fresh || isGap(seconds(at - from), found.interval));
  const { good, bad } = found;
  if (gap) {
    // Slices that nobody watched are no events, whatever grew in them.
    if (method.kind === 'occurrences' && good + bad > 0) bookAcross(ledger, from, good, bad);
  } else if (method.kind !== 'occurrences') spread(slicer, method.slice, from ?? at, at, good, bad);
  else if (good + bad > 0) add(ledger, at, good, bad);
  if (served.size === 0) account.frontier = seconds(Math.max(account.frontier ?? 0, from ?? at));
  const frontier = account.frontier ?? at;
  const entry = before ?? { at, gapEnd: seconds(0), gapWhole: true, ahead: 0 };
  if (gap) {
    entry.gapWhole = found.whole && (entry.gapEnd <= frontier || entry.gapWhole);
    entry.gapEnd = at;
  }
  entry.at = at;
  served.set(found.target, entry);
  moveFrontier(account, method, frontier);
}

/** A target that is gone for good (its address was taken off the list): it holds back nothing any more. */
export function dismiss(account: Account, target: string): void {
  account.served.delete(target);
}

function moveFrontier(account: Account, method: Objective['method'], from: Seconds): void {
  const { ledger, slicer, served } = account;
  let to = Number.POSITIVE_INFINITY;
  for (const { at } of served.values()) if (at < to) to = at;
  if (to <= from) return;
  let watchedFrom: number = from;
  let whole = true;
  for (const { gapEnd, gapWhole } of served.values()) {
    if (gapEnd <= from) continue;
    watchedFrom = Math.max(watchedFrom, Math.min(gapEnd, to));
    whole &&= gapWhole;
  }
  const begin = seconds(watchedFrom);
  const end = seconds(to);
  if (whole && method.kind === 'occurrences') markBridged(ledger, from, begin);
  observe(ledger, begin, end);
  account.frontier = end;
  if (method.kind !== 'occurrences') judgeSlices(ledger, slicer, method, begin, end);
}

function judgeSlices(ledger: Ledger, slicer: Slicer, method: SliceMethod, from: Seconds, to: Seconds): void {
  if (to > from) watch(slicer, method.slice, from, to);
  for (const { at, good, bad } of judged(slicer, method, to)) add(ledger, at, good, bad);
}
