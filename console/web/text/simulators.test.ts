import assert from 'node:assert/strict';
import test from 'node:test';
import { bodyText, pieces } from './simulators.ts';

test('addresses in a message are links, also as Slack writes them', () => {
  assert.deepEqual(pieces('see <http://a/b|this> or http://c/d.'), [
    { text: 'see ' },
    { text: 'this', href: 'http://a/b' },
    { text: ' or ' },
    { text: 'http://c/d.', href: 'http://c/d.' },
  ]);
  assert.deepEqual(pieces('none'), [{ text: 'none' }]);
});

test('of each channel what a person reads', () => {
  const at = '2026-03-01T00:00:00Z';
  const email = { at, channel: 'email', target: 'a@b', body: { subject: 'S', text: 'T' } } as const;
  assert.equal(bodyText(email), 'S\nT');
  const slack = {
    at,
    channel: 'slack',
    target: '#x',
    body: { blocks: [{ type: 'section', text: { type: 'mrkdwn', text: 'hello' } }] },
  } as const;
  assert.equal(bodyText(slack), 'hello');
  const links = {
    at,
    channel: 'pagerduty',
    target: 'k',
    body: { links: [{ href: 'http://a/b', text: 'Incident' }] },
  } as const;
  assert.deepEqual(pieces(bodyText(links)), [{ text: 'Incident', href: 'http://a/b' }]);
});
