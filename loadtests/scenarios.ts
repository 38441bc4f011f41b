/**
 * The six load tests, as phases with a rate of arrivals each. Arrivals, not users: a user who waits sends nothing, and so a
 * closed loop hides just the waiting that is looked for ("coordinated omission").
 *
 * Pure. Source: https://grafana.com/docs/k6/latest/using-k6/scenarios/concepts/open-vs-closed/
 */
import type { Options } from 'k6/options';
import type { Ratio } from '#kernel/units.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { Phase, Plan, PlannedDocument } from './k6/plan.ts';
import { PROMISED, type Promised, type Promises } from './promises.ts';

export const SCENARIOS = ['smoke', 'load', 'stress', 'spike', 'overload', 'soak', 'breakpoint'] as const;
export type Scenario = (typeof SCENARIOS)[number];

type Usual = {
  readonly about: string;
  /** Documents a second: of a climb the highest, of a spike the one before it. */
  readonly rate: number;
  /** Of the whole test; of `stress`, of one step. */
  readonly duration: Milliseconds;
  /** Does it climb until the service does not bear it? Then the objectives judge each phase, and a knee is looked for. */
  readonly climbs: boolean;
};

const MINUTE = 60_000;
export const USUAL = {
  smoke: { about: 'does it work at all', rate: 4, duration: milliseconds(MINUTE), climbs: false },
  load: { about: 'a steady rate', rate: 5, duration: milliseconds(10 * MINUTE), climbs: false },
  stress: { about: 'steps, until the knee', rate: 100, duration: milliseconds(MINUTE / 2), climbs: true },
  spike: { about: 'ten times as much for a while', rate: 2, duration: milliseconds(5 * MINUTE), climbs: false },
  overload: { about: 'three times what it can do', rate: 8, duration: milliseconds(15 * MINUTE), climbs: false },
  soak: { about: 'a steady rate, for hours', rate: 5, duration: milliseconds(120 * MINUTE), climbs: false },
  breakpoint: { about: 'a ramp, until it breaks', rate: 100, duration: milliseconds(10 * MINUTE), climbs: true },
} as const satisfies Record<Scenario, Usual>;

/** k6 takes whole numbers; per ten seconds, a tenth of a document a second is one. */
const TIME_UNIT_SECONDS = 10;
export const RATE_LEAST = 1 / TIME_UNIT_SECONDS;
/** Of stress: the rate of the first step, and how many times the last one's the next one is. */
export type Steps = { readonly from: number; readonly grow: number };
export const USUAL_STEPS: Steps = { from: 1, grow: 1.5 };
const SPIKE_TIMES = 10;
/** Of a spike's time: before it, in it, while what it left is worked off, after it. */
const SPIKE_PARTS = [
  ['before', 0.3, 1, true],
  ['spike', 0.2, SPIKE_TIMES, false],
  ['recovery', 0.25, 1, false],
  ['after', 0.25, 1, true],
] as const;
/**
 * Its rate is the knee. What runs for the first time is slower than it will be. At first the queue takes in whatever comes:
 * what a service does under more than it can do shows once it is full.
 */
const OVERLOAD_TIMES = 3;
const OVERLOAD_PARTS = [
  ['warm', 0.07, 0.5, false],
  ['knee', 0.13, 1, true],
  ['filling', 0.4, OVERLOAD_TIMES, false],
  ['overload', 0.4, OVERLOAD_TIMES, false],
] as const;
/** Of an overload: what only makes ready for the phases that are looked at. */
export const FILLING: readonly string[] = ['warm', 'filling'];
const PARTS = { spike: SPIKE_PARTS, overload: OVERLOAD_PARTS } as const;
const SLICES = 30;
const EVERY_BAD = 10;
const EVERY_SEARCH = 5;
const UPLOAD_MS = 30_000;
/** A document is followed for twice the time that it may take; what is slower is left to the settlement. */
const PATIENCE = 2;
/**
 * Virtual users made before the test, for documents that take so many seconds, and most of them at once. One takes half a
 * megabyte and 5 ms of a processor; those that are made meanwhile come too late for some arrivals.
 */
const USUAL_SECONDS = 10;
const MADE_MOST = 600;
const USERS_MOST = 2_000;

export type PlanWish = {
  readonly scenario: Scenario;
  readonly run: string;
  readonly rate: number;
  readonly duration: Milliseconds;
  readonly steps?: Steps;
  readonly promises: Promises;
  readonly documents: readonly PlannedDocument[];
};

