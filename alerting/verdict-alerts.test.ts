/** What a page of blindness says: who is not seen, and not that nobody is. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { toMilliseconds } from '#kernel/units.ts';
import { tick } from '#slo/engine.ts';
import { at, newStack, SHIPPED, scrape, workerText } from '#test/kit/engine.ts';
import { saidOf } from './verdict-alerts.ts';

/** After a minute in which these answered, and 40 s in which only the first did. */
function summaryAfter(...targets: readonly [string, ...string[]]): string | undefined {
  const stack = newStack(SHIPPED, 5);
  for (let i = 0; i < 20; i++) {
    stack.now += 5;
    for (const target of i < 12 ? targets : targets.slice(0, -1)) scrape(stack, target, workerText(stack.worker));
    tick(stack.engine, at(stack.now));
  }
  const watched = [...stack.engine.watched.values()].find(({ objective }) =>
    objective.id.endsWith('documents-processed'),
  );
  assert(watched);
  return saidOf(stack.engine, watched, toMilliseconds(at(stack.now)))?.annotations['summary'];
}

test('of two workers it names the one that is not seen', () => {
  assert.match(
    summaryAfter('worker-1', 'worker-2') ?? '',
    /cannot be judged: worker-2 of burnline-documents is not seen$/,
  );
});
