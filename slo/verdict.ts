/** What is said of an objective at one moment, and the words and reasons it is said with. */
import type { Ratio, Seconds } from '#kernel/units.ts';
import type { BurnRule, OmittedRule } from './burn-rate.ts';

/** `critical` pages, `warning` reaches a human within the quarter of an hour, `info` is written down. */
export type Severity = 'critical' | 'warning' | 'info';
export type RuleName = 'evidence' | BurnRule['name'];

export type Verdict =
  | { readonly kind: 'ok' }
  | Burning
  /** Nothing can be said. Missing data is no proof of health. */
  | { readonly kind: 'unknown'; readonly because: string };

export type Burning = {
  readonly kind: 'burning';
  readonly rule: RuleName;
  readonly severity: Severity;
  readonly burnRate: number;
  /** Share of the whole period's budget that the rule's window has spent. */
  readonly budgetSpent: number;
  /** How long a whole budget lives at this pace. */
  readonly budgetLasts: Seconds;
  readonly because: string;
};

const RANK: Readonly<Record<Severity, number>> = { critical: 3, warning: 2, info: 1 };

export const severityRank = (severity: Severity): number => RANK[severity];

/** Is this news? The same severity by another rule is not: the incident is the same. */
export function isChange(before: Verdict, after: Verdict): boolean {
  if (before.kind !== after.kind) return true;
  return before.kind === 'burning' && after.kind === 'burning' && before.severity !== after.severity;
}

/** 90 → "90 s", 5400 → "90 min", 36000 → "10 h", 200000 → "2.3 d". */
export function duration(length: Seconds): string {
  if (!Number.isFinite(length)) return 'for ever';
  if (length < 120) return `${round(length)} s`;
  if (length < 7_200) return `${round(length / 60)} min`;
  if (length < 172_800) return `${round(length / 3_600)} h`;
  return `${round(length / 86_400)} d`;
}

export const percent = (share: number): string => `${round(share * 100)} %`;

/** September 2001: nothing that is watched is older, and a replay whose seconds count from 0 lasts for ten years at most. */
const FIRST_MOMENT = 1_000_000_000;

/** When something was, in a message: 1772323200 → "2026-03-01T00:00:00Z"; of a replay that begins at 0, 3600 → "second 3600". */
export const moment = (at: Seconds): string =>
  at < FIRST_MOMENT ? `second ${Number(at.toFixed(3))}` : new Date(at * 1_000).toISOString().replace(/\.\d+Z$/, 'Z');

/** All its digits, without the noise of a multiplication by 100. */
export const exactPercent = (share: number): string => `${Number((share * 100).toPrecision(12))} %`;

/** Two or three digits that mean something, and no trailing zeros. */
export const round = (value: number): string =>
  String(Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(value < 1 ? 2 : 3)));

/** Why a pair is not among those that judge. */
export function whyOmitted({ rule, factor, why }: OmittedRule, budget: Ratio, period: Seconds): string {
  switch (why) {
    case 'longer than the period':
      return `its window of ${duration(rule.long)} does not fit into a period of ${duration(period)}`;
    case 'can never fire':
      return `it can never fire: ${round(factor)} times a budget of ${exactPercent(budget)} is more than everything`;
    case 'fires within the objective':
      return `it would page within the objective: its burn rate is ${round(factor)}`;
    default:
      return why satisfies never;
  }
}
