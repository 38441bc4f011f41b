/**
 * Time-slice objectives: time is cut at the multiples of a slice, each slice is judged when all of it is known, and the
 * slices are the events that the ledger counts. A slice of which less than half was watched is no event; one that was
 * watched and had no traffic is good: idle is fine.
 *
 * Growth that a scrape finds is spread evenly over the time since the scrape before, so that a slice shorter than the
 * scrape interval is not idle because no scrape fell into it.
 *
 * Source: OpenSLO v1, budgetingMethod Timeslices and RatioTimeslices. https://github.com/OpenSLO/OpenSLO#slo
 */
import { type Seconds, seconds } from '#kernel/units.ts';
import type { Method } from '#slo/objective.ts';

export type Slicer = {
  /** By number of the slice: what is known of those that are not judged yet. */
  readonly pending: Map<number, { good: number; bad: number; watched: number }>;
};

/** A target that stays away holds back its slices; the rest of them is not kept without end. */
const PENDING_MAX = 10_000;
const ENOUGH = 0.5;

export type SliceMethod = Exclude<Method, { readonly kind: 'occurrences' }>;

export const newSlicer = (): Slicer => ({ pending: new Map() });

/** Events that happened between two scrapes. */
export function spread(slicer: Slicer, slice: Seconds, from: Seconds, to: Seconds, good: number, bad: number): void {
  each(slicer, slice, from, to, (entry, share) => {
    entry.good += good * share;
    entry.bad += bad * share;
  });
}

/** Time that was watched. */
export function watch(slicer: Slicer, slice: Seconds, from: Seconds, to: Seconds): void {
  const span = to - from;
  each(slicer, slice, from, to, (entry, share) => {
    entry.watched += span * share;
  });
}

type Entry = { good: number; bad: number; watched: number };

function each(
  { pending }: Slicer,
  slice: Seconds,
  from: Seconds,
  to: Seconds,
  visit: (entry: Entry, share: number) => void,
): void {
  const last = Math.ceil(to / slice) - 1;
  const first = Math.max(Math.min(Math.floor(from / slice), last), last - PENDING_MAX);
  for (let k = first; k <= last; k++) {
    const overlap = Math.min(to, (k + 1) * slice) - Math.max(from, k * slice);
    let entry = pending.get(k);
    if (entry === undefined) {
      entry = { good: 0, bad: 0, watched: 0 };
      pending.set(k, entry);
      if (pending.size > PENDING_MAX) pending.delete(Math.min(...pending.keys()));
    }
    visit(entry, to > from ? overlap / (to - from) : 1);
  }
}

export type JudgedSlice = { readonly at: Seconds; readonly good: number; readonly bad: number };

/** The slices that end at `until` or before, in order; they are not told again. */
export function judged({ pending }: Slicer, method: SliceMethod, until: Seconds): readonly JudgedSlice[] {
  const done: JudgedSlice[] = [];
  for (const [k, entry] of [...pending].sort(([a], [b]) => a - b)) {
    const at = seconds((k + 1) * method.slice);
    if (at > until) break;
    pending.delete(k);
    if (entry.watched < ENOUGH * method.slice) continue;
    done.push({ at, ...verdict(method, entry) });
  }
  return done;
}

function verdict(method: SliceMethod, { good, bad }: Entry): { readonly good: number; readonly bad: number } {
  const share = good + bad === 0 ? 1 : good / (good + bad);
  if (method.kind === 'ratio-timeslices') return { good: share, bad: 1 - share };
  // Slack for shares that were spread: in doubles, three thirds may be a little less than one.
  const isGood = share >= method.sliceTarget - 1e-9;
  return isGood ? { good: 1, bad: 0 } : { good: 0, bad: 1 };
}
