import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Ratio } from '#kernel/units.ts';
import { at, healthy, newStack, outage, play, type Second, SHIPPED, shipped, told } from '#test/kit/engine.ts';
import { type Change, reconfigure } from './engine.ts';
import { checkpoint, restore } from './engine-checkpoint.ts';
import { viewOf } from './engine-view.ts';
import { writeBook } from './ledger/checkpoint.ts';

type Stretch = { readonly what: 'healthy' | 'outage' | 'half' | 'stuck' | 'gone' | 'restart'; readonly length: number };
const stretch: fc.Arbitrary<Stretch> = fc.record({
  what: fc.constantFrom('healthy', 'healthy', 'outage', 'half', 'stuck', 'gone', 'restart'),
  length: fc.integer({ min: 5, max: 400 }),
});

const SECONDS: Readonly<Record<Stretch['what'], Second>> = {
  healthy: (worker, second) => {
    worker.age = 3;
    healthy(worker, second);
  },
  outage,
  half: (worker, second) => (second % 2 === 0 ? outage : healthy)(worker, second),
  stuck: (worker) => worker.age++,
  gone: healthy,
  restart: healthy,
};

test('an engine says the same after a restoration as without one, at any moment since the first scrape', () => {
  const property = (stretches: readonly Stretch[], moments: readonly number[], interval: number) => {
    const [plain, other] = [newStack(SHIPPED, interval), newStack(SHIPPED, interval)];
    // A process that starts before a checkpoint and is first scraped after it is not counted from 0: by design.
    for (const stack of [plain, other]) play(stack, interval, healthy);
    const end = stretches.reduce((sum, { length }) => sum + length, interval);
    const stops = new Set(moments.map((moment) => moment % end));
    for (const { what, length } of stretches) {
      if (what === 'restart') {
        for (const { worker, now } of [plain, other])
          Object.assign(worker, { completed: 0, failed: 0, startedAt: at(now) });
      }
      for (let i = 0; i < length; i++) {
        for (const stack of [plain, other]) play(stack, 1, SECONDS[what], what !== 'gone');
        if (!stops.has(other.now)) continue;
        const outcome = restore(checkpoint(other.engine, at(other.now)), SHIPPED, at(other.now));
        assert(outcome.kind === 'restored', outcome.kind === 'refused' ? outcome.reason : '');
        other.engine = outcome.value;
      }
    }
    const because = (changes: readonly Change[]) => changes.map(({ to }) => (to.kind === 'ok' ? '' : to.because));
    assert.deepEqual([told(other.said), because(other.said)], [told(plain.said), because(plain.said)]);
    for (const { id } of SHIPPED) {
      assert.deepEqual(viewOf(other.engine, id, at(end)), viewOf(plain.engine, id, at(end)));
    }
  };
  const stretches = fc.array(stretch, { minLength: 1, maxLength: 8 });
  const moments = fc.array(fc.nat(3_200), { minLength: 1, maxLength: 4 });
  fc.assert(fc.property(stretches, moments, fc.constantFrom(5, 15), property), { numRuns: 40 });
});

const PROCESSED = shipped('documents-processed');
const ID = PROCESSED[0]?.id ?? '';

test('a page that was under way is under way, and is not told again', () => {
  const stack = newStack(PROCESSED, 15);
  play(stack, 600, healthy);
  play(stack, 60, outage);
  const before = viewOf(stack.engine, ID, at(660));
  const outcome = restore(checkpoint(stack.engine, at(660)), PROCESSED, at(900));
  assert(outcome.kind === 'restored');
  stack.engine = outcome.value;
  stack.now = 900;
  assert.deepEqual(told(play(stack, 30, outage)), []);
  const after = viewOf(stack.engine, ID, at(930));
  assert.deepEqual([after?.since, after?.verdict.kind], [before?.since, 'burning']);
});

test('objectives are those of the files: new ones begin, changed ones are judged anew, others wait to be forgotten', () => {
  const stack = newStack(shipped('documents-processed', 'step-attempts'), 15);
  play(stack, 600, healthy);
  play(stack, 60, outage);
  const bytes = checkpoint(stack.engine, at(660));
  const changed = PROCESSED.map((one) => ({ ...one, target: 0.9 as Ratio, budget: 0.1 as Ratio }));
  const outcome = restore(bytes, [...changed, ...shipped('documents-on-time')], at(700));
  assert(outcome.kind === 'restored');
  const { watched, left, counted, book } = outcome.value;
  assert.deepEqual([...left], [['burnline-documents-step-attempts', at(700)]]);
  assert.deepEqual([watched.size, book.accounts.size], [2, 3]);
  assert.deepEqual([counted.get(ID)?.standing.evidence.alarmed, watched.get(ID)?.verdict?.kind], [false, 'burning']);
  reconfigure(outcome.value, shipped('step-attempts'), at(800));
  assert.deepEqual([...outcome.value.left.keys()].sort(), [
    'burnline-documents-documents-on-time',
    'burnline-documents-documents-processed',
  ]);
});

test('the memory of an earlier one may be written over, whatever its size', () => {
  const stack = newStack(SHIPPED, 15);
  play(stack, 600, healthy);
  const plain = checkpoint(stack.engine, at(600));
  const again = checkpoint(stack.engine, at(600), checkpoint(stack.engine, at(600)));
  const small = checkpoint(stack.engine, at(600), new Uint8Array(10));
  assert.deepEqual([again, small], [plain, plain]);
});

test('one that is damaged, cut, or of a book alone is refused with its reason', () => {
  const stack = newStack(PROCESSED, 15);
  play(stack, 60, healthy);
  const bytes = checkpoint(stack.engine, at(60));
  const refusal = (damaged: Uint8Array) => {
    const outcome = restore(damaged, PROCESSED, at(60));
    return outcome.kind === 'refused' ? outcome.reason : 'restored';
  };
  assert.equal(refusal(bytes), 'restored');
  assert.match(refusal(new Uint8Array()), /no checkpoint/);
  assert.match(refusal(writeBook(stack.engine.book, at(60))), /version 1, this program reads version 101/);
  assert.match(refusal(bytes.with(bytes.length - 1, 77)), /damaged/);
  for (let i = 0; i < bytes.length; i += 7) {
    assert.notEqual(refusal(bytes.with(i, (bytes[i] ?? 0) ^ 0x20)), 'restored', `byte ${i}`);
    assert.notEqual(refusal(bytes.subarray(0, i)), 'restored', `cut at ${i}`);
  }
});
