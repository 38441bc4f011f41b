/** Months whose truth is known: made row by row, and summed by hand. */
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import fc from 'fast-check';
import { days, hours, minutes, ratio, type Seconds, seconds } from '#kernel/units.ts';
import { objectiveOf } from '#test/kit/objectives-by-hand.ts';
import { beginOf, feedOfRows } from './feed.ts';
import type { Correction, How, Span } from './ledger/corrections.ts';
import { expand } from './ledger/recurrence.ts';
import type { CalendarUnit, CalendarWindow, Objective } from './objective.ts';
import { paceOf, type Row } from './replay.ts';
import { makeReport, PERIODS_MAX, type PeriodReport, prepareReport, reportWindow } from './report.ts';

const moment = (text: string): Seconds => seconds(Date.parse(text) / 1000);
const BERLIN: CalendarWindow = {
  kind: 'calendar',
  count: 1,
  unit: 'month',
  start: '2024-01-01 00:00:00',
  timeZone: 'Europe/Berlin',
};
const monthly = objectiveOf({ window: BERLIN });

type Options = { readonly unit?: CalendarUnit; readonly corrections?: readonly Correction[]; readonly tick?: Seconds };

function report(objective: Objective, rows: readonly Row[], options: Options = {}): readonly PeriodReport[] {
  const { unit, corrections = [], tick = minutes(1) } = options;
  const replay = { rows, pace: paceOf(rows) };
  const begin = beginOf(replay);
  const prepared = prepareReport(objective, begin, rows.at(-1)?.at ?? begin, { unit, corrections });
  assert(prepared.kind === 'prepared');
  return makeReport(objective, feedOfRows(replay, begin, prepared.feed), prepared, { tick, corrections }).periods;
}

function one(objective: Objective, rows: readonly Row[], options: Options = {}): PeriodReport {
  const periods = report(objective, rows, options);
  assert.equal(periods.length, 1);
  return periods[0] as PeriodReport;
}

/** A row each `step`, after `from` and up to `to`. */
function rowsOf(from: Seconds, to: Seconds, step: number, bad: (at: number) => number, events = 60): Row[] {
  const rows: Row[] = [];
  for (let at = from + step; at <= to; at += step) rows.push({ at: seconds(at), good: events - bad(at), bad: bad(at) });
  return rows;
}

const correction = (id: string, spans: readonly Span[], how: How = { kind: 'all' }): Correction => ({
  id,
  author: 'platform team',
  reason: 'agreed maintenance',
  enteredAt: moment('2026-01-01T00:00:00Z'),
  spans,
  of: { kind: 'ids', ids: [monthly.id] },
  how,
});

const sum = (rows: readonly Row[], key: 'good' | 'bad') => rows.reduce((all, row) => all + row[key], 0);

