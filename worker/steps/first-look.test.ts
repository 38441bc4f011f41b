import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '#kernel/random.ts';
import { milliseconds } from '#kernel/units.ts';
import { type FirstLook, makeFirstLook } from './first-look.ts';

const [LEAST, MOST] = [milliseconds(250), milliseconds(5_000)];
const fresh = () => makeFirstLook({ least: LEAST, most: MOST });

/** Jobs of these lengths, each looked at when it was planned. */
function play(look: FirstLook, lengths: readonly number[]): void {
  for (const length of lengths) {
    const planned = look.wait();
    look.learn({ planned, taken: planned, isOver: length <= planned });
  }
}

const TITLES: readonly [title: string, length: (chance: number) => number, from: number, to: number][] = [
  ['comes to where half are done', (chance) => 500 + 2_000 * chance, 1_250, 1_750],
  ['follows most, not the few that take long', (chance) => (chance < 0.7 ? 600 : 60_000), 550, 700],
  ['stays at the least where all are done at once', () => 10, 250, 250],
  ['stays at the most where none is done so soon', () => 60_000, 5_000, 5_000],
];

for (const [title, length, from, to] of TITLES) {
  test(`makeFirstLook() ${title}`, () => {
    const [look, random] = [fresh(), seededRandom(7)];
    const waits: number[] = [];
    for (let i = 0; i < 400; i++) {
      play(look, [length(random.next())]);
      if (i >= 200) waits.push(look.wait());
    }
    const mean = waits.reduce((sum, one) => sum + one, 0) / waits.length;
    assert(mean >= from && mean <= to, `${mean} is not from ${from} to ${to}`);
  });
}

test('makeFirstLook() learns the new pace of a vendor', () => {
  const look = fresh();
  play(look, Array<number>(100).fill(4_000));
  play(look, Array<number>(100).fill(500));
  assert(look.wait() >= 450 && look.wait() <= 550, String(look.wait()));
});

test('makeFirstLook() learns nothing of a job that it found done far too late', () => {
  const look = fresh();
  play(look, Array<number>(100).fill(4_000));
  const before = look.wait();
  look.learn({ planned: before, taken: milliseconds(before * 3), isOver: true });
  assert.equal(look.wait(), before);
  look.learn({ planned: before, taken: milliseconds(before * 3), isOver: false });
  assert(look.wait() > before);
});

test('makeFirstLook() stays within its limits', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ taken: fc.nat(100_000), isOver: fc.boolean() })), (seen) => {
      const look = fresh();
      for (const { taken, isOver } of seen) {
        look.learn({ planned: look.wait(), taken: milliseconds(taken), isOver });
        assert(look.wait() >= LEAST && look.wait() <= MOST);
      }
    }),
  );
});
