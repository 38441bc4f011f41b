/**
 * Is an objective seen? It is while each target that serves it shows it, scrape after scrape: one missed scrape is nothing,
 * two are blindness. A target that answers and does not show it any more (a metric that was renamed) is no better than one
 * that is gone. Of an objective that no target has shown yet, nothing is said for a minute: things start one after the other.
 */
import { minutes, type Seconds, seconds } from '#kernel/units.ts';
import type { Account } from './ledger/account.ts';
import type { Book } from './ledger/book.ts';
import { isBlind } from './ledger/budget.ts';
import { moment } from './verdict.ts';

export type Blindness = {
  /** The target that has been missing for longest; undefined: none has shown it yet. */
  readonly target: string | undefined;
  /** Last seen then; or waited for since. */
  readonly since: Seconds;
  readonly because: string;
};

export type Sight =
  | { readonly kind: 'seen' }
  /** Never yet, and not for long. */
  | { readonly kind: 'awaited'; readonly because: string }
  | ({ readonly kind: 'blind' } & Blindness);

/** The router itself was away: nothing that happened meanwhile says anything of its targets. */
export type Away = { readonly from: Seconds; readonly to: Seconds };

export const GRACE = minutes(1);
/** Of targets in a message. */
const NAMED = 3;
const SEEN: Sight = { kind: 'seen' };

type Looking = {
  readonly book: Book;
  /** The list of targets, and how often each is asked. */
  readonly targets: ReadonlyMap<string, Seconds>;
  readonly away: Away | undefined;
};

/**
 * @param metric what must be shown.
 * @param awaitedSince since when there has been no target that shows it, if there is none.
 */
export function sightOf(
  { book, targets, away }: Looking,
  account: Account | undefined,
  metric: string,
  awaitedSince: Seconds,
  now: Seconds,
): Sight {
  if (account === undefined || account.served.size === 0) {
    const because = `no target has shown ${metric} since ${moment(awaitedSince)}${asked(book, targets)}`;
    return now - awaitedSince < GRACE
      ? { kind: 'awaited', because }
      : { kind: 'blind', target: undefined, since: awaitedSince, because };
  }
  let worst: string | undefined;
  let since = now;
  let missing = 0;
  for (const [target, { at }] of account.served) {
    const interval = targets.get(target);
    if (interval === undefined || !isBlind(seconds(at + absence(away, at)), interval, now)) continue;
    missing++;
    if (at < since) [worst, since] = [target, at];
  }
  if (worst === undefined) return SEEN;
  const answers = (book.targets.get(worst)?.at ?? 0) > since;
  const others = missing > 1 ? `, and ${missing - 1} more of ${account.served.size} targets` : '';
  const what = answers ? `${worst} answers, but has not shown ${metric}` : `${worst} has not answered`;
  return { kind: 'blind', target: worst, since, because: `${what} since ${moment(since)}${others}` };
}

/** How long the router was away after `at`. */
const absence = (away: Away | undefined, at: Seconds): number =>
  away === undefined ? 0 : Math.max(0, away.to - Math.max(at, away.from));

function asked(book: Book, targets: ReadonlyMap<string, Seconds>): string {
  if (targets.size === 0) return ': there is no target';
  const names = [...targets.keys()].slice(0, NAMED).map((name) => {
    return `${name} ${book.targets.get(name)?.at === undefined ? 'never answered' : 'answers without it'}`;
  });
  return `: ${names.join(', ')}${targets.size > NAMED ? `, and ${targets.size - NAMED} more` : ''}`;
}
