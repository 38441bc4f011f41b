/** The watch and what shall not count: each change is applied once, in order, and a store that fails undoes nothing. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { milliseconds, seconds } from '#kernel/units.ts';
import type { Correction } from '#slo/ledger/corrections.ts';
import { at } from '#test/kit/engine.ts';
import { errorsOf, objective } from '#test/kit/objectives-by-hand.ts';
import { makeWatch } from './watch.ts';

const ANSWERS = objective('answers', errorsOf('app'));
const one: Correction = {
  id: 'one',
  author: 'ada',
  reason: 'maintenance',
  enteredAt: at(0),
  spans: [{ from: at(0), to: at(60) }],
  of: { kind: 'ids', ids: [ANSWERS.id] },
  how: { kind: 'all' },
};

async function watching(corrections: () => Promise<readonly Correction[]>) {
  const watch = await makeWatch({
    objectives: [ANSWERS],
    source: {
      shown: { kind: 'scrape', targets: [] },
      every: seconds(5),
      begin: async () => {},
      look: () => Promise.reject(new Error('nobody looks')),
    },
    clock: systemClock,
    now: () => milliseconds(at(60) * 1_000),
    log: silentLog,
    receive: async () => {},
    corrections,
    keep: { load: async () => undefined, save: async () => {} },
  });
  const applied = () =>
    watch
      .engine()
      .book.accounts.get(ANSWERS.id)
      ?.ledger.corrections.map(({ id }) => id);
  return { watch, applied };
}

test('what was read before a change is not applied after it', async () => {
  let inForce = [one];
  let reads = 0;
  const slow = Promise.withResolvers<void>();
  const { watch, applied } = await watching(async () => {
    const read = inForce;
    if (reads++ === 0) await slow.promise;
    return read;
  });
  const before = watch.correct();
  await new Promise(setImmediate);
  inForce = [];
  const after = watch.correct();
  await new Promise(setImmediate);
  slow.resolve();
  await Promise.all([before, after]);
  assert.deepEqual(applied(), []);
});

test('a store that does not answer is no reason to call a stored correction refused: it is taken in later', async () => {
  let isThere = false;
  const { watch, applied } = await watching(async () => {
    if (!isThere) throw new Error('away');
    return [one];
  });
  await watch.correct();
  assert.deepEqual(applied(), []);
  isThere = true;
  await watch.correct();
  assert.deepEqual(applied(), ['one']);
});
