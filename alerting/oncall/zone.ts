/**
 * The clocks of a zone: from an instant to what its clocks show, and back. A wall-clock time means the first instant at
 * which the clocks show it or more: where it is skipped, the moment of the change; where it comes twice, the first.
 *
 * A zone is asked for its offset once in eight days, and at the change where the two ends differ; the rest is arithmetic.
 * No zone has changed its clocks twice within eight days since 1970, which a test holds the years 2020 to 2035 to.
 *
 * Source: the tz database of Node's ICU. Read for its rules of DST: target/goalert util/timeutil/clock.go (FirstOfDay).
 */
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { WallTime } from './model.ts';

/** What the clocks show, counted in milliseconds as if they stood in UTC. */
export type Wall = number;

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
const STRETCH = 8 * DAY;
/** Further than any clock stands from UTC, one day that a zone skips included. */
const FARTHEST = 26 * HOUR;

/** The offset before `change`, and from then on. */
type Stretch = { readonly before: number; readonly change: number; readonly after: number };
type Zone = { readonly format: Intl.DateTimeFormat; readonly stretches: Map<number, Stretch> };

/** No more than the zones of the world. */
const zones = new Map<string, Zone>();

export function wallAt(zone: string, at: Milliseconds): Wall {
  const { before, change, after } = stretchAt(zone, at);
  return at + (at < change ? before : after);
}

/** The first instant at which the zone's clocks show this time or a later one. */
export function instantOf(zone: string, wall: Wall): Milliseconds {
  let from = wall - FARTHEST;
  for (;;) {
    const { before, change, after } = stretchAt(zone, from);
    const end = (Math.floor(from / STRETCH) + 1) * STRETCH;
    const inBefore = Math.max(from, wall - before);
    if (inBefore < Math.min(change, end)) return milliseconds(inBefore);
    const inAfter = Math.max(from, change, wall - after);
    if (inAfter < end) return milliseconds(inAfter);
    from = end;
  }
}

export const wallOf = ({ year, month, day, hour, minute }: WallTime): Wall =>
  Date.UTC(year, month - 1, day, hour, minute);

/** `2026-11-25 09:00`, as the clocks of the zone show it. */
export const shownAt = (zone: string, at: Milliseconds): string =>
  new Date(wallAt(zone, at)).toISOString().slice(0, 16).replace('T', ' ');

function stretchAt(name: string, at: number): Stretch {
  const zone = zoneOf(name);
  const index = Math.floor(at / STRETCH);
  const known = zone.stretches.get(index);
  if (known !== undefined) return known;
  const found = askStretch(zone.format, index * STRETCH, (index + 1) * STRETCH);
  zone.stretches.set(index, found);
  return found;
}

/** Changes of clocks fall on whole seconds. */
function askStretch(format: Intl.DateTimeFormat, start: number, end: number): Stretch {
  const before = askOffset(format, start);
  const after = askOffset(format, end);
  if (before === after) return { before, change: end, after };
  let [low, high] = [start / 1000, end / 1000];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (askOffset(format, middle * 1000) === before) low = middle;
    else high = middle;
  }
  return { before, change: high * 1000, after };
}

function askOffset(format: Intl.DateTimeFormat, at: number): number {
  const [, sign, hours, minutes, seconds] = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(format.format(at)) ?? [];
  const length = Number(hours ?? 0) * HOUR + Number(minutes ?? 0) * MINUTE + Number(seconds ?? 0) * 1000;
  return sign === '-' ? -length : length;
}

function zoneOf(name: string): Zone {
  const known = zones.get(name);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
  const zone = { format, stretches: new Map() };
  zones.set(name, zone);
  return zone;
}