export function makePlan({ scenario, run, rate, duration, steps, promises, documents }: PlanWish): Plan {
  const phases = phasesOf(scenario, rate, duration, steps);
  // In an overload most are late: who follows them all has no users left to send.
  const patienceMs = (scenario === 'overload' ? 1 : PATIENCE) * promises.onTime;
  return {
    scenario,
    run,
    documents,
    phases,
    onTimeMs: promises.onTime,
    fastMs: promises.fast,
    patienceMs,
    uploadMs: UPLOAD_MS,
    everyBad: EVERY_BAD,
    everySearch: EVERY_SEARCH,
    options: {
      scenarios: { [scenario]: executor(scenario, phases, rate, patienceMs) },
      thresholds: thresholdsOf(phases, promises),
      // Without the addresses, each of which would be a series of its own.
      systemTags: ['scenario', 'name', 'method', 'status', 'expected_response', 'error_code', 'check'],
    },
  };
}

export function phasesOf(
  scenario: Scenario,
  rate: number,
  duration: Milliseconds,
  { from, grow }: Steps = USUAL_STEPS,
): Phase[] {
  if (scenario === 'stress') {
    const rates: number[] = [];
    for (let step = from; step < rate; step *= grow) rates.push(round(step));
    return inTurn([...rates, rate].map((one, i) => [`step-${pad(i + 1)}`, duration, one, false]));
  }
  if (scenario === 'breakpoint') {
    const slice = duration / SLICES;
    const middle = (i: number) => round((rate * (i + 0.5)) / SLICES);
    return inTurn(Array.from({ length: SLICES }, (_, i) => [`slice-${pad(i + 1)}`, slice, middle(i), false]));
  }
  if (scenario === 'spike' || scenario === 'overload') {
    return inTurn(PARTS[scenario].map(([name, part, times, judged]) => [name, part * duration, times * rate, judged]));
  }
  return inTurn([['steady', duration, rate, true]]);
}

function inTurn(parts: readonly (readonly [string, number, number, boolean])[]): Phase[] {
  let at = 0;
  return parts.map(([name, length, rate, judged]) => {
    const from = at;
    at += Math.round(length);
    return { name, from, to: at, rate, judged };
  });
}

const pad = (n: number): string => String(n).padStart(2, '0');
const round = (rate: number): number => Math.round(rate * TIME_UNIT_SECONDS) / TIME_UNIT_SECONDS;

function executor(scenario: Scenario, phases: readonly Phase[], rate: number, patienceMs: number) {
  const target = (perSecond: number) => Math.max(0, Math.round(perSecond * TIME_UNIT_SECONDS));
  const whole = phases.at(-1)?.to ?? 0;
  const most = Math.max(rate, ...phases.map((phase) => phase.rate));
  const steps = phases.flatMap((phase) => [
    { target: target(phase.rate), duration: '0ms' },
    { target: target(phase.rate), duration: `${phase.to - phase.from}ms` },
  ]);
  const ramp = [{ target: target(rate), duration: `${whole}ms` }];
  const users = Math.min(USERS_MOST, Math.ceil((most * (patienceMs + UPLOAD_MS)) / 1_000) + 5);
  return {
    executor: 'ramping-arrival-rate' as const,
    startRate: scenario === 'breakpoint' ? 0 : target(phases[0]?.rate ?? 0),
    timeUnit: `${TIME_UNIT_SECONDS}s`,
    stages: scenario === 'breakpoint' ? ramp : steps,
    preAllocatedVUs: Math.min(users, MADE_MOST, Math.ceil(most * USUAL_SECONDS) + 5),
    maxVUs: users,
    gracefulStop: `${patienceMs + UPLOAD_MS + 5_000}ms`,
  };
}

/** The rate of k6 in which each promise is counted. */
export const RATES = {
  'documents-processed': 'document_processed',
  'documents-on-time': 'document_on_time',
  'api-available': 'api_available',
  'api-fast': 'api_fast',
} as const satisfies Record<Promised, string>;

/** In `metric{phase:name}` k6 counts a phase by itself, if a threshold asks for it: also one that always holds. */
export const inPhase = (metric: string, phase: string): string => `${metric}{phase:${phase}}`;

function thresholdsOf(phases: readonly Phase[], promises: Promises): NonNullable<Options['thresholds']> {
  const thresholds: Record<string, string[]> = {
    documents_sent: ['count>0'],
    documents_missing: ['count==0'],
    document_as_expected: ['rate==1'],
  };
  const hold = (target: Ratio) => `rate>=${target}`;
  const isJudgedWhole = phases.every(({ judged }) => judged);
  for (const name of PROMISED) {
    const { target } = promises[name];
    if (isJudgedWhole) thresholds[RATES[name]] = [hold(target)];
    else
      for (const phase of phases)
        thresholds[inPhase(RATES[name], phase.name)] = [phase.judged ? hold(target) : 'rate>=0'];
  }
  return thresholds;
}

/** Documents that the phase sends. */
export const plannedIn = ({ from, to, rate }: Phase): number => Math.round((rate * (to - from)) / 1_000);
