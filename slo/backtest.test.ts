import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '#kernel/random.ts';
import { days, hours, minutes, type Seconds, seconds } from '#kernel/units.ts';
import { objectiveOf } from '#test/kit/objectives-by-hand.ts';
import { backtest, type Change } from './backtest.ts';
import { enter, newEngine } from './engine.ts';
import { viewOf } from './engine-view.ts';
import { readSamples } from './exposition/read-samples.ts';
import { makeJudged } from './judge.ts';
import type { Objective } from './objective.ts';
import { paceOf, type Row, readRows } from './replay.ts';
import { HEALTHY, simulate } from './simulate.ts';

type Options = { readonly tick?: Seconds; readonly pace?: Seconds | undefined; readonly objective?: Objective };

function play(rows: readonly Row[], options: Options = {}) {
  const changes: Change[] = [];
  const pace = 'pace' in options ? options.pace : paceOf(rows);
  const { objective = objectiveOf(), tick = seconds(5) } = options;
  const summary = backtest(makeJudged(objective), { rows, pace }, tick, (change) => changes.push(change));
  return { changes, summary, words: changes.map(({ to, severity }) => (severity === null ? to : severity)) };
}

describe('backtest()', () => {
  const outage = { from: seconds(7_200), to: seconds(9_000), share: 1 };
  const rows = [...simulate({ ...HEALTHY, failing: 0.004, outage }, hours(6), seededRandom(2))];

  test('pages once for one outage, seconds after it began, and says when it was over', () => {
    const { summary, changes } = play(rows);
    assert.equal(summary.pages.length, 1);
    const [page] = summary.pages;
    assert(page && page.end !== null && page.start - outage.from <= 25, `paged at ${page?.start}`);
    assert.equal(page.rule, 'evidence');
    assert(page.bad > 1_700 && page.bad < 1_900 && page.budgetSpent > 0.03 && page.budgetSpent < 0.05);
    const [first] = changes;
    assert.deepEqual([first?.from, first?.to, first?.severity, first?.rule], ['ok', 'burning', 'critical', 'evidence']);
    assert.match(first?.because ?? '', /failed in the last \d+ s, \d+ % where 2 % is promised/);
  });

  test('finds the same pages at ticks of 5 and 15 seconds, up to a tick', () => {
    const [fine, coarse] = [play(rows), play(rows, { tick: seconds(15) })].map(({ summary }) => summary.pages);
    assert.equal(fine?.length, coarse?.length);
    assert(Math.abs((fine?.[0]?.start ?? 0) - (coarse?.[0]?.start ?? 99)) <= 15);
  });

  test('sums what it replayed', () => {
    const { summary } = play(rows);
    const [good, bad] = [rows.reduce((sum, row) => sum + row.good, 0), rows.reduce((sum, row) => sum + row.bad, 0)];
    assert.deepEqual([summary.good, summary.bad, summary.sli], [good, bad, good / (good + bad)]);
    assert.equal(
      summary.budgetSpent.toFixed(6),
      ((bad / (good + bad) / 0.02) * ((summary.to - summary.from) / days(28))).toFixed(6),
    );
  });

  test('says what the budget that was spent is of', () => {
    assert.match(play(rows).summary.budgetSpentOf, /^28 d at the traffic of the .+ played$/);
    const window = { kind: 'calendar', count: 1, unit: 'year', start: '1970-01-01 00:00:00', timeZone: 'UTC' } as const;
    assert.match(
      play(rows, { objective: objectiveOf({ window }) }).summary.budgetSpentOf,
      /^the calendar period since second 0, as far as it was played$/,
    );
  });

  describe('with a calendar window', () => {
    const at = (text: string) => Date.parse(text) / 1_000;
    const window = {
      kind: 'calendar',
      count: 1,
      unit: 'month',
      start: '2026-01-01 00:00:00',
      timeZone: 'Europe/Berlin',
    } as const;
    const monthly = objectiveOf({ window });
    const begin = at('2026-02-20T00:00:00Z');
    const rowsTo = (until: string): readonly Row[] =>
      Array.from({ length: (at(until) - begin) / 900 }, (_, i) => {
        const time = begin + (i + 1) * 900;
        // February fails by 4 %, March by 1 %, April by a half of one.
        const bad = time <= at('2026-02-28T23:00:00Z') ? 36 : time <= at('2026-03-31T22:00:00Z') ? 9 : 4.5;
        return { at: seconds(time), good: 900 - bad, bad };
      });
    const nineDigits = (value: number) => Number(value.toPrecision(9));
    const spent = (until: string) =>
      nineDigits(play(rowsTo(until), { tick: minutes(15), objective: monthly }).summary.budgetSpent);
    const liveSpent = (until: string) => {
      const engine = newEngine([monthly], seconds(begin));
      const visit = (now: Seconds, total: number, bad: number) => {
        const text = `requests_total{job="app"} ${total}\nerrors_total{job="app"} ${bad}\n`;
        enter(
          engine,
          { target: 'app', at: now, interval: minutes(15) },
          readSamples(text, 'text', engine.book.plan.wanted),
        );
      };
      let [total, bad] = [0, 0];
      visit(seconds(begin), total, bad);
      for (const row of rowsTo(until)) {
        [total, bad] = [total + row.good + row.bad, bad + row.bad];
        visit(row.at, total, bad);
      }
      return nineDigits(1 - (viewOf(engine, monthly.id, seconds(at(until)))?.budgetRemaining.value ?? Number.NaN));
    };
    test('tells the budget of the period that the replay ends in, as the live ledger does', () => {
      assert.equal(spent('2026-02-28T23:00:00Z'), 2, 'to the end of a period: of that period');
      assert.equal(spent('2026-03-10T12:00:00Z'), 0.5);
      assert.equal(spent('2026-03-31T22:00:00Z'), 0.5, 'of a month of 31 days and a change of the clock');
      assert.equal(spent('2026-04-02T00:00:00Z'), 0.25);
    });
    test('and so does the engine that watched it', () => {
      for (const until of ['2026-02-25T00:00:00Z', '2026-03-10T12:00:00Z', '2026-04-02T00:00:00Z']) {
        assert.equal(liveSpent(until), spent(until), until);
      }
    });
  });

  test('is unknown in a hole of even rows, and never green there', () => {
    const hole = rows.filter(({ at }) => at <= 3_600 || at > 5_400);
    const { changes } = play(hole);
    assert.deepEqual(
      changes.slice(0, 2).map(({ at, to }) => [at, to]),
      [
        [3_615, 'unknown'],
        [5_405, 'ok'],
      ],
    );
    assert.equal(changes[0]?.because, 'no data since second 3600');
    const dated = play(hole.map((row) => ({ ...row, at: seconds(row.at + 1_772_323_200) }))).changes;
    assert.equal(dated[0]?.because, 'no data since 2026-03-01T01:00:00Z', 'as the live router says it');
  });

  test('holds what grew in a hole against no short window and no detector', () => {
    const sum = { good: 2_400, bad: 600 };
    const after = rows.filter(({ at }) => at <= 3_600).concat([{ at: seconds(6_600), ...sum }]);
    const { words } = play(after, { pace: seconds(5) });
    assert(!words.includes('critical') && !words.includes('info'), words.join());
  });

  test('takes uneven rows for events, between which nothing happened', () => {
    const random = seededRandom(4);
    let at = 0;
    const sparse = Array.from({ length: 400 }, (): Row => {
      at += 1 - Math.log(1 - random.next()) * 300;
      return { at: seconds(at), good: 1, bad: 0 };
    });
    assert.equal(paceOf(sparse), undefined);
    assert.deepEqual(play(sparse).words, []);
    const failing = sparse.map((row, i) => (i >= 300 ? { ...row, good: 0, bad: 1 } : row));
    const { summary } = play(failing);
    assert.equal(summary.pages.length, 1);
    const eighth = failing[307]?.at ?? 0;
    assert((summary.pages[0]?.start ?? 0) <= eighth + 5, 'within eight events');
  });

  test('judges rows that come more seldom than ticks when they come', () => {
    const each = (at: number, bad: number): Row => ({ at: seconds(at), good: 60 - bad, bad });
    const minutely = Array.from({ length: 600 }, (_, i) => each((i + 1) * 60, i >= 500 ? 60 : 0));
    const { summary } = play(minutely);
    assert.equal(summary.pages.length, 1);
    assert.equal(summary.pages[0]?.start, 502 * 60, 'one row is one witness');
  });

  test('gives the same answer to the same rows, and changes alternate', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.double({ min: 0, max: 0.4, noNaN: true }), (seed, share) => {
        const service = { ...HEALTHY, failing: share / 4, outage: { from: minutes(20), to: minutes(50), share } };
        const stream = [...simulate(service, hours(2), seededRandom(seed))];
        const [one, two] = [play(stream), play(stream)];
        assert.deepEqual(one, two);
        for (const [i, change] of one.changes.entries()) assert.equal(change.from, one.changes[i - 1]?.to ?? 'ok');
      }),
      { numRuns: 15 },
    );
  });

  test('plays two days at 15 s over events of a whole period without losing one', () => {
    const long = Array.from(
      { length: 11_520 },
      (_, i): Row => ({ at: seconds((i + 1) * 15), good: 15, bad: i % 500 === 0 ? 1 : 0 }),
    );
    const { summary } = play(long, { tick: seconds(15) });
    assert.deepEqual([summary.ticks, summary.good, summary.bad], [11_520 + 0, 172_800, 24]);
    assert.equal(summary.to - summary.from, days(2) - 15 + 0);
  });
});

