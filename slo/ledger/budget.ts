/**
 * How much of the error budget is left, and how sure that is. What nobody watched may have been all good or all bad, at the
 * traffic seen, so the answer is a value and the interval around it; with nothing unknown the three are equal.
 *
 * A window begins with its ledger at the earliest: before it there was nothing to know.
 */
import { type Ratio, ratio, type Seconds, seconds } from '#kernel/units.ts';
import type { Counts } from '#slo/objective.ts';
import { countsBetween, type Ledger, unknownSeconds, type View } from './ledger.ts';

export type Budget = {
  /** Share of the budget that is left, at the counts that are known; 1 untouched, below 0 overspent. */
  readonly value: number;
  /** If all that is unknown was bad. */
  readonly low: number;
  /** If all that is unknown was good. */
  readonly high: number;
  /** Share of the window of which it is known what happened. */
  readonly known: Ratio;
};

/** Of a rolling window. */
export function budgetRemaining(
  ledger: Ledger,
  now: Seconds,
  { budget, period }: { readonly budget: Ratio; readonly period: Seconds },
  view: View = 'corrected',
): Budget {
  return budgetBetween(ledger, budget, seconds(now - period), now, view);
}

/** Of a calendar window from its beginning until now, or the whole of one that is over: `to` is the earlier of both. */
export function budgetBetween(
  ledger: Ledger,
  budget: Ratio,
  from: Seconds,
  to: Seconds,
  view: View = 'corrected',
): Budget {
  const begin = seconds(Math.max(from, ledger.counted.start));
  const length = to - begin;
  if (length <= 0) return { value: 1, low: 1, high: 1, known: ratio(1) };
  return budgetOf(
    budget,
    countsBetween(ledger, from, to, view),
    seconds(length),
    unknownSeconds(ledger, begin, to, view),
  );
}

/** Of counts whose window is `length` long, `unknown` seconds of which nobody saw. */
export function budgetOf(budget: Ratio, { good, bad }: Counts, length: Seconds, unknown: Seconds): Budget {
  const known = 1 - unknown / length;
  // Nothing is known: with no traffic to go by, as little as one bad event may be all there was.
  if (known <= 0) return { value: left(good, bad, budget), low: 1 - 1 / budget, high: 1, known: ratio(0) };
  const missed = ((good + bad) / (length - unknown)) * unknown;
  return {
    value: left(good, bad, budget),
    low: left(good, bad + missed, budget),
    high: left(good + missed, bad, budget),
    known: ratio(Math.min(1, known)),
  };
}

const left = (good: number, bad: number, budget: Ratio): number => (bad === 0 ? 1 : 1 - bad / (good + bad) / budget);

/** Two scrapes in a row that did not come, and half a one for their timeouts: no data from here on. */
const MISSED_INTERVALS = 2.5;

/** Is this span between two answers, or since the last one, more than one missed scrape? */
export function isGap(span: Seconds, interval: Seconds): boolean {
  return span > MISSED_INTERVALS * interval;
}

/** `no data`: an idle service (it answers, and counts nothing) is not that. */
export function isBlind(lastSeen: Seconds | undefined, interval: Seconds, now: Seconds): boolean {
  return lastSeen === undefined || isGap(seconds(now - lastSeen), interval);
}
