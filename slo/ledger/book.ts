/**
 * The book: all accounts, and what is known of the targets that feed them. One scrape goes in, and every objective that
 * its series belong to is brought up to date.
 *
 * The same door takes the answers of a PromQL server, live or as rows of a range query for the time the router was away:
 * rows are entered in the order of their times and before live scrapes of the same target, and each is a scrape of its
 * time. What a target's counters already told is not told again: its last values are part of the book.
 */
import { type Seconds, seconds } from '#kernel/units.ts';
import type { Exposition } from '#slo/exposition/read-samples.ts';
import type { Indicator, Objective, ThresholdOp } from '#slo/objective.ts';
import { type Account, balance, dismiss, enter, longestPeriod, newAccount } from './account.ts';
import { type Correction, concerns } from './corrections.ts';
import { type Counter, count, newTarget, REMEMBERED, type Step, type Target, type Value } from './counting.ts';
import { correct, widenLedger } from './ledger.ts';
import type { Plan } from './plan.ts';

export type Book = {
  plan: Plan;
  readonly accounts: Map<string, Account>;
  readonly targets: Map<string, Target>;
  /**
   * Everything before is in the book, or is not wanted: when it was begun, or restored from a checkpoint of that time, or
   * when it last heard of a target that it has forgotten since.
   */
  knownUntil: Seconds;
  /** How far back windows reach, for objectives that name no longer period. */
  readonly kept: Seconds;
};

export type Visit = {
  readonly target: string;
  readonly at: Seconds;
  /** How often this target is asked. */
  readonly interval: Seconds;
  readonly summed?: boolean;
  /** See `Scrape`. */
  readonly asked?: ReadonlySet<string>;
};

export type Entered =
  | ({ readonly kind: 'entered' } & Omit<Step, 'since' | 'fresh'>)
  /** Older than what the target told already: nothing new in it. */
  | { readonly kind: 'stale' }
  | { readonly kind: 'missing'; readonly reason: string };

export function newBook(plan: Plan, now: Seconds, kept: Seconds): Book {
  const book: Book = { plan, accounts: new Map(), targets: new Map(), knownUntil: now, kept };
  replan(book, plan, now);
  return book;
}

/** Other objectives from now on. Accounts stay by their ids, and so does their history; of a longer period, from here on. */
export function replan(book: Book, plan: Plan, now: Seconds): void {
  book.plan = plan;
  for (const objective of plan.objectives) {
    const account = accountOf(book, objective, now);
    const kept = seconds(Math.max(book.kept, longestPeriod(objective.window)));
    const ledger = widenLedger(account.ledger, kept);
    if (ledger !== account.ledger) book.accounts.set(objective.id, { ...account, ledger });
  }
}

export function accountOf(book: Book, objective: Objective, now: Seconds): Account {
  const known = book.accounts.get(objective.id);
  if (known !== undefined) return known;
  const account = newAccount(objective, now, book.kept);
  book.accounts.set(objective.id, account);
  return account;
}

/** Enters a scrape. One that could not be read is missing: it changes nothing but what time will say. */
export function enterScrape(book: Book, visit: Visit, exposition: Exposition): Entered {
  if (exposition.kind === 'fault') {
    return { kind: 'missing', reason: `line ${exposition.line}: ${exposition.reason}` };
  }
  return enterValues(book, visit, exposition.samples, exposition.declared);
}

export function enterValues(
  book: Book,
  visit: Visit,
  values: readonly Value[],
  declared: ReadonlySet<string>,
): Entered {
  const target = book.targets.get(visit.target) ?? newTarget(visit.target);
  if (target.at !== undefined && visit.at <= target.at) return { kind: 'stale' };
  book.targets.set(visit.target, target);
  const { plan } = book;
  const sums = plan.objectives.map((): Sums => ({ good: 0, bad: 0, total: 0, seen: false }));
  const sampled = new Set<string>();
  const grew = (counter: Counter, growth: number) => {
    sampled.add(counter.series.name);
    for (const { objective, role } of counter.uses) {
      const sum = sums[objective];
      if (sum !== undefined) note(sum, plan.objectives[objective]?.indicator, role, counter.value, growth);
    }
  };
  const scrape = { ...visit, values, plan, knownUntil: book.knownUntil };
  const { since, fresh, ...step } = count(target, scrape, grew);
  for (const [i, objective] of plan.objectives.entries()) {
    const sum = sums[i];
    const leading = plan.leading[i] ?? '';
    if (sum === undefined || !serves(book, objective, visit.target, sum, declared.has(leading), sampled.has(leading))) {
      continue;
    }
    settle(book, objective, visit, { since, fresh, whole: step.whole }, sum);
  }
  return { kind: 'entered', ...step };
}

