/**
 * What an objective came to in a week, a month, a quarter or its own window: attained, spent, what ate it, what was taken
 * out and by whom, and when the budget ends.
 *
 * Everything is replayed as it came, so the episodes are those that were, or would have been, paged and ticketed. An episode
 * begins where its rule says that it began (evidence: its run of failures; a pair: its long window) and not when somebody
 * was told, since the failures before that ate the budget too. Episodes lie apart and end with their period, so that they
 * and the background sum to all that was spent.
 *
 * Counts are exact to the event: they are taken at the very moment a period begins and ends. How much of a period is known
 * goes by the ledger's buckets (docs/ledger.md).
 */
import { hours, type Ratio, type Seconds, seconds, toMilliseconds, toSeconds } from '#kernel/units.ts';
import { play, type Turn } from './backtest.ts';
import { currentPeriod, nominalPeriod } from './calendar.ts';
import type { Feed, FeedOptions } from './feed.ts';
import { type Forecast, forecast, learnProfile } from './forecast.ts';
import { type Judged, makeJudged } from './judge.ts';
import { longestPeriod } from './ledger/account.ts';
import { SPANS_PER_LEDGER_MAX } from './ledger/book.ts';
import { type Budget, budgetOf } from './ledger/budget.ts';
import { type Correction, concerns, type Span } from './ledger/corrections.ts';
import { countsBetween, type Ledger, unknownSeconds, type View } from './ledger/ledger.ts';
import { bucketOf, KEPT_MAX } from './ledger/ring.ts';
import type { CalendarUnit, Counts, Objective, Window } from './objective.ts';
import { type RuleName, type Severity, severityRank } from './verdict.ts';

export type Episode = {
  readonly start: Seconds;
  readonly end: Seconds;
  /** It went on when its period, or what is known of it, ended. */
  readonly goesOn: boolean;
  readonly rule: RuleName;
  readonly severity: Severity;
  readonly bad: number;
  /** Of the period's budget at its traffic; above 1 it alone spent more than all. */
  readonly share: number;
};

export type Attained = Counts & {
  /** Null without any event. */
  readonly sli: number | null;
  /** What is left. */
  readonly budget: Budget;
};

export type CorrectionNote = Pick<Correction, 'id' | 'author' | 'reason' | 'enteredAt' | 'how'> & {
  /** Those that touch the period. */
  readonly spans: readonly Span[];
};

export type PeriodReport = Attained & {
  readonly from: Seconds;
  readonly to: Seconds;
  /** Until when there is anything to know: the period's end, or earlier while it runs. */
  readonly until: Seconds;
  readonly spent: number;
  readonly episodes: readonly Episode[];
  readonly background: { readonly bad: number; readonly share: number };
  readonly corrections: readonly CorrectionNote[];
  /** As it was counted; null where nothing was corrected. */
  readonly uncorrected: Attained | null;
  /** When the budget ends, at what failed in the last hours; null of a period that is over. */
  readonly ends: Forecast | null;
};

export type Report = {
  readonly objective: string;
  readonly name: string;
  readonly service: string;
  readonly target: Ratio;
  readonly budget: Ratio;
  readonly window: Window;
  readonly periods: readonly PeriodReport[];
};

/** Ten years of weeks. */
export const PERIODS_MAX = 522;
/** A Monday, the first of a month, a quarter and a year. */
const ANCHOR = '2024-01-01 00:00:00';
/** What the forecast takes the present share of failures from. */
const RECENT = hours(6);
const PROFILE = hours(4 * 7 * 24 + 1);

/** The objective's own window; or a calendar's unit, in the objective's time zone or UTC. */
export function reportWindow({ window }: Pick<Objective, 'window'>, unit: CalendarUnit | undefined): Window {
  if (unit === undefined) return window;
  const timeZone = window.kind === 'calendar' ? window.timeZone : 'UTC';
  return { kind: 'calendar', count: 1, unit, start: ANCHOR, timeZone };
}

