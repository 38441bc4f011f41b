import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import fc from 'fast-check';
import { days, hours, minutes, type Seconds, seconds } from '#kernel/units.ts';
import { objectiveOf } from '#test/kit/objectives-by-hand.ts';
import { advance, hasNews, judge, makeJudged, newStanding } from './judge.ts';
import { newAccount } from './ledger/account.ts';
import { restoreAccount, writeAccount } from './ledger/checkpoint.ts';
import { add, bookAcross, correct, type Ledger, newLedger, observe } from './ledger/ledger.ts';
import { DEFAULT_ALERTING } from './objective.ts';
import { isChange, type Verdict } from './verdict.ts';

const judged = makeJudged(objectiveOf());
const START = days(20_000);

type Stretch = readonly [length: Seconds, every15s: { readonly good: number; readonly bad: number } | undefined];

/** A ledger of stretches, oldest first: events come evenly, every 15 s, and the stretch `undefined` is not watched. */
function ledgerOf(...stretches: Stretch[]): {
  ledger: Ledger;
  now: Seconds;
} {
  const ledger = newLedger(START, days(28));
  let now: number = START;
  for (const [length, counts] of stretches) {
    for (let at = now + 15; at <= now + length; at += 15) {
      if (!counts) continue;
      observe(ledger, seconds(at - 15), seconds(at));
      add(ledger, seconds(at), counts.good, counts.bad);
    }
    now += length;
  }
  return { ledger, now: seconds(now) };
}

function verdictOf(...stretches: Stretch[]): Verdict {
  const { ledger, now } = ledgerOf(...stretches);
  return judge(judged, newStanding(judged), ledger, now, undefined);
}

const word = (verdict: Verdict): string =>
  verdict.kind === 'burning' ? `${verdict.severity} ${verdict.rule}` : verdict.kind;

