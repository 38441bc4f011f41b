/** Numbers as a person reads them: for timelines and logs. */
import type { Milliseconds } from '#kernel/units.ts';

export function describeSpan(span: Milliseconds): string {
  if (span < 1_000) return `${Math.round(span)} ms`;
  if (span < 120_000) return `${(span / 1_000).toFixed(1)} s`;
  return span < 7_200_000 ? `${Math.round(span / 60_000)} min` : `${Math.round(span / 3_600_000)} h`;
}

export const counted = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