describe('readRows()', () => {
  test('reads a header, comments, blanks and fractions', () => {
    const read = readRows('time,good,bad\n# from the exporter\n\n0, 10, 0\r\n5,9.5,0.5\n');
    assert.deepEqual(read, {
      kind: 'rows',
      rows: [
        { at: 0, good: 10, bad: 0 },
        { at: 5, good: 9.5, bad: 0.5 },
      ],
      pace: 5,
    });
  });
  const faults: readonly [text: string, line: number, reason: RegExp][] = [
    ['', 0, /no rows/],
    ['time,good,bad\n', 1, /no rows/],
    ['0,1,0\n5,1\n', 2, /expected time,good,bad, found 2 columns/],
    ['0,1,0\n5,x,0\n', 2, /expected three numbers, found "5,x,0"/],
    ['0,1,0\n5,,0\n', 2, /expected three numbers/],
    ['0,1,-1\n', 1, /cannot be negative: good 1, bad -1/],
    ['5,1,0\n0,1,0\n', 2, /time goes back from 5 to 0/],
    ['-5,1,0\n', 1, /no second since the epoch/],
    ['1700000000000,1,0\n', 1, /are these milliseconds\?/],
    ['0,1,0\n5,Infinity,0\n', 2, /expected three numbers/],
  ];
  for (const [text, line, reason] of faults) {
    test(`names the line of ${JSON.stringify(text)}`, () => {
      const read = readRows(text);
      assert(read.kind === 'fault');
      assert.equal(read.line, line);
      assert.match(read.reason, reason);
    });
  }
});
