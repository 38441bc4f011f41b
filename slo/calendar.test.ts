import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { days, hours, type Milliseconds, milliseconds } from '#kernel/units.ts';
import { currentPeriod, isTimeZone, isWallClock, lengthAt, nominalPeriod, previousPeriod } from './calendar.ts';
import type { CalendarUnit, CalendarWindow } from './objective.ts';

const at = (text: string): Milliseconds => milliseconds(Date.parse(text));
const iso = (instant: number): string => new Date(instant).toISOString().replace(':00.000Z', 'Z');

function calendar(count: number, unit: CalendarUnit, start: string, timeZone = 'UTC'): CalendarWindow {
  return { kind: 'calendar', count, unit, start, timeZone };
}

const PARIS = 'Europe/Paris';
const cases: readonly [
  title: string,
  window: CalendarWindow,
  now: string,
  before: string,
  start: string,
  end: string,
][] = [
  [
    'a month',
    calendar(1, 'month', '2026-01-01 00:00:00'),
    '2026-03-15T10:00Z',
    '2026-02-01T00:00Z',
    '2026-03-01T00:00Z',
    '2026-04-01T00:00Z',
  ],
  [
    'the first instant of a period, which is its own',
    calendar(1, 'month', '2026-01-01 00:00:00'),
    '2026-03-01T00:00Z',
    '2026-02-01T00:00Z',
    '2026-03-01T00:00Z',
    '2026-04-01T00:00Z',
  ],
  [
    'the last millisecond of a period',
    calendar(1, 'month', '2026-01-01 00:00:00'),
    '2026-03-31T23:59:59.999Z',
    '2026-02-01T00:00Z',
    '2026-03-01T00:00Z',
    '2026-04-01T00:00Z',
  ],
  [
    'a time before the first period',
    calendar(1, 'month', '2026-01-01 00:00:00'),
    '2025-11-30T00:00Z',
    '2025-10-01T00:00Z',
    '2025-11-01T00:00Z',
    '2025-12-01T00:00Z',
  ],
  [
    'months that begin on the 31st and end early in February',
    calendar(1, 'month', '2026-01-31 00:00:00'),
    '2026-03-01T00:00Z',
    '2026-01-31T00:00Z',
    '2026-02-28T00:00Z',
    '2026-03-31T00:00Z',
  ],
  [
    'the 31st again after February',
    calendar(1, 'month', '2026-01-31 00:00:00'),
    '2026-04-10T00:00Z',
    '2026-02-28T00:00Z',
    '2026-03-31T00:00Z',
    '2026-04-30T00:00Z',
  ],
  [
    '29 February in a leap year',
    calendar(1, 'month', '2027-12-31 00:00:00'),
    '2028-03-01T00:00Z',
    '2028-01-31T00:00Z',
    '2028-02-29T00:00Z',
    '2028-03-31T00:00Z',
  ],
  [
    'a year from 29 February, in a year without one',
    calendar(1, 'year', '2024-02-29 00:00:00'),
    '2025-03-01T00:00Z',
    '2024-02-29T00:00Z',
    '2025-02-28T00:00Z',
    '2026-02-28T00:00Z',
  ],
  [
    'a quarter',
    calendar(1, 'quarter', '2026-01-01 00:00:00'),
    '2026-05-20T00:00Z',
    '2026-01-01T00:00Z',
    '2026-04-01T00:00Z',
    '2026-07-01T00:00Z',
  ],
  [
    'two months at a time',
    calendar(2, 'month', '2026-01-01 00:00:00'),
    '2026-06-01T00:00Z',
    '2026-03-01T00:00Z',
    '2026-05-01T00:00Z',
    '2026-07-01T00:00Z',
  ],
  [
    'a week that begins on Monday',
    calendar(1, 'week', '2026-01-05 00:00:00'),
    '2026-03-15T10:00Z',
    '2026-03-02T00:00Z',
    '2026-03-09T00:00Z',
    '2026-03-16T00:00Z',
  ],
  [
    'a week that begins on Sunday',
    calendar(1, 'week', '2026-01-04 00:00:00'),
    '2026-03-15T10:00Z',
    '2026-03-08T00:00Z',
    '2026-03-15T00:00Z',
    '2026-03-22T00:00Z',
  ],
  [
    'the day on which clocks go forward: 23 hours',
    calendar(1, 'day', '2026-01-01 00:00:00', PARIS),
    '2026-03-29T12:00Z',
    '2026-03-27T23:00Z',
    '2026-03-28T23:00Z',
    '2026-03-29T22:00Z',
  ],
  [
    'the day on which clocks go back: 25 hours',
    calendar(1, 'day', '2026-01-01 00:00:00', PARIS),
    '2026-10-25T12:00Z',
    '2026-10-23T22:00Z',
    '2026-10-24T22:00Z',
    '2026-10-25T23:00Z',
  ],
  [
    'a start that the clock jumps over: an hour later that day',
    calendar(1, 'day', '2026-01-01 02:30:00', PARIS),
    '2026-03-29T12:00Z',
    '2026-03-28T01:30Z',
    '2026-03-29T01:30Z',
    '2026-03-30T00:30Z',
  ],
  [
    'a start that comes twice: the first time',
    calendar(1, 'day', '2026-01-01 02:30:00', PARIS),
    '2026-10-25T12:00Z',
    '2026-10-24T00:30Z',
    '2026-10-25T00:30Z',
    '2026-10-26T01:30Z',
  ],
  [
    'between the two times that the clock shows 02:30: after the start',
    calendar(1, 'day', '2026-01-01 02:30:00', PARIS),
    '2026-10-25T01:00Z',
    '2026-10-24T00:30Z',
    '2026-10-25T00:30Z',
    '2026-10-26T01:30Z',
  ],
  [
    'a month across the change in New York',
    calendar(1, 'month', '2026-01-01 00:00:00', 'America/New_York'),
    '2026-03-20T00:00Z',
    '2026-02-01T05:00Z',
    '2026-03-01T05:00Z',
    '2026-04-01T04:00Z',
  ],
  [
    'a zone that is ahead by half an hour more',
    calendar(1, 'day', '2026-01-01 00:00:00', 'Asia/Kolkata'),
    '2026-06-01T18:30Z',
    '2026-05-31T18:30Z',
    '2026-06-01T18:30Z',
    '2026-06-02T18:30Z',
  ],
];
for (const [title, window, now, before, start, end] of cases) {
  test(`currentPeriod() and previousPeriod() know ${title}`, () => {
    const current = currentPeriod(window, at(now));
    const previous = previousPeriod(window, at(now));
    assert.deepEqual(
      [iso(previous.start), iso(previous.end)],
      [before, start].map((text) => iso(at(text))),
    );
    assert.deepEqual(
      [iso(current.start), iso(current.end)],
      [start, end].map((text) => iso(at(text))),
    );
  });
}