/** Every period that has a moment after `begin` and up to `end`, in order; of a rolling window the last. Undefined: too many. */
export function periodsOf(window: Window, begin: Seconds, end: Seconds): readonly Span[] | undefined {
  if (window.kind === 'rolling') return [{ from: fromZero(end - window.period), to: end }];
  const periods: Span[] = [];
  for (let at = toMilliseconds(begin); at < toMilliseconds(end) || periods.length === 0; ) {
    if (periods.length === PERIODS_MAX) return undefined;
    const { start, end: next } = currentPeriod(window, at);
    periods.push({ from: fromZero(start / 1_000), to: toSeconds(next) });
    at = next;
  }
  return periods;
}

/** A replay's seconds may count from 0, and before that there is no time. */
const fromZero = (at: number): Seconds => seconds(Math.max(0, at));
export type Prepared = {
  readonly kind: 'prepared';
  readonly window: Window;
  readonly periods: readonly Span[];
  /** For the feed: its ledger reaches back far enough, and takes out what corrections name. */
  readonly feed: FeedOptions;
};

/** @param begin when there begins to be anything to know, until `end`. */
export function prepareReport(
  objective: Objective,
  begin: Seconds,
  end: Seconds,
  { unit, corrections }: { readonly unit: CalendarUnit | undefined; readonly corrections: readonly Correction[] },
): Prepared | { readonly kind: 'fault'; readonly reason: string } {
  const window = reportWindow(objective, unit);
  const kept = Math.max(nominalPeriod(objective.window), longestPeriod(window), PROFILE);
  if (kept > KEPT_MAX) return { kind: 'fault', reason: `a period of ${kept} s; the most is ${KEPT_MAX}` };
  const periods = periodsOf(window, begin, end);
  if (periods === undefined) return { kind: 'fault', reason: `more than ${PERIODS_MAX} periods: choose longer ones` };
  const spans = corrections
    .filter((one) => concerns(one, objective))
    .flatMap(({ id, how, spans }) => touching(spans, begin, end).map((span) => ({ id, how, ...span })));
  if (spans.length > SPANS_PER_LEDGER_MAX) {
    return { kind: 'fault', reason: `${spans.length} spans of corrections; the most is ${SPANS_PER_LEDGER_MAX}` };
  }
  const start = seconds(Math.min(begin, periods[0]?.from ?? begin));
  return { kind: 'prepared', window, periods, feed: { start, kept: seconds(kept), corrections: spans } };
}

const touching = (spans: readonly Span[], from: Seconds, to: Seconds): Span[] =>
  spans.filter((span) => span.to > from && span.from < to);

/** @param corrections those that were given to the feed. */
export function makeReport(
  objective: Objective,
  feed: Feed,
  { window, periods }: Pick<Prepared, 'window' | 'periods'>,
  { tick, corrections }: { readonly tick: Seconds; readonly corrections: readonly Correction[] },
): Report {
  const judged = makeJudged(objective);
  const { ledger, begin, end } = feed;
  const concerned = corrections.filter((one) => concerns(one, objective));
  const untilOf = ({ to }: Span) => seconds(Math.min(to, end));
  const episodes = makeEpisodes(ledger, begin);
  const marks = new Map<Seconds, Mark>();
  const reports: PeriodReport[] = [];
  const stops = [...new Set([...periods.flatMap((one) => [one.from, untilOf(one)])])].sort((a, b) => a - b);
  const seen = stops.filter((stop) => stop >= begin && stop <= end);
  play(
    judged,
    feed,
    { tick, stops: seen },
    {
      turned: episodes.turn,
      stopped: (stop) => {
        marks.set(stop, markOf(ledger));
        episodes.split(stop);
        for (const period of periods.filter((one) => untilOf(one) === stop)) {
          const since = marks.get(period.from) ?? NOTHING;
          const found = episodes.between(period.from, stop);
          reports.push(periodReport({ judged, ledger, window, period, until: stop, since, found, concerned }));
        }
      },
    },
  );
  const { id, name, service, target, budget } = objective;
  return { objective: id, name, service, target, budget, window, periods: reports };
}

/** Sums at a moment, in both views. */
type Mark = { readonly [view in View]: Counts };
const NOTHING: Mark = { counted: { good: 0, bad: 0 }, corrected: { good: 0, bad: 0 } };

function markOf({ counted, corrected = counted }: Ledger): Mark {
  return {
    counted: { good: counted.good, bad: counted.bad },
    corrected: { good: corrected.good, bad: corrected.bad },
  };
}

