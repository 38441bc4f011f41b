/**
 * Where the periods of an objective begin and end. A rolling period ends now; a calendar period begins at a wall-clock
 * time in its zone, however long or short the clock's changes make it.
 *
 * Every boundary is counted from the first one, not from its neighbour: month by month from 31 January, March begins on
 * the 31st again, although February ended on its last day. A wall-clock time that does not exist on that day (the clock
 * jumped over it) means the one an hour later; one that comes twice means the first, as RFC 5545 has it.
 *
 * Pure: the instant is an argument. Source: https://tc39.es/proposal-temporal/docs/
 */
import { Temporal } from '@js-temporal/polyfill';
import { days, type Milliseconds, milliseconds, type Seconds, seconds, toMilliseconds } from '#kernel/units.ts';
import type { CalendarUnit, CalendarWindow, Window } from './objective.ts';

/** From `start` on, and no longer at `end`. Milliseconds since the epoch. */
export type Period = { readonly start: Milliseconds; readonly end: Milliseconds };

type Step = { readonly days: number } | { readonly months: number };
const STEPS = {
  day: { days: 1 },
  week: { days: 7 },
  month: { months: 1 },
  quarter: { months: 3 },
  year: { months: 12 },
} as const satisfies Record<CalendarUnit, Step>;
/** What OpenSLO's SDK takes a unit for, where a length is needed and no date is at hand. */
const NOMINAL_DAYS = { day: 1, week: 7, month: 30, quarter: 90, year: 365 } as const satisfies Record<
  CalendarUnit,
  number
>;

/** The period that contains `now`. */
export function currentPeriod(window: Window, now: Milliseconds): Period {
  if (window.kind === 'rolling') return { start: milliseconds(now - toMilliseconds(window.period)), end: now };
  const index = indexAt(window, now);
  return { start: boundary(window, index), end: boundary(window, index + 1) };
}

/** The one before it: for a rolling window the same length before that. */
export function previousPeriod(window: Window, now: Milliseconds): Period {
  if (window.kind === 'rolling') return currentPeriod(window, milliseconds(now - toMilliseconds(window.period)));
  const index = indexAt(window, now);
  return { start: boundary(window, index - 1), end: boundary(window, index) };
}

/** How long a period is, nominally: what burn rates are measured in. A month counts 30 days, a quarter 90, a year 365. */
export function nominalPeriod(window: Window): Seconds {
  return window.kind === 'rolling' ? window.period : days(NOMINAL_DAYS[window.unit] * window.count);
}

/** The length of the period that contains `now`, to the second. */
export function lengthAt(window: Window, now: Milliseconds): Seconds {
  const { start, end } = currentPeriod(window, now);
  return seconds((end - start) / 1000);
}

/** A wall-clock time as OpenSLO writes it, and nothing else. */
export const isWallClock = (text: string): boolean => {
  const match = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)$/.exec(text);
  if (match === null) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return year > 0 && month >= 1 && month <= 12 && day >= 1 && day <= lastDay && hour < 24 && minute < 60 && second < 60;
};

export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+\-/]*$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** How many periods after the first one `now` is: an estimate, then to and fro until it fits. */
function indexAt(window: CalendarWindow, now: Milliseconds): number {
  const local = Temporal.Instant.fromEpochMilliseconds(Math.floor(now))
    .toZonedDateTimeISO(window.timeZone)
    .toPlainDateTime();
  const step: Step = STEPS[window.unit];
  const since =
    'days' in step
      ? anchor(window).until(local, { largestUnit: 'day' }).days / step.days
      : monthsBetween(anchor(window), local) / step.months;
  let index = Math.floor(since / window.count);
  while (boundary(window, index) > now) index--;
  while (boundary(window, index + 1) <= now) index++;
  return index;
}

function boundary(window: CalendarWindow, index: number): Milliseconds {
  const step: Step = STEPS[window.unit];
  const times = index * window.count;
  const local = anchor(window).add('days' in step ? { days: step.days * times } : { months: step.months * times });
  return milliseconds(local.toZonedDateTime(window.timeZone, { disambiguation: 'compatible' }).epochMilliseconds);
}

const anchor = (window: CalendarWindow) => Temporal.PlainDateTime.from(window.start.replace(' ', 'T'));

const monthsBetween = (from: Temporal.PlainDateTime, to: Temporal.PlainDateTime): number =>
  (to.year - from.year) * 12 + to.month - from.month;
