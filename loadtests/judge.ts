/**
 * What a test says of each promise: what was counted, the interval around it, and what it cost of the error budget.
 * Kept or broken goes by the count, as the objective itself does; whether that is more than chance is `proven`. A test of a
 * minute keeps 99.9 % easily and proves it never, and says so.
 *
 * Pure. The error budget: Beyer et al., The Site Reliability Workbook, ch. 5.
 */
import type { Milliseconds, Ratio } from '#kernel/units.ts';
import { ratio, toSeconds } from '#kernel/units.ts';
import type { Counts } from '#slo/objective.ts';
import { type Entry, isOpen } from './book.ts';
import { type Interval, leastToProve, shareBetween } from './interval.ts';
import { type OnePromise, PROMISED, type Promised, type Promises } from './promises.ts';

export type Judged = Counts & {
  readonly promise: OnePromise;
  /** Nothing was counted: unknown, which is not kept. */
  readonly state: 'kept' | 'broken' | 'unknown';
  /** Share of good events; undefined without any. */
  readonly share: Ratio | undefined;
  readonly interval: Interval;
  /** Lies the whole interval on the side of `state`? */
  readonly proven: boolean;
  /** Good events without a bad one that would prove it kept. */
  readonly toProve: number;
  /** 1: as many fail as may; 50 at 98 %: all of them. */
  readonly burnRate: number;
  /** Share of the whole period's budget, if the service has as much traffic at all times. */
  readonly budgetSpent: number;
};

/** A share that is the target to the last event is kept. */
const EPSILON = 1e-9;

export function judge(promise: OnePromise, { good, bad }: Counts, length: Milliseconds): Judged {
  const { target, budget, period } = promise;
  const all = good + bad;
  const interval = shareBetween(good, all);
  const state = all === 0 ? 'unknown' : bad <= budget * all + EPSILON ? 'kept' : 'broken';
  const burnRate = all === 0 ? 0 : bad / all / budget;
  return {
    promise,
    good,
    bad,
    state,
    share: all === 0 ? undefined : ratio(good / all),
    interval,
    proven: state === 'kept' ? interval.low >= target : state === 'broken' && interval.high < target,
    toProve: leastToProve(target),
    burnRate,
    budgetSpent: (burnRate * toSeconds(length)) / period,
  };
}

export type Tried = Readonly<Record<Promised, Counts>>;

export function judgeAll(promises: Promises, counted: Tried, length: Milliseconds): Judged[] {
  return PROMISED.map((name) => judge(promises[name], counted[name], length));
}

/** Of documents, as the two objectives count them. One that did not end, or is gone, was surely not processed. */
export function countDocuments(entries: Iterable<Entry>, onTime: Milliseconds) {
  const processed = { good: 0, bad: 0 };
  const inTime = { good: 0, bad: 0 };
  for (const entry of entries) {
    const { outcome, ms = Number.POSITIVE_INFINITY } = entry;
    if (outcome === 'completed') {
      processed.good++;
      inTime[ms <= onTime ? 'good' : 'bad']++;
    } else if (outcome === 'failed' || outcome === 'missing' || isOpen(entry)) processed.bad++;
  }
  return { 'documents-processed': processed, 'documents-on-time': inTime } as const;
}
