/**
 * Who is on call, found the slow way: by another library, hand-off by hand-off from the layer's start. What the fast way is
 * held to.
 */
import { Temporal } from '@js-temporal/polyfill';
import type { Layer, Restriction, Schedule, WallTime } from '#alerting/oncall/model.ts';
import { DAY, HOUR, wallAt } from '#alerting/oncall/zone.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';

export const ZONES = Intl.supportedValuesOf('timeZone');

export const FIRST = Date.UTC(2020, 0, 1);
export const LAST = Date.UTC(2036, 0, 1);

/** Its changes of clocks from 2020 to 2035. What it is made with is held to Intl, day by day, in zone.test.ts. */
export function changesOf(zone: string): number[] {
  const offset = (at: number): number => wallAt(zone, milliseconds(at)) - at;
  const changes: number[] = [];
  for (let at = FIRST; at < LAST; at += 7 * DAY) {
    let [low, high] = [at, at + 7 * DAY];
    if (offset(low) === offset(high)) continue;
    while (high - low > HOUR / 4) {
      const middle = (low + high) / 2;
      if (offset(middle) === offset(low)) low = middle;
      else high = middle;
    }
    changes.push(Math.round(high / (HOUR / 4)) * (HOUR / 4));
  }
  return changes;
}

/** One of the zones that differ from all others in those years, with its changes. */
export function kindsOfZones(): [zone: string, changes: number[]][] {
  const found = new Map<string, [string, number[]]>();
  for (const zone of ZONES) {
    const changes = changesOf(zone);
    const offsets = [FIRST, ...changes].map((at) => wallAt(zone, milliseconds(at)) - at);
    const kind = `${changes.join()} ${offsets.join()}`;
    if (!found.has(kind)) found.set(kind, [zone, changes]);
  }
  return [...found.values()];
}

/** The first instant at which the clocks show this time; where they skip it, the moment at which they do. */
export function slowInstant(zone: string, local: Temporal.PlainDateTime): Milliseconds {
  const found = local.toZonedDateTime(zone, { disambiguation: 'earlier' });
  if (found.toPlainDateTime().equals(local)) return milliseconds(found.epochMilliseconds);
  const change = found.subtract({ seconds: 1 }).getTimeZoneTransition('next');
  return milliseconds(change?.epochMilliseconds ?? Number.NaN);
}

export const plain = ({ year, month, day, hour, minute }: WallTime) =>
  new Temporal.PlainDateTime(year, month, day, hour, minute);

export const localAt = (zone: string, at: Milliseconds): Temporal.PlainDateTime =>
  Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone).toPlainDateTime();

export function slowOnDuty(schedule: Schedule, at: Milliseconds): string[] {
  const { zone, layers, overrides } = schedule;
  let found: string[] = [];
  for (const layer of layers) {
    const person = slowOnLayer(layer, zone, at);
    if (person !== undefined) found = [person];
  }
  for (const { person, from, to } of overrides) if (at >= from && at < to) found = [person];
  return found;
}

function slowOnLayer(layer: Layer, zone: string, at: Milliseconds): string | undefined {
  const start = plain(layer.start);
  if (at < slowInstant(zone, start)) return undefined;
  if (layer.end !== undefined && at >= slowInstant(zone, plain(layer.end))) return undefined;
  if (layer.restrictions.length > 0 && !layer.restrictions.some((one) => slowInside(one, zone, at))) return undefined;
  let turn = 0;
  while (handOff(layer, zone, turn + 1) <= at) turn++;
  return layer.people[turn % layer.people.length];
}

export function handOff({ start, rotation: { unit, every } }: Layer, zone: string, turn: number): Milliseconds {
  const times = every * turn;
  if (unit === 'hour') return milliseconds(slowInstant(zone, plain(start)) + times * 3_600_000);
  return slowInstant(zone, plain(start).add({ days: (unit === 'week' ? 7 : 1) * times }));
}

/** Begun on one of the days around, and not yet ended. */
function slowInside({ weekdays, from, to }: Restriction, zone: string, at: Milliseconds): boolean {
  const today = localAt(zone, at).toPlainDate();
  return [-2, -1, 0, 1].some((days) => {
    const date = today.add({ days });
    if (!weekdays.includes(date.dayOfWeek % 7)) return false;
    const midnight = date.toPlainDateTime();
    const begins = slowInstant(zone, midnight.add({ minutes: from }));
    const ends = slowInstant(zone, midnight.add({ minutes: to <= from ? to + 1_440 : to }));
    return begins <= at && at < ends;
  });
}
