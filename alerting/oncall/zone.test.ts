import assert from 'node:assert/strict';
import test from 'node:test';
import { Temporal } from '@js-temporal/polyfill';
import fc from 'fast-check';
import { milliseconds } from '#kernel/units.ts';
import { FIRST, kindsOfZones, LAST, slowInstant, ZONES } from '#test/kit/oncall.ts';
import { DAY, HOUR, instantOf, MINUTE, shownAt, wallAt } from './zone.ts';

const KINDS = kindsOfZones();

test('no zone changes its clocks twice within a stretch: every day from 2020 to 2035 is as Intl shows it', () => {
  for (const [zone] of KINDS) {
    const format = new Intl.DateTimeFormat('en-US', {
      ...{ timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric' },
      ...{ hour: 'numeric', minute: 'numeric' },
    });
    for (let at = FIRST; at < LAST; at += DAY) {
      const [month = 0, day = 0, year = 0, hour, minute] = (format.format(at).match(/\d+/g) ?? []).map(Number);
      assert.equal(wallAt(zone, milliseconds(at)), Date.UTC(year, month - 1, day, hour, minute), `${zone} ${at}`);
    }
  }
});

test('around every change of clocks, all wall-clock times are the instants that Temporal makes of them', () => {
  for (const [zone] of KINDS) {
    let change = Temporal.Instant.fromEpochMilliseconds(FIRST).toZonedDateTimeISO(zone).getTimeZoneTransition('next');
    // Rules repeat: three years have each of them, and Ramadan's.
    for (let changes = 0; change !== null && changes < 6 && change.epochMilliseconds < LAST; changes++) {
      const at = milliseconds(change.epochMilliseconds);
      const shown = change.toPlainDateTime().with({ second: 0 });
      assert.equal(wallAt(zone, at), Date.parse(`${change.toPlainDateTime()}Z`), `${zone} ${change}`);
      for (const minutes of [-120, -61, -60, -31, -30, -16, -1, 0, 1, 29, 30, 59, 60, 61]) {
        const local = shown.add({ minutes });
        const expected = slowInstant(zone, local);
        const found = instantOf(zone, Date.parse(`${local}Z`));
        assert.equal(found, expected, `${zone} ${local}`);
      }
      change = change.getTimeZoneTransition('next');
    }
  }
});

test('a wall-clock time is the first instant at which the clocks show it or more: minute by minute', () => {
  const arbitrary = fc.record({
    zone: fc.constantFrom(...ZONES),
    wall: fc.integer({ min: FIRST / MINUTE, max: LAST / MINUTE }).map((n) => n * MINUTE),
  });
  const property = fc.property(arbitrary, ({ zone, wall }) => {
    let at = wall - 15 * HOUR;
    while (wallAt(zone, milliseconds(at)) < wall) at += MINUTE;
    assert.equal(instantOf(zone, wall), at);
  });
  fc.assert(property, { numRuns: 300 });
});

const CHANGES: readonly [zone: string, wall: string, instant: string][] = [
  // Forward: 02:30 is skipped, the clocks go from 02:00 to 03:00.
  ['Europe/Berlin', '2026-03-29T02:30Z', '2026-03-29T01:00Z'],
  // Back: 02:30 comes twice.
  ['Europe/Berlin', '2026-10-25T02:30Z', '2026-10-25T00:30Z'],
  // By half an hour.
  ['Australia/Lord_Howe', '2026-10-04T02:15Z', '2026-10-03T15:30Z'],
  ['Australia/Lord_Howe', '2026-04-05T01:45Z', '2026-04-04T14:45Z'],
  // At midnight: the day begins at 01:00.
  ['America/Santiago', '2026-09-06T00:00Z', '2026-09-06T04:00Z'],
  ['America/Sao_Paulo', '2018-11-04T00:00Z', '2018-11-04T03:00Z'],
  ['America/Sao_Paulo', '2019-02-16T23:30Z', '2019-02-17T01:30Z'],
  // For Ramadan, and two hours in all.
  ['Africa/Casablanca', '2026-02-15T02:30Z', '2026-02-15T01:30Z'],
  ['Antarctica/Troll', '2026-03-29T02:00Z', '2026-03-29T01:00Z'],
  // A day that never was.
  ['Pacific/Apia', '2011-12-30T09:00Z', '2011-12-30T10:00Z'],
  ['Pacific/Apia', '2011-12-31T00:00Z', '2011-12-30T10:00Z'],
];
for (const [zone, wall, instant] of CHANGES) {
  test(`${wall.replace('Z', '')} in ${zone} is ${instant}`, () => {
    const found = new Date(instantOf(zone, Date.parse(wall))).toISOString();
    assert.equal(found, new Date(instant).toISOString());
  });
}

test('a time is shown as the clocks of the zone show it', () => {
  assert.equal(shownAt('Asia/Kathmandu', milliseconds(Date.UTC(2026, 0, 1))), '2026-01-01 05:45');
});
