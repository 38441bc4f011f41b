/**
 * The crash test, in short: a few kills at moments chosen by a seed, and the same verdict as of the long one
 * (`npm run test:crash`; docs/crash-test.md says what is proved).
 */
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { runEngine } from '#test/crash/engine.ts';
import { freshDatabase, POSTGRES_URL } from '#test/kit/database.ts';

/** An embedded service is all there is, and starts anew after each. */
const KILLS = { postgres: 6, pglite: 5 } as const;
const SEED = Number(process.env['TEST_CRASH_SEED'] ?? 20);

describe('kills at named moments', { concurrency: true }, () => {
  for (const engine of ['postgres', 'pglite'] as const) {
    const skip = engine === 'postgres' && !POSTGRES_URL && 'no Postgres in this run';
    test(`on ${engine}: nothing is lost, stuck or done twice`, { skip }, async (t) => {
      t.diagnostic(`seed ${SEED} (TEST_CRASH_SEED)`);
      const result = await runEngine({
        engine,
        databaseUrl: engine === 'postgres' ? await freshDatabase() : undefined,
        kills: KILLS[engine],
        seed: SEED,
        uploadsPerSecond: 2,
        weathers: ['irregular'],
        canaryEverySeconds: 0,
        hangs: [],
        takeovers: 0,
        tell: (line) => t.diagnostic(line),
      });
      assert.deepEqual(result.failures, []);
      assert(result.kills.length >= KILLS[engine]);
      assert(result.facts.stored.documents.length > KILLS[engine], 'documents came while processes were killed');
    });
  }
});
