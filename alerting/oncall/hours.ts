/** Hours of the week, such as restrictions of a layer and working hours: when they are. Pure. */
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { Restriction, WorkingHours } from './model.ts';
import { DAY, instantOf, MINUTE, wallAt } from './zone.ts';

/** From `from` on, and no longer at `to`. */
export type Span = { readonly from: Milliseconds; readonly to: Milliseconds };

/** Two weeks hold each weekday, even where a zone once skipped a day. */
const LOOK_AHEAD = 15 * DAY;

/** The hours within [from, to), in order, those that touch made one. */
export function hoursWithin(restrictions: readonly Restriction[], zone: string, from: number, to: number): Span[] {
  const spans: Span[] = [];
  // The hours of the day before reach into the first; a skipped day puts one more between.
  const first = Math.floor(wallAt(zone, milliseconds(from)) / DAY) - 2;
  const last = Math.floor(wallAt(zone, milliseconds(to)) / DAY);
  for (let day = first; day <= last; day++) {
    const weekday = new Date(day * DAY).getUTCDay();
    for (const restriction of restrictions) {
      if (!restriction.weekdays.includes(weekday)) continue;
      const length = restriction.to - restriction.from + (restriction.to <= restriction.from ? 24 * 60 : 0);
      const start = day * DAY + restriction.from * MINUTE;
      const begins = Math.max(instantOf(zone, start), from);
      const ends = Math.min(instantOf(zone, start + length * MINUTE), to);
      if (begins < ends) spans.push({ from: milliseconds(begins), to: milliseconds(ends) });
    }
  }
  return joined(spans.sort((a, b) => a.from - b.from));
}

export const isWithin = (restrictions: readonly Restriction[], zone: string, at: Milliseconds): boolean =>
  hoursWithin(restrictions, zone, at, at + 1).length > 0;

/** Now, inside the hours, else when they begin next. Undefined: they never do. */
export function nextWithin({ zone, restrictions }: WorkingHours, at: Milliseconds): Milliseconds | undefined {
  return hoursWithin(restrictions, zone, at, at + LOOK_AHEAD)[0]?.from;
}

function joined(sorted: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const span of sorted) {
    const before = result.at(-1);
    if (before === undefined || before.to < span.from) result.push(span);
    else result[result.length - 1] = { from: before.from, to: milliseconds(Math.max(before.to, span.to)) };
  }
  return result;
}
