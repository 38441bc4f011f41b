import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { days, type Ratio, type Seconds, seconds } from '#kernel/units.ts';
import { type Course, type Forecast, forecast, HOURS_A_WEEK, hourOfWeek, learnProfile } from './forecast.ts';
import { add, type Ledger, newLedger, observe } from './ledger/ledger.ts';
import type { Counts } from './objective.ts';

/** A Thursday, 00:00 UTC, with four weeks of history before it. */
const NOW = seconds(2_800 * 7 * 86_400);
const BUDGET = 0.02 as Ratio;
const at = (hour: number): Seconds => seconds(NOW + hour * 3_600);

/** Four weeks, hour by hour: so many events, so many of them bad. */
function history(hour: (index: number) => Counts): Ledger {
  const ledger = newLedger(at(-672), days(28));
  for (let i = -672; i < 0; i++) {
    observe(ledger, at(i), at(i + 1));
    const { good, bad } = hour(i);
    add(ledger, at(i + 1), good, bad);
  }
  return ledger;
}

function course(ledger: Ledger, recent: Counts, window?: Course['window']): Course {
  const profile = learnProfile(ledger, NOW);
  return { ledger, now: NOW, budget: BUDGET, window: window ?? { kind: 'rolling', period: days(28) }, profile, recent };
}

const word = (told: Forecast): string => {
  const hour = (time: Seconds | undefined) => (time === undefined ? 'never' : `${Math.round((time - NOW) / 3_600)}h`);
  switch (told.kind) {
    case 'spent':
      return 'spent';
    case 'at':
      return `${hour(told.earliest)} ${hour(told.at)} ${hour(told.latest)}`;
    case 'never':
      return `${hour(told.earliest)} never`;
    default:
      return told satisfies never;
  }
};

const steady = history(() => ({ good: 1_000, bad: 0 }));
/** Monday to Friday, nine to five; Thursday is day 0. */
const office = history((i) => {
  const slot = hourOfWeek(NOW + i * 3_600);
  const day = Math.floor(slot / 24);
  const busy = day !== 2 && day !== 3 && slot % 24 >= 9 && slot % 24 < 17;
  return { good: busy ? 1_000 : 0, bad: 0 };
});
const leaky = history((i) => ({ good: 990, bad: i < -336 ? 25 : 10 }));

// Of 672,000 events 13,440 may be bad; the window's total stays: what comes goes.
const cases: readonly [title: string, course: Course, want: string][] = [
  ['is by the traffic: all of it failing', course(steady, { good: 0, bad: 1e9 }), '13h 13h 13h'],
  ['half of it failing', course(steady, { good: 1e9, bad: 1e9 }), '27h 27h 27h'],
  ['has an interval that is wide with little to go by', course(steady, { good: 5, bad: 5 }), '18h 27h 50h'],
  ['never comes at a share within the budget', course(steady, { good: 990_000, bad: 10_000 }), 'never never'],
  ['never comes when nothing fails', course(steady, { good: 1_000_000, bad: 0 }), 'never never'],
  ['never comes without a recent event', course(steady, { good: 0, bad: 0 }), 'never never'],
  // Wilson's upper end of 1 in 100 is 4.358 %: 13,440 / 43.58 hours.
  ['may come when a share within the budget is uncertain', course(steady, { good: 99, bad: 1 }), '308h never'],
  // 160,000 events, 3,200 of them may be bad: the fourth busy hour, from 9:00 on.
  ['waits for the hours that have traffic', course(office, { good: 0, bad: 1e9 }), '12h 12h 12h'],
  // 10 % of 1,000 an hour: 32 busy hours; Thursday 8, Friday 8, Monday 8, Tuesday 8. A hair less than 10 % does not quite
  // make it by Tuesday evening, and goes on Wednesday at nine.
  ['waits over the weekend', course(office, { good: 9e9, bad: 1e9 }), '137h 137h 153h'],
  [
    'never comes when old failures go faster than new ones come',
    course(leaky, { good: 985e6, bad: 15e6 }),
    'never never',
  ],
  [
    'never comes after a calendar window has ended',
    course(steady, { good: 1e9, bad: 1e9 }, { kind: 'calendar', from: at(-240), to: at(4) }),
    'never never',
  ],
  // 240,000 have 4,800; each hour brings 20 more and takes 500.
  [
    'comes within a calendar window',
    course(steady, { good: 1e9, bad: 1e9 }, { kind: 'calendar', from: at(-240), to: at(100) }),
    '10h 10h 10h',
  ],
  [
    'is now when all is spent',
    course(
      history(() => ({ good: 97, bad: 3 })),
      { good: 1, bad: 0 },
    ),
    'spent',
  ],
];
for (const [title, given, want] of cases) {
  test(`forecast() ${title}`, () => assert.equal(word(forecast(given)), want));
}

test('learnProfile() knows the hours of the week, and takes the mean where nobody watched', () => {
  const ledger = newLedger(at(-168), days(28));
  for (let i = -168; i < 0; i++) {
    if (i % 2 === 0) continue;
    observe(ledger, at(i), at(i + 1));
    add(ledger, at(i + 1), i < -84 ? 3_600 : 7_200, 0);
  }
  const profile = learnProfile(ledger, NOW);
  assert.deepEqual([profile.length, profile[1], profile[167], profile[0]], [HOURS_A_WEEK, 1, 2, 1.5]);
});

test('forecast() is never later when more events fail', () => {
  const time = (bad: number) => {
    const told = forecast(course(office, { good: 1_000 - bad, bad }));
    return told.kind === 'at' ? told.at : told.kind === 'spent' ? NOW : Number.POSITIVE_INFINITY;
  };
  fc.assert(fc.property(fc.nat(999), (bad) => time(bad + 1) <= time(bad)));
});

test('forecast() lies between its earliest and its latest', () => {
  const events = fc.record({ good: fc.nat(1_000), bad: fc.nat(1_000) });
  fc.assert(
    fc.property(events, fc.constantFrom(steady, office, leaky), (recent, ledger) => {
      const told = forecast(course(ledger, recent));
      if (told.kind !== 'at') return;
      assert(NOW <= told.earliest && told.earliest <= told.at && told.at <= (told.latest ?? Number.POSITIVE_INFINITY));
    }),
  );
});
