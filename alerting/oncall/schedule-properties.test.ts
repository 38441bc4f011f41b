import assert from 'node:assert/strict';
import test from 'node:test';
import { Temporal } from '@js-temporal/polyfill';
import fc from 'fast-check';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { FIRST, handOff, kindsOfZones, localAt, plain, slowOnDuty, ZONES } from '#test/kit/oncall.ts';
import type { Layer, Schedule, WallTime } from './model.ts';
import { gapsOf, nextHandOff, onDuty, shiftsOf, shiftsOfLayer } from './schedule.ts';
import { DAY, HOUR, instantOf, MINUTE, wallAt } from './zone.ts';

const YEARS = 16 * 365;

const wallTime = (wall: number): WallTime => {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = new Date(wall).toISOString().split(/\D/).map(Number);
  return { year, month, day, hour, minute };
};
const PEOPLE = ['ada', 'bob', 'cy', 'dee'] as const;
const people = fc.subarray([...PEOPLE], { minLength: 1 }).map(([first = 'ada', ...more]) => [first, ...more] as const);
/** Times at which clocks change, and others. */
const minuteOfDay = fc.oneof(
  fc.constantFrom(0, 60, 90, 120, 135, 150, 180, 540, 1_020, 1_410, 1_439),
  fc.integer({ min: 0, max: 1_439 }),
);
const restriction = fc.record({
  weekdays: fc.subarray([0, 1, 2, 3, 4, 5, 6], { minLength: 1 }),
  from: minuteOfDay,
  to: minuteOfDay.map((minute) => minute || 1_440),
});
const rotation = fc.record({
  every: fc.integer({ min: 1, max: 5 }),
  unit: fc.constantFrom('hour' as const, 'day' as const, 'week' as const),
});

/** Near a change of the zone's clocks where it has one: that is where mistakes are. */
function nearChange(zone: string, day: number): number {
  const from = Temporal.Instant.fromEpochMilliseconds(FIRST + day * DAY).toZonedDateTimeISO(zone);
  const change = from.getTimeZoneTransition('next')?.epochMilliseconds;
  return change !== undefined && change < FIRST + YEARS * DAY ? change : from.epochMilliseconds;
}

type Drawn = { readonly schedule: Schedule; readonly middle: Milliseconds };
const drawn: fc.Arbitrary<Drawn> = fc
  .record({
    zone: fc.constantFrom(...ZONES),
    day: fc.integer({ min: 0, max: YEARS }),
    layers: fc.array(
      fc.record({
        people,
        rotation,
        days: fc.integer({ min: 0, max: 20 }),
        minute: minuteOfDay,
        restrictions: fc.array(restriction, { maxLength: 2 }),
        lasts: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
      }),
      { minLength: 1, maxLength: 3 },
    ),
    overrides: fc.array(
      fc.record({ person: fc.constantFrom(...PEOPLE), hours: fc.integer({ min: -60, max: 60 }), length: minuteOfDay }),
      { maxLength: 3 },
    ),
  })
  .map(({ zone, day, layers, overrides }) => {
    const middle = milliseconds(nearChange(zone, day));
    const today = Math.floor(wallAt(zone, middle) / DAY) * DAY;
    const made = layers.map(({ days, minute, lasts, ...rest }, i): Layer => {
      const start = today - days * DAY + minute * MINUTE;
      const end = lasts === undefined ? undefined : wallTime(start + lasts * DAY);
      return { name: `layer ${i}`, ...rest, start: wallTime(start), end };
    });
    const schedule: Schedule = {
      name: 'drawn',
      zone,
      layers: made,
      overrides: overrides.map(({ person, hours, length }) => ({
        person,
        from: milliseconds(middle + hours * HOUR),
        to: milliseconds(middle + hours * HOUR + (length + 1) * MINUTE),
      })),
    };
    return { schedule, middle };
  });

test('who is on call is who the slow way finds, in every zone, around every kind of change', () => {
  const near = fc.integer({ min: -100, max: 100 });
  const offset = fc.oneof(near, fc.integer({ min: -4_000, max: 4_000 })).map((n) => n * MINUTE);
  fc.assert(
    fc.property(drawn, fc.array(offset, { minLength: 3, maxLength: 6 }), ({ schedule, middle }, offsets) => {
      for (const length of [0, -1, ...offsets]) {
        const at = milliseconds(middle + length);
        assert.deepEqual(onDuty(schedule, at), slowOnDuty(schedule, at), `${at}`);
      }
    }),
    { numRuns: 100 },
  );
});

