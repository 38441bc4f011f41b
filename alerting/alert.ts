/**
 * An alert as it came in, and how what comes again is merged with what is known. Pure.
 *
 * Source of the rules: prometheus/alertmanager alert/alert.go (Merge) and provider/mem/mem.go (Put).
 */
import type { Milliseconds } from '#kernel/units.ts';
import type { Labels } from './labels.ts';

export type Alert = {
  readonly fingerprint: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly generatorUrl: string;
  readonly startsAt: Milliseconds;
  readonly endsAt: Milliseconds;
  /** It came without an end: `endsAt` is ours, and it is taken for resolved if it does not come again by then. */
  readonly timeout: boolean;
  /** When it last came. */
  readonly updatedAt: Milliseconds;
};

export const isResolved = (alert: Pick<Alert, 'endsAt'>, now: Milliseconds): boolean => alert.endsAt <= now;

/**
 * What does not overlap in time is another occurrence: the coming one is taken as it is. Otherwise the younger one's words
 * and the earlier start; and the younger one's end, unless the older has a later one that counts: between two resolved
 * ones the later, and for a firing one an end that was given rather than guessed.
 */
export function merge(known: Alert, coming: Alert): Alert {
  const overlap =
    (coming.endsAt > known.startsAt && coming.endsAt < known.endsAt) ||
    (coming.startsAt > known.startsAt && coming.startsAt < known.endsAt);
  if (!overlap) return coming;
  const [old, young] = coming.updatedAt >= known.updatedAt ? [known, coming] : [coming, known];
  const now = young.updatedAt;
  const counts = isResolved(young, now) ? isResolved(old, now) : !old.timeout;
  return {
    ...young,
    startsAt: old.startsAt < young.startsAt ? old.startsAt : young.startsAt,
    endsAt: counts && old.endsAt > young.endsAt ? old.endsAt : young.endsAt,
  };
}
