import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import test from 'node:test';
import { secret } from '#kernel/secret.ts';
import { isSignedBy, pagerdutyWebhook, readPagerdutyEvent } from './pagerduty-webhook.ts';

const BODY = Buffer.from('{"event":{"id":"1","title":"Größe"}}');
const sign = (key: string, body: Buffer = BODY) => `v1=${createHmac('sha256', key).update(body).digest('hex')}`;
const [OURS, OLD] = ['a secret of sixteen', 'the one before it was changed'];

const signatures: readonly [title: string, header: string, right: boolean][] = [
  ['its own', sign(OURS), true],
  ['that of the other subscription', sign(OLD), true],
  ['one of two while a secret is changed', `${sign('theirs alone')},${sign(OURS)}`, true],
  ['with a space after the comma', `${sign('theirs alone')}, ${sign(OURS)}`, true],
  ['in capitals', sign(OURS).toUpperCase().replace('V1=', 'v1='), true],
  ['by a secret of nobody', sign('guessed'), false],
  ['of another body', sign(OURS, Buffer.from('{}')), false],
  ['of another version', sign(OURS).replace('v1=', 'v0='), false],
  ['without its version', sign(OURS).slice(3), false],
  ['cut short', sign(OURS).slice(0, -2), false],
  ['with more behind it', `${sign(OURS)}00`, false],
  ['nothing', '', false],
  ['behind more than anybody sends', `${'v1=00,'.repeat(10)}${sign(OURS)}`, false],
];
for (const [title, header, right] of signatures) {
  test(`a signature ${title} is ${right ? 'right' : 'wrong'}`, () => {
    assert.equal(isSignedBy([secret(OURS), secret(OLD)], BODY, header), right);
  });
}
test('without a secret nobody is believed', () => assert.equal(isSignedBy([], BODY, sign('')), false));

const ADA = { summary: 'Ada', type: 'user_reference' };
const INTEGRATION = { summary: 'Events API V2', type: 'inbound_integration_reference' };
const incident = (more: object = {}) => ({ id: 'PGR0VU2', type: 'incident', incident_key: 'ours', ...more });
const read = (event_type: string, agent: unknown, data: unknown) =>
  readPagerdutyEvent(pagerdutyWebhook.parse({ event: { id: 'e1', event_type, agent, data } }));

const by = { by: 'Ada in PagerDuty', from: 'pagerduty' };
const events: readonly [type: string, agent: unknown, data: object, says: object | undefined][] = [
  ['incident.triggered', INTEGRATION, incident(), undefined],
  ['incident.acknowledged', ADA, incident(), { ...by, kind: 'acknowledge' }],
  ['incident.acknowledged', null, incident(), { ...by, by: 'PagerDuty', kind: 'acknowledge' }],
  ['incident.acknowledged', INTEGRATION, incident(), undefined],
  ['incident.resolved', ADA, incident(), { ...by, kind: 'resolve' }],
  ['incident.resolved', INTEGRATION, incident(), undefined],
  [
    'incident.resolved',
    ADA,
    incident({ resolve_reason: { type: 'merge_resolve_reason' } }),
    { ...by, kind: 'note', text: 'merged into another' },
  ],
  ['incident.unacknowledged', ADA, incident(), { ...by, kind: 'reopen' }],
  ['incident.reopened', ADA, incident(), { ...by, kind: 'reopen' }],
  [
    'incident.reassigned',
    ADA,
    incident({ assignees: [{ summary: 'Bob' }, { summary: 'Eve' }] }),
    { ...by, kind: 'note', text: 'reassigned to Bob, Eve' },
  ],
  [
    'incident.priority_updated',
    ADA,
    incident({ priority: { summary: 'P1' } }),
    { ...by, kind: 'note', text: 'priority P1' },
  ],
  ['incident.custom_field_values.updated', ADA, { incident: { id: 'PGR0VU2' } }, undefined],
  [
    'incident.annotated',
    ADA,
    { id: 'N1', type: 'incident_note', content: 'on \0it\ud800', incident: { id: 'PGR0VU2' } },
    { ...by, kind: 'note', text: 'on it\ufffd' },
  ],
  ['incident.annotated', ADA, { type: 'incident_note', content: 7, incident: { id: 'PGR0VU2' } }, undefined],
];
for (const [type, agent, data, says] of events) {
  test(`${type} by ${(agent as typeof ADA | null)?.type ?? 'nobody'} says ${JSON.stringify(says)}`, () => {
    const found = read(type, agent, data);
    assert(found);
    assert.deepEqual(found.says, says);
    assert.deepEqual([found.id, found.theirs], ['e1', 'PGR0VU2']);
    assert.equal(found.ours, 'incident_key' in data ? 'ours' : undefined);
  });
}
const others: readonly [type: string, data: unknown][] = [
  ['pagey.ping', { type: 'ping', message: 'Hello from your friend Pagey!' }],
  ['service.updated', { id: 'PF9KMXH', type: 'service' }],
  ['incident.acknowledged', null],
  ['incident.acknowledged', [1]],
  ['incident.acknowledged', { type: 'incident', incident_key: 'ours' }],
];
for (const [type, data] of others) {
  test(`${type} with ${JSON.stringify(data)} is of no incident`, () => assert.equal(read(type, ADA, data), undefined));
}
test('a name and a note have a limit', () => {
  const found = read(
    'incident.annotated',
    { summary: 'x'.repeat(900), type: 'user_reference' },
    {
      content: 'y'.repeat(20_000),
      incident: { id: 'P' },
    },
  );
  assert(found?.says?.kind === 'note');
  assert.deepEqual([found.says.by.length, found.says.text.length], [213, 10_000]);
});
