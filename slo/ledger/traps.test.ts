/**
 * The traps in which PromQL-based SLO tools were measured to sit (a 99 % objective; Sloth 0.16 and Pyrra 0.10): unweighted
 * means, first increments that are lost, silence that reads as health. Each has a truth that can be worked out on paper.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { days, hours, minutes, ratio, seconds } from '#kernel/units.ts';
import { at, book, counts, DONE, done, ledgerIn, scrape } from '#test/kit/ledger.ts';
import type { Book } from './book.ts';
import { budgetRemaining, isBlind } from './budget.ts';
import { windowCounts } from './ledger.ts';

/** A scrape each 15 s, from `from` to `to` hours: totals grow by `good` and `bad` events a second. */
type Stretch = readonly [from: number, to: number, good: number, bad: number];
type World = { completed: number; failed: number | undefined };

function play(one: Book, stretches: readonly Stretch[], world: World = { completed: 0, failed: 0 }): World {
  for (const [from, to, good, bad] of stretches) {
    for (let offset = hours(from) + 15; offset <= hours(to); offset += 15) {
      world.completed += 15 * good;
      if (world.failed !== undefined) world.failed += 15 * bad;
      scrape(one, offset, done(world.completed, world.failed));
    }
  }
  return world;
}

const begun = (failed?: number): Book => {
  const one = book(DONE);
  scrape(one, 0, done(0, failed));
  return one;
};
const percent = (one: Book, hour: number): number => {
  const { good, bad } = windowCounts(ledgerIn(one), at(hours(hour)), days(1));
  return Math.round((bad / (good + bad)) * 1e5) / 1e3;
};
const budget = (one: Book, hour: number) =>
  budgetRemaining(ledgerIn(one), at(hours(hour)), { budget: ratio(0.01), period: days(28) });

test('twelve busy clean hours and twelve quiet ones at 50 % are 0.495 %, with half the budget left', () => {
  const one = begun(0);
  play(one, [
    [0, 12, 100, 0],
    [12, 24, 0.5, 0.5],
  ]);
  assert.equal(percent(one, 24), 0.495);
  const { value, low, high } = budget(one, 24);
  assert.deepEqual([low, high], [value, value]);
  assert(Math.abs(value - 0.505) < 0.001, `${value}`);
});

test('a busy hour at 50 % after a quiet half day weighs as much as it had events', () => {
  const one = begun(0);
  play(one, [
    [0, 12, 1, 0],
    [12, 17, 100, 0],
    [17, 18, 50, 50],
  ]);
  assert.equal(percent(one, 18), Math.round((180_000 / 2_203_200) * 1e5) / 1e3);
});

test('ten minutes without traffic are 0 %, and a budget stays a number', () => {
  const one = begun(0);
  play(one, [
    [0, 1, 1, 0],
    [1, 2, 0, 0],
  ]);
  assert.deepEqual(windowCounts(ledgerIn(one), at(hours(2)), minutes(10)), {
    good: 0,
    bad: 0,
    length: 600,
    observed: 600,
  });
  assert.deepEqual(budget(one, 2), { value: 1, low: 1, high: 1, known: 1 });
});

test('an error series that first appears after 20 hours counts from its first error', () => {
  const one = begun();
  const world = play(one, [[0, 20, 1, 0]], { completed: 0, failed: undefined });
  // The series is there with its first errors: 15, then more, one event a second all along.
  world.failed = 0;
  const [dark, mixed] = [20 + 150 / 3_600, 20 + 165 / 3_600];
  play(
    one,
    [
      [20, dark, 0, 1],
      [dark, mixed, 14 / 15, 1 / 15],
      [mixed, 24, 1, 0],
    ],
    world,
  );
  assert.deepEqual(counts(one, hours(24)), [86_249, 151]);
  assert.equal(percent(one, 24), 0.175);
});

test('five errors on three new series are five', () => {
  const one = begun();
  scrape(one, 15, done(100));
  const errors = [2, 2, 1].map((n, i) => `done_total{outcome="failed",step="s${i}"} ${n}`);
  scrape(one, 30, [done(110), ...errors].join('\n'));
  assert.deepEqual(counts(one, 30), [110, 5]);
});

test('a target that vanishes for two hours is unknown, with an interval and no data', () => {
  const one = begun(0);
  play(one, [[0, 10, 1, 0]]);
  assert(isBlind(one.accounts.get('done')?.frontier, seconds(15), at(hours(10) + 40)));
  const { value, low, high, known } = budget(one, 12);
  assert.equal(value, 1);
  assert.equal(high, 1);
  assert(Math.abs(low - (1 - 2 / 12 / 0.01)) < 0.01, `${low}`);
  assert(Math.abs(known - 10 / 12) < 0.01, `${known}`);
});

test('an error counter that was never created is no error', () => {
  const one = begun();
  play(one, [[0, 1, 1, 0]], { completed: 0, failed: undefined });
  assert.deepEqual(counts(one, hours(1)), [3_600, 0]);
  assert.deepEqual(budget(one, 1), { value: 1, low: 1, high: 1, known: 1 });
});
