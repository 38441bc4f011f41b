import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import fc from 'fast-check';
import { ratio, type Seconds, seconds } from '#kernel/units.ts';
import { at, healthy, newStack, outage, scrape, told, type Worker, word } from '#test/kit/engine.ts';
import { objective, selector } from '#test/kit/objectives-by-hand.ts';
import { leavesOf, weighted } from './composite.ts';
import { tick } from './engine.ts';
import { checkpoint, restore } from './engine-checkpoint.ts';
import { viewOf } from './engine-view.ts';
import type { Counts, Part } from './objective.ts';

const part = (name: string, weight: number, target: number): Part => ({
  weight,
  objective: objective(
    name,
    { kind: 'ratio', bad: selector(`${name}_total{outcome="failed"}`), total: selector(`${name}_total`) },
    { target: ratio(target) },
  ),
});
const parts = [part('first', 3, 0.98), part('second', 1, 0.9)];
// (3 · 0.02 + 1 · 0.1) / 4 is 0.04.
const WHOLE = objective('whole', { kind: 'composite', parts }, { target: ratio(0.96), budget: ratio(0.04) });

const lines = (name: string, { completed, failed }: Pick<Worker, 'completed' | 'failed'>) =>
  `${name}_total{outcome="completed"} ${completed}\n${name}_total{outcome="failed"} ${failed}\n`;

function playBoth(stack: ReturnType<typeof newStack>, length: number, first: typeof healthy, second: typeof healthy) {
  const other = { ...stack.worker, completed: stack.worker.attempts, failed: stack.worker.badAttempts };
  const changes = [];
  for (const end = stack.now + length; stack.now < end; ) {
    stack.now++;
    const { attempts, badAttempts } = stack.worker;
    first(stack.worker, stack.now);
    Object.assign(stack.worker, { attempts, badAttempts });
    second(other, stack.now);
    if (stack.now % 15 > 0) continue;
    scrape(stack, 'worker', lines('first', stack.worker) + lines('second', other));
    changes.push(...tick(stack.engine, at(stack.now)));
  }
  Object.assign(stack.worker, { attempts: other.completed, badAttempts: other.failed });
  return changes;
}

describe('a composite', () => {
  test('burns and spends as the weighted mean of its parts', () => {
    const stack = newStack([WHOLE], 15);
    // 2 % of one event in four seconds, 10 % of one a second: traffic does not weigh, weights do.
    playBoth(
      stack,
      4_015,
      (worker, second) => second % 4 === 0 && (second % 200 === 0 ? outage : healthy)(worker, second),
      (worker, second) => (second % 10 === 0 ? outage : healthy)(worker, second),
    );
    const view = viewOf(stack.engine, WHOLE.id, at(stack.now));
    assert(view);
    assert(Math.abs(view.burnRates['1h'] - 1) < 0.02, `${view.burnRates['1h']}`);
    assert(Math.abs(view.budgetRemaining.value) < 0.02 && Math.abs((view.sli ?? 0) - 0.96) < 0.001);
    assert.equal(view.total, 998 + 3_990, 'the events of both parts, since the first scrape');
    assert.equal(word(view.verdict), 'warning ticket-slow');
  });

  test('is not paged by a part that weighs too little for the whole to burn', () => {
    const light = [part('first', 999, 0.9), part('second', 1, 0.9)];
    const whole = objective('whole', { kind: 'composite', parts: light }, { target: ratio(0.9), budget: ratio(0.1) });
    const stack = newStack([whole], 15);
    playBoth(stack, 600, healthy, healthy);
    assert.deepEqual(told(playBoth(stack, 120, healthy, outage)), []);
  });

  test('pages by the part that fails, by its name, and is blind with it', () => {
    const stack = newStack([WHOLE, ...parts.slice(1).map((one) => one.objective)], 15);
    assert.deepEqual(told(playBoth(stack, 600, healthy, healthy)), [
      [15, 'whole', 'none → ok'],
      [15, 'second', 'none → ok'],
    ]);
    const [page, own] = playBoth(stack, 60, healthy, outage);
    assert(page?.to.kind === 'burning' && own?.at === page.at);
    assert.match(page.to.because, /^its part documents-second: \d+ of \d+ failed in the last/);
    const outcome = restore(checkpoint(stack.engine, at(stack.now)), [WHOLE], at(stack.now));
    assert(outcome.kind === 'restored');
    stack.engine = outcome.value;
    playBoth(stack, 3_600, healthy, healthy);
    const [blind] = tick(stack.engine, at(stack.now + 60));
    assert.match(blind?.to.kind === 'unknown' ? blind.to.because : '', /^its part documents-first: worker has not/);
  });
});

const counts = fc.record({ good: fc.nat(1_000), bad: fc.nat(1_000) });
const read = ({ good, bad }: Counts) => {
  return (from: Seconds, to: Seconds) => ({ good, bad, length: seconds(to - from), observed: seconds(to - from) });
};

test('weighted() has the mean of the shares, and speaks with no more events than there were', () => {
  const weights = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), counts), { minLength: 2, maxLength: 5 });
  fc.assert(
    fc.property(weights, (all) => {
      const sum = all.reduce((total, [weight]) => total + weight, 0);
      const found = weighted(all.map(([weight, one]) => ({ weight: weight / sum, read: read(one) })))(
        seconds(0),
        seconds(60),
      );
      const events = all.reduce((total, [, { good, bad }]) => total + good + bad, 0);
      const share = all.reduce(
        (mean, [weight, { good, bad }]) => mean + (good + bad === 0 ? 0 : (weight / sum) * (bad / (good + bad))),
        0,
      );
      assert(found.good + found.bad <= events * (1 + 1e-9));
      if (events > 0) assert(Math.abs(found.bad / (found.good + found.bad) - share) < 1e-9);
      else assert.equal(found.bad, 0);
    }),
  );
});

test('a part without events adds none, and no weight to those of the others', () => {
  const found = weighted([
    { weight: 0.5, read: read({ good: 10, bad: 10 }) },
    { weight: 0.5, read: read({ good: 0, bad: 0 }) },
  ])(seconds(0), seconds(60));
  assert.deepEqual([found.good, found.bad], [15, 5]);
});

test('one event in a heavy part does not speak like the thousands beside it', () => {
  const found = weighted([
    { weight: 0.5, read: read({ good: 0, bad: 1 }) },
    { weight: 0.5, read: read({ good: 100_000, bad: 0 }) },
  ])(seconds(0), seconds(60));
  assert(found.bad < 2.1, `${found.bad}`);
});

test('leavesOf() weighs parts of parts by both weights', () => {
  const outer = objective('outer', {
    kind: 'composite',
    parts: [{ weight: 1, objective: WHOLE }, part('third', 1, 0.9)],
  });
  assert.deepEqual(
    leavesOf(outer).map(({ weight, objective: { name } }) => [name, weight]),
    [
      ['first', 0.375],
      ['second', 0.125],
      ['third', 0.5],
    ],
  );
});
