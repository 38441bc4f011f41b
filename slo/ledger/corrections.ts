/**
 * Corrections: what was counted and shall not count, because of maintenance that was agreed, or because the failure was
 * somebody else's. They are appended, never changed; what was counted stays beside, so that a report can show both.
 *
 * A correction takes events out of the corrected ring where it stands in time: exactly to the event for what comes after
 * it was entered, and to the bucket for what was there before (its edges move to the beginnings of their buckets: 5 s in
 * the last 90 minutes, a minute within 25 hours, 15 minutes beyond). Taken out once, it stays out as buckets age.
 */
import type { Ratio, Seconds } from '#kernel/units.ts';
import type { Counts } from '#slo/objective.ts';
import { readColumn, writeColumn } from './column.ts';
import { bucketOf, newSums, type Ring, readSums } from './ring.ts';

export type Correction = {
  readonly id: string;
  readonly author: string;
  readonly reason: string;
  readonly enteredAt: Seconds;
  /** One, or for a recurrence each of them (`recurrence.ts`). In order, apart from each other. */
  readonly spans: readonly Span[];
  readonly of: Scope;
  readonly how: How;
};

export type Span = { readonly from: Seconds; readonly to: Seconds };

export type Scope =
  | { readonly kind: 'ids'; readonly ids: readonly string[] }
  /** All objectives that carry each of these labels; `service` counts as a label. */
  | { readonly kind: 'labels'; readonly labels: Readonly<Record<string, string>> };

export type How =
  /** Nothing that happened then counts. */
  | { readonly kind: 'all' }
  /** A share of the bad events is not ours. They become no good ones: they are out. */
  | { readonly kind: 'bad'; readonly share: Ratio }
  /** So many bad events are not ours; the earliest are taken. */
  | { readonly kind: 'events'; readonly bad: number };

/** A correction's span in one ledger. */
export type Applied = Span & {
  readonly id: string;
  readonly how: How;
  /** Of `events`: how many are still to be taken out. */
  left: number;
};

/** Does a correction mean this objective? */
export function concerns(
  { of }: Pick<Correction, 'of'>,
  objective: { readonly id: string; readonly service: string; readonly labels: Readonly<Record<string, string>> },
): boolean {
  if (of.kind === 'ids') return of.ids.includes(objective.id);
  const wanted = Object.entries(of.labels);
  const label = (name: string) => (name === 'service' ? objective.service : objective.labels[name]);
  return wanted.length > 0 && wanted.every(([name, value]) => label(name) === value);
}

/** What stays of events that happened at `at`, after all corrections in their order. Spends what `events` has left. */
export function keep(corrections: Applied[], at: Seconds, good: number, bad: number): Counts {
  let kept: Counts = { good, bad };
  for (const one of corrections) {
    if (at <= one.from || at > one.to) continue;
    const before = kept.bad;
    kept = { good: one.how.kind === 'all' ? 0 : kept.good, bad: keptBad(one.how, one.left, before) };
    one.left = Math.max(0, one.left - before);
  }
  return kept;
}

/** Of `bad` events since a span's beginning, how many still count. Never falls as `bad` grows. */
function keptBad(how: How, left: number, bad: number): number {
  switch (how.kind) {
    case 'all':
      return 0;
    case 'bad':
      return bad * (1 - how.share);
    case 'events':
      return Math.max(0, bad - left);
    default:
      return how satisfies never;
  }
}

/** Takes a span's events out of sums that have them already. @returns what `events` has left for later ones. */
export function cutRing(ring: Ring, { from, to, how }: Span & { readonly how: How }): number {
  const wanted = how.kind === 'events' ? how.bad : 0;
  const begin = newSums();
  const end = newSums();
  const first = bucketOf(ring, from).from;
  const last = Math.min(bucketOf(ring, to).from, ring.head);
  if (last <= first) return wanted;
  readSums(ring, first, begin);
  readSums(ring, last, end);
  const goodOut = how.kind === 'all' ? end.good - begin.good : 0;
  const badOut = end.bad - begin.bad - keptBad(how, wanted, end.bad - begin.bad);
  for (const { width, size, good, bad, last: newest } of ring.levels) {
    for (let k = Math.max(newest - size + 1, Math.floor(first / width) + 1); k <= newest; k++) {
      const slot = k % size;
      const [goodSum, badSum] = [readColumn(good, slot), readColumn(bad, slot)];
      const inside = k * width < last;
      writeColumn(good, slot, how.kind === 'all' && inside ? begin.good : goodSum - goodOut);
      writeColumn(bad, slot, inside ? begin.bad + keptBad(how, wanted, badSum - begin.bad) : badSum - badOut);
    }
  }
  ring.good -= goodOut;
  ring.bad -= badOut;
  return Math.max(0, wanted - badOut);
}