test('shifts and gaps fill the time without overlap, and say what is said of each moment by itself', () => {
  fc.assert(
    fc.property(drawn, ({ schedule, middle }) => {
      const [from, to] = [milliseconds(middle - 3 * DAY), milliseconds(middle + 6 * DAY)];
      const shifts = shiftsOf(schedule, from, to);
      const gaps = gapsOf(schedule, from, to).map((gap) => ({ ...gap, person: undefined }));
      let since = from;
      for (const one of [...shifts, ...gaps].sort((a, b) => a.from - b.from)) {
        assert.equal(one.from, since);
        assert(one.from < one.to);
        for (const at of [one.from, milliseconds((one.from + one.to) / 2), milliseconds(one.to - 1)]) {
          assert.deepEqual(onDuty(schedule, at), one.person === undefined ? [] : [one.person]);
        }
        since = one.to;
      }
      assert.equal(since, to);
      shifts.slice(1).forEach((one, i) => {
        const before = shifts[i];
        assert(before?.to !== one.from || before.person !== one.person, 'one shift is told as two');
      });
    }),
    { numRuns: 300 },
  );
});

test('the next hand-off is the first moment at which somebody else is on call', () => {
  fc.assert(
    fc.property(drawn, ({ schedule, middle }) => {
      const next = nextHandOff(schedule, middle);
      const now = onDuty(schedule, middle);
      const shown = shiftsOf(schedule, middle, next?.at ?? milliseconds(middle + 400 * DAY));
      assert.deepEqual(
        shown.map(({ person }) => person),
        now,
      );
      if (next === undefined) return;
      assert.deepEqual(onDuty(schedule, next.at), next.onDuty);
      assert.notDeepEqual(next.onDuty, now);
    }),
    { numRuns: 300 },
  );
});

test('the hand-off keeps its wall-clock hour through every change of clocks from 2020 to 2035, in every zone', () => {
  const kinds = kindsOfZones();
  assert(kinds.length > 80, `${kinds.length} kinds of zones`);
  for (const [zone, changes] of kinds) {
    for (const [i, change] of changes.entries()) {
      const minute = [0, 90, 135, 150, 540][i % 5] ?? 0;
      const start = (Math.floor(change / DAY) - 30) * DAY + minute * MINUTE;
      const layer: Layer = {
        ...{ name: 'daily', people: ['ada', 'bob'], rotation: { every: 1, unit: 'day' } },
        ...{ start: wallTime(start), end: undefined, restrictions: [] },
      };
      const [from, to] = [milliseconds(change - 3 * DAY), milliseconds(change + 4 * DAY)];
      const shifts = shiftsOfLayer(layer, zone, from, to);
      assert(shifts.length >= 7, `${zone} ${new Date(change).toISOString()}`);
      const joints = [from, ...shifts.map((one) => one.to)];
      assert.deepEqual([...shifts.map((one) => one.from), to], joints, 'somebody at every instant, and one alone');
      let [person, day] = [shifts[0]?.person, Math.floor(wallAt(zone, shifts[1]?.from ?? from) / DAY)];
      for (const { from: at, person: next } of shifts.slice(1)) {
        assert.notEqual(next, person);
        person = next;
        const wall = wallAt(zone, at);
        assert.equal(Math.floor(wall / DAY), day++, `${zone} ${at}: once a day`);
        const skipped = wallAt(zone, milliseconds(at - 1)) !== wall - 1;
        if (wall % DAY !== minute * MINUTE) assert(skipped && wall % DAY > minute * MINUTE, `${zone} ${wall}`);
      }
    }
  }
});

test('a day that a zone skips has no hand-off: 30 December 2011 in Apia', () => {
  const layer: Layer = {
    ...{ name: 'daily', people: ['ada', 'bob', 'cy'], rotation: { every: 1, unit: 'day' } },
    ...{ start: wallTime(Date.UTC(2011, 11, 28, 9)), end: undefined, restrictions: [] },
  };
  const zone = 'Pacific/Apia';
  const at = (day: number) => instantOf(zone, Date.UTC(2011, 11, day, 12));
  const schedule = { name: 's', zone, layers: [layer], overrides: [] };
  const onCall = [28, 29, 31, 32].map((day) => onDuty(schedule, at(day))[0]);
  assert.deepEqual(onCall, ['ada', 'bob', 'ada', 'bob']);
  assert.deepEqual(slowOnDuty(schedule, at(31)), ['ada']);
  // Friday's turn is the first nine hours of Saturday: its hand-off came when the clocks jumped over its hour.
  assert.deepEqual(onDuty(schedule, instantOf(zone, Date.UTC(2011, 11, 31, 8))), ['cy']);
  assert.equal(localAt(zone, handOff(layer, zone, 2)).toString(), '2011-12-31T00:00:00');
  assert.equal(plain(layer.start).toString(), '2011-12-28T09:00:00');
});
