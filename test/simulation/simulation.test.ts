import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { wrongsOf } from './invariants.ts';
import { BROKEN_ONCE, MUTANTS } from './mutants.ts';
import { simulate } from './world.ts';

const SEEDS = Number(process.env['SIMULATION_SEEDS'] ?? 1_000);
const FIRST = Number(process.env['SIMULATION_FIRST'] ?? 1);

test(`${SEEDS} histories hold what must hold`, async () => {
  let crashes = 0;
  let messages = 0;
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const history = await simulate(seed);
    assert.deepEqual(wrongsOf(history), [], `seed ${seed}`);
    crashes += history.crashes;
    messages += history.arrived.length;
  }
  // A simulation in which nothing happens holds everything.
  assert(crashes > SEEDS && messages > 10 * SEEDS, `${crashes} crashes, ${messages} messages`);
});

test('the same seed gives the same history', async () => {
  for (const seed of [1, 2, 3]) assert.equal((await simulate(seed)).trace, (await simulate(seed)).trace);
});

test('the histories that once broke a rule hold it', async () => {
  for (const seed of BROKEN_ONCE) assert.deepEqual(wrongsOf(await simulate(seed)), [], `seed ${seed}`);
});

test('each planted bug still has its place in the source', () => {
  assert(MUTANTS.length >= 15);
  for (const { name, file, from } of MUTANTS) {
    const places = readFileSync(`alerting/${file}`, 'utf8').split(from).length - 1;
    assert.equal(places, 1, `${name}: ${file} holds "${from}" ${places} times`);
  }
});
