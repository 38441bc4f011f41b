/**
 * Whether a moment is inside time intervals, and whether they mute a route. Pure.
 *
 * Source: prometheus/alertmanager timeinterval/timeinterval.go (ContainsTime) and notify/mute.go. Other than there, the
 * last day of a month in which clocks go forward is its last day: Go's count of 743 hours makes March one day short.
 */
import type { Range, Route, TimeInterval } from '#alerting/config/config.ts';
import type { Milliseconds } from '#kernel/units.ts';

/** Inside one of them. */
export function isInside(intervals: readonly TimeInterval[], at: Milliseconds): boolean {
  return intervals.some((interval) => holds(interval, at));
}

export type MuteReason = {
  /** `mute`: inside a mute interval. `active`: outside of every active interval. */
  readonly kind: 'mute' | 'active';
  /** As API v2 shows them in `mutedBy`. */
  readonly names: readonly string[];
};

/** Why the route is muted now; undefined when it is not. */
export function muteReason(
  route: Pick<Route, 'muteTimeIntervals' | 'activeTimeIntervals'>,
  intervals: ReadonlyMap<string, readonly TimeInterval[]>,
  at: Milliseconds,
): MuteReason | undefined {
  const inside = (name: string): boolean => isInside(intervals.get(name) ?? [], at);
  const muting = route.muteTimeIntervals.filter(inside);
  if (muting.length > 0) return { kind: 'mute', names: muting };
  const active = route.activeTimeIntervals;
  return active.length === 0 || active.some(inside) ? undefined : { kind: 'active', names: active };
}

function holds(interval: TimeInterval, at: Milliseconds): boolean {
  const local = localTime(interval.location, at);
  const minute = local.hour * 60 + local.minute;
  return (
    some(interval.times, ({ from, to }) => from <= minute && minute < to) &&
    some(interval.daysOfMonth, (range) => holdsDay(range, local)) &&
    some(interval.months, holdsNumber(local.month)) &&
    some(interval.weekdays, holdsNumber(local.weekday)) &&
    some(interval.years, holdsNumber(local.year))
  );
}

/** A field that is not set holds every moment. */
const some = <T>(list: readonly T[], test: (item: T) => boolean): boolean => list.length === 0 || list.some(test);

const holdsNumber =
  (n: number) =>
  ({ from, to }: Range): boolean =>
    from <= n && n <= to;

/** From the month's end where negative. A range that starts after a short month's end holds none of its days. */
function holdsDay({ from, to }: Range, { year, month, day }: LocalTime): boolean {
  const length = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const first = from < 0 ? length + from + 1 : from;
  const last = to < 0 ? length + to + 1 : to;
  return first <= length && first <= day && day <= last;
}

type LocalTime = {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
};

function localTime(zone: string, at: Milliseconds): LocalTime {
  const fields: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of formatOf(zone).formatToParts(at)) fields[type] = Number(value);
  const { year = 0, month = 0, day = 0, hour = 0, minute = 0 } = fields;
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay();
  return { year, month, day, weekday, hour, minute };
}

/** Making one takes a hundred times as long as using it. There are no more than the zones of the world. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    ...(zone === 'Local' ? {} : { timeZone: zone }),
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  formats.set(zone, format);
  return format;
}

/** `Local` is the machine's own, as in Go. Offsets such as `+01:00` are none of IANA's names. */
export function isZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name)) return false;
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}
