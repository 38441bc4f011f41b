/**
 * What the evidence detector weighs against each other, made once for an objective: the worst that "within the objective"
 * allows, and the outages that are worth waking somebody for. docs/detection.md derives it and shows its curves.
 *
 * "Within the objective" is not "each event fails by itself with the probability of the budget": failures come in clumps.
 * A batch is bad, a vendor stumbles for half a minute, and the month is fine all the same. So the null model is a chain of
 * states: calm (each event fails with the budget's probability), a blip (a few seconds in which any share may fail) and
 * patches (half a minute in which a share of up to a half fails). An outage is what goes on after a clump would have ended.
 */
import { type Seconds, seconds } from '#kernel/units.ts';
import { divergence } from './divergence.ts';
import type { Objective } from './objective.ts';

/** Evidence is weighed in steps of this length, whatever the interval of the scrapes. */
export const STEP = seconds(5);
/** Longest clumps that are no outage; each touches one step more than it is long, at its edges. */
const BLIP: Seconds = seconds(10);
const PATCH: Seconds = seconds(30);
/** Shares that fail within a patch; the last where two of them overlap. */
const PATCH_SHARES = [0.2, 0.45, 0.65] as const;
/** Kinds of patches, by their shares' places among all: a light one, and a heavy one that may be two for a fifth of its time. */
const PATCHES = [[1], [2, 2, 2, 2, 3]] as const;
const BLIP_SHARES = [0.2, 0.5, 0.8, 0.97] as const;
const FIRST_BLIP = 1 + PATCH_SHARES.length;
/** Probability, at each step, that a clump is over before its longest time. */
const BLIP_ENDS = 0.3;
const PATCH_ENDS = 0.1;
/**
 * Events of one step share their causes, so n of them say less than n times what one says: n / (1 + (n − 1) ρ).
 * Kish, Survey Sampling, 1965, §5.4 (design effect), with an intra-class correlation of 10 %.
 */
const CORRELATION = 0.1;
const OUTAGE_SHARES = 8;
/** Most outages that people are woken for are total. */
const TOTAL_WEIGHT = 0.9;
/** Nothing fails with certainty: one success must not disprove a total outage. */
const TOTAL = 0.97;
const BISECTIONS = 40;
const YEAR = 365.25 * 86_400;

export type Clump = {
  /** Index into `shares`; a blip has any of several. */
  readonly shares: readonly number[];
  /** In steps. */
  readonly longest: number;
  readonly ends: number;
  /** A patch's first step may lie half outside of it; a blip may have any share anyway. */
  readonly begins: 'within a step' | 'anyhow';
};

export type EvidenceModel = {
  readonly budget: number;
  /** The failing shares that are weighed: 0 is calm, then those of clumps, then those of outages. */
  readonly shares: Float64Array;
  readonly logBad: Float64Array;
  readonly logGood: Float64Array;
  readonly clumps: readonly Clump[];
  /** Of each outage share: how much of a step's length its statistic grows by. They sum to 1. */
  readonly weights: readonly number[];
  /** Index of the first outage among the shares; the rest are outages too. */
  readonly firstOutage: number;
  /** log of the Shiryaev–Roberts statistic, in seconds, at which it is an outage: the time between two false pages. */
  readonly alarm: number;
  /** Its levels, in seconds: of an alarm, the highest kept, where a run of failures ends, of doubt. */
  readonly threshold: number;
  readonly ceiling: number;
  readonly ground: number;
  readonly doubt: number;
};

/** The statistic is not kept above this many nats over the alarm: what goes up for hours must come down in minutes. */
const CEILING = 2;
/** Below this many nats under the alarm a success ends a run of failures. */
const GROUND = 6;
/** This near to the alarm nothing is learnt about clumps: it may be no clump. */
const DOUBT = 2;

export function makeEvidenceModel({ budget, alerting }: Pick<Objective, 'budget' | 'alerting'>): EvidenceModel {
  const outages = outageShares(budget, alerting.smallestBurn);
  // Of what would be good, so that they are more than the budget whatever that is.
  const beyond = (share: number) => budget + (1 - budget) * share;
  const shares = [budget, ...PATCH_SHARES.map(beyond), ...BLIP_SHARES.map(beyond), ...outages];
  const clumps: Clump[] = [
    ...PATCHES.map((of) => ({
      shares: of,
      longest: stepsOf(PATCH),
      ends: PATCH_ENDS,
      begins: 'within a step' as const,
    })),
    { shares: BLIP_SHARES.map((_, i) => FIRST_BLIP + i), longest: stepsOf(BLIP), ends: BLIP_ENDS, begins: 'anyhow' },
  ];
  const alarm = Math.log(YEAR / alerting.falsePagesPerYear);
  return {
    budget,
    shares: Float64Array.from(shares),
    logBad: Float64Array.from(shares, (share) => Math.log(share)),
    logGood: Float64Array.from(shares, (share) => Math.log1p(-share)),
    clumps,
    weights: outages.map((_, i) => (i === OUTAGE_SHARES - 1 ? TOTAL_WEIGHT : (1 - TOTAL_WEIGHT) / (OUTAGE_SHARES - 1))),
    firstOutage: FIRST_BLIP + BLIP_SHARES.length,
    alarm,
    threshold: Math.exp(alarm),
    ceiling: Math.exp(alarm + CEILING),
    ground: Math.exp(alarm - GROUND),
    doubt: Math.exp(alarm - DOUBT),
  };
}

/**
 * Evenly on a logarithmic scale, up to a total one. The lowest is chosen so that events which fail at the smallest burn that
 * is worth a page speak as much for it as for calm: what burns slower never pages, however long it goes on.
 */
function outageShares(budget: number, smallestBurn: number): number[] {
  const top = Math.max(TOTAL, (1 + budget) / 2);
  const worthIt = Math.min(budget * smallestBurn, top);
  let [low, high] = [budget, top];
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = Math.sqrt(low * high);
    if (divergence(worthIt, middle) < divergence(worthIt, budget)) low = middle;
    else high = middle;
  }
  return Array.from({ length: OUTAGE_SHARES }, (_, i) => low * (top / low) ** (i / (OUTAGE_SHARES - 1)));
}

const stepsOf = (longest: Seconds): number => Math.ceil(longest / STEP) + 1;

/** How many independent events `n` events of one step are worth. */
export const worth = (n: number): number => (n <= 1 ? n : n / (1 + (n - 1) * CORRELATION));
