/**
 * Plays what happened through the same ledger, detector and judge that run live, tick by tick, and says what they would
 * have said: every change of verdict, and every page with what it cost. With another target or other settings: what if.
 */
import { milliseconds, type Seconds, seconds, toMilliseconds } from '#kernel/units.ts';
import { burnRate } from './burn-rate.ts';
import { currentPeriod } from './calendar.ts';
import { type Feed, feedOfRows, type Replay } from './feed.ts';
import { advance, burningSince, type Judged, judge, newStanding } from './judge.ts';
import { longestPeriod } from './ledger/account.ts';
import { budgetBetween } from './ledger/budget.ts';
import { type Ledger, windowCounts } from './ledger/ledger.ts';
import { duration, isChange, moment, type RuleName, type Severity, type Verdict } from './verdict.ts';

export type Change = {
  readonly at: Seconds;
  readonly from: Verdict['kind'];
  readonly to: Verdict['kind'];
  readonly severity: Severity | null;
  readonly rule: RuleName | null;
  readonly because: string;
};

export type Page = {
  readonly start: Seconds;
  /** Null while it goes on. */
  readonly end: Seconds | null;
  readonly rule: RuleName;
  /** Bad events meanwhile, and their share of the period's budget at the traffic of the whole replay. */
  readonly bad: number;
  readonly budgetSpent: number;
};

export type Summary = {
  readonly objective: string;
  readonly target: number;
  readonly from: Seconds;
  readonly to: Seconds;
  readonly tick: Seconds;
  readonly ticks: number;
  readonly good: number;
  readonly bad: number;
  /** Share of good events; null without any. */
  readonly sli: number | null;
  /** Of a rolling period, what the replay spent of it; of a calendar's, of the one that the replay ends in, up to there. */
  readonly budgetSpent: number;
  /** What that is a share of, in words. */
  readonly budgetSpentOf: string;
  readonly pages: readonly Page[];
};

const NOTHING_YET: Verdict = { kind: 'ok' };
/** Ten years of a tick each five seconds: some ten minutes of work. */
export const TICKS_MAX = 63_115_200;

/** Why so much cannot be played; undefined: it can. */
export function tooLong(from: Seconds, to: Seconds, tick: Seconds): string | undefined {
  const ticks = Math.ceil((to - from) / tick);
  return ticks <= TICKS_MAX
    ? undefined
    : `${ticks} ticks of ${tick} s from ${from} to ${to}; the most is ${TICKS_MAX}: choose a longer tick`;
}

/** @param changed is called for each change of verdict, in order. */
export function backtest(judged: Judged, replay: Replay, tick: Seconds, changed: (change: Change) => void): Summary {
  const first = replay.rows[0];
  if (first === undefined) throw new RangeError('Cannot replay no rows');
  const begin = seconds(Math.floor(first.at / tick) * tick);
  const feed = feedOfRows(replay, begin, {
    start: begin,
    kept: longestPeriod(judged.objective.window),
    corrections: [],
  });
  return backtestFeed(judged, feed, tick, changed);
}

export function backtestFeed(judged: Judged, feed: Feed, tick: Seconds, changed: (change: Change) => void): Summary {
  const { objective, period } = judged;
  const { ledger, begin } = feed;
  const pages = makePages(ledger);
  const end = seconds(Math.ceil(feed.end / tick) * tick);
  const ticks = play(
    judged,
    { ...feed, end },
    { tick, stops: [] },
    {
      turned: ({ now, before, after }) => {
        changed(describeChange(now, before, after));
        pages.turn(now, before, after);
      },
      stopped: () => undefined,
    },
  );
  const { good, bad } = ledger.counted;
  const allowed = (good + bad) * objective.budget * (period / Math.max(1, end - begin));
  return {
    objective: objective.id,
    target: objective.target,
    from: begin,
    to: end,
    tick,
    ticks,
    good,
    bad,
    sli: good + bad === 0 ? null : good / (good + bad),
    ...budgetSpent(judged, feed, end),
    pages: pages.all(allowed),
  };
}

