import assert from 'node:assert/strict';
import test from 'node:test';
import type { Incident } from '#console/web/data/wire.ts';
import { answerWords } from './answers.ts';

const incident: Incident = {
  ...{ id: 'i', number: 7, state: 'open', severity: 'critical', title: 't', service: 's', objective: null },
  ...{ drill: false, policy: 'p', openedAt: '2026-03-01T00:00:00Z', acknowledgedAt: null, acknowledgedBy: null },
  ...{ snoozedUntil: null, resolvedAt: null, resolvedBy: null, alerts: 1, told: [], nextStepAt: null, paged: [] },
};
const taken: Incident = {
  ...incident,
  state: 'acknowledged',
  acknowledgedAt: '2026-03-01T00:01:00Z',
  acknowledgedBy: 'ada',
};
const over: Incident = { ...taken, state: 'resolved', resolvedAt: '2026-03-01T00:02:00Z', resolvedBy: 'grace' };

test('an answer that was taken is confirmed', () => {
  assert.equal(
    answerWords('acknowledge', incident, taken, 'ada'),
    '#7 is acknowledged by ada: nobody else is woken for it.',
  );
  assert.equal(answerWords('resolve', taken, over, 'grace'), '#7 is resolved.');
  assert.equal(
    answerWords('snooze', incident, { ...taken, state: 'snoozed' }, 'ada'),
    '#7 is snoozed: it opens again by itself.',
  );
});

test('an answer that came too late says what had happened, and by whom', () => {
  assert.equal(
    answerWords('acknowledge', incident, over, 'ada'),
    'Nothing was changed: #7 is resolved already by grace.',
  );
  assert.equal(answerWords('snooze', incident, over, 'ada'), 'Nothing was changed: #7 is resolved already by grace.');
  assert.equal(
    answerWords('acknowledge', incident, taken, 'grace'),
    'Nothing was changed: #7 is acknowledged already by ada.',
  );
  assert.equal(answerWords('resolve', taken, over, 'ada'), 'Nothing was changed: #7 is resolved already by grace.');
});
