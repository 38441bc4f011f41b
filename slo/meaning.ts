/**
 * What an objective means for those who are on call: how long an outage of some share goes on before each rule says so,
 * the smallest share that ever pages, and the traffic below which a single failure would have fired a pair by itself. The
 * evidence detector's times are not a formula: a steady outage is played through it.
 */
import { days, hours, type Ratio, ratio, type Seconds, seconds } from '#kernel/units.ts';
import { HANDFUL, rulesOf } from './burn-rate.ts';
import { nominalPeriod } from './calendar.ts';
import { addEvidence, startEvidence } from './evidence.ts';
import { makeEvidenceModel, STEP } from './evidence-model.ts';
import { PARTS, PARTS_BAD } from './judge.ts';
import type { Objective } from './objective.ts';
import type { RuleName, Severity } from './verdict.ts';

export const SHARES = [ratio(1), ratio(0.5), ratio(0.3), ratio(0.1), ratio(0.05)] as const;
/** Events a second at which the detector's times are told: a busy service, and a quiet one. */
export const RATES = [1, 1 / 60] as const;
const HORIZON = days(1);
const BISECTIONS = 10;

export type RuleMeaning = {
  readonly rule: RuleName;
  readonly severity: Severity;
  /** Of a pair; and of the detector, the traffic for which the times hold. */
  readonly factor: number | null;
  readonly long: Seconds | null;
  readonly short: Seconds | null;
  readonly eventsPerSecond: number | null;
  readonly leastBad: number;
  /** For each of `SHARES`: until it fires and is believed, where traffic is enough; null for never (the detector: not within a day). */
  readonly timeToFire: readonly (Seconds | null)[];
  /** Below so many events in the long window, one failure alone is burn enough to fire: what `leastBad` is there for. */
  readonly singleFailureBelow: number | null;
  /** Of a pair: how long a total outage takes to bring so many failures, at each of `RATES`; null: more than its long window. */
  readonly waits: readonly (Seconds | null)[];
};

export type Meaning = {
  readonly rules: readonly RuleMeaning[];
  /** The smallest failing share that ever pages, at one event a second; null when none does. */
  readonly smallestPaging: Ratio | null;
};

/** Objectives of one budget and one policy mean the same, and there may be thousands: remembered by these. */
export function makeMeaning(): (objective: Objective) => Meaning {
  const known = new Map<string, Meaning>();
  return (objective) => {
    const { budget, window, alerting } = objective;
    const { falsePagesPerYear, smallestBurn, page, ticket } = alerting;
    const key = JSON.stringify([budget, nominalPeriod(window), falsePagesPerYear, smallestBurn, page, ticket]);
    const found = known.get(key) ?? meaningOf(objective);
    known.set(key, found);
    return found;
  };
}

function meaningOf(objective: Objective): Meaning {
  const { budget, alerting } = objective;
  const period = nominalPeriod(objective.window);
  const pairs = rulesOf(objective, period).rules.map(({ rule, factor, least }): RuleMeaning => {
    const { name, severity, long, short } = rule;
    // A page is believed when enough parts of its window hold a failure, however fast the budget burns.
    const believed = severity === 'critical' ? ((PARTS_BAD - 1) * long) / PARTS : 0;
    const timeToFire = SHARES.map((share) =>
      share / budget < factor ? null : seconds(Math.max(believed, (long * factor * budget) / share)),
    );
    const singleFailureBelow = Math.ceil(1 / (factor * budget));
    const waits = RATES.map((rate) => (least / rate > long ? null : seconds(least / rate)));
    const more = { eventsPerSecond: null, leastBad: least, timeToFire, singleFailureBelow, waits };
    return { rule: name, severity, factor, long, short, ...more };
  });
  const detector = alerting.page ? RATES.map((rate) => detectorMeaning(objective, rate)) : [];
  const slowest = pairs.filter(({ severity }) => severity === 'critical').map(({ factor }) => (factor ?? 0) * budget);
  const smallest = alerting.page ? ratio(Math.min(...slowest, smallestDetected(objective))) : null;
  return { rules: [...detector, ...pairs], smallestPaging: smallest };
}

function detectorMeaning(objective: Objective, eventsPerSecond: number): RuleMeaning {
  const timeToFire = SHARES.map((share) => timeToDetect(objective, share, eventsPerSecond, HORIZON));
  const none = { factor: null, long: null, short: null, singleFailureBelow: null, waits: [] };
  return { rule: 'evidence', severity: 'critical', ...none, eventsPerSecond, leastBad: HANDFUL, timeToFire };
}

/** After an hour of health, every step has exactly its share of failures. */
export function timeToDetect(objective: Objective, share: number, rate: number, horizon: Seconds): Seconds | null {
  const model = makeEvidenceModel(objective);
  const state = startEvidence(model);
  const events = rate * STEP;
  let now = 0;
  for (; now < hours(1); now += STEP) addEvidence(model, state, { good: events, bad: 0 }, STEP, seconds(now));
  for (let spent = STEP; spent <= horizon; spent = seconds(spent + STEP)) {
    addEvidence(model, state, { good: events * (1 - share), bad: events * share }, STEP, seconds(now + spent));
    if (state.alarmed) return spent;
  }
  return null;
}

function smallestDetected(objective: Objective): number {
  let [low, high]: [number, number] = [objective.budget, 1];
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = Math.sqrt(low * high);
    if (timeToDetect(objective, middle, 1, HORIZON) === null) low = middle;
    else high = middle;
  }
  return high;
}