test('a rolling period ends now, and the one before it where it began', () => {
  const window = { kind: 'rolling', period: days(28) } as const;
  const now = at('2026-03-29T12:00Z');
  assert.deepEqual(currentPeriod(window, now), { start: at('2026-03-01T12:00Z'), end: now });
  assert.deepEqual(previousPeriod(window, now), { start: at('2026-02-01T12:00Z'), end: at('2026-03-01T12:00Z') });
});

test('lengthAt() is what the clocks make of it, nominalPeriod() what the name says', () => {
  const day = calendar(1, 'day', '2026-01-01 00:00:00', PARIS);
  assert.equal(lengthAt(day, at('2026-03-29T12:00Z')), hours(23));
  assert.equal(lengthAt(day, at('2026-10-25T12:00Z')), hours(25));
  assert.equal(nominalPeriod(day), days(1));
  assert.equal(nominalPeriod(calendar(2, 'quarter', '2026-01-01 00:00:00')), days(180));
  assert.equal(lengthAt(calendar(1, 'month', '2026-01-01 00:00:00'), at('2028-02-10T00:00Z')), days(29));
});

const anyWindow = fc.record({
  kind: fc.constant('calendar' as const),
  count: fc.integer({ min: 1, max: 7 }),
  unit: fc.constantFrom<CalendarUnit>('day', 'week', 'month', 'quarter', 'year'),
  start: fc
    .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 28 }), fc.integer({ min: 0, max: 23 }))
    .map(
      ([month, day, hour]) =>
        `2024-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')} ${String(hour).padStart(2, '0')}:30:00`,
    ),
  timeZone: fc.constantFrom(
    'UTC',
    PARIS,
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Kathmandu',
    'America/St_Johns',
  ),
});

test('periods leave no gap: each instant is in its own, and the end of one is the start of the next', () => {
  const instant = fc.integer({ min: at('2015-01-01T00:00Z'), max: at('2035-01-01T00:00Z') });
  fc.assert(
    fc.property(anyWindow, instant, (window, time) => {
      const now = milliseconds(time);
      const { start, end } = currentPeriod(window, now);
      assert(start <= now && now < end);
      assert.deepEqual(currentPeriod(window, start), { start, end });
      assert.deepEqual(currentPeriod(window, milliseconds(end - 1)), { start, end });
      assert.equal(currentPeriod(window, end).start, end);
      assert.equal(previousPeriod(window, now).end, start);
      // The start reads the same on the wall, in its zone, whatever the season. Skipped times apart.
      const wall = new Intl.DateTimeFormat('en-GB', {
        timeZone: window.timeZone,
        hour: '2-digit',
        minute: '2-digit',
      }).format(start);
      assert(wall === window.start.slice(11, 16) || /^0[0-3]:/.test(wall), wall);
    }),
  );
});

for (const [text, want] of [
  ['2026-01-01 00:00:00', true],
  ['2026-01-01T00:00:00', true],
  ['2024-02-29 23:59:59', true],
  ['2026-02-29 00:00:00', false],
  ['2026-13-01 00:00:00', false],
  ['2026-01-01 24:00:00', false],
  ['2026-01-01', false],
  ['2026-01-01 00:00:00Z', false],
] as const) {
  test(`isWallClock() says ${want} of ${text}`, () => assert.equal(isWallClock(text), want));
}
for (const [name, want] of [
  [PARIS, true],
  ['UTC', true],
  ['Etc/GMT+2', true],
  ['Mars/Base', false],
  ['', false],
  ['+02:00', false],
] as const) {
  test(`isTimeZone() says ${want} of "${name}"`, () => assert.equal(isTimeZone(name), want));
}
