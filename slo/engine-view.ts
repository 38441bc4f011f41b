/** What the engine knows of one objective, as the router's `GET /api/v1/slos` shows it. */
import { days, hours, minutes, type Ratio, type Seconds, seconds, toMilliseconds, toSeconds } from '#kernel/units.ts';
import { burnRate } from './burn-rate.ts';
import { currentPeriod } from './calendar.ts';
import { weighted, weightedBudget } from './composite.ts';
import type { Engine, Watched } from './engine.ts';
import { exhaustion, HOURS_A_WEEK, learnProfile, type Profile } from './forecast.ts';
import type { Read } from './judge.ts';
import { type Budget, budgetBetween } from './ledger/budget.ts';
import { countsBetween, type Ledger, type View as LedgerView } from './ledger/ledger.ts';
import type { Objective, Window } from './objective.ts';
import type { Verdict } from './verdict.ts';

/** Those of the workbook's pairs; the period's own stands beside them. */
export const WINDOWS = {
  '5m': minutes(5),
  '30m': minutes(30),
  '1h': hours(1),
  '2h': hours(2),
  '6h': hours(6),
  '1d': days(1),
  '3d': days(3),
} as const satisfies Record<string, Seconds>;
export type WindowName = keyof typeof WINDOWS | 'period';
/** What the present share of failures is taken from. */
const RECENT = hours(6);
const HOUR = hours(1);

export type View = {
  readonly id: string;
  readonly service: string;
  readonly displayName: string;
  /** The target: the share of events that must be good. */
  readonly objective: Ratio;
  readonly window: Window;
  /** In the present period, corrected. Of a composite the events of all parts. */
  readonly good: number;
  readonly total: number;
  /** Share of good events, of a composite the weighted mean; null without any. */
  readonly sli: number | null;
  readonly budgetRemaining: Omit<Budget, 'known'>;
  readonly burnRates: Readonly<Record<WindowName, number>>;
  readonly verdict: Verdict;
  readonly since: Seconds;
  /** Null: never, if it goes on like this. */
  readonly exhaustsAt: Seconds | null;
  /** As it was counted, where a correction took something out of the present period. */
  readonly uncorrected: Uncorrected | undefined;
};
export type Uncorrected = Pick<View, 'good' | 'total' | 'sli' | 'budgetRemaining'>;

/** Undefined: there is no such objective. */
export function viewOf(engine: Engine, id: string, now: Seconds): View | undefined {
  const watched = engine.watched.get(id);
  if (watched === undefined) return undefined;
  const { objective, since } = watched;
  const { window, budget } = objective;
  const parts = partsOf(engine, watched);
  const period = currentPeriod(window, toMilliseconds(now));
  const from = toSeconds(period.start);
  const read = readOf(parts);
  const rate = (begin: Seconds) => burnRate(read(begin, now), budget);
  const whole = read(from, now);
  const left = budgetOf(objective, parts, from, now);
  const isCorrected = parts.some(({ ledger }) => ledger.corrections.some((one) => one.from < now && one.to > from));
  const rates = Object.entries(WINDOWS).map(([name, length]) => [name, rate(seconds(now - length))] as const);
  return {
    id,
    service: objective.service,
    displayName: objective.displayName,
    objective: objective.target,
    window,
    ...attained(objective, parts, { from, now }),
    burnRates: {
      ...(Object.fromEntries(rates) as Record<keyof typeof WINDOWS, number>),
      period: burnRate(whole, budget),
    },
    verdict: watched.verdict ?? { kind: 'unknown', because: 'nothing was seen of it yet' },
    since,
    exhaustsAt: exhaustsAt(engine, objective, parts, { from, to: toSeconds(period.end), now }, left),
    uncorrected: isCorrected ? attained(objective, parts, { from, now }, 'counted') : undefined,
  };
}

/** As long as nothing is news, a list that several people look at is made once in so many seconds. */
const REMEMBERED = 5;
type Known = { readonly state: readonly unknown[]; readonly view: View };
const views = new WeakMap<Watched, Known>();

/** All of them, in their order. A view may be `REMEMBERED` seconds old where its ledger and its verdict are the same since. */
export function viewsOf(engine: Engine, now: Seconds): readonly View[] {
  return [...engine.watched].flatMap(([id, watched]): View[] => {
    const state = stateOf(engine, watched, now);
    const known = views.get(watched);
    if (known !== undefined && state.every((one, i) => one === known.state[i])) return [known.view];
    const view = viewOf(engine, id, now);
    if (view === undefined) return [];
    views.set(watched, { state, view });
    return [view];
  });
}

/** All that a view is made of. The parts are as many as before: others would be another `Watched`. */
const stateOf = (engine: Engine, watched: Watched, now: Seconds): readonly unknown[] => [
  Math.floor(now / REMEMBERED),
  watched.verdict,
  watched.since,
  ...partsOf(engine, watched).flatMap(({ ledger }) => {
    const { good, bad, observed } = ledger.corrected ?? ledger.counted;
    return [ledger, ledger.corrections.length, good, bad, observed];
  }),
];

