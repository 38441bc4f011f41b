import assert from 'node:assert/strict';
import test from 'node:test';
import { checkMessage } from './slack-message.ts';

const x = (length: number) => 'x'.repeat(length);
const many = <T>(count: number, one: T): T[] => Array.from({ length: count }, () => one);
const plain = (text: string) => ({ type: 'plain_text', text });
const mrkdwn = (text: string) => ({ type: 'mrkdwn', text });
const section = (text: string) => ({ type: 'section', text: mrkdwn(text) });
const button = (text: string, more: object = {}) => ({ type: 'button', text: plain(text), ...more });
const blocks = (...list: unknown[]) => ({ text: 't', blocks: list });

const accepted: readonly [title: string, body: unknown][] = [
  ['a text', { text: 'hello' }],
  ['an attachment alone', { attachments: [{ color: '#ff0000', text: 'hello' }] }],
  ['blocks alone', { blocks: [section('hello')] }],
  ['a header of 150', blocks({ type: 'header', text: plain(x(150)) })],
  ['a section of 3,000', blocks(section(x(3000)))],
  ['50 blocks', blocks(...many(50, { type: 'divider' }))],
  ['ten fields of a section', blocks({ type: 'section', fields: many(10, mrkdwn('f')) })],
  ['ten elements of context', blocks({ type: 'context', elements: many(10, mrkdwn('c')) })],
  ['25 buttons', blocks({ type: 'actions', elements: many(25, button('Ack', { url: 'http://x', value: 'v' })) })],
  ['a text of 40,000', { text: x(40_000) }],
];
for (const [title, body] of accepted) {
  test(`checkMessage() accepts ${title}`, () => assert.equal(checkMessage(body).kind, 'accepted'));
}

const refused: readonly [title: string, body: unknown, code: string][] = [
  ['no JSON', undefined, 'invalid_payload'],
  ['a list', [], 'invalid_payload'],
  ['a text that is a number', { text: 7 }, 'invalid_payload'],
  ['nothing to say', {}, 'no_text'],
  ['an empty text and no blocks', { text: '', blocks: [] }, 'no_text'],
  ['a text of 40,001', { text: x(40_001) }, 'msg_too_long'],
  ['blocks that are an object', { text: 't', blocks: {} }, 'invalid_blocks'],
  ['a header of 151', blocks({ type: 'header', text: plain(x(151)) }), 'invalid_blocks'],
  ['a header in mrkdwn', blocks({ type: 'header', text: mrkdwn('h') }), 'invalid_blocks'],
  ['a section of 3,001', blocks(section(x(3001))), 'invalid_blocks'],
  ['an empty section', blocks(section('')), 'invalid_blocks'],
  ['a section without text', blocks({ type: 'section' }), 'invalid_blocks'],
  ['eleven fields', blocks({ type: 'section', fields: many(11, mrkdwn('f')) }), 'invalid_blocks'],
  ['51 blocks', blocks(...many(51, { type: 'divider' })), 'invalid_blocks'],
  ['eleven elements of context', blocks({ type: 'context', elements: many(11, mrkdwn('c')) }), 'invalid_blocks'],
  ['26 buttons', blocks({ type: 'actions', elements: many(26, button('b')) }), 'invalid_blocks'],
  ['a button of 76', blocks({ type: 'actions', elements: [button(x(76))] }), 'invalid_blocks'],
  ['a link of 3,001', blocks({ type: 'actions', elements: [button('b', { url: x(3001) })] }), 'invalid_blocks'],
  ['an image without an alt text', blocks({ type: 'image', image_url: 'http://x' }), 'invalid_blocks'],
  ['an unknown block', blocks({ type: 'carousel' }), 'invalid_blocks'],
  [
    'two blocks with one id',
    blocks({ type: 'divider', block_id: 'a' }, { type: 'divider', block_id: 'a' }),
    'invalid_blocks',
  ],
  ['bad blocks in an attachment', { attachments: [{ blocks: [section(x(3001))] }] }, 'invalid_blocks'],
  ['five sections of 2,900', blocks(...many(5, section(x(2900)))), 'msg_blocks_too_long'],
  ['101 attachments', { attachments: many(101, { text: 'a' }) }, 'too_many_attachments'],
];
for (const [title, body, code] of refused) {
  test(`checkMessage() refuses ${title} as ${code}`, () => {
    const checked = checkMessage(body);
    assert.equal(checked.kind === 'refused' && checked.code, code);
  });
}
