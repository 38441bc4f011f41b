import assert from 'node:assert/strict';
import test from 'node:test';
import { stagesOf } from './documents.ts';

const line = (second: number, to: 'queued' | 'parsing' | 'completed') => ({
  at: new Date(second * 1_000).toISOString(),
  from: null,
  to,
  attempt: 1,
  because: '',
});

test('each stage lasts until the next one begins, and the present one until now', () => {
  const stages = stagesOf({ timeline: [line(0, 'queued'), line(2, 'parsing')] }, 10_000);
  assert.deepEqual(
    stages.map(({ status, length, isNow }) => [status, length, isNow]),
    [
      ['queued', 2_000, false],
      ['parsing', 8_000, true],
    ],
  );
});

test('a document at its end stays there, which is no length', () => {
  const stages = stagesOf({ timeline: [line(0, 'queued'), line(3, 'completed')] }, 99_000);
  assert.deepEqual(
    stages.map(({ length, isNow }) => [length, isNow]),
    [
      [3_000, false],
      [0, false],
    ],
  );
});
