/**
 * Counters as they were read from a PromQL server, a visit for each target and step, brought into a book as live scrapes
 * are: so resets, series that begin late and gaps are counted by the same rules.
 */
import { type Seconds, seconds } from '#kernel/units.ts';
import { GONE } from './engine-history.ts';
import type { Fed, Feed, FeedOptions } from './feed.ts';
import { dismiss } from './ledger/account.ts';
import { accountOf, enterValues, newBook } from './ledger/book.ts';
import { isGap } from './ledger/budget.ts';
import type { Value } from './ledger/counting.ts';
import { correct } from './ledger/ledger.ts';
import { planOf } from './ledger/plan.ts';
import type { Objective } from './objective.ts';
import { moment } from './verdict.ts';

/** What one target showed at one step. */
export type CounterVisit = { readonly at: Seconds; readonly target: string; readonly values: readonly Value[] };

export type CounterReplay = {
  /** In the order of their times. */
  readonly visits: readonly CounterVisit[];
  readonly step: Seconds;
  readonly begin: Seconds;
  readonly end: Seconds;
};

export type CounterFeed =
  | { readonly kind: 'feed'; readonly feed: Feed }
  | { readonly kind: 'fault'; readonly reason: string };

export function feedOfCounters(
  objective: Objective,
  { visits, step, begin, end }: CounterReplay,
  { start, kept, corrections }: FeedOptions,
): CounterFeed {
  const { plan, unplanned } = planOf([objective]);
  const [refused] = unplanned;
  if (refused !== undefined) return { kind: 'fault', reason: refused.reason };
  if (plan.objectives[0]?.id !== objective.id) return { kind: 'fault', reason: 'is a composite: ask for its parts' };
  // The ledger begins with the period; what is known of the counters, with the first visit.
  const book = { ...newBook(plan, start, kept), knownUntil: begin };
  const account = accountOf(book, objective, start);
  for (const one of corrections) correct(account.ledger, one);
  const lastSeen = new Map<string, Seconds>();
  let next = 0;
  let newest: Seconds = begin;
  const upTo = (now: Seconds): Fed => {
    const before = next;
    for (let visit = visits[next]; visit !== undefined && visit.at <= now; visit = visits[++next]) {
      const { at, target, values } = visit;
      enterValues(book, { target, at, interval: step }, values, new Set(values.map(({ name }) => name)));
      if (!account.served.has(target)) continue;
      lastSeen.set(target, at);
      newest = at;
    }
    for (const [target, at] of lastSeen) {
      if (newest - at <= GONE) continue;
      dismiss(account, target);
      lastSeen.delete(target);
    }
    if (!isGap(seconds(now - newest), step)) return { kind: next > before ? 'fed' : 'waiting' };
    return { kind: 'blind', because: `no data since ${moment(newest)}` };
  };
  return { kind: 'feed', feed: { ledger: account.ledger, begin, end, upTo } };
}
