import assert from 'node:assert/strict';
import test from 'node:test';
import { milliseconds } from '#kernel/units.ts';
import { hoursWithin, nextWithin } from './hours.ts';
import type { Layer, Schedule, WallTime } from './model.ts';
import { gapsOf, nextHandOff, onDuty, shiftsOf } from './schedule.ts';
import { DAY, instantOf, shownAt } from './zone.ts';

const wall = (text: string): WallTime => {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = text.split(/\D/).map(Number);
  return { year, month, day, hour, minute };
};
function layer(people: Layer['people'], rotation: Layer['rotation'], start: string, more: Partial<Layer> = {}): Layer {
  return { name: 'l', people, rotation, start: wall(start), end: undefined, restrictions: [], ...more };
}
const schedule = (zone: string, layers: readonly Layer[], more: Partial<Schedule> = {}): Schedule => ({
  ...{ name: 's', zone, layers, overrides: [] },
  ...more,
});
const DAILY = { every: 1, unit: 'day' } as const;
const WEEKLY = { every: 1, unit: 'week' } as const;

/** `ada 03-28 09:00 → 03-29 09:00`, on the zone's clocks. */
function told(one: Schedule, from: string, to: string): string[] {
  const at = (text: string) => instantOf(one.zone, Date.parse(`${text}Z`));
  const shown = (moment: ReturnType<typeof milliseconds>) => shownAt(one.zone, moment).slice(5);
  return shiftsOf(one, at(from), at(to)).map((shift) => `${shift.person} ${shown(shift.from)} → ${shown(shift.to)}`);
}

test('a daily hand-off at an hour that is skipped is at the change, and keeps its hour from the next day on', () => {
  const berlin = schedule('Europe/Berlin', [layer(['ada', 'bob'], DAILY, '2026-03-27T02:30')]);
  assert.deepEqual(told(berlin, '2026-03-27T02:30', '2026-03-31T02:30'), [
    'ada 03-27 02:30 → 03-28 02:30',
    'bob 03-28 02:30 → 03-29 03:00',
    'ada 03-29 03:00 → 03-30 02:30',
    'bob 03-30 02:30 → 03-31 02:30',
  ]);
});

test('a daily hand-off at an hour that comes twice is at the first', () => {
  const berlin = schedule('Europe/Berlin', [layer(['ada', 'bob'], DAILY, '2026-10-24T02:30')]);
  const [first, second] = shiftsOf(
    berlin,
    milliseconds(Date.UTC(2026, 9, 24, 0, 30)),
    milliseconds(Date.UTC(2026, 9, 27)),
  );
  assert.equal(first?.to, Date.UTC(2026, 9, 25, 0, 30));
  assert.equal(second?.to, Date.UTC(2026, 9, 26, 1, 30), 'a shift of 25 hours');
  // Between the two 02:30 the clocks show less than at the hand-off, which was.
  assert.deepEqual(onDuty(berlin, milliseconds(Date.UTC(2026, 9, 25, 1, 15))), ['bob']);
});

test('hourly turns are real hours', () => {
  const berlin = schedule('Europe/Berlin', [layer(['ada', 'bob'], { every: 1, unit: 'hour' }, '2026-10-25T01:00')]);
  const start = Date.UTC(2026, 9, 24, 23);
  const hours = [0, 1, 2, 3].map((n) => onDuty(berlin, milliseconds(start + n * 3_600_000))[0]);
  assert.deepEqual(hours, ['ada', 'bob', 'ada', 'bob']);
});

test('weeks, several at a time, go on over the year', () => {
  const utc = schedule('UTC', [layer(['ada', 'bob', 'cy'], { every: 2, unit: 'week' }, '2026-11-30T08:00')]);
  assert.deepEqual(told(utc, '2026-12-13T00:00', '2027-01-12T00:00'), [
    'ada 12-13 00:00 → 12-14 08:00',
    'bob 12-14 08:00 → 12-28 08:00',
    'cy 12-28 08:00 → 01-11 08:00',
    'ada 01-11 08:00 → 01-12 00:00',
  ]);
});

test('the last layer that names somebody wins, and an override wins over all', () => {
  const night = { weekdays: [0, 1, 2, 3, 4, 5, 6], from: 22 * 60, to: 6 * 60 };
  const at = (text: string) => milliseconds(Date.parse(`${text}Z`));
  const utc = schedule(
    'UTC',
    [
      layer(['ada'], WEEKLY, '2026-01-05T00:00'),
      layer(['bob'], WEEKLY, '2026-01-05T00:00', { restrictions: [night], end: wall('2026-01-07T00:00') }),
    ],
    {
      overrides: [
        { person: 'cy', from: at('2026-01-06T23:00'), to: at('2026-01-07T01:00') },
        { person: 'dee', from: at('2026-01-07T00:30'), to: at('2026-01-07T02:00') },
      ],
    },
  );
  assert.deepEqual(told(utc, '2026-01-05T00:00', '2026-01-08T00:00'), [
    'bob 01-05 00:00 → 01-05 06:00',
    'ada 01-05 06:00 → 01-05 22:00',
    'bob 01-05 22:00 → 01-06 06:00',
    'ada 01-06 06:00 → 01-06 22:00',
    'bob 01-06 22:00 → 01-06 23:00',
    'cy 01-06 23:00 → 01-07 00:30',
    'dee 01-07 00:30 → 01-07 02:00',
    'ada 01-07 02:00 → 01-08 00:00',
  ]);
});

