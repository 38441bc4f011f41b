import assert from 'node:assert/strict';
import test from 'node:test';
import { gather } from './gather.ts';

function stored(fails: (items: readonly number[]) => boolean = () => false) {
  const rounds: number[][] = [];
  let release: () => void = () => {};
  const store = async (items: readonly number[]) => {
    rounds.push([...items]);
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    if (fails(items)) throw new Error(`cannot store ${items.join()}`);
  };
  const turn = async () => {
    release();
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };
  return { rounds, store, turn };
}

test('gather() stores together what comes while another batch is stored, and answers each when its own is', async () => {
  const { rounds, store, turn } = stored();
  const enter = gather(store, 4, 1);
  const answered: number[] = [];
  for (const [i, items] of [[1], [2, 3], [4, 5], [6]].entries()) void enter(items).then(() => answered.push(i));
  assert.deepEqual(rounds, [[1]]);
  await turn();
  assert.deepEqual([rounds.at(-1), answered], [[2, 3, 4, 5], [0]]);
  await turn();
  assert.deepEqual([rounds.at(-1), answered], [[6], [0, 1, 2]]);
  await turn();
  assert.deepEqual(answered, [0, 1, 2, 3]);
});

test('gather() stores beside another only what is worth it', async () => {
  const { rounds, store, turn } = stored();
  const enter = gather(store, 10, 2, 3);
  for (const items of [[1], [2], [3]]) void enter(items);
  assert.deepEqual(rounds, [[1]]);
  void enter([4]);
  assert.deepEqual(rounds, [[1], [2, 3, 4]]);
  void enter([5]);
  await turn();
  assert.deepEqual(rounds.length, 2);
});

test('gather() refuses nobody for what another sent', async () => {
  const { store, turn } = stored((items) => items.includes(3));
  const enter = gather(store, 100, 1);
  const outcomes: string[] = [];
  for (const items of [[1], [2], [3]]) {
    void enter(items).then(
      () => outcomes.push(`${items} stored`),
      (error: Error) => outcomes.push(error.message),
    );
  }
  for (let i = 0; i < 8; i++) await turn();
  assert.deepEqual(outcomes, ['1 stored', '2 stored', 'cannot store 3']);
});
