/**
 * Finds an outage by evidence, in seconds where traffic allows, and stays calm over clumps of failures within the
 * objective. For each step of five seconds: how well does "an outage of this share began some time ago" explain what was
 * seen, against the best that the null model of evidence-model.ts can say? The ratio, summed over all moments at which the
 * outage may have begun, is the Shiryaev–Roberts statistic R, in seconds. Under the null model R(t) − t is a martingale, so
 * the mean time to a false alarm at R ≥ A is at least A: the threshold is the tolerable number of false pages a year.
 *
 * Sources: Roberts, Technometrics 8 (1966); Pollak, Ann. Statist. 13 (1985), for the bound; Shin, Ramdas, Rinaldo,
 * "E-detectors" (2022), for its use with composite hypotheses; Rabiner, Proc. IEEE 77 (1989), for the forward recursion.
 */
import { type Seconds, seconds } from '#kernel/units.ts';
import { HANDFUL } from './burn-rate.ts';
import { type EvidenceModel, STEP, worth } from './evidence-model.ts';
import { freshNull, type NullState, stepNull } from './evidence-null.ts';
import type { Counts } from './objective.ts';

/**
 * An alarm is over when what came since speaks so strongly (nats) for calm and against half of what failed before. It does
 * not end when the statistic falls: of an outage that is barely one, that would go up and down for hours.
 */
const RECOVERED = Math.log(1e4);
/** What fails within ten seconds is a blip, however much it is: failures must be seen in so many steps, */
const SIGHTINGS = 3;
/** of which one stretch, a scrape say, counts for two at most: one witness is none. */
const SIGHTINGS_OF_ONE = 2;
/** So many steps of a stretch are told apart; of a longer gap, nothing is left of what was believed before it. */
const GAP_STEPS = 120;

/**
 * A stretch that lacks less than this part of a step is whole: scrapes come some milliseconds early or late, and one that
 * waited for the next would make every second step of an outage twice as long, and the page ten seconds later.
 */
const NEARLY = 0.1;

/** Plain data: kept in a checkpoint as it is. */
export type EvidenceState = {
  /** What the null model believes. */
  readonly calm: NullState;
  /** The statistic of each outage share, in seconds. */
  readonly outages: number[];
  /** The run of failures under way: when it began, and what came since. */
  since: Seconds;
  good: number;
  bad: number;
  /** Steps of it in which something failed, as far as they count. */
  sightings: number;
  alarmed: boolean;
  /** Of an alarm: how strongly (nats) the present speaks for its end. */
  recovery: number;
  /** Good events since it began to. */
  recovering: number;
  /** Events of a step that is not over. */
  open: { good: number; bad: number; seconds: number; from: Seconds };
};

export type Evidence = {
  readonly alarmed: boolean;
  /**
   * Powers of ten between the time it takes until such a stretch comes by chance, within the objective, and the tolerable
   * time between two false pages: 0 is the alarm.
   */
  readonly decades: number;
  /** Of the run of failures under way. */
  readonly since: Seconds;
  readonly good: number;
  readonly bad: number;
  /** Of an alarm: how far it is from its end, from 0 to 1. */
  readonly recovered: number;
};

export function startEvidence(model: EvidenceModel): EvidenceState {
  return {
    calm: freshNull(model),
    outages: new Array(model.shares.length - model.firstOutage).fill(0),
    since: seconds(0),
    good: 0,
    bad: 0,
    sightings: 0,
    alarmed: false,
    recovery: 0,
    recovering: 0,
    open: { good: 0, bad: 0, seconds: 0, from: seconds(0) },
  };
}

/**
 * Takes what happened in the stretch of `length` that ends at `now`; one that is longer than a step is spread over its steps.
 * Growth across a gap must not come here: call `skipEvidence` for the gap.
 */
export function addEvidence(
  model: EvidenceModel,
  state: EvidenceState,
  { good, bad }: Counts,
  length: Seconds,
  now: Seconds,
): void {
  const { open } = state;
  if (open.seconds === 0) open.from = (now - length) as Seconds;
  open.good += good;
  open.bad += bad;
  open.seconds += length;
  // Of a very long stretch the steps are longer, so that no event of it is lost.
  const steps = Math.min(GAP_STEPS, Math.floor(open.seconds / STEP + NEARLY));
  if (steps === 0) return;
  const each = open.seconds / steps;
  for (let i = 0; i < steps; i++) {
    if (open.bad > 0 && i < SIGHTINGS_OF_ONE) state.sightings++;
    takeStep(model, state, open.good / steps, open.bad / steps, (open.from + i * each) as Seconds);
  }
  endStretch(state);
}

