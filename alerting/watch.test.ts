/** The watch beside others: another router's watch on the same store, and what shall not count, which people change meanwhile. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { fakeClock, systemClock } from '#kernel/clock.ts';
import { silentLog } from '#kernel/log.ts';
import { milliseconds, seconds } from '#kernel/units.ts';
import type { Correction } from '#slo/ledger/corrections.ts';
import { at } from '#test/kit/engine.ts';
import { errorsOf, objective } from '#test/kit/objectives-by-hand.ts';
import { isResolved } from './alert.ts';
import { makeWatch } from './watch.ts';
import { STALL_METRICS } from './worker-gone.ts';

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
    isShared: false,
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

test('what it knows is kept after its first look: a kill before the next time loses no count', async () => {
  const clock = fakeClock(at(0) * 1_000);
  const stop = new AbortController();
  const kept: number[] = [];
  const look = { at: clock.now(), samples: undefined, answered: new Map(), heard: true };
  const { run } = await makeWatch({
    objectives: [ANSWERS],
    source: {
      shown: { kind: 'scrape', targets: [] },
      every: seconds(5),
      begin: async () => {},
      look: async () => ({ ...look, at: clock.now() }),
    },
    ...{ clock, now: clock.now, log: silentLog, isShared: false },
    receive: async () => {},
    corrections: async () => [],
    keep: { load: async () => undefined, save: async () => void kept.push(clock.now() - at(0) * 1_000) },
  });
  const running = run(stop.signal);
  await clock.advance(61_000);
  stop.abort();
  await running;
  assert.deepEqual(kept.slice(0, 2), [0, 60_000]);
});

for (const isShared of [true, false]) {
  test(`what is over is ${isShared ? 'not renewed by another router that sees it later' : 'said so at once by one router'}`, async () => {
    const clock = fakeClock(at(0) * 1_000);
    const said: string[] = [];
    const time = () => (clock.now() - at(0) * 1_000) / 1_000;
    const stop = new AbortController();
    const watch = async (name: string, lag: number) => {
      const { run } = await makeWatch({
        objectives: [],
        source: {
          shown: { kind: 'scrape', targets: [] },
          every: seconds(5),
          begin: async () => {},
          // Documents wait for a worker that is gone, until the 59th second.
          look: async () => ({
            at: clock.now(),
            samples: [{ name: STALL_METRICS.waiting, value: time() - lag < 59 ? 1 : 0 }],
            answered: new Map(),
            heard: true,
          }),
        },
        clock,
        now: clock.now,
        log: silentLog,
        receive: async (alerts) => {
          for (const one of alerts) said.push(`${time()} ${name} ${isResolved(one, clock.now()) ? 'over' : 'fires'}`);
        },
        isShared,
        corrections: async () => [],
        keep: { load: async () => undefined, save: async () => {} },
      });
      return run(stop.signal);
    };
    const first = watch('first', 0);
    await clock.advance(2_000);
    const second = isShared ? watch('second', 4) : undefined;
    await clock.advance(78_000);
    stop.abort();
    await Promise.all([first, second]);
    const shared = ['0 first fires', '2 second fires', '62 second fires', '65 first over', '72 second over'];
    assert.deepEqual(said, isShared ? shared : ['0 first fires', '60 first over']);
  });
}