type PeriodInput = {
  readonly judged: Judged;
  readonly ledger: Ledger;
  readonly window: Window;
  readonly period: Span;
  readonly until: Seconds;
  readonly since: Mark;
  readonly found: readonly Omit<Episode, 'share'>[];
  readonly concerned: readonly Correction[];
};

function periodReport({ judged, ledger, window, period, until, since, found, concerned }: PeriodInput): PeriodReport {
  const { budget } = judged.objective;
  const { from, to } = period;
  const now = markOf(ledger);
  const attained = (view: View): Attained => {
    const [good, bad] = [now[view].good - since[view].good, now[view].bad - since[view].bad];
    const sli = good + bad === 0 ? null : good / (good + bad);
    const unknown = unknownSeconds(ledger, from, until, view);
    return { good, bad, sli, budget: budgetOf(budget, { good, bad }, seconds(until - from), unknown) };
  };
  const corrected = attained('corrected');
  const allowed = budget * (corrected.good + corrected.bad);
  const shareOf = (bad: number) => (bad === 0 ? 0 : bad / allowed);
  const episodes = found.map((one) => ({ ...one, share: shareOf(one.bad) }));
  const rest = corrected.bad - episodes.reduce((sum, { bad }) => sum + bad, 0);
  const corrections = concerned.flatMap(({ spans, id, author, reason, enteredAt, how }) => {
    const touched = touching(spans, from, until);
    return touched.length === 0 ? [] : [{ id, author, reason, enteredAt, how, spans: touched }];
  });
  const runs = window.kind === 'rolling' || until < to;
  return {
    from,
    to,
    until,
    ...corrected,
    spent: 1 - corrected.budget.value,
    episodes,
    background: { bad: rest, share: shareOf(rest) },
    corrections,
    uncorrected: corrections.length === 0 ? null : attained('counted'),
    ends: runs ? forecastOf(ledger, budget, window, period, until) : null,
  };
}

function forecastOf(ledger: Ledger, budget: Ratio, window: Window, { from, to }: Span, now: Seconds): Forecast {
  return forecast({
    ledger,
    now,
    budget,
    window: window.kind === 'rolling' ? window : { kind: 'calendar', from, to },
    profile: learnProfile(ledger, now),
    recent: countsBetween(ledger, seconds(now - RECENT), now),
  });
}

type Open = { start: Seconds; before: number; rule: RuleName; severity: Severity };

/** Stretches in which a human was, or would have been, told. `before`: bad events before a moment, since the beginning. */
function makeEpisodes(ledger: Ledger, begin: Seconds) {
  const closed: Omit<Episode, 'share'>[] = [];
  let open: Open | undefined;
  /** Nothing begins before it: the end of the last episode, or of the last period. */
  let floor = { at: begin, before: 0 };
  const all = () => (ledger.corrected ?? ledger.counted).bad;

  const close = (end: Seconds, goesOn: boolean) => {
    if (open) {
      const { start, before, rule, severity } = open;
      closed.push({ start, end, goesOn, rule, severity, bad: all() - before });
    }
    floor = { at: end, before: all() };
  };
  const begins = (now: Seconds, since: Seconds): Pick<Open, 'start' | 'before'> => {
    const start = bucketOf(ledger.corrected ?? ledger.counted, since).from;
    if (start <= floor.at) return { start: floor.at, before: floor.before };
    return { start, before: all() - countsBetween(ledger, start, now).bad };
  };
  return {
    turn: ({ now, after, since }: Turn) => {
      const burns = after.kind === 'burning' && after.severity !== 'info';
      if (!burns) {
        if (open) close(now, false);
        open = undefined;
        return;
      }
      const { rule, severity } = after;
      if (open === undefined) open = { ...begins(now, since), rule, severity };
      else if (severityRank(severity) > severityRank(open.severity)) open = { ...open, rule, severity };
    },
    split: (stop: Seconds) => {
      close(stop, true);
      if (open) open = { ...open, start: stop, before: floor.before };
    },
    between: (from: Seconds, to: Seconds) =>
      closed.filter(({ start, end, bad }) => start >= from && end <= to && bad > 0),
  };
}
