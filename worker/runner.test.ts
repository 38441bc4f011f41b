/** When a worker looks for work: soon, and not once for each reason to. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentTelemetry } from '#collector/silent.ts';
import { systemClock } from '#kernel/clock.ts';
import type { Db, Queryable } from '#kernel/database.ts';
import { silentLog } from '#kernel/log.ts';
import { systemRandom } from '#kernel/random.ts';
import { sharedClock } from '#kernel/shared-clock.ts';
import { milliseconds } from '#kernel/units.ts';
import { onEveryEngine } from '#test/kit/database.ts';
import { makeRunner } from './runner.ts';

const SPACING_MS = 20;
const CALLS = 100;

onEveryEngine('a runner', (db) => {
  test('claims once for all who call within a moment', async () => {
    const counted = countClaims(db());
    const around = { clock: systemClock, random: systemRandom, log: silentLog, telemetry: silentTelemetry };
    const nothing = { queue: 'parse', places: 1, limit: milliseconds(1_000), run: async () => undefined };
    const runner = makeRunner({
      ...around,
      db: counted.db,
      shared: await sharedClock(db(), systemClock),
      workerId: 'w',
      handlers: [nothing],
      sole: false,
    });
    const stop = new AbortController();
    const begun = performance.now();
    const ended = runner.run(stop.signal, milliseconds(1_000));
    for (let i = 0; i < CALLS; i++) {
      runner.wake();
      await sleep(2);
    }
    const took = performance.now() - begun;
    stop.abort();
    await ended;
    const [claims, most] = [counted.claims(), took / SPACING_MS + 2];
    assert(claims > 1, 'who calls is heard');
    assert(claims <= most, `${claims} claims in ${Math.round(took)} ms, at most ${Math.floor(most)} are right`);
  });
});

function countClaims(db: Db): { readonly db: Db; claims(): number } {
  let claims = 0;
  const query: Queryable['query'] = (text, params) => {
    if (text.includes('due as materialized')) claims++;
    return db.relaxed.query(text, params);
  };
  return { db: { ...db, relaxed: { query } }, claims: () => claims };
}
