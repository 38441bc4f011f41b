import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { hours, seconds } from '#kernel/units.ts';
import { expand, type Recurrence, SPANS_MAX } from './recurrence.ts';
import { aheadOfWall, newTimeline, tell } from './timeline.ts';

const W = 1_700_000_000;

/** Ledger time less W after each reading of [wall less W, steady]. */
function told(readings: readonly (readonly [wall: number, steady: number])[]): number[] {
  const timeline = newTimeline(seconds(W), seconds(0));
  return readings.map(
    ([wall, steady]) => Math.round((tell(timeline, seconds(W + wall), seconds(steady)) - W) * 100) / 100,
  );
}

const cases: readonly [title: string, readings: readonly (readonly [number, number])[], want: readonly number[]][] = [
  [
    'goes with both while they agree',
    [
      [15, 15],
      [30, 30],
    ],
    [15, 30],
  ],
  [
    'follows a slow drift',
    [
      [15.5, 15],
      [31, 30],
    ],
    [15.5, 31],
  ],
  [
    'follows no faster than a twentieth',
    [
      [16.5, 15],
      [31.5, 30],
    ],
    [15.75, 31.5],
  ],
  [
    'jumps with a wall that jumps forward by less than an hour',
    [
      [1_000, 15],
      [1_015, 30],
    ],
    [1_000, 1_015],
  ],
  [
    'waits a minute before it believes a jump of years',
    [
      [1e8, 15],
      [1e8 + 30, 45],
      [1e8 + 60, 75],
    ],
    [15, 45, 1e8 + 60],
  ],
  [
    'forgets a jump of years that was taken back',
    [
      [1e8, 15],
      [45, 45],
      [1e8, 60],
      [90, 90],
    ],
    [15, 45, 60, 90],
  ],
  [
    'goes on, slower, while the wall is set back',
    [
      [-3_585, 15],
      [-3_500, 100],
    ],
    [14.25, 95],
  ],
];
for (const [title, readings, want] of cases) {
  test(`tell() ${title}`, () => assert.deepEqual(told(readings), want));
}

test('tell() begins after the newest time of a restored ledger, and says how far ahead it is', () => {
  const timeline = newTimeline(seconds(W), seconds(0), seconds(W + 500));
  assert.equal(tell(timeline, seconds(W + 10), seconds(10)), W + 509.5);
  assert.equal(aheadOfWall(timeline, seconds(W + 10)), 499.5);
});

test('tell() never runs backwards, whatever the clocks do', () => {
  const reading = fc.tuple(
    fc.double({ min: -1e9, max: 1e9, noNaN: true }),
    fc.double({ min: 0, max: 100, noNaN: true }),
  );
  fc.assert(
    fc.property(fc.array(reading), (readings) => {
      const timeline = newTimeline(seconds(W), seconds(0));
      let [steady, before] = [0, W];
      for (const [wall, passed] of readings) {
        steady += passed;
        const now = tell(timeline, seconds(W + wall), seconds(steady));
        assert(now >= before);
        before = now;
      }
    }),
  );
});

const sunday: Recurrence = {
  start: '2026-03-22T02:30',
  timeZone: 'Europe/Berlin',
  lasts: hours(1),
  every: { unit: 'week', count: 1 },
  until: seconds(Date.UTC(2026, 3, 6) / 1000),
};

function begins(recurrence: Recurrence): string[] | string {
  const outcome = expand(recurrence);
  if (outcome.kind === 'fault') return outcome.reason;
  return outcome.spans.map(({ from, to }) => `${new Date(from * 1000).toISOString().slice(0, 16)}+${to - from}`);
}

test('expand() keeps the hour by the wall when clocks change', () => {
  assert.deepEqual(begins(sunday), ['2026-03-22T01:30+3600', '2026-03-29T01:30+3600', '2026-04-05T00:30+3600']);
});

test('expand() counts months from the first, not from each other', () => {
  const monthly = {
    ...sunday,
    start: '2026-01-31T00:00',
    timeZone: 'UTC',
    every: { unit: 'month', count: 1 },
  } as const;
  assert.deepEqual(begins(monthly), ['2026-01-31T00:00+3600', '2026-02-28T00:00+3600', '2026-03-31T00:00+3600']);
});

const faults: readonly [title: string, change: Partial<Recurrence>, want: RegExp][] = [
  ['a zone that is none', { timeZone: 'Europe/Nowhere' }, /Nowhere/],
  ['a beginning that is none', { start: 'Sunday' }, /Sunday/],
  ['a window without length', { lasts: seconds(0) }, /more than 0/],
  ['every 0 days', { every: { unit: 'day', count: 0 } }, /1 or more/],
  ['windows that overlap', { lasts: hours(200) }, /until after the next/],
  [
    'more than it keeps',
    { until: seconds(9e9), every: { unit: 'day', count: 1 } },
    new RegExp(`more than ${SPANS_MAX} times`),
  ],
];
for (const [title, change, want] of faults) {
  test(`expand() refuses ${title}`, () => assert.match(String(begins({ ...sunday, ...change })), want));
}
