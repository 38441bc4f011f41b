import assert from 'node:assert/strict';
import test from 'node:test';
import type { Bytes } from '#kernel/units.ts';
import { makeDocx } from '#samples/make-docx.ts';
import { unzip, type ZipPart, zip } from '#samples/zip.ts';
import { parseDocx } from './docx.ts';
import { PARSE_LIMITS } from './limits.ts';
import type { LocalParse } from './outcome.ts';

const parse = (bytes: Uint8Array, limits = {}) => parseDocx(bytes, { ...PARSE_LIMITS, ...limits });
const word = (found: LocalParse) => (found.kind === 'parsed' ? found.pages.join('|') : found.code);
const good = await makeDocx([
  ['title', 'Title'],
  ['text', 'snake_case [1]'],
  ['list', ['a', 'b']],
  [
    'table',
    [
      ['c', 'd'],
      ['e', 'f'],
    ],
  ],
]);
/** The good one with some parts replaced or removed. */
function changed(parts: Readonly<Record<string, string | undefined>>): Buffer {
  const kept = unzip(good).filter(({ name }) => !(name in parts));
  const added = Object.entries(parts).flatMap(([name, content]): ZipPart[] =>
    content === undefined ? [] : [{ name, content }],
  );
  return zip([...kept, ...added]);
}

const cases: readonly [title: string, bytes: Buffer, want: string][] = [
  [
    'reads headings, lists and tables',
    good,
    '# Title\n\nsnake_case [1]\n\n- a\n- b\n\n| c | d |\n| --- | --- |\n| e | f |',
  ],
  [
    'reads packed parts',
    zip(unzip(good).map((part) => ({ ...part, deflate: true }))),
    '# Title\n\nsnake_case [1]\n\n- a\n- b\n\n| c | d |\n| --- | --- |\n| e | f |',
  ],
  ['refuses a cut-off file', good.subarray(0, good.length - 30), 'damaged'],
  ['refuses a file without a document', changed({ 'word/document.xml': undefined }), 'damaged'],
  ['refuses a document that is no XML', changed({ 'word/document.xml': 'hello' }), 'damaged'],
  ['refuses a document whose XML is cut off', changed({ 'word/document.xml': '<w:document><w:body><w:p>' }), 'damaged'],
  ['refuses a packed password', zip([{ name: 'word/document.xml', content: 'x', encrypted: true }]), 'encrypted'],
  [
    'does not expand entities',
    changed({ 'word/document.xml': '<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;&a;">]><x>&c;</x>' }),
    'damaged',
  ],
];
for (const [title, bytes, want] of cases) {
  test(`parseDocx() ${title}`, async () => assert.equal(word(await parse(bytes)), want));
}

test('parseDocx() allows as much unpacked data as the limit says', async () => {
  const size = unzip(good).reduce((sum, { content }) => sum + content.length, 0);
  assert.equal((await parse(good, { unpacked: size as Bytes })).kind, 'parsed');
  assert.equal(word(await parse(good, { unpacked: (size - 1) as Bytes })), 'too_large');
});

test('parseDocx() allows as much XML as the limit says, and counts no pictures', async () => {
  const read = unzip(good).filter(({ name }) => /^word\/[^/]+\.xml$/.test(name));
  const size = read.reduce((sum, { content }) => sum + content.length, 0);
  const withPicture = changed({ 'word/media/picture.png': 'x'.repeat(100_000) });
  assert.equal((await parse(withPicture, { markup: size as Bytes })).kind, 'parsed');
  assert.equal(word(await parse(withPicture, { markup: (size - 1) as Bytes })), 'too_large');
});

test('parseDocx() refuses a bomb without unpacking it', async () => {
  const zeros = { name: 'word/document.xml', content: Buffer.alloc(130 * 1024 * 1024), deflate: true };
  const bomb = zip([zeros]);
  assert(bomb.length < 200_000, `${bomb.length}`);
  const before = process.memoryUsage.rss();
  assert.equal(word(await parse(bomb)), 'too_large');
  const grown = process.memoryUsage.rss() - before;
  assert(grown < 64 * 1024 * 1024, `${grown} bytes for 130 MiB`);
});
