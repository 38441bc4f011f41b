/**
 * What was seen of a target, as facts: a name and a value that is the same whenever the target behaves the same, so without ids
 * and times. Names have parts with slashes; the first part is the check's.
 */
import type { Milliseconds } from '#kernel/units.ts';

export type Fact = string | number | boolean;
export type Facts = Readonly<Record<string, Fact>>;

export const CHECKS = [
  'health',
  'contract',
  'headers',
  'refusals',
  'documents',
  'rejections',
  'idempotency',
  'concurrency',
  'performance',
  'metrics',
  'rate-limit',
  'erasure',
] as const;
export type CheckName = (typeof CHECKS)[number];

/** Times of one operation in milliseconds, or rates; in the order in which they were taken. */
export type Samples = Readonly<Record<string, readonly number[]>>;

export type CheckResult = {
  readonly check: CheckName;
  readonly facts: Facts;
  /** Names that begin so could not be looked at, and why: nobody compares them. */
  readonly notSeen: Readonly<Record<string, string>>;
  readonly samples: Samples;
  /** What a reader may want to know beside it; compared with nothing. */
  readonly notes: readonly string[];
  /** What must not happen, whatever was recorded, and how often it did. */
  readonly troubles: Readonly<Record<string, number>>;
  readonly took: Milliseconds;
};

/** Name and value in the order of names, which no locale changes. */
export const sortFacts = (facts: Facts): Record<string, Fact> =>
  Object.fromEntries(Object.entries(facts).sort(([a], [b]) => (a < b ? -1 : 1)));