describe('a report', () => {
  test('of times that count from 0 is of the time from 0 on, whatever the period', () => {
    const rows = rowsOf(seconds(0), hours(2), 5, (at) => (at <= 3_600 ? 1 : 0));
    for (const objective of [objectiveOf(), monthly]) {
      for (const unit of [undefined, 'week', 'month', 'quarter'] as const) {
        const { from, good, bad, budget, spent } = one(objective, rows, unit === undefined ? {} : { unit });
        assert.deepEqual([from, good, bad, budget.known], [0, 85_680, 720, 1], unit);
        assert.equal(spent.toFixed(6), (720 / 86_400 / 0.02).toFixed(6));
      }
    }
  });
  // Months of 743 and 745 hours: the clock goes forward on 29 March and back on 25 October.
  const CHANGES = [
    ['March', '2026-02-28T23:00:00Z', '2026-03-31T22:00:00Z', 743],
    ['October', '2026-09-30T22:00:00Z', '2026-10-31T23:00:00Z', 745],
    ['a leap year’s February', '2024-01-31T23:00:00Z', '2024-02-29T23:00:00Z', 696],
  ] as const;
  for (const [name, start, end, length] of CHANGES) {
    test(`of ${name} has ${length} hours in Berlin, each event and no other`, () => {
      const [from, to] = [moment(start), moment(end)];
      const rows = rowsOf(seconds(from - days(2)), seconds(to + days(1)), 300, (at) => (at % 3_600 === 0 ? 1 : 0));
      const periods = report(monthly, rows, { tick: minutes(5) });
      assert.equal(periods.length, 3);
      const [before, month, after] = periods;
      assert(before && month && after);
      assert.deepEqual([month.from, month.to, month.until], [from, to, to]);
      assert.deepEqual([month.bad, month.good + month.bad], [length, length * 12 * 60]);
      assert.deepEqual([before.bad, after.bad], [48, 24]);
      assert.deepEqual([month.budget.known, month.ends], [1, null]);
      assert.equal(after.until, to + days(1));
    });

    test(`of ${name} leaves out weekly maintenance to the event`, () => {
      const [from, to] = [moment(start), moment(end)];
      const year = start.slice(0, 4);
      const expanded = expand({
        start: `${year}-01-07T02:00`,
        timeZone: 'Europe/Berlin',
        lasts: hours(2),
        every: { unit: 'week', count: 1 },
        until: to,
      });
      assert(expanded.kind === 'spans');
      // Half of all fails in maintenance, and one in sixty beside it.
      const inside = (at: number) => expanded.spans.some((span) => at > span.from && at <= span.to);
      const rows = rowsOf(from, to, 300, (at) => (inside(at) ? 30 : 1));
      const month = one(monthly, rows, { corrections: [correction('weekly', expanded.spans)], tick: minutes(5) });
      const kept = rows.filter(({ at }) => !inside(at));
      assert.deepEqual([month.good, month.bad], [sum(kept, 'good'), sum(kept, 'bad')]);
      assert.deepEqual([month.uncorrected?.good, month.uncorrected?.bad], [sum(rows, 'good'), sum(rows, 'bad')]);
      const touched = expanded.spans.filter((span) => span.from < to && span.to > from);
      assert.deepEqual(month.corrections[0]?.spans, touched);
      assert.equal(rows.length - kept.length, touched.length * 24);
      assert.equal(month.corrections[0]?.author, 'platform team');
    });
  }

  test('equals brute force on random weeks with random corrections, and its parts sum to all', () => {
    const from = moment('2026-06-01T00:00:00Z');
    const offset = fc.integer({ min: -1_000, max: 15 * 24 * 60 });
    const how = fc.oneof(
      fc.constant<How>({ kind: 'all' }),
      fc.constantFrom(0.25, 0.5, 1).map((part): How => ({ kind: 'bad', share: ratio(part) })),
      fc.integer({ min: 1, max: 3_000 }).map((bad): How => ({ kind: 'events', bad })),
    );
    const span = fc.record({ at: offset, lasts: fc.integer({ min: 1, max: 3_000 }), how });
    const outage = fc.record({
      at: offset,
      lasts: fc.integer({ min: 1, max: 600 }),
      bad: fc.integer({ min: 0, max: 60 }),
    });
    fc.assert(
      fc.property(fc.array(span, { maxLength: 3 }), fc.array(outage, { maxLength: 4 }), (spans, outages) => {
        const bad = (at: number) => {
          const hit = outages.find((o) => at > from + o.at * 60 && at <= from + (o.at + o.lasts) * 60);
          return hit?.bad ?? (at % 3_000 === 0 ? 1 : 0);
        };
        const rows = rowsOf(from, seconds(from + days(14)), 300, bad);
        const corrections = spans.map(({ at, lasts, how }, i) =>
          correction(String(i), [{ from: seconds(from + at * 60), to: seconds(from + (at + lasts) * 60) }], how),
        );
        const weeks = report(monthly, rows, { unit: 'week', corrections, tick: minutes(5) });
        const truth = bruteForce(rows, corrections);
        for (const week of weeks) {
          const own = truth.filter(({ at }) => at > week.from && at <= week.to);
          near(week.good, sum(own, 'good'));
          near(week.bad, sum(own, 'bad'));
          near(week.bad, week.background.bad + week.episodes.reduce((all, episode) => all + episode.bad, 0));
          near(week.spent, week.background.share + week.episodes.reduce((all, episode) => all + episode.share, 0));
          assert(week.background.bad >= -1e-6);
          for (const [i, { start, end }] of week.episodes.entries()) {
            assert(start < end && start >= Math.max(week.from, week.episodes[i - 1]?.end ?? 0) && end <= week.until);
          }
        }
        near(
          sum(truth, 'bad'),
          weeks.reduce((all, week) => all + week.bad, 0),
        );
      }),
      { numRuns: 15 },
    );
  });

  test('says what ate the budget: the outage from its beginning, not from the page on', () => {
    const from = moment('2026-06-01T00:00:00Z');
    const begins = from + days(10) + 7_200;
    const bad = (at: number) => (at > begins && at <= begins + 3_600 ? 30 : at % 600 === 0 ? 1 : 0);
    const rows = rowsOf(from, seconds(from + days(21)), 60, bad);
    const month = one(objectiveOf(), rows);
    const [episode, ...others] = month.episodes;
    assert(episode && others.length === 0 && !episode.goesOn);
    assert.deepEqual([episode.rule, episode.severity], ['evidence', 'critical']);
    assert(episode.start >= begins - 120 && episode.start <= begins + 60, `${episode.start - begins}`);
    // All of the outage, and of the background what came until it was called over.
    assert(episode.bad >= 1_800 && episode.bad <= 1_805, `${episode.bad}`);
    near(month.spent, month.bad / (month.good + month.bad) / 0.02);
  });

  test('counts no failure for two episodes: a long window reaches back to the end of the one before', () => {
    const from = moment('2026-06-01T00:00:00Z');
    const day = from + days(5);
    const outage = (at: number) => at > day + 28_800 && at <= day + 30_600;
    const slow = (at: number) => at > day + 43_200 && at <= day + days(2);
    const rows = rowsOf(from, seconds(from + days(10)), 60, (at) => (outage(at) ? 60 : slow(at) ? 3.6 : 0));
    const { episodes, background } = one(objectiveOf(), rows);
    assert.deepEqual(
      episodes.slice(0, 2).map(({ severity }) => severity),
      ['critical', 'warning'],
    );
    assert.equal(episodes[1]?.start, episodes[0]?.end);
    assert.equal(episodes[0]?.bad, 1_800);
    near(
      episodes.slice(1).reduce((all, { bad }) => all + bad, background.bad),
      3.6 * 36 * 60,
    );
  });

  test('gives each period its part of an episode that went on when the first one ended', () => {
    const middle = moment('2026-06-08T00:00:00Z');
    const bad = (at: number) => (at > middle - 1_800 && at <= middle + 1_800 ? 60 : 0);
    const rows = rowsOf(seconds(middle - days(7)), seconds(middle + days(7)), 60, bad);
    const [first, second] = report(objectiveOf(), rows, { unit: 'week' });
    assert.deepEqual(
      first?.episodes.map((one) => [one.start >= middle - 1_860, one.end, one.goesOn, one.bad]),
      [[true, middle, true, 1_800]],
    );
    assert.deepEqual(
      second?.episodes.map((one) => [one.start, one.goesOn, one.bad]),
      [[middle, false, 1_800]],
    );
  });

  test('shows an interval where nothing is known, and nothing more where all is', () => {
    const from = moment('2026-06-01T00:00:00Z');
    const all = rowsOf(from, seconds(from + days(7)), 60, (at) => (at % 300 === 0 ? 1 : 0));
    const hole = all.filter(({ at }) => at <= from + days(2) || at > from + days(3));
    const [whole] = report(objectiveOf(), all, { unit: 'week' });
    assert(whole && whole.budget.low === whole.budget.value && whole.budget.high === whole.budget.value);
    const [week] = report(objectiveOf(), hole, { unit: 'week' });
    assert(week);
    near(week.budget.known, 6 / 7, 1e-3);
    assert(week.budget.low < week.budget.value && week.budget.value < week.budget.high);
    // As bad as it may be: a seventh of all failed.
    near(week.budget.low, 1 - (1 / 7 + (6 / 7) * (1 / 300)) / 0.02, 0.02);
  });

  test('of a period that began before the data knows only part of it', () => {
    const from = moment('2026-06-03T00:00:00Z');
    const [week] = report(
      objectiveOf(),
      rowsOf(from, seconds(from + days(5)), 60, () => 0),
      { unit: 'week' },
    );
    near(week?.budget.known ?? 0, 5 / 7, 1e-3);
    assert.equal(week?.until, week?.to);
  });

  const ENDS: readonly [title: string, bad: (at: number) => number, ends: string | undefined][] = [
    ['of a service without failures says that the budget never ends', () => 0, 'never'],
    ['of one that fails now says when', (at) => (at > JULY + days(10) - 21_600 ? 6 : 0), 'at'],
    ['of one that has failed says that it is spent', () => 3, 'spent'],
  ];
  const JULY = moment('2026-07-01T00:00:00Z');
  for (const [title, bad, ends] of ENDS) {
    test(title, () => {
      const month = one(objectiveOf(), rowsOf(JULY, seconds(JULY + days(10)), 300, bad), { unit: 'month' });
      assert.equal(month.ends?.kind, ends);
      if (month.ends?.kind !== 'at') return;
      // Of a budget of 3,456 failures 432 are spent, and each day's 1,728 failures bring 346 more to spend: 2.19 days.
      near(month.ends.at - month.until, days(3_024 / 1_382.4), 0.02);
    });
  }

  test('of more periods than anybody reads is refused', () => {
    const prepared = prepareReport(objectiveOf(), seconds(0), seconds(days(7) * (PERIODS_MAX + 2)), {
      unit: 'week',
      corrections: [],
    });
    assert.deepEqual(prepared.kind, 'fault');
  });
});

