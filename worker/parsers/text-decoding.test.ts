import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { encode } from '#samples/make-text.ts';
import { cleanText, decodeText, hasWords } from './text-decoding.ts';

const german = 'Der Prüfer bestätigte: Die Türschließer sind für größere Kräfte ausgelegt, Preis 64,50 €.';
const russian = 'Уважаемые жильцы! В четверг с девяти до шестнадцати часов в доме не будет горячей воды.';
const japanese = 'この製品は、お買い上げの日から二年間保証します。故障のときは、店にご相談ください。';
const swapped = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16();

const cases: readonly [title: string, bytes: Buffer, declared: string | undefined, encoding: string, text: string][] = [
  ['reads UTF-8', Buffer.from(german), undefined, 'utf-8', german],
  ['drops the mark of UTF-8', Buffer.from(`\ufeff${german}`), undefined, 'utf-8', german],
  ['reads UTF-16, little end first', Buffer.from(`\ufeff${german}`, 'utf16le'), undefined, 'utf-16le', german],
  ['reads UTF-16, big end first', swapped(german), undefined, 'utf-16be', german],
  ['prefers valid UTF-8 to a wrong declaration', Buffer.from(german), 'windows-1252', 'utf-8', german],
  ['guesses windows-1252', encode(german, 'windows-1252'), undefined, 'windows-1252', german],
  ['guesses windows-1251', encode(russian, 'windows-1251'), undefined, 'windows-1251', russian],
  ['guesses Shift_JIS', encode(japanese, 'shift_jis'), undefined, 'shift_jis', japanese],
  ['believes a declaration', encode('Жук', 'windows-1251'), 'windows-1251', 'windows-1251', 'Жук'],
  ['takes latin1 for windows-1252, as browsers do', encode('64 €', 'windows-1252'), 'latin1', 'windows-1252', '64 €'],
  ['does not believe in UTF-8 that is none', encode(german, 'windows-1252'), 'utf-8', 'windows-1252', german],
  ['does not fail on an unknown declaration', encode(german, 'windows-1252'), 'klingon', 'windows-1252', german],
  ['allows a character cut off at the end', Buffer.from('größe ü').subarray(0, -1), undefined, 'utf-8', 'größe \ufffd'],
  ['takes a last byte alone for windows-1252', Buffer.from('caf\xe9', 'latin1'), undefined, 'windows-1252', 'café'],
  ['reads nothing', Buffer.alloc(0), undefined, 'utf-8', ''],
];
for (const [title, bytes, declared, encoding, text] of cases) {
  test(`decodeText() ${title}`, () => {
    assert.deepEqual(decodeText(bytes, declared), { kind: 'text', encoding, text });
  });
}

test('decodeText() refuses what is mostly control characters', () => {
  const share = (controls: number) => Buffer.from('a'.repeat(100 - controls) + '\0'.repeat(controls));
  assert.deepEqual([decodeText(share(5)).kind, decodeText(share(6)).kind], ['text', 'binary']);
});

test('decodeText() forgives a short text a few of them', () => {
  const kinds = ['a\0bcd', 'a\0bc', `${'\0'.repeat(3)}${'a'.repeat(12)}`, `${'\0'.repeat(4)}${'a'.repeat(16)}`];
  assert.deepEqual(
    kinds.map((text) => decodeText(Buffer.from(text)).kind),
    ['text', 'binary', 'text', 'binary'],
  );
});

const cleaned: readonly [title: string, text: string, want: string][] = [
  ['removes NUL', 'a\0b', 'ab'],
  ['removes control characters', '\x01a\x08b\x1bc\x7fd\x80e\x9ff', 'abcdef'],
  ['removes noncharacters', 'a\ufdd0\ufffe\uffffb', 'ab'],
  ['keeps tabs, line feeds and form feeds', 'a\tb\nc\fd', 'a\tb\nc\fd'],
  ['has one kind of line end', 'a\r\nb\rc\u2028d\u0085e', 'a\nb\nc\nd\ne'],
  ['replaces lone surrogates', 'a\ud800b\udc00', 'a\ufffdb\ufffd'],
  ['removes soft hyphens and marks inside', 'infor\u00adma\ufefftion', 'information'],
  ['has one kind of space', '12\u00a0€\u202f!', '12 € !'],
  ['composes', 'u\u0308', 'ü'],
];
for (const [title, text, want] of cleaned) {
  test(`cleanText() ${title}`, () => assert.equal(cleanText(text), want));
}

test('cleanText() gives what Postgres can hold, whatever comes in, and changes nothing twice', () => {
  const any = fc.string({ unit: 'binary' }).chain((text) => fc.constantFrom(text, `${text}\ud83d`, `\0${text}\r`));
  fc.assert(
    fc.property(any, (text) => {
      const once = cleanText(text);
      assert(once.isWellFormed() && !/[\0\r]/.test(once) && once === once.normalize('NFC'));
      assert.equal(cleanText(once), once);
    }),
  );
});

test('decodeText() reads any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => ['text', 'binary'].includes(decodeText(bytes).kind)),
  );
});

test('hasWords() knows letters and digits of any script', () => {
  assert.deepEqual(['a', '7', 'ж', '店', 'ع', '٣', '', ' \n', '---', '| - |', '…'].map(hasWords), [
    ...[true, true, true, true, true, true],
    ...[false, false, false, false, false],
  ]);
});
