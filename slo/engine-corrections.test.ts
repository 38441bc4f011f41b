/** Corrections in a running engine: applied once, taken back, and the same after a restart. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { ratio, seconds } from '#kernel/units.ts';
import { at, healthy, newStack, outage, play, SHIPPED, type Stack, shipped } from '#test/kit/engine.ts';
import { checkpoint, restore } from './engine-checkpoint.ts';
import { settleCorrections } from './engine-corrections.ts';
import { historyOf, viewOf } from './engine-view.ts';
import type { Correction, How } from './ledger/corrections.ts';

const ID = 'burnline-documents-documents-processed';
const correction = (id: string, from: number, to: number, how: How = { kind: 'all' }): Correction => ({
  id,
  author: 'ada',
  reason: 'maintenance',
  enteredAt: at(0),
  spans: [{ from: at(from), to: at(to) }],
  of: { kind: 'ids', ids: [ID] },
  how,
});
const settle = (stack: Stack, ...inForce: Correction[]) => settleCorrections(stack.engine, inForce, at(stack.now));
const view = ({ engine, now }: Stack) => {
  const found = viewOf(engine, ID, at(now));
  assert(found);
  return found;
};
const counts = (stack: Stack) => [view(stack).good, view(stack).total] as const;

/** A minute well, a minute of outage, a minute well. */
function played(): Stack {
  const stack = newStack(SHIPPED, 5);
  play(stack, 60, healthy);
  play(stack, 60, outage);
  play(stack, 60, healthy);
  return stack;
}

test('what is corrected does not count, stays beside, and counts again when it is taken back', () => {
  const stack = played();
  const before = counts(stack);
  assert.equal(view(stack).uncorrected, undefined);
  const one = correction('one', 60, 120);
  settle(stack, one);
  const after = counts(stack);
  assert.deepEqual([before[0] - after[0], before[1] - after[1]], [0, 60]);
  assert.deepEqual([view(stack).uncorrected?.good, view(stack).uncorrected?.total], before);
  assert(view(stack).budgetRemaining.value > (view(stack).uncorrected?.budgetRemaining.value ?? 1));
  const steps = historyOf(stack.engine, ID, { from: at(0), to: at(180), step: seconds(60) });
  assert.deepEqual(
    steps?.map(({ total, counted }) => [total, counted?.total]),
    [
      [before[1] - 120, undefined],
      [0, 60],
      [60, undefined],
    ],
  );
  settle(stack, one);
  assert.deepEqual(counts(stack), after, 'twice is once');
  settle(stack);
  assert.deepEqual(counts(stack), before);
  assert.equal(view(stack).uncorrected, undefined);
});

test('one of two that is taken back leaves the other', () => {
  const stack = played();
  const [, total] = counts(stack);
  const half = correction('half', 60, 120, { kind: 'bad', share: ratio(0.5) });
  settle(stack, correction('first', 60, 90), half);
  assert.equal(counts(stack)[1], total - 30 - 15);
  settle(stack, half);
  assert.equal(counts(stack)[1], total - 30);
});

test('what is yet to come is taken out as it comes', () => {
  const stack = played();
  settle(stack, correction('ahead', 200, 260));
  const [, total] = counts(stack);
  play(stack, 120, healthy);
  assert.equal(counts(stack)[1], total + 60);
});

test('a correction of an outage ends its page, and taking it back is no outage of its own', () => {
  const stack = newStack(shipped('documents-processed'), 5);
  play(stack, 300, healthy);
  play(stack, 60, outage);
  assert.equal(view(stack).verdict.kind, 'burning');
  settle(stack, correction('all of it', 300, 360));
  play(stack, 30, healthy);
  assert.equal(view(stack).verdict.kind, 'ok');
  settle(stack);
  play(stack, 5, healthy);
  const evidence = stack.engine.counted.get(ID)?.standing.evidence;
  assert.deepEqual([evidence?.bad, evidence?.open.bad], [0, 0]);
});

test('after a restart an engine has what it had, and takes in what was entered since', () => {
  const stack = played();
  const one = correction('one', 60, 90);
  settle(stack, one);
  const before = counts(stack);
  const restored = restore(checkpoint(stack.engine, at(stack.now)), SHIPPED, at(stack.now));
  assert(restored.kind === 'restored');
  stack.engine = restored.value;
  settle(stack, one);
  assert.deepEqual(counts(stack), before);
  settle(stack, one, correction('two', 90, 120));
  assert.equal(counts(stack)[1], before[1] - 30);
});