function attained(
  objective: Objective,
  parts: readonly Part[],
  { from, now }: { readonly from: Seconds; readonly now: Seconds },
  view: LedgerView = 'corrected',
): Uncorrected {
  const counts = parts.map(({ ledger }) => countsBetween(ledger, from, now, view));
  const [good, bad] = [sum(counts.map((one) => one.good)), sum(counts.map((one) => one.bad))];
  const whole = readOf(parts, view)(from, now);
  const { value, low, high } = budgetOf(objective, parts, from, now, view);
  return {
    good,
    total: good + bad,
    sli: good + bad === 0 ? null : whole.good / (whole.good + whole.bad),
    budgetRemaining: { value, low, high },
  };
}

export type Step = {
  readonly from: Seconds;
  readonly to: Seconds;
  readonly good: number;
  readonly total: number;
  /** Share of the step that was watched: what was not seen is not good. */
  readonly coverage: number;
  /** As it was counted, where a correction took something out of it. */
  readonly counted: { readonly good: number; readonly total: number } | undefined;
};

/** What happened, step by step; the last one may be shorter. Undefined: there is no such objective. */
export function historyOf(
  engine: Engine,
  id: string,
  { from, to, step }: { readonly from: Seconds; readonly to: Seconds; readonly step: Seconds },
): readonly Step[] | undefined {
  const watched = engine.watched.get(id);
  if (watched === undefined) return undefined;
  const parts = partsOf(engine, watched);
  const read = readOf(parts);
  const readCounted = readOf(parts, 'counted');
  const isCorrected = parts.some(({ ledger }) => ledger.corrections.length > 0);
  const steps: Step[] = [];
  for (let at = from; at < to; at = seconds(at + step)) {
    const end = seconds(Math.min(to, at + step));
    const { good, bad, observed, length } = read(at, end);
    const counted = isCorrected ? readCounted(at, end) : { good, bad };
    const total = counted.good + counted.bad;
    steps.push({
      ...{ from: at, to: end, good, total: good + bad, coverage: length > 0 ? observed / length : 0 },
      counted: counted.good === good && total === good + bad ? undefined : { good: counted.good, total },
    });
  }
  return steps;
}

/** What is counted of an objective: itself, or of a composite its parts. */
export type Part = { readonly weight: number; readonly objective: Objective; readonly ledger: Ledger };

export function partsOf({ book, counted }: Engine, { leaves }: Watched): readonly Part[] {
  return leaves.flatMap(({ id, weight }): Part[] => {
    const [ledger, one] = [book.accounts.get(id)?.ledger, counted.get(id)];
    return ledger === undefined || one === undefined ? [] : [{ weight, objective: one.judged.objective, ledger }];
  });
}

/** The counts of all parts together. */
export const readOf = (parts: readonly Part[], view: LedgerView = 'corrected'): Read =>
  weighted(parts.map(({ weight, ledger }) => ({ weight, read: (from, to) => countsBetween(ledger, from, to, view) })));
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

export function budgetOf(
  { budget }: Objective,
  parts: readonly Part[],
  from: Seconds,
  now: Seconds,
  view: LedgerView = 'corrected',
): Budget {
  const lefts = parts.map(({ weight, objective, ledger }) => ({
    weight,
    budget: objective.budget,
    left: budgetBetween(ledger, objective.budget, from, now, view),
  }));
  const [only] = lefts;
  return lefts.length === 1 && only !== undefined ? only.left : weightedBudget(budget, lefts);
}

function exhaustsAt(
  engine: Engine,
  { id, budget, window }: Objective,
  parts: readonly Part[],
  { from, to, now }: { readonly from: Seconds; readonly to: Seconds; readonly now: Seconds },
  left: Budget,
): Seconds | null {
  const [only] = parts;
  if (only === undefined) return null;
  if (parts.length > 1) return compositeExhausts(budget, parts, { from, to, now }, left, window);
  const course = { ledger: only.ledger, now, budget, profile: profileOf(engine, id, only.ledger, now) };
  const at = exhaustion({
    ...course,
    window: window.kind === 'rolling' ? window : { kind: 'calendar', from, to },
    recent: countsBetween(only.ledger, seconds(now - RECENT), now),
  });
  return at ?? null;
}

/** Of a composite by the clock alone: its parts' traffic has no common shape, and what falls out of a window is not told. */
function compositeExhausts(
  budget: Objective['budget'],
  parts: readonly Part[],
  { from, to, now }: { readonly from: Seconds; readonly to: Seconds; readonly now: Seconds },
  left: Budget,
  window: Window,
): Seconds | null {
  if (left.value <= 0) return now;
  const read = readOf(parts);
  const rate = burnRate(read(seconds(now - RECENT), now), budget);
  if (rate <= 1) return null;
  const at = seconds(now + (left.value * (to - from)) / rate);
  return window.kind === 'calendar' && at >= to ? null : at;
}

/** Learnt once an hour: nothing that is older changes meanwhile. */
const profiles = new WeakMap<Engine, Map<string, { readonly hour: number; readonly profile: Profile }>>();

function profileOf(engine: Engine, id: string, ledger: Ledger, now: Seconds): Profile {
  const known = profiles.get(engine) ?? new Map<string, { hour: number; profile: Profile }>();
  profiles.set(engine, known);
  const hour = Math.floor(now / HOUR);
  const found = known.get(id);
  if (found?.hour === hour && found.profile.length === HOURS_A_WEEK) return found.profile;
  const profile = learnProfile(ledger, now);
  known.set(id, { hour, profile });
  return profile;
}
