/**
 * Plays what happened through the same ledger, detector and judge that run live, tick by tick, and says what they would
 * have said: every change of verdict, and every page with what it cost. With another target or other settings: what if.
 */
import { type Seconds, seconds } from '#kernel/units.ts';
import { burnRate } from './burn-rate.ts';
import { advance, judge, makeJudged, newStanding } from './judge.ts';
import { add, type Ledger, newLedger, observe, windowCounts } from './ledger/ledger.ts';
import type { Objective } from './objective.ts';
import { isHole, type Row } from './replay.ts';
import { isChange, type RuleName, type Severity, type Verdict } from './verdict.ts';

export type Replay = { readonly rows: readonly Row[]; readonly pace: Seconds | undefined };

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
  readonly budgetSpent: number;
  readonly pages: readonly Page[];
};

const NOTHING_YET: Verdict = { kind: 'ok' };

/** @param changed is called for each change of verdict, in order. */
export function backtest(
  objective: Objective,
  { rows, pace }: Replay,
  tick: Seconds,
  changed: (change: Change) => void,
): Summary {
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined) throw new RangeError('Cannot replay no rows');
  const judged = makeJudged(objective);
  const standing = newStanding(judged);
  const begin = seconds(Math.floor(first.at / tick) * tick);
  const ledger = newLedger(begin, judged.period);
  const feed = makeFeed(ledger, rows, pace, begin);
  const pages = makePages(ledger);
  let verdict = NOTHING_YET;
  let ticks = 0;
  const end = seconds(Math.ceil(last.at / tick) * tick);
  for (let now = begin; now <= end; now = seconds(now + tick)) {
    ticks++;
    const fed = feed(now);
    // Rows that come more seldom than ticks say nothing new in between.
    if (fed.kind === 'waiting') continue;
    advance(judged, standing, ledger, now);
    const after = judge(judged, standing, ledger, now, fed.kind === 'blind' ? fed.because : undefined);
    if (isChange(verdict, after)) {
      changed(describeChange(now, verdict, after));
      pages.turn(now, verdict, after);
      verdict = after;
    }
  }
  const { good, bad } = ledger.counted;
  const whole = windowCounts(ledger, end, judged.period);
  const allowed = (good + bad) * objective.budget * (judged.period / Math.max(1, end - begin));
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
    budgetSpent: burnRate(whole, objective.budget) * Math.min(1, (end - begin) / judged.period),
    pages: pages.all(allowed),
  };
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

type Fed =
  | { readonly kind: 'fed' }
  /** The next row is not due yet. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'blind'; readonly because: string };

/** Enters the rows up to a moment, and says what is known of that moment. */
function makeFeed(
  ledger: Ledger,
  rows: readonly Row[],
  pace: Seconds | undefined,
  begin: Seconds,
): (now: Seconds) => Fed {
  let next = 0;
  let seen = begin;
  return (now) => {
    const from = next;
    for (let row = rows[next]; row !== undefined && row.at <= now; row = rows[++next]) {
      const hole = isHole(row.at - seen, pace);
      if (!hole) observe(ledger, seen, row.at);
      add(ledger, row.at, row.good, row.bad);
      seen = row.at;
    }
    if (pace === undefined) {
      // Uneven rows are events: there was none since.
      if (now > seen && next < rows.length) observe(ledger, seen, now);
      seen = now;
      return { kind: 'fed' };
    }
    if (next > from) return { kind: 'fed' };
    if (!isHole(now - seen, pace)) return { kind: 'waiting' };
    return { kind: 'blind', because: `no data since ${seen}` };
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