describe('judge() by the pairs', () => {
  const calm = { good: 1_000, bad: 0 };
  // 13.44 times a budget of 2 % is 26.88 %; 5.6 is 11.2 %; 2.8 is 5.6 %; 0.9333 is 1.8667 %.
  const cases: readonly [title: string, stretches: Stretch[], want: string][] = [
    ['is ok without any event', [[hours(80), { good: 0, bad: 0 }]], 'ok'],
    ['is ok just under the slowest ticket', [[days(4), { good: 98_134, bad: 1_866 }]], 'ok'],
    ['opens a ticket just over it', [[days(4), { good: 98_133, bad: 1_867 }]], 'warning ticket-slow'],
    ['opens the fast ticket exactly at 2.8', [[days(4), { good: 944, bad: 56 }]], 'warning ticket-fast'],
    ['opens none in the first minutes of an installation', [[minutes(4.75), { good: 92, bad: 8 }]], 'info ticket-fast'],
    ['opens it when five minutes were watched', [[minutes(5), { good: 92, bad: 8 }]], 'warning ticket-fast'],
    ['leaves it just under', [[days(4), { good: 94_401, bad: 5_599 }]], 'warning ticket-slow'],
    ['pages exactly at 5.6', [[days(4), { good: 888, bad: 112 }]], 'critical page-slow'],
    ['opens only a ticket just under', [[days(4), { good: 88_801, bad: 11_199 }]], 'warning ticket-fast'],
    ['pages fast exactly at 13.44', [[days(4), { good: 7_312, bad: 2_688 }]], 'critical page-fast'],
    ['pages slowly just under', [[days(4), { good: 73_121, bad: 26_879 }]], 'critical page-slow'],
    [
      'is quiet about a fire that is out',
      [
        [days(4), calm],
        [hours(1), { good: 500, bad: 500 }],
        [hours(7), calm],
      ],
      'ok',
    ],
  ];
  for (const [title, stretches, want] of cases) test(title, () => assert.equal(word(verdictOf(...stretches)), want));

  test('fires page-fast 17 minutes into a total outage, as the workbook says, and clears it within five', () => {
    const after = (length: Seconds, calmAfter: Seconds) =>
      word(verdictOf([days(4), calm], [length, { good: 0, bad: 1_000 }], [calmAfter, calm]));
    assert.equal(after(minutes(16), seconds(0)), 'ok');
    assert.equal(after(minutes(16.25), seconds(0)), 'critical page-fast');
    assert.equal(after(minutes(20), minutes(3.5)), 'critical page-fast');
    assert.notEqual(after(minutes(20), minutes(4)), 'critical page-fast');
  });

  test('writes down what too few failures or one heap of them would have paged for, and why', () => {
    const few = verdictOf(
      [hours(80), { good: 0, bad: 0 }],
      [minutes(60), { good: 0, bad: 0 }],
      [seconds(15), { good: 3, bad: 2 }],
    );
    assert.equal(word(few), 'info page-fast');
    assert.match(few.kind === 'burning' ? few.because : '', /2 bad events are too few to tell \(at least 6\)/);
    // Of the slow ticket's three days it is a burn of half its limit, of the fast one's day more; but that is switched off.
    const pagesOnly = makeJudged(objectiveOf({ alerting: { ...DEFAULT_ALERTING, ticket: false } }));
    const { ledger, now } = ledgerOf([hours(80), { good: 0, bad: 0 }], [seconds(15), { good: 10, bad: 24 }]);
    const heap = judge(pagesOnly, newStanding(pagesOnly), ledger, now, undefined);
    assert.match(heap.kind === 'burning' ? heap.because : '', /came in 1 of 12 parts of that time: a clump/);
    assert.equal(word(heap), 'info page-fast');
  });

  test('says how fast, how much and how long', () => {
    const verdict = verdictOf([days(4), { good: 500, bad: 500 }]);
    assert(verdict.kind === 'burning');
    assert.deepEqual([verdict.burnRate, verdict.budgetLasts], [25, days(28) / 25]);
    assert.equal(verdict.budgetSpent.toFixed(4), (25 / 24 / 28).toFixed(4));
    assert.match(
      verdict.because,
      /burns 25 times as fast as it may over 60 min and 25 times over 5 min; the limit is 13.4/,
    );
  });

  test('judges what was watched of a window, and says how much that was', () => {
    const verdict = verdictOf([days(4), calm], [minutes(50), undefined], [minutes(10), { good: 100, bad: 100 }]);
    assert.equal(word(verdict), 'info page-fast');
    assert.match(verdict.kind === 'burning' ? verdict.because : '', /over 60 min \(10 min of it were watched\)/);
  });

  test('is never calmer when more events are bad', () => {
    const rank = (bad: number) => {
      const order = ['ok', 'warning ticket-slow', 'warning ticket-fast', 'critical page-slow', 'critical page-fast'];
      return order.indexOf(word(verdictOf([days(3.2), { good: 1_000 - bad, bad }])));
    };
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 400 }), (bad) => rank(bad + 1) >= rank(bad)),
      { numRuns: 30 },
    );
  });
});

describe('judge() and blindness', () => {
  const { ledger, now } = ledgerOf([hours(8), { good: 100, bad: 0 }]);

  test('is never green for want of data', () => {
    const verdict = judge(judged, newStanding(judged), ledger, now, 'no answer from worker since 03:00');
    assert.deepEqual(verdict, { kind: 'unknown', because: 'no answer from worker since 03:00' });
  });

  test('goes on burning, and says that it is blind', () => {
    const { ledger: burning, now: then } = ledgerOf([days(4), { good: 0, bad: 100 }]);
    const verdict = judge(judged, newStanding(judged), burning, then, 'no answer');
    assert.equal(word(verdict), 'critical page-fast');
    assert.match(verdict.kind === 'burning' ? verdict.because : '', /; and now it is blind: no answer$/);
  });
});

