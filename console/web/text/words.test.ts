import assert from 'node:assert/strict';
import test from 'node:test';
import { runbookOf, sentWords } from './words.ts';

test('a runbook is found by the last word of its link', () => {
  assert.equal(runbookOf('https://example.org/docs/runbooks/WorkerGone.md#what-to-do'), 'WorkerGone');
  assert.equal(runbookOf('docs/runbooks/ErrorBudgetBurn.md'), 'ErrorBudgetBurn');
  assert.equal(runbookOf('https://wiki.example.org/'), undefined);
  assert.equal(runbookOf(null), undefined);
});

test('of a message it is said how long, how often and why not', () => {
  const one = { createdAt: '2026-03-01T00:00:00Z', finishedAt: '2026-03-01T00:00:04Z', mayRepeat: false, error: null };
  assert.equal(sentWords({ ...one, state: 'delivered', attempts: 1 }), 'after 4 s');
  assert.equal(
    sentWords({ ...one, state: 'refused', attempts: 3, mayRepeat: true, error: 'invalid_token' }),
    'after 4 s, 3 attempts, it may have arrived twice, invalid_token',
  );
  assert.equal(sentWords({ ...one, state: 'pending', attempts: 0, finishedAt: null }), '');
});
