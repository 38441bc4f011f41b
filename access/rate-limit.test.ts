import assert from 'node:assert/strict';
import test from 'node:test';
import { fakeClock } from '#kernel/clock.ts';
import { DEFAULT_RATE, makeRateLimiter } from './rate-limit.ts';

const rate = { perSecond: 2, burst: 3 };

test('the default is what the documentation promises', () =>
  assert.deepEqual(DEFAULT_RATE, { perSecond: 50, burst: 200 }));

test('take() grants the burst and not one more, and says when the next will be there', async () => {
  const clock = fakeClock();
  const limiter = makeRateLimiter(clock, rate);
  const answers = [1, 2, 3, 4].map(() => limiter.take('a'));
  assert.deepEqual(answers, [
    { kind: 'granted' },
    { kind: 'granted' },
    { kind: 'granted' },
    { kind: 'refused', wait: 500 },
  ]);
  await clock.advance(499);
  assert.equal(limiter.take('a').kind, 'refused');
  await clock.advance(1);
  assert.equal(limiter.take('a').kind, 'granted');
  assert.equal(limiter.take('a').kind, 'refused');
});

test('take() keeps its keys apart', () => {
  const limiter = makeRateLimiter(fakeClock(), rate);
  for (let i = 0; i < 3; i++) limiter.take('a');
  assert.equal(limiter.take('a').kind, 'refused');
  assert.equal(limiter.take('b').kind, 'granted');
});

test('peek() takes nothing', () => {
  const limiter = makeRateLimiter(fakeClock(), { perSecond: 1, burst: 1 });
  for (let i = 0; i < 5; i++) assert.equal(limiter.peek('a').kind, 'granted');
  assert.equal(limiter.take('a').kind, 'granted');
  assert.deepEqual(limiter.peek('a'), { kind: 'refused', wait: 1000 });
});

test('the limiter forgets the key unused for longest when there is one too many', () => {
  const limiter = makeRateLimiter(fakeClock(), { perSecond: 1, burst: 1 }, 2);
  limiter.take('a');
  limiter.take('b');
  assert.equal(limiter.take('a').kind, 'refused', 'two keys fit');
  limiter.take('c');
  assert.equal(limiter.size(), 2);
  assert.equal(limiter.take('a').kind, 'refused', 'a was used after b');
  assert.equal(limiter.take('b').kind, 'granted', 'b was forgotten');
});