/**
 * Time passed and nothing was observed. An alarm stays, since nothing speaks against it; a run of failures that was none yet
 * is as old as the beliefs about clumps, and after a long gap both are forgotten.
 */
export function skipEvidence(model: EvidenceModel, state: EvidenceState, length: Seconds, now: Seconds): void {
  const { open } = state;
  if (open.seconds > 0) takeStep(model, state, open.good, open.bad, open.from);
  endStretch(state);
  const held = [...state.outages];
  const steps = Math.min(GAP_STEPS, Math.round(length / STEP));
  for (let i = 0; i < steps; i++) takeStep(model, state, 0, 0, now);
  if (state.alarmed) state.outages.splice(0, held.length, ...held);
  else if (steps > 0) forgetRun(state);
}

/** What the next failures are held against is then nothing that nobody saw the end of. */
function forgetRun(state: EvidenceState): void {
  state.outages.fill(0);
  endRun(state);
}

function endRun(state: EvidenceState): void {
  state.good = 0;
  state.bad = 0;
  state.sightings = 0;
}

function endStretch({ open }: EvidenceState): void {
  open.good = 0;
  open.bad = 0;
  open.seconds = 0;
}

export function readEvidence(model: EvidenceModel, state: EvidenceState): Evidence {
  const { alarmed, since, good, bad } = state;
  const strength = Math.log(Math.max(1, sum(state.outages)));
  const recovered = alarmed ? state.recovery / RECOVERED : 0;
  return { alarmed, decades: (strength - model.alarm) / Math.LN10, since, good, bad, recovered };
}

function sum(values: readonly number[]): number {
  let all = 0;
  for (const value of values) all += value;
  return all;
}

function takeStep(model: EvidenceModel, state: EvidenceState, good: number, bad: number, from: Seconds): void {
  const likelihood = likelihoods(model, good, bad);
  const { outages } = state;
  const learning = !state.alarmed && sum(outages) < model.doubt;
  const seen = stepNull(model, state.calm, likelihood, learning);
  let all = 0;
  for (let i = 0; i < outages.length; i++) {
    const after =
      (((outages[i] ?? 0) + STEP * (model.weights[i] ?? 0)) * (likelihood[model.firstOutage + i] ?? 0)) / seen;
    outages[i] = after < model.ceiling ? after : model.ceiling;
    all += outages[i] ?? 0;
  }
  countRun(state, all < model.ground, good, bad, from);
  if (state.alarmed) recover(model, state, good, bad);
  else if (all >= model.threshold && state.bad >= HANDFUL && state.sightings >= SIGHTINGS) {
    state.alarmed = true;
  }
}

function countRun(state: EvidenceState, weak: boolean, good: number, bad: number, from: Seconds): void {
  if (weak && !state.alarmed && bad === 0) {
    if (good > 0) endRun(state);
    return;
  }
  if (state.bad === 0) state.since = from;
  state.good += good;
  state.bad += bad;
}

function recover(model: EvidenceModel, state: EvidenceState, good: number, bad: number): void {
  const { budget } = model;
  // What failed before it began to recover: the recovery itself must not dilute what it is measured against.
  const before = state.bad / Math.max(1, state.good + state.bad - state.recovering);
  const half = Math.min(0.9, Math.max(before / 2, 2 * budget));
  const speaks = bad * Math.log(budget / half) + good * Math.log((1 - budget) / (1 - half));
  const events = good + bad;
  // Also of an event that is spread over several steps: its parts together say what it says.
  if (events > 0) state.recovery = Math.max(0, state.recovery + (speaks * worth(events)) / events);
  state.recovering = state.recovery > 0 ? state.recovering + good : 0;
  if (state.recovery < RECOVERED) return;
  state.alarmed = false;
  state.recovery = 0;
  state.recovering = 0;
  forgetRun(state);
}

/** More than any model has shares. One step reads it before the next writes it. */
const scratch = new Float64Array(32);

/** Of each share, up to a common factor. */
function likelihoods(model: EvidenceModel, good: number, bad: number): Float64Array {
  const { logBad, logGood, shares } = model;
  const events = good + bad;
  if (events === 0) return scratch.fill(1);
  const scale = worth(events) / events;
  const [b, g] = [bad * scale, good * scale];
  let best = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < shares.length; i++) {
    const value = b * (logBad[i] ?? 0) + g * (logGood[i] ?? 0);
    scratch[i] = value;
    if (value > best) best = value;
  }
  for (let i = 0; i < shares.length; i++) scratch[i] = Math.exp((scratch[i] ?? 0) - best);
  return scratch;
}
