import assert from 'node:assert/strict';
import test from 'node:test';
import { fakeClock } from './clock.ts';
import type { Queryable } from './database.ts';
import { sharedClock } from './shared-clock.ts';
import type { Milliseconds } from './units.ts';

/** A database whose own clock says `at()`, and that answers after `delay`. */
const database = (clock: ReturnType<typeof fakeClock>, at: () => number, delay: () => number): Queryable => ({
  query: async () => {
    await clock.sleep(delay() as Milliseconds);
    return [{ at: at() }] as never;
  },
});

test('sharedClock() goes by the database’s time, whatever the machine’s says, and passes over slow samples', async () => {
  const clock = fakeClock(1_000_000);
  let behind = 5_000;
  let delay = 0;
  const q = database(
    clock,
    () => clock.now() - behind,
    () => delay,
  );
  const making = sharedClock(q, clock);
  await clock.advance(0);
  const shared = await making;
  assert.equal(shared.now(), clock.now() - 5_000);
  behind = 4_000;
  delay = 5_000;
  const slow = shared.sync();
  await clock.advance(5_000);
  await slow;
  assert.equal(shared.now(), clock.now() - 5_000, 'a sample that waited 5 s was believed');
  delay = 0;
  const quick = shared.sync();
  await clock.advance(0);
  await quick;
  assert.equal(shared.now(), clock.now() - 4_000);
});
