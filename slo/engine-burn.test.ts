/** How an objective burnt, and what is told of it in full: by the functions that judge it, over a stack that is played. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { days, hours, type Seconds, seconds } from '#kernel/units.ts';
import { at, healthy, newStack, outage, play, type Stack, shipped } from '#test/kit/engine.ts';
import { objective, query } from '#test/kit/ledger.ts';
import { newEngine } from './engine.ts';
import { type BurnStep, burnOf, sparklineOf } from './engine-burn.ts';
import { detailOf } from './engine-detail.ts';
import { viewOf, viewsOf } from './engine-view.ts';
import { add, observe } from './ledger/ledger.ts';

const ID = 'burnline-documents-documents-processed';
const nowOf = (stack: Stack): Seconds => at(stack.now);

function broken(): Stack {
  const stack = newStack(shipped('documents-processed'), 5);
  play(stack, 3_600, healthy);
  play(stack, 120, outage);
  return stack;
}

function burn(stack: Stack, from: number, to: number, step: number): readonly BurnStep[] {
  const steps = burnOf(stack.engine, ID, { from: at(from), to: at(to), step: seconds(step) }, nowOf(stack));
  assert(steps);
  return steps;
}

test('burnOf() ends with what the list says now', () => {
  const stack = broken();
  const last = burn(stack, 0, stack.now, 60).at(-1);
  const view = viewOf(stack.engine, ID, nowOf(stack));
  assert(view && last);
  const { '5m': m5, '30m': m30, '1h': h1, '2h': h2, '6h': h6, '1d': d1, '3d': d3 } = view.burnRates;
  assert.deepEqual(last.burnRates, { '5m': m5, '30m': m30, '1h': h1, '2h': h2, '6h': h6, '1d': d1, '3d': d3 });
  assert.equal(last.budgetRemaining, view.budgetRemaining.value);
  assert(Math.abs((last.burnDown ?? 0) - view.budgetRemaining.value) < 1e-9);
  assert.equal(last.at, nowOf(stack));
});

test('burnOf() says nothing before anything was seen, and 1 until something fails; it never goes up again', () => {
  const stack = broken();
  const steps = burn(stack, -600, stack.now, 60);
  const [first] = steps;
  assert.deepEqual([first?.budgetRemaining, first?.coverage], [null, 0]);
  assert.deepEqual(new Set(Object.values(first?.burnRates ?? {})), new Set([null]));
  const known = steps.flatMap(({ burnDown }) => (burnDown === null ? [] : [burnDown]));
  assert.equal(known.length, steps.length);
  assert.equal(known[0], 1);
  assert(known.every((one, i) => one <= (known[i - 1] ?? 1)));
  assert((known.at(-1) ?? 1) < 0, 'two minutes of an outage are more than the budget of an hour');
  const inside = steps.filter(({ at: moment }) => moment > at(60) && moment <= at(3_600));
  assert(inside.every(({ coverage }) => coverage > 0.9 && coverage <= 1));
});

test('burnOf() says nothing of what the ledger has forgotten, nor of windows that its buckets are too long for', () => {
  const one = objective('old', { kind: 'ratio', bad: query('bad'), total: query('all') });
  const engine = newEngine([one], at(0));
  const ledger = engine.book.accounts.get('old')?.ledger;
  assert(ledger);
  const end = days(40);
  for (let t = 0; t < end; t += 3_600) {
    add(ledger, at(t + 3_600), 99, 1);
    observe(ledger, at(t), at(t + 3_600));
  }
  const steps = burnOf(engine, 'old', { from: at(end - days(5)), to: at(end), step: hours(12) }, at(end));
  const told = steps?.map(({ budgetRemaining, burnDown, burnRates }) => [
    budgetRemaining === null,
    burnDown === null,
    burnRates['5m'] === null,
    burnRates['6h'] === null,
  ]);
  assert.deepEqual(told?.[0], [true, false, true, false], 'a rolling budget of then needs what is forgotten');
  assert.deepEqual(told?.at(-1), [false, false, false, false]);
  assert.deepEqual(steps?.at(0)?.burnRates['1d'], 0.5);
});

test('burnOf() and the others know no objective that there is not', () => {
  const stack = newStack(shipped('documents-processed'), 5);
  const stretch = { from: at(0), to: at(60), step: seconds(5) };
  assert.equal(burnOf(stack.engine, 'gone', stretch, at(60)), undefined);
  assert.equal(sparklineOf(stack.engine, 'gone', stretch), undefined);
  assert.equal(detailOf(stack.engine, 'gone', at(60)), undefined);
});

test('sparklineOf() has each step by itself', () => {
  const stack = broken();
  const rates = sparklineOf(stack.engine, ID, { from: at(-600), to: at(4_200), step: seconds(600) });
  assert.equal(rates?.length, 8);
  assert.deepEqual(rates?.slice(0, 7), [null, 0, 0, 0, 0, 0, 0]);
  assert.equal(Math.round(rates?.[7] ?? 0), 50, 'nothing but failures: 1 / budget');
});

test('detailOf() says how the pairs stand and what the detector knows, in numbers and words', () => {
  const stack = broken();
  const detail = detailOf(stack.engine, ID, nowOf(stack));
  assert(detail);
  const [fast] = detail.rules;
  const view = viewOf(stack.engine, ID, nowOf(stack));
  assert.deepEqual([fast?.name, fast?.factor, fast?.firing], ['page-fast', 13.44, false]);
  assert.deepEqual([fast?.longRate, fast?.shortRate], [view?.burnRates['1h'], view?.burnRates['5m']]);
  assert.equal(detail.period.to - detail.period.from, days(28));
  assert.match(detail.indicator, /^bad documents_finished_total\{.*failed.*\} of documents_finished_total/);
  const evidence = detail.evidence;
  assert(evidence);
  assert.deepEqual([evidence.alarmed, evidence.good, evidence.bad], [true, 0, 120]);
  assert.equal(evidence.since, at(3_600));
  assert(evidence.onceIn >= evidence.alarmAt);
  assert.match(
    evidence.words,
    /^120 of the last 120 failed, in 2 min \(100 %\): by chance, within the objective, such a run comes once in \d+ d, and a page is due at once in 183 d; it goes on$/,
  );
  play(stack, 60, healthy);
  const after = detailOf(stack.engine, ID, nowOf(stack))?.evidence;
  assert.deepEqual([after?.alarmed, after?.since], [false, undefined]);
  assert.match(after?.words ?? '', /^no run of failures/);
});

test('detailOf() tells of a run of failures that is no outage yet', () => {
  const stack = newStack(shipped('documents-processed'), 5);
  play(stack, 600, healthy);
  play(stack, 10, outage);
  const evidence = detailOf(stack.engine, ID, nowOf(stack))?.evidence;
  assert.deepEqual([evidence?.alarmed, evidence?.bad], [false, 10]);
  assert.match(evidence?.words ?? '', /^10 of the last 10 failed, in 10 s .* it pages at once in 183 d$/);
});

test('viewsOf() is as each by itself, and follows at once what comes into a ledger', () => {
  const stack = broken();
  const now = nowOf(stack);
  const [first] = viewsOf(stack.engine, now);
  assert.deepEqual(first, viewOf(stack.engine, ID, now));
  assert.equal(viewsOf(stack.engine, seconds(now + 1))[0], first, 'nothing is news');
  const ledger = stack.engine.book.accounts.get(ID)?.ledger;
  assert(ledger);
  add(ledger, seconds(now + 1), 0, 1);
  const [second] = viewsOf(stack.engine, seconds(now + 1));
  assert.deepEqual([second?.total, second?.good], [(first?.total ?? 0) + 1, first?.good]);
  const later = seconds(now + 3_600);
  assert.deepEqual(viewsOf(stack.engine, later)[0], viewOf(stack.engine, ID, later), 'time alone changes rates');
});
