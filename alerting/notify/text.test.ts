import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { milliseconds } from '#kernel/units.ts';
import { after, NOON } from '#test/kit/notices.ts';
import { block, cut, escapeHtml, jsonBytes, oneLine, safeLink, stamp, time, timeFrom } from './text.ts';

const cuts: readonly [text: string, most: number, want: string][] = [
  ['', 0, ''],
  ['abc', 3, 'abc'],
  ['abcd', 3, 'ab…'],
  ['ab  cd', 5, 'ab…'],
  ['🔥🔥', 4, '🔥🔥'],
  ['🔥🔥🔥', 5, '🔥🔥…'],
  ['🔥🔥🔥', 4, '🔥…'],
];
for (const [text, most, want] of cuts) {
  test(`cut(${JSON.stringify(text)}, ${most}) is ${want}`, () => assert.equal(cut(text, most), want));
}

test('cut() keeps to the limit in the channel’s own measure, and halves no character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 3, max: 40 }), (text, most) => {
      for (const lengthOf of [undefined, jsonBytes]) {
        const short = cut(text.toWellFormed(), most, lengthOf);
        const length = lengthOf === undefined ? short.length : Buffer.byteLength(JSON.stringify(short)) - 2;
        assert(length <= most && short.isWellFormed());
      }
    }),
  );
});

test('oneLine() and block() leave nothing that is not to be read', () => {
  assert.equal(oneLine(' a\r\nBcc: x\u0000\u001b[31m\u202eb\t c\u2028d '), 'a Bcc: x [31mb c d');
  assert.equal(block('a\r\nb\rc\u2028d\u0007'), 'a\nb\nc\nd');
  assert.equal(oneLine('\ud83d'), '\ufffd');
});

const links: readonly [url: string | undefined, want: string | undefined][] = [
  ['https://a.example/b?c=d&e=f', 'https://a.example/b?c=d&e=f'],
  ['http://a.example/<b>|c', 'http://a.example/%3Cb%3E|c'],
  ['javascript:alert(1)', undefined],
  ['data:text/html,x', undefined],
  ['/relative', undefined],
  [undefined, undefined],
  [`https://a.example/${'x'.repeat(2_000)}`, undefined],
];
for (const [url, want] of links) {
  test(`safeLink(${url?.slice(0, 40)}) is ${want}`, () => assert.equal(safeLink(url), want));
}

test('times name their zone and their distance', () => {
  assert.equal(timeFrom(NOON, after(90)), '2025-11-24 16:00:00 UTC (90 s ago)');
  assert.equal(timeFrom(after(300), NOON), '2025-11-24 16:05:00 UTC (in 5 min)');
  for (const wild of [Number.NaN, 1e300, -1e300, Number.POSITIVE_INFINITY]) {
    assert.equal(time(milliseconds(wild)), 'an unknown time');
    assert.equal(stamp(milliseconds(wild)), '1970-01-01T00:00:00.000Z');
    assert.equal(timeFrom(milliseconds(wild), NOON), 'an unknown time');
  }
});

test('escapeHtml() leaves no mark of HTML', () => {
  assert.equal(escapeHtml(`<a href="x" b='y'>&`), '&#60;a href=&#34;x&#34; b=&#39;y&#39;&#62;&#38;');
});