/** A rolling period is seldom all in the replay: what the replay spent of a whole one, had that the replay's traffic. */
function budgetSpent(
  { objective, period }: Judged,
  { ledger, begin, end: last }: Feed,
  end: Seconds,
): Pick<Summary, 'budgetSpent' | 'budgetSpentOf'> {
  const { window, budget } = objective;
  if (window.kind === 'rolling') {
    const share = Math.min(1, (end - begin) / period);
    return {
      budgetSpent: burnRate(windowCounts(ledger, end, period), budget) * share,
      budgetSpentOf: `${duration(period)} at the traffic of the ${share < 1 ? `${duration(seconds(end - begin))} played` : 'last of them'}`,
    };
  }
  // A period has the events up to its end: a replay that ends with a month is of that month, not of the next.
  const { start } = currentPeriod(window, milliseconds(toMilliseconds(last) - 1));
  const from = seconds(start / 1_000);
  return {
    budgetSpent: 1 - budgetBetween(ledger, budget, from, end).value,
    budgetSpentOf: `the calendar period since ${moment(from)}, as far as it was played`,
  };
}

export type Turn = {
  readonly now: Seconds;
  readonly before: Verdict;
  readonly after: Verdict;
  /** Of a verdict that burns: since when, as far as its rule can tell. */
  readonly since: Seconds;
};

export type See = {
  turned(turn: Turn): void;
  /** Everything up to this stop, and nothing later, is in the ledger. */
  stopped(stop: Seconds): void;
};

/**
 * Judges at every tick and at every stop, as it would have been judged live.
 * @param stops in order.
 * @returns how many ticks and stops there were.
 */
export function play(
  judged: Judged,
  { ledger, begin, end, upTo }: Feed,
  { tick, stops }: { readonly tick: Seconds; readonly stops: readonly Seconds[] },
  see: See,
): number {
  const standing = newStanding(judged);
  let verdict = NOTHING_YET;
  let ticks = 0;
  let stop = 0;
  for (let due = begin, now = begin; now <= end; now = seconds(Math.min(due, stops[stop] ?? due))) {
    ticks++;
    const fed = upTo(now);
    // Rows that come more seldom than ticks say nothing new in between.
    if (fed.kind !== 'waiting') {
      advance(judged, standing, ledger, now);
      const after = judge(judged, standing, ledger, now, fed.kind === 'blind' ? fed.because : undefined);
      if (isChange(verdict, after)) {
        see.turned({ now, before: verdict, after, since: burningSince(judged, standing, now, after) });
        verdict = after;
      }
    }
    for (let at = stops[stop]; at !== undefined && at <= now; at = stops[++stop]) see.stopped(at);
    if (now >= due) due = seconds(due + tick);
  }
  return ticks;
}

function describeChange(at: Seconds, before: Verdict, after: Verdict): Change {
  const burning = after.kind === 'burning' ? after : undefined;
  return {
    at,
    from: before.kind,
    to: after.kind,
    severity: burning?.severity ?? null,
    rule: burning?.rule ?? null,
    because: after.kind === 'ok' ? 'nothing burns any more' : after.because,
  };
}

function makePages(ledger: Ledger) {
  type Open = { readonly start: Seconds; readonly rule: RuleName; readonly bad: number };
  const pages: { start: Seconds; end: Seconds | null; rule: RuleName; bad: number }[] = [];
  let open: Open | undefined;
  const close = (end: Seconds | null) => {
    if (open) pages.push({ start: open.start, end, rule: open.rule, bad: ledger.counted.bad - open.bad });
    open = undefined;
  };
  return {
    turn: (now: Seconds, before: Verdict, after: Verdict) => {
      if (before.kind === 'burning' && before.severity === 'critical') close(now);
      if (after.kind === 'burning' && after.severity === 'critical') {
        open = { start: now, rule: after.rule, bad: ledger.counted.bad };
      }
    },
    all: (allowed: number): Page[] => {
      close(null);
      return pages.map((page) => ({ ...page, budgetSpent: allowed === 0 ? 0 : page.bad / allowed }));
    },
  };
}
