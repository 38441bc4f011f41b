/**
 * A composite burns as the weighted mean of its parts: of any window, the sum of weight times the bad share of each part,
 * over the whole's budget. A part that had no events failed none.
 *
 * How much evidence that is, is another matter: one failure of one event in a heavy part must not speak like the thousands
 * of the part beside it. A weighted mean of shares is worth (Σw)² / Σ(w²/n) events, which is never more than there were
 * (Kish, Survey Sampling, 1965, §11.7); so a composite's counts are those of one objective with so many events.
 */
import { type Ratio, ratio, type Seconds, seconds } from '#kernel/units.ts';
import { type Judged, judgeEvidence, type Read, type Standing } from './judge.ts';
import type { Budget } from './ledger/budget.ts';
import type { Objective, WindowCounts } from './objective.ts';
import type { Burning } from './verdict.ts';

/** What is counted of an objective: itself, or of a composite its parts, with weights that sum to 1. */
export type Leaf = { readonly weight: number; readonly objective: Objective };

/** Deeper than this is a file that means nothing any more; the compiled rules have the same limit in mind. */
const DEPTH_MAX = 8;

export function leavesOf(objective: Objective, weight = 1, depth = 0): readonly Leaf[] {
  const { indicator } = objective;
  if (indicator.kind !== 'composite') return [{ weight, objective }];
  if (depth >= DEPTH_MAX) throw new RangeError(`${objective.id} is a composite more than ${DEPTH_MAX} deep`);
  const all = indicator.parts.reduce((sum, part) => sum + part.weight, 0);
  return indicator.parts.flatMap((part) => leavesOf(part.objective, (weight * part.weight) / all, depth + 1));
}

export type WeightedRead = { readonly weight: number; readonly read: Read };

export function weighted(parts: readonly WeightedRead[]): Read {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only.read;
  return (from: Seconds, to: Seconds): WindowCounts => {
    const found = parts.map(({ weight, read }) => ({ weight, counts: read(from, to) }));
    let [share, active, spread] = [0, 0, 0];
    for (const { weight, counts } of found) {
      const events = counts.good + counts.bad;
      if (events <= 0) continue;
      share += (weight * counts.bad) / events;
      active += weight;
      spread += (weight * weight) / events;
    }
    const worth = spread === 0 ? 0 : (active * active) / spread;
    const length = (to - from) as Seconds;
    const observed = Math.min(length, ...found.map(({ counts }) => counts.observed)) as Seconds;
    return { good: worth * (1 - share), bad: worth * share, length, observed };
  };
}

/** The budgets of the parts as the whole's: each has spent its share of events, weighted, of the whole's budget. */
export function weightedBudget(
  whole: Ratio,
  parts: readonly { readonly weight: number; readonly budget: Ratio; readonly left: Budget }[],
): Budget {
  const mean = (of: (left: Budget) => number) =>
    1 - parts.reduce((sum, { weight, budget, left }) => sum + weight * (1 - of(left)) * budget, 0) / whole;
  return {
    value: mean((left) => left.value),
    low: mean((left) => left.low),
    high: mean((left) => left.high),
    known: ratio(Math.min(1, ...parts.map(({ left }) => left.known))),
  };
}

/**
 * The detector looks at each part by itself. What it finds is the whole's, by the part's name, if the part weighs enough for
 * the whole to burn at a rate that is worth waking somebody for.
 */
export function partsEvidence(
  { budget, alerting }: Pick<Objective, 'budget' | 'alerting'>,
  parts: readonly { readonly weight: number; readonly judged: Judged; readonly standing: Standing }[],
  now: Seconds,
): Burning | undefined {
  if (!alerting.page) return undefined;
  for (const { weight, judged, standing } of parts) {
    const found = judgeEvidence(judged, standing, now);
    if (found === undefined) continue;
    const scale = (weight * judged.objective.budget) / budget;
    const rate = found.burnRate * scale;
    if (rate < alerting.smallestBurn) continue;
    return {
      ...found,
      burnRate: rate,
      budgetSpent: found.budgetSpent * scale,
      budgetLasts: seconds(found.budgetLasts / scale),
      because: `its part ${judged.objective.id}: ${found.because}`,
    };
  }
  return undefined;
}
