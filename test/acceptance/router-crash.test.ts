/**
 * The router's crash test, in short: a few kills at moments chosen by a seed, and the same verdict as of the long one
 * (`npm run test:crash:router`; docs/crash-test.md says what is proved).
 */
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { runRouters } from '#test/crash/router/engine.ts';
import { freshDatabase, POSTGRES_URL } from '#test/kit/database.ts';

/** An embedded router is all there is, and starts anew after each. */
const KILLS = { postgres: 12, pglite: 6 } as const;
const SEED = Number(process.env['TEST_CRASH_SEED'] ?? 20);

describe('routers killed at named steps', { concurrency: true }, () => {
  for (const engine of ['postgres', 'pglite'] as const) {
    const skip = engine === 'postgres' && !POSTGRES_URL && 'no Postgres in this run';
    test(`on ${engine}: no alert and no page is lost, none is told twice`, { skip }, async (t) => {
      t.diagnostic(`seed ${SEED} (TEST_CRASH_SEED); long: node test/crash/router.ts --engine ${engine} --seed ${SEED}`);
      const result = await runRouters({
        engine,
        databaseUrl: engine === 'postgres' ? await freshDatabase() : undefined,
        kills: KILLS[engine],
        seed: SEED,
        tell: (line) => t.diagnostic(line),
      });
      assert.deepEqual(result.failures, []);
      assert(result.kills.length >= KILLS[engine]);
      assert(result.facts.stored.incidents.length > 0, 'pages were sent while routers were killed');
    });
  }
});
