/**
 * The crash test, in short: a few kills at moments chosen by a seed, and the same verdict as of the long one
 * (`npm run test:crash`; docs/crash-test.md says what is proved).
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { type RunOptions, runEngine } from '#test/crash/engine.ts';
import { freshDatabase, POSTGRES_URL } from '#test/kit/database.ts';

const KILLS = 6;
const NONE: RunOptions['hangs'] = [];

for (const engine of ['postgres', 'pglite'] as const) {
  const skip = engine === 'postgres' && !POSTGRES_URL && 'no Postgres in this run';
  test(`${KILLS} kills on ${engine}: nothing is lost, stuck or done twice`, { skip }, async (t) => {
    const seed = Number(process.env['TEST_CRASH_SEED'] ?? 20);
    t.diagnostic(`seed ${seed} (TEST_CRASH_SEED)`);
    const result = await runEngine({
      engine,
      databaseUrl: engine === 'postgres' ? await freshDatabase() : undefined,
      kills: KILLS,
      seed,
      uploadsPerSecond: 3,
      weathers: ['irregular'],
      canaryEverySeconds: 0,
      hangs: NONE,
      takeovers: 0,
      tell: (line) => t.diagnostic(line),
    });
    assert.deepEqual(result.failures, []);
    assert(result.kills.length >= KILLS);
    assert(result.facts.stored.documents.length > KILLS, 'documents came while processes were killed');
  });
}