test('reportWindow() keeps the objective’s time zone, and weeks begin on Monday', () => {
  assert.deepEqual(reportWindow(monthly, 'quarter'), { ...BERLIN, unit: 'quarter' });
  assert.deepEqual(reportWindow(monthly, undefined), BERLIN);
  const window = reportWindow(objectiveOf(), 'week');
  assert(window.kind === 'calendar' && window.timeZone === 'UTC');
  assert.equal(new Date(`${window.start.replace(' ', 'T')}Z`).getUTCDay(), 1);
});

/** Each row by itself, through every correction in order. */
function bruteForce(rows: readonly Row[], corrections: readonly Correction[]): Row[] {
  const left = corrections.map(({ how }) => (how.kind === 'events' ? how.bad : 0));
  return rows.map(({ at, ...counts }) => {
    let { good, bad } = counts;
    for (const [i, { spans, how }] of corrections.entries()) {
      if (!spans.some((span) => at > span.from && at <= span.to)) continue;
      if (how.kind === 'all') [good, bad] = [0, 0];
      else if (how.kind === 'bad') bad *= 1 - how.share;
      else {
        const taken = Math.min(left[i] ?? 0, bad);
        left[i] = (left[i] ?? 0) - taken;
        bad -= taken;
      }
    }
    return { at, good, bad };
  });
}

function near(found: number, truth: number, slack = 1e-6): void {
  assert(Math.abs(found - truth) <= slack * Math.max(1, Math.abs(truth)), `found ${found}, truth ${truth}`);
}