test('hours that cross midnight belong to the weekday on which they begin', () => {
  const friday = [{ weekdays: [5], from: 22 * 60, to: 6 * 60 }];
  const from = Date.UTC(2026, 0, 5);
  const [only, ...more] = hoursWithin(friday, 'UTC', from, from + 7 * DAY);
  assert.deepEqual(only, { from: Date.UTC(2026, 0, 9, 22), to: Date.UTC(2026, 0, 10, 6) });
  assert.deepEqual(more, []);
  // A week that begins in the night has its rest.
  const [rest] = hoursWithin(friday, 'UTC', Date.UTC(2026, 0, 10, 1), Date.UTC(2026, 0, 11));
  assert.deepEqual(rest, { from: Date.UTC(2026, 0, 10, 1), to: Date.UTC(2026, 0, 10, 6) });
});

test('from an hour to the same is a day', () => {
  const from = Date.UTC(2026, 0, 5);
  const [only] = hoursWithin([{ weekdays: [1], from: 540, to: 540 }], 'UTC', from, from + 7 * DAY);
  assert.deepEqual(only, { from: from + 9 * 3_600_000, to: from + 33 * 3_600_000 });
});

test('working hours are those of their zone, on both sides of a change', () => {
  const hours = { zone: 'America/New_York', restrictions: [{ weekdays: [1, 2, 3, 4, 5], from: 540, to: 1_020 }] };
  const next = (iso: string) => new Date(nextWithin(hours, milliseconds(Date.parse(iso))) ?? 0).toISOString();
  // Friday evening before the clocks go forward, and before they go back.
  assert.equal(next('2026-03-07T00:00Z'), '2026-03-09T13:00:00.000Z');
  assert.equal(next('2026-10-31T00:00Z'), '2026-11-02T14:00:00.000Z');
  assert.equal(next('2026-11-02T21:59Z'), '2026-11-02T21:59:00.000Z');
  assert.equal(next('2026-11-02T22:00Z'), '2026-11-03T14:00:00.000Z');
  assert.equal(nextWithin({ zone: 'UTC', restrictions: [] }, milliseconds(0)), undefined);
});

test('gaps are before the start, outside the hours and after the end', () => {
  const utc = schedule('UTC', [
    layer(['ada'], DAILY, '2026-01-06T09:00', {
      end: wall('2026-01-08T12:00'),
      restrictions: [{ weekdays: [0, 1, 2, 3, 4, 5, 6], from: 9 * 60, to: 17 * 60 }],
    }),
  ]);
  const hours = (text: string): number => Date.parse(`${text}Z`);
  assert.deepEqual(
    gapsOf(utc, milliseconds(hours('2026-01-05T00:00')), milliseconds(hours('2026-01-09T00:00'))).map(
      ({ from, to }) => [new Date(from).toISOString().slice(8, 16), new Date(to).toISOString().slice(8, 16)],
    ),
    [
      ['05T00:00', '06T09:00'],
      ['06T17:00', '07T09:00'],
      ['07T17:00', '08T09:00'],
      ['08T12:00', '09T00:00'],
    ],
  );
});

test('the next hand-off is told into a gap, out of it, and not where there is none', () => {
  const at = (text: string) => milliseconds(Date.parse(`${text}Z`));
  const utc = schedule('UTC', [layer(['ada', 'bob'], WEEKLY, '2026-01-05T09:00', { end: wall('2026-01-19T09:00') })]);
  assert.deepEqual(nextHandOff(utc, at('2026-01-01T00:00')), { at: at('2026-01-05T09:00'), onDuty: ['ada'] });
  assert.deepEqual(nextHandOff(utc, at('2026-01-05T09:00')), { at: at('2026-01-12T09:00'), onDuty: ['bob'] });
  assert.deepEqual(nextHandOff(utc, at('2026-01-12T09:00')), { at: at('2026-01-19T09:00'), onDuty: [] });
  assert.equal(nextHandOff(utc, at('2026-01-19T09:00')), undefined);
  const alone = schedule('UTC', [layer(['ada'], DAILY, '2026-01-05T09:00')]);
  assert.equal(nextHandOff(alone, at('2026-01-06T09:00')), undefined);
  const seldom = schedule('UTC', [layer(['ada', 'bob'], { every: 50, unit: 'week' }, '2026-01-05T09:00')]);
  assert.deepEqual(nextHandOff(seldom, at('2026-01-06T00:00')), { at: at('2026-12-21T09:00'), onDuty: ['bob'] });
});
