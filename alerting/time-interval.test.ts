import assert from 'node:assert/strict';
import test from 'node:test';
import type { TimeInterval } from '#alerting/config/config.ts';
import { milliseconds } from '#kernel/units.ts';
import { isInside, isZone, muteReason } from './time-interval.ts';

const ALWAYS: TimeInterval = { times: [], weekdays: [], daysOfMonth: [], months: [], years: [], location: 'UTC' };
const when = (text: string) => milliseconds(Date.parse(text));

const CASES: readonly [title: string, interval: Partial<TimeInterval>, at: string, inside: boolean][] = [
  ['no field', {}, '2026-01-01T00:00:00Z', true],
  ['times, the first minute', { times: [{ from: 540, to: 1020 }] }, '2026-01-01T09:00:00Z', true],
  ['times, the last second', { times: [{ from: 540, to: 1020 }] }, '2026-01-01T16:59:59Z', true],
  ['times, the end', { times: [{ from: 540, to: 1020 }] }, '2026-01-01T17:00:00Z', false],
  ['times to 24:00', { times: [{ from: 1380, to: 1440 }] }, '2026-01-01T23:59:59Z', true],
  ['midnight is of the next day', { times: [{ from: 0, to: 1 }] }, '2026-01-02T00:00:30Z', true],
  [
    'the second of two times',
    {
      times: [
        { from: 0, to: 1 },
        { from: 60, to: 120 },
      ],
    },
    '2026-01-01T01:30:00Z',
    true,
  ],
  ['Sunday', { weekdays: [{ from: 0, to: 0 }] }, '2026-11-29T12:00:00Z', true],
  ['Monday to Friday on a Saturday', { weekdays: [{ from: 1, to: 5 }] }, '2026-11-28T12:00:00Z', false],
  ['the last day of February', { daysOfMonth: [{ from: -1, to: -1 }] }, '2026-02-28T12:00:00Z', true],
  ['the last day of February in a leap year', { daysOfMonth: [{ from: -1, to: -1 }] }, '2028-02-28T12:00:00Z', false],
  ['the last three days', { daysOfMonth: [{ from: -3, to: -1 }] }, '2026-04-27T12:00:00Z', false],
  ['the last three days, the first of them', { daysOfMonth: [{ from: -3, to: -1 }] }, '2026-04-28T12:00:00Z', true],
  ['the 1st to the last but one', { daysOfMonth: [{ from: 1, to: -2 }] }, '2026-04-30T12:00:00Z', false],
  ['the 31st in a month of 30', { daysOfMonth: [{ from: 31, to: 31 }] }, '2026-04-30T12:00:00Z', false],
  ['the 29th to the 31st in a short month', { daysOfMonth: [{ from: 29, to: 31 }] }, '2026-04-30T12:00:00Z', true],
  ['-31 in a month of 30', { daysOfMonth: [{ from: -31, to: -30 }] }, '2026-04-01T12:00:00Z', true],
  ['May to August', { months: [{ from: 5, to: 8 }] }, '2026-08-31T23:59:59Z', true],
  ['a year', { years: [{ from: 2026, to: 2027 }] }, '2028-01-01T00:00:00Z', false],
  ['one field of two', { months: [{ from: 1, to: 1 }], weekdays: [{ from: 1, to: 1 }] }, '2026-01-01T00:00:00Z', false],
  ['a zone ahead', { location: 'Australia/Sydney', weekdays: [{ from: 1, to: 1 }] }, '2026-11-29T13:00:00Z', true],
  ['a zone in summer', { location: 'Europe/Berlin', times: [{ from: 540, to: 541 }] }, '2026-07-01T07:00:00Z', true],
  ['a zone in winter', { location: 'Europe/Berlin', times: [{ from: 540, to: 541 }] }, '2026-01-01T08:00:00Z', true],
  ['midnight in a zone', { location: 'America/New_York', times: [{ from: 0, to: 1 }] }, '2026-01-01T05:00:00Z', true],
  [
    'the last of March where clocks change',
    { location: 'Europe/Berlin', daysOfMonth: [{ from: -1, to: -1 }] },
    '2026-03-31T12:00:00Z',
    true,
  ],
];
for (const [title, interval, at, inside] of CASES) {
  test(`isInside() with ${title} at ${at}: ${inside}`, () => {
    assert.equal(isInside([{ ...ALWAYS, ...interval }], when(at)), inside);
  });
}

test('isInside() needs one of several, and none holds nothing', () => {
  const [never, always] = [{ ...ALWAYS, years: [{ from: 1970, to: 1970 }] }, ALWAYS];
  assert.deepEqual([isInside([], when('2026-01-01')), isInside([never, always], when('2026-01-01'))], [false, true]);
});

test('muteReason() names the mute intervals that hold, or all active ones where none does', () => {
  const intervals = new Map([
    ['always', [ALWAYS]],
    ['never', [{ ...ALWAYS, years: [{ from: 1970, to: 1970 }] }]],
  ]);
  const reason = (mute: string[], active: string[]) =>
    muteReason({ muteTimeIntervals: mute, activeTimeIntervals: active }, intervals, when('2026-01-01'));
  assert.equal(reason([], []), undefined);
  assert.equal(reason(['never'], ['never', 'always']), undefined);
  assert.deepEqual(reason(['never', 'always'], ['always']), { kind: 'mute', names: ['always'] });
  assert.deepEqual(reason(['never'], ['never']), { kind: 'active', names: ['never'] });
});

test('isZone() knows the names of IANA and Local, and no offsets', () => {
  const names = ['UTC', 'Europe/Berlin', 'Etc/GMT+5', 'Local', '+01:00', 'Mars/Olympus', ''];
  assert.deepEqual(names.map(isZone), [true, true, true, true, false, false, false]);
});