type Sums = { good: number; bad: number; total: number; seen: boolean };

/**
 * Was the objective watched by this scrape? Yes when what it needs was there. A counter that has not counted yet may be
 * named and have no series: idle, if the target names it and shows nothing else under that name, or has shown it before.
 * What a target does not even name is no data: a metric that was renamed, or a name that was misspelt, is not health.
 */
function serves(book: Book, { id, indicator }: Objective, target: string, sum: Sums, named: boolean, other: boolean) {
  if (sum.seen) return true;
  if (indicator.kind !== 'ratio' || !named) return false;
  return !other || book.accounts.get(id)?.served.has(target) === true;
}

function note(sum: Sums, indicator: Indicator | undefined, role: string, value: number, growth: number): void {
  if (role === 'total') {
    sum.total += growth;
    sum.seen = true;
  } else if (role === 'good') sum.good += growth;
  else if (role === 'bad') sum.bad += growth;
  else if (indicator?.kind === 'threshold') {
    // Of several series each must hold: one that does not makes the event bad.
    if (!holds(value, indicator.op, indicator.limit)) sum.bad = 1;
    sum.seen = true;
  } else if (indicator?.kind === 'raw' && value >= 0 && value <= 1) {
    sum.good += indicator.rawType === 'success' ? value : 1 - value;
    sum.total++;
    sum.seen = true;
  }
}

function holds(value: number, op: ThresholdOp, limit: number): boolean {
  switch (op) {
    case 'lt':
      return value < limit;
    case 'lte':
      return value <= limit;
    case 'gt':
      return value > limit;
    case 'gte':
      return value >= limit;
    default:
      return op satisfies never;
  }
}

function settle(
  book: Book,
  objective: Objective,
  visit: Visit,
  known: Pick<Step, 'since' | 'fresh' | 'whole'>,
  sum: Sums,
): void {
  const account = accountOf(book, objective, known.since ?? visit.at);
  const { indicator } = objective;
  const served = account.served.get(visit.target);
  let good: number;
  let bad: number;
  let ahead = 0;
  if (indicator.kind === 'ratio') {
    const byGood = indicator.good !== undefined;
    const balanced = balance(byGood ? sum.good : sum.bad, sum.total, served?.ahead ?? 0);
    [good, bad] = [balanced.part, sum.total - balanced.part];
    if (!byGood) [good, bad] = [bad, good];
    ahead = balanced.ahead;
  } else if (indicator.kind === 'raw') {
    good = sum.good / sum.total;
    bad = 1 - good;
  } else [good, bad] = [1 - sum.bad, sum.bad];
  enter(account, objective, { target: visit.target, at: visit.at, interval: visit.interval, ...known, good, bad });
  const after = account.served.get(visit.target);
  if (after !== undefined) after.ahead = ahead;
}

/** Spans of corrections that one ledger keeps: each is asked at each addition. Four years of weekly maintenance are 209. */
export const SPANS_PER_LEDGER_MAX = 2_000;

/** Applies a correction to all objectives it concerns. @returns their ids; or undefined when one has too many already. */
export function enterCorrection(book: Book, correction: Correction): readonly string[] | undefined {
  const concerned = book.plan.objectives.filter((objective) => concerns(correction, objective));
  const ledgers = concerned.flatMap(({ id }) => book.accounts.get(id)?.ledger ?? []);
  const { id, spans, how } = correction;
  if (ledgers.some(({ corrections }) => corrections.length + spans.length > SPANS_PER_LEDGER_MAX)) return undefined;
  for (const ledger of ledgers) for (const span of spans) correct(ledger, { id, ...span, how });
  return concerned.map((one) => one.id);
}

/**
 * A target that was taken off the list: it holds nothing back any more. Its last values are remembered for a day, so that
 * one that comes back (a list that was read wrong, a reload) is not counted from 0 again.
 */
export function dismissTarget(book: Book, target: string, now: Seconds): void {
  for (const account of book.accounts.values()) dismiss(account, target);
  for (const [id, { at }] of book.targets) {
    if (at === undefined || now - at <= REMEMBERED || isServing(book, id)) continue;
    book.targets.delete(id);
    if (at > book.knownUntil) book.knownUntil = at;
  }
}

function isServing(book: Book, target: string): boolean {
  for (const { served } of book.accounts.values()) if (served.has(target)) return true;
  return false;
}
