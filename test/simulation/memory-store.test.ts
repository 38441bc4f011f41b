/** The store in memory is no friendlier than the one on a database: a history is the same on both, step by step. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { listIncidents } from '#alerting/rows/incidents.ts';
import { makeSqlStore } from '#alerting/store-sql.ts';
import type { Db } from '#kernel/database.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import { Crash, type FailingStore } from './memory-store.ts';
import { simulate, simulateOn } from './world.ts';

const STATES = ['open', 'acknowledged', 'snoozed', 'resolved'] as const;

function failing(db: Db): FailingStore {
  const sql = makeSqlStore(db);
  const store: FailingStore = {
    ...sql,
    failNext: 'none',
    tx: async (work) => {
      try {
        const result = await sql.tx(async (tx) => {
          const done = await work(tx);
          if (store.failNext === 'before commit') throw new Crash('before commit');
          return done;
        });
        if (store.failNext === 'after commit') throw new Crash('after commit');
        return result;
      } finally {
        store.failNext = 'none';
      }
    },
  };
  return store;
}

onEveryEngine('simulation', (db, engine) => {
  test('a history on the database is the one in memory', async () => {
    for (const seed of engine === 'PGlite' ? [1] : [1, 2, 3]) {
      await emptyTables(db());
      const incidents = async () =>
        (await listIncidents(db(), { states: STATES, before: undefined, limit: 500 })).reverse();
      const here = await simulateOn({ store: failing(db()), incidents }, seed);
      const there = await simulate(seed);
      assert.deepEqual(
        here.attempts.map(({ at, destination, outcome }) => [at, destination, outcome]),
        there.attempts.map(({ at, destination, outcome }) => [at, destination, outcome]),
        `seed ${seed}`,
      );
      assert.equal(here.trace, there.trace, `seed ${seed}`);
    }
  });
});