describe('advance()', () => {
  const total = { good: 0, bad: 15 };
  const live = (settings: Parameters<typeof objectiveOf>[0], across: boolean): Verdict => {
    const mine = makeJudged(objectiveOf(settings));
    const standing = newStanding(mine);
    const { ledger, now } = ledgerOf([hours(1), { good: 15, bad: 0 }]);
    let verdict: Verdict = { kind: 'ok' };
    for (let at = now + 15; at <= now + 60; at += 15) {
      if (!across) {
        observe(ledger, seconds(at - 15), seconds(at));
        add(ledger, seconds(at), total.good, total.bad);
      }
      advance(mine, standing, ledger, seconds(at));
      verdict = judge(mine, standing, ledger, seconds(at), undefined);
    }
    return verdict;
  };

  test('shows the detector each event once, however uneven the ticks', () => {
    const standing = newStanding(judged);
    const { ledger, now } = ledgerOf([hours(1), { good: 15, bad: 0 }]);
    advance(judged, standing, ledger, now);
    let at: number = now;
    for (const step of [7, 15, 3, 11, 16]) {
      observe(ledger, seconds(at), seconds(at + step));
      at += step;
      add(ledger, seconds(at), 0, 2);
      advance(judged, standing, ledger, seconds(at));
      advance(judged, standing, ledger, seconds(at));
    }
    assert.equal(Math.round(standing.evidence.bad + standing.evidence.open.bad), 10);
  });

  test('does not thin what came after a stretch that nobody watched', () => {
    const evidence = (blank: number) => {
      const standing = newStanding(judged);
      const { ledger, now } = ledgerOf([hours(1), { good: 15, bad: 0 }]);
      advance(judged, standing, ledger, now);
      const from = now + blank;
      observe(ledger, seconds(from), seconds(from + 15));
      add(ledger, seconds(from + 15), 0, 9);
      advance(judged, standing, ledger, seconds(from + 15));
      return standing.evidence;
    };
    const strength = (blank: number) => Math.log(evidence(blank).outages.reduce((a, b) => a + b));
    assert(strength(600) > strength(0) - 1);
    assert.equal(evidence(600).since, START + hours(1) + 600);
  });

  test('shows nothing of what was booked across a gap, corrected or not, from a checkpoint or not', () => {
    for (const corrected of [false, true]) {
      for (const restored of [false, true]) {
        const account = newAccount(judged.objective, START, days(28));
        let { ledger } = account;
        if (corrected) correct(ledger, { id: 'c', from: START, to: seconds(START + 30), how: { kind: 'all' } });
        observe(ledger, START, seconds(START + 600));
        add(ledger, seconds(START + 600), 600, 0);
        const standing = newStanding(judged);
        advance(judged, standing, ledger, seconds(START + 600));
        if (restored) {
          const outcome = restoreAccount(writeAccount(account));
          assert(outcome.kind === 'restored');
          ledger = outcome.value.ledger;
        }
        bookAcross(ledger, seconds(START + 600), 0, 500);
        assert.equal(hasNews(standing, ledger), false);
        observe(ledger, seconds(START + 1_200), seconds(START + 1_215));
        add(ledger, seconds(START + 1_215), 14, 1);
        assert.equal(hasNews(standing, ledger), true);
        advance(judged, standing, ledger, seconds(START + 1_215));
        assert.deepEqual([Math.round(standing.evidence.good), Math.round(standing.evidence.bad)], [14, 1]);
        assert.equal(ledger.across.bad, 500);
      }
    }
  });

  test('lets the detector page within a minute of a total outage, unless pages are switched off', () => {
    assert.equal(word(live({}, false)), 'critical evidence');
    assert.equal(live({ alerting: { ...DEFAULT_ALERTING, page: false } }, false).kind, 'ok');
  });
});

test('makeJudged() leaves out pairs that can never fire or reach beyond the period', () => {
  const names = (goal: number, period: Seconds) =>
    makeJudged(objectiveOf({ goal, window: { kind: 'rolling', period } }))
      .rules.map(({ rule }) => rule.name)
      .join();
  assert.equal(names(0.98, days(28)), 'page-fast,page-slow,ticket-fast,ticket-slow');
  assert.equal(names(0.9, days(28)), 'page-slow,ticket-fast,ticket-slow');
  // A page at a burn of 0.6 would wake people for a service that keeps its promise.
  assert.equal(names(0.98, days(3)), 'page-fast,ticket-fast');
  assert.equal(names(0.98, days(1)), '');
});

test('isChange() takes another rule of the same severity for the same news', () => {
  const base = { kind: 'burning', burnRate: 1, budgetSpent: 0, budgetLasts: seconds(1), because: '' } as const;
  const fast = { ...base, rule: 'page-fast', severity: 'critical' } as const;
  assert.equal(isChange(fast, { ...fast, rule: 'evidence' }), false);
  assert.equal(isChange(fast, { ...fast, severity: 'warning' }), true);
  assert.equal(isChange({ kind: 'ok' }, fast), true);
});
