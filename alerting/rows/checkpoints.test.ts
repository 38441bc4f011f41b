import assert from 'node:assert/strict';
import test, { beforeEach } from 'node:test';
import { days, type Milliseconds, milliseconds, toMilliseconds } from '#kernel/units.ts';
import { T0 } from '#test/kit/alerting.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import { loadCheckpoint, saveCheckpoint } from './checkpoints.ts';

const inDays = (count: number): Milliseconds => milliseconds(T0 + toMilliseconds(days(count)));

onEveryEngine('what a watch knows', (db) => {
  beforeEach(async () => await emptyTables(db()));
  const load = async (name: string) => (await loadCheckpoint(db(), name))?.at(0);
  const save = async (name: string, value: number, at: Milliseconds) =>
    await saveCheckpoint(db(), name, Uint8Array.of(value), at);

  test('is its own where it has one, else the newest of the others', async () => {
    assert.equal(await load('a'), undefined);
    await save('a', 1, inDays(0));
    await save('b', 2, inDays(1));
    await save('a', 3, inDays(2));
    assert.deepEqual([await load('a'), await load('b'), await load('c')], [3, 2, 3]);
  });

  test('goes when nobody wrote it for a month, and never the last one', async () => {
    await save('a', 1, inDays(0));
    await save('b', 2, inDays(29));
    assert.equal(await load('a'), 1);
    await save('b', 3, inDays(31));
    assert.equal(await load('a'), 3);
    await save('b', 4, inDays(90));
    assert.equal(await load('b'), 4);
  });
});
