/** Where shifts stand in a calendar of some days. Pure, but for the reader's zone, in which days begin. */

export type Range = { readonly from: number; readonly to: number };

/** Midnight of the reader's day in which `at` is. */
export function dayOf(at: number): number {
  const day = new Date(at);
  day.setHours(0, 0, 0, 0);
  return day.getTime();
}

/** Whole days of the reader: one with a change of clocks has 23 or 25 hours. @param ahead days after today */
export function daysFrom(today: number, ahead: number, count: number): Range {
  const moved = (days: number) => {
    const day = new Date(dayOf(today));
    day.setDate(day.getDate() + days);
    return day.getTime();
  };
  return { from: moved(ahead), to: moved(ahead + count) };
}

/** The midnights within, the first included. */
export function midnights({ from, to }: Range): number[] {
  const found: number[] = [];
  for (let i = 0; ; i++) {
    const at = daysFrom(from, i, 1).from;
    if (at >= to) return found;
    found.push(at);
  }
}

export type Place = { readonly start: number; readonly size: number };

/** In percent of the range; what lies outside of it is cut. Undefined: nothing of it lies within. */
export function placeOf({ from, to }: Range, begins: number, ends: number): Place | undefined {
  const [first, last] = [Math.max(begins, from), Math.min(ends, to)];
  if (first >= last) return undefined;
  return { start: ((first - from) / (to - from)) * 100, size: ((last - first) / (to - from)) * 100 };
}

const QUARTER = 15 * 60_000;

/** Where a pointer is. @param share of the width, from 0 to 1 @returns the nearest quarter of an hour */
export function momentAt({ from, to }: Range, share: number): number {
  const at = from + Math.min(1, Math.max(0, share)) * (to - from);
  return Math.round(at / QUARTER) * QUARTER;
}

/** As an input of the type datetime-local has it: the reader's wall clock, to the minute. */
export function toLocal(at: number): string {
  const moved = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return moved.toISOString().slice(0, 16);
}

/** @returns NaN where it is no moment */
export const fromLocal = (text: string): number => new Date(text).getTime();

const COLOURS = 6;
/** Each person has one colour, whatever the range. @returns 0 to 5 */
export function colourOf(person: string): number {
  let hash = 0;
  for (const letter of person) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) % 65_521;
  return hash % COLOURS;
}
