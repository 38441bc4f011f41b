/** Corrections in the store, on every engine. */
import assert from 'node:assert/strict';
import test, { beforeEach } from 'node:test';
import type { Milliseconds } from '#kernel/units.ts';
import { inSeconds } from '#test/kit/alerting.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import type { CorrectionRow } from './correction.ts';
import { addCorrection, correctionsInForce, correctionsOf, withdrawCorrection } from './rows/corrections.ts';

const MOST = 3;
const row = (id: string, objective = 'answers', more: Partial<CorrectionRow> = {}): CorrectionRow => ({
  id,
  objective,
  from: inSeconds(0),
  to: inSeconds(60),
  kind: 'all',
  amount: undefined,
  author: 'ada',
  reason: 'maintenance',
  enteredAt: inSeconds(Number(id)) as Milliseconds,
  ...more,
});

onEveryEngine('corrections', (db) => {
  beforeEach(() => emptyTables(db()));

  test('are read back as they were entered, in that order', async () => {
    const all = [
      row('1', 'answers', { kind: 'share', amount: 0.25 }),
      row('2', 'others', { kind: 'events', amount: 12 }),
      row('3'),
    ];
    for (const one of all.toReversed()) assert.equal(await addCorrection(db(), one, MOST), true);
    const read = await correctionsInForce(db());
    assert.deepEqual(
      read.map(({ withdrawnAt, withdrawnBy, ...one }) => one),
      all,
    );
  });

  test('that are taken back are in force no more, stay listed with who did it, and are taken back once', async () => {
    await addCorrection(db(), row('1'), MOST);
    assert.equal(await withdrawCorrection(db(), 'others', '1', 'bob', inSeconds(9)), false);
    assert.equal(await withdrawCorrection(db(), 'answers', '1', 'bob', inSeconds(9)), true);
    assert.equal(await withdrawCorrection(db(), 'answers', '1', 'eve', inSeconds(10)), false);
    assert.deepEqual(await correctionsInForce(db()), []);
    const [one] = await correctionsOf(db(), 'answers', undefined, 10);
    assert.deepEqual([one?.withdrawnBy, one?.withdrawnAt], ['bob', inSeconds(9)]);
  });

  test('are so many of an objective and no more, and make room when they are taken back', async () => {
    for (const id of ['1', '2', '3']) assert.equal(await addCorrection(db(), row(id), MOST), true);
    assert.equal(await addCorrection(db(), row('4'), MOST), false);
    assert.equal(await addCorrection(db(), row('5', 'others'), MOST), true);
    await withdrawCorrection(db(), 'answers', '1', 'bob', inSeconds(9));
    assert.equal(await addCorrection(db(), row('6'), MOST), true);
  });

  test('are listed page by page, newest first', async () => {
    for (const id of ['1', '2', '3']) await addCorrection(db(), row(id), MOST);
    const first = await correctionsOf(db(), 'answers', undefined, 2);
    assert.deepEqual(
      first.map(({ id }) => id),
      ['3', '2'],
    );
    assert.deepEqual(
      (await correctionsOf(db(), 'answers', '2', 2)).map(({ id }) => id),
      ['1'],
    );
  });
});
