/**
 * What a PromQL server tells an engine: what targets show now, and what they showed while nobody looked. History goes into
 * the ledgers, and so into budgets and the pairs' windows; the detector never sees it, since it judges what happens as it
 * happens.
 */
import { hours, type Seconds } from '#kernel/units.ts';
import { type Engine, rebaseAll } from './engine.ts';
import { accountOf, dismissTarget, type Entered, enterValues, type Visit } from './ledger/book.ts';
import type { Value } from './ledger/counting.ts';

/**
 * A target that shows nothing for so long while others do was taken off the list: an old version's process after a
 * deployment. A shorter absence is a gap.
 */
export const GONE = hours(1);

/** What one target showed, as a server that scraped it says. */
export function enterRead({ book, targets }: Engine, visit: Visit, values: readonly Value[]): Entered {
  targets.set(visit.target, visit.interval);
  return enterValues(book, visit, values, new Set(values.map(({ name }) => name)));
}

/** Was nothing ever seen of any objective? */
export const isEmpty = ({ book }: Engine): boolean =>
  [...book.accounts.values()].every(({ served, ledger: { counted } }) => served.size === 0 && counted.observed === 0);

/** A history from its beginning, of an engine that is empty: each ledger begins with the first that is known of its objective. */
export function beginHistory({ book }: Engine, from: Seconds): void {
  book.knownUntil = from;
  book.accounts.clear();
  book.targets.clear();
}

/** After each moment of a history. @param newest the last time that each target showed anything; those gone are taken out. */
export function dismissGone({ book, targets }: Engine, newest: Map<string, Seconds>, at: Seconds): void {
  for (const [target, seen] of newest) {
    if (at - seen <= GONE) continue;
    targets.delete(target);
    dismissTarget(book, target, at);
    newest.delete(target);
  }
}

/** From here on it is live. What was never seen is awaited from now. */
export function endHistory(engine: Engine, now: Seconds): void {
  for (const objective of engine.book.plan.objectives) accountOf(engine.book, objective, now);
  rebaseAll(engine, now);
}
