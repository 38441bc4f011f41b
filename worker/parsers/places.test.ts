import assert from 'node:assert/strict';
import test from 'node:test';
import { Fault } from '#kernel/errors.ts';
import { makePlaces } from './places.ts';

const never = new AbortController().signal;
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Asks `count` times; the list fills with the numbers of those who got a place. */
function ask(places: ReturnType<typeof makePlaces>, count: number, signal = never): number[] {
  const entered: number[] = [];
  for (let i = 0; i < count; i++)
    void places.take(signal).then(
      () => entered.push(i),
      () => {},
    );
  return entered;
}

test('take() gives as many places as there are, and the next one to who waits longest', async () => {
  const places = makePlaces(2, 10);
  const entered = ask(places, 4);
  await settled();
  assert.deepEqual(entered, [0, 1]);
  places.give();
  await settled();
  assert.deepEqual(entered, [0, 1, 2]);
});

test('give() does not give a place twice: to the one who waits and to a newcomer', async () => {
  const places = makePlaces(1, 10);
  const entered = ask(places, 2);
  await settled();
  places.give();
  const late = ask(places, 1);
  await settled();
  assert.deepEqual([entered, late], [[0, 1], []]);
});

test('take() lets go of who gives up, with the reason', async () => {
  const places = makePlaces(1, 10);
  const stop = new AbortController();
  await places.take(never);
  const gaveUp = places.take(stop.signal);
  const entered = ask(places, 1);
  stop.abort(new Error('enough'));
  await assert.rejects(gaveUp, /enough/);
  places.give();
  await settled();
  assert.deepEqual(entered, [0]);
  await assert.rejects(places.take(stop.signal), /enough/);
});

test('take() refuses more than may wait', async () => {
  const places = makePlaces(1, 2);
  ask(places, 3);
  await settled();
  await assert.rejects(
    places.take(never),
    (error: Fault) => error instanceof Fault && error.code === 'parser_busy' && error.retryable,
  );
});
