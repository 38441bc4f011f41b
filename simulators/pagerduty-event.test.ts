import assert from 'node:assert/strict';
import test from 'node:test';
import { milliseconds } from '#kernel/units.ts';
import { type Act, type Alert, applyAct, applyEvent, changeErrors, readEvent } from './pagerduty-event.ts';

const payload = { summary: 'Budget burns', source: 'burnline', severity: 'critical' };
const trigger = { routing_key: 'r', event_action: 'trigger', dedup_key: 'd', payload };
const long = (length: number) => 'x'.repeat(length);

const refused: readonly [title: string, body: unknown, error: RegExp][] = [
  ['a list', [], /not a JSON object/],
  ['no routing key', { ...trigger, routing_key: '' }, /'routing_key' is missing/],
  ['an unknown action', { ...trigger, event_action: 'shout' }, /'event_action'/],
  ['no payload', { ...trigger, payload: undefined }, /'payload' is missing/],
  ['a blank summary', { ...trigger, payload: { ...payload, summary: ' ' } }, /'payload.summary' is missing/],
  ['a summary of 1025', { ...trigger, payload: { ...payload, summary: long(1025) } }, /'payload.summary'.*1024/],
  ['no source', { ...trigger, payload: { ...payload, source: '' } }, /'payload.source'/],
  ['no severity', { ...trigger, payload: { ...payload, severity: undefined } }, /'payload.severity' is missing/],
  [
    'an unknown severity',
    { ...trigger, payload: { ...payload, severity: 'page' } },
    /'payload.severity' must be one of/,
  ],
  ['a dedup key of 256', { ...trigger, dedup_key: long(256) }, /'dedup_key'.*255/],
  ['a resolve of nothing', { routing_key: 'r', event_action: 'resolve' }, /'dedup_key' is missing/],
];
for (const [title, body, error] of refused) {
  test(`readEvent() refuses ${title}`, () => {
    const read = readEvent(body);
    assert(read.kind === 'invalid');
    assert.match(read.errors.join('\n'), error);
  });
}
const accepted: readonly [title: string, body: object][] = [
  ['a trigger without a dedup key', { ...trigger, dedup_key: undefined }],
  ['a summary of 1024', { ...trigger, payload: { ...payload, summary: long(1024) } }],
  ['a dedup key of 255', { ...trigger, dedup_key: long(255) }],
  ['an acknowledgement without a payload', { routing_key: 'r', event_action: 'acknowledge', dedup_key: 'd' }],
];
for (const [title, body] of accepted) {
  test(`readEvent() accepts ${title}`, () => assert.equal(readEvent(body).kind, 'event'));
}
test('readEvent() names all faults at once', () => {
  const read = readEvent({ event_action: 'trigger', payload: {} });
  assert.equal(read.kind === 'invalid' && read.errors.length, 4);
});
test('changeErrors() wants a routing key and a summary', () => {
  assert.deepEqual(changeErrors({ routing_key: 'r', payload: { summary: 'Deployed' } }), []);
  assert.equal(changeErrors({ payload: {} }).length, 2);
});

const event = (action: string, more: object = {}) => {
  const read = readEvent({ ...trigger, event_action: action, ...more });
  assert(read.kind === 'event');
  return read.event;
};
/** Plays actions on one key: the effects, and what is open at the end. */
function play(actions: readonly string[]): [effects: string[], open: Alert | undefined] {
  let open: Alert | undefined;
  const effects = actions.map((action, at) => {
    const applied = applyEvent(open, event(action), { id: 'P1', dedupKey: 'd' }, milliseconds(at));
    open = applied.next;
    return applied.effect;
  });
  return [effects, open];
}
const plays: readonly [actions: string[], effects: string[], status: string | undefined][] = [
  [['trigger', 'trigger'], ['opened', 'deduplicated'], 'triggered'],
  [['trigger', 'acknowledge'], ['opened', 'acknowledged'], 'acknowledged'],
  [['trigger', 'acknowledge', 'trigger'], ['opened', 'acknowledged', 'deduplicated'], 'acknowledged'],
  [['trigger', 'resolve'], ['opened', 'resolved'], undefined],
  [['trigger', 'resolve', 'trigger'], ['opened', 'resolved', 'opened'], 'triggered'],
  [['acknowledge'], ['dropped'], undefined],
  [['resolve'], ['dropped'], undefined],
  [['trigger', 'resolve', 'resolve'], ['opened', 'resolved', 'dropped'], undefined],
];
for (const [actions, effects, status] of plays) {
  test(`applyEvent() answers ${actions.join(', ')} with ${effects.join(', ')}`, () => {
    const [got, open] = play(actions);
    assert.deepEqual([got, open?.status], [effects, status]);
  });
}

const acts: readonly [act: Act, status: string | undefined][] = [
  ['acknowledge', 'acknowledged'],
  ['unacknowledge', 'triggered'],
  ['resolve', undefined],
  ['annotate', 'triggered'],
  ['reassign', 'triggered'],
];
for (const [act, status] of acts) {
  test(`applyAct() leaves ${status ?? 'nothing'} after ${act}`, () => {
    const [, open] = play(['trigger']);
    assert(open);
    assert.equal(applyAct(open, act, milliseconds(9))?.status, status);
  });
}
