/**
 * Maintenance that comes again: `every Sunday from 02:00 for two hours, Europe/Berlin`, written out as spans of seconds.
 * The wall clock of the place rules: when clocks change, a window begins at the same hour by the wall and lasts as long by
 * the stopwatch. A beginning that does not exist that day is taken later, by as much as the clocks jump.
 */
import { Temporal } from '@js-temporal/polyfill';
import { type Seconds, seconds } from '#kernel/units.ts';
import type { Span } from './corrections.ts';

export type Recurrence = {
  /** Of the first one, by the wall: `2026-01-04T02:00`. */
  readonly start: string;
  /** IANA name. */
  readonly timeZone: string;
  readonly lasts: Seconds;
  readonly every: { readonly unit: 'day' | 'week' | 'month'; readonly count: number };
  /** Nothing begins after it. */
  readonly until: Seconds;
};

/** A daily window over the longest ledger, four times over. */
export const SPANS_MAX = 1_600;

export type SpansOutcome =
  | { readonly kind: 'spans'; readonly spans: readonly Span[] }
  | { readonly kind: 'fault'; readonly reason: string };

export function expand({ start, timeZone, lasts, every, until }: Recurrence): SpansOutcome {
  if (!(lasts > 0)) return fault(`lasts ${lasts} s; expected more than 0`);
  if (!Number.isInteger(every.count) || every.count < 1) return fault(`every ${every.count}; expected 1 or more`);
  const spans: Span[] = [];
  try {
    const first = Temporal.PlainDateTime.from(start);
    for (let i = 0; ; i++) {
      // Each counted from the first: the 31st of every month is not moved for good by a February.
      const wall = first.add({ [`${every.unit}s`]: i * every.count });
      const from = seconds(wall.toZonedDateTime(timeZone).epochMilliseconds / 1000);
      if (from > until) break;
      if (spans.length === SPANS_MAX) return fault(`more than ${SPANS_MAX} times; set an earlier end`);
      const before = spans.at(-1);
      if (before !== undefined && from < before.to) return fault('a window lasts until after the next begins');
      spans.push({ from, to: seconds(from + lasts) });
    }
  } catch (error) {
    return fault(error instanceof Error ? error.message : String(error));
  }
  return { kind: 'spans', spans };
}

const fault = (reason: string): SpansOutcome => ({ kind: 'fault', reason });
