/**
 * The null model's chain, one forward step at a time: calm, and each kind of clump at each age. How often clumps come is
 * learnt from the service itself, since what comes dozens of times a day and ends by itself is no outage here.
 */
import { days, type Seconds } from '#kernel/units.ts';
import { type Clump, type EvidenceModel, STEP } from './evidence-model.ts';

/** Clumps a day, of all kinds, before anything was learnt. */
const CLUMPS_A_DAY = 2;
/** What was learnt fades with this time constant. */
const MEMORY: Seconds = days(7);
const FADE = Math.exp(-STEP / MEMORY);
/** No history can make the detector blind: of one kind, more than this is within nobody's objective. */
const RATE_MOST = 200 / days(1);

export type NullState = {
  /** Beliefs; with those in `ages` they sum to 1. */
  calm: number;
  /** By kind of clump, by its age in steps. */
  readonly ages: number[][];
  /** Clumps of each kind seen so far, and the seconds they were seen in, both fading. */
  readonly counts: number[];
  readonly watched: number[];
  /** Of each kind: the belief that one ended with the last step, before that step was seen. */
  readonly ended: number[];
};

export function freshNull({ clumps }: EvidenceModel): NullState {
  return {
    calm: 1,
    ages: clumps.map(({ longest }) => new Array(longest).fill(0)),
    counts: clumps.map(() => 1),
    ended: clumps.map(() => 0),
    watched: clumps.map(() => (days(1) / CLUMPS_A_DAY) * clumps.length),
  };
}

/** @returns how likely it was, by this model, to see what was seen, in the unit of `likelihood`. */
export function stepNull(
  { clumps }: EvidenceModel,
  state: NullState,
  likelihood: Float64Array,
  learning: boolean,
): number {
  const resting = grow(clumps, state);
  const calm = likelihood[0] ?? 0;
  let clumped = 0;
  let begun = 0;
  let entered = 0;
  for (let c = 0; c < clumps.length; c++) {
    const ages = state.ages[c] ?? [];
    const clump = clumps[c] as Clump;
    ages[0] = resting * Math.min((state.counts[c] ?? 0) / (state.watched[c] ?? 1), RATE_MOST) * STEP;
    entered += ages[0];
    const emission = emissionOf(clump.shares, likelihood);
    // A patch begins somewhere within its first step: up to its share, anything may fail in that.
    const edge = clump.begins === 'within a step' ? (emission + calm + (likelihood[1] ?? 0)) / 3 : emission;
    ages[0] *= edge;
    begun += ages[0];
    for (let age = 1; age < ages.length; age++) {
      const belief = (ages[age] ?? 0) * emission;
      ages[age] = belief;
      clumped += belief;
    }
  }
  const rested = (resting - entered) * calm + begun;
  const seen = Math.max(rested + clumped, Number.MIN_VALUE);
  // How much of what might have ended did end, as far as this step tells.
  if (learning) learn(state, resting > 0 ? rested / resting / seen : 0);
  state.calm = ((resting - entered) * calm) / seen;
  for (const ages of state.ages) {
    for (let age = 0; age < ages.length; age++) ages[age] = (ages[age] ?? 0) / seen;
  }
  return seen;
}

/** Every clump gets a step older, or ends. @returns the belief in no clump. */
function grow(clumps: EvidenceModel['clumps'], state: NullState): number {
  let resting = state.calm;
  for (let c = 0; c < clumps.length; c++) {
    const ages = state.ages[c] ?? [];
    const ends = clumps[c]?.ends ?? 0;
    let over = ages[ages.length - 1] ?? 0;
    for (let age = ages.length - 1; age > 0; age--) {
      const younger = ages[age - 1] ?? 0;
      over += younger * ends;
      ages[age] = younger * (1 - ends);
    }
    state.ended[c] = over;
    resting += over;
  }
  return resting;
}

/** What ended was a clump. */
function learn(state: NullState, didEnd: number): void {
  for (let c = 0; c < state.counts.length; c++) {
    state.counts[c] = (state.counts[c] ?? 0) * FADE + (state.ended[c] ?? 0) * didEnd;
    state.watched[c] = (state.watched[c] ?? 0) * FADE + STEP;
  }
}

function emissionOf(shares: readonly number[], likelihood: Float64Array): number {
  let all = 0;
  for (const share of shares) all += likelihood[share] ?? 0;
  return all / shares.length;
}
