import assert from 'node:assert/strict';
import test from 'node:test';
import { deflateSync } from 'node:zlib';
import type { Bytes } from '#kernel/units.ts';
import { makePdf } from '#samples/make-pdf.ts';
import { PARSE_LIMITS } from './limits.ts';
import type { LocalParse } from './outcome.ts';
import { parsePdf } from './pdf.ts';
import { CATALOG, pageOf, pdfOf, stream } from './pdf-kit.ts';

const parse = (bytes: Uint8Array, limits = {}) => parsePdf(bytes, { ...PARSE_LIMITS, ...limits });
const word = (found: LocalParse) => (found.kind === 'parsed' ? found.pages.join('|') : found.code);
const HELLO = 'BT /F 12 Tf 10 100 Td (hello) Tj ET';
const composite = (encoding: string, ordering: string) =>
  [
    `<< /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /${encoding} /DescendantFonts [6 0 R] >>`,
    [
      `<< /Type /Font /Subtype /CIDFontType0 /BaseFont /X /FontDescriptor 7 0 R /CIDSystemInfo << /Registry (Adobe) /Ordering (${ordering}) /Supplement 0 >> >>`,
      '<< /Type /FontDescriptor /FontName /X /Flags 4 /FontBBox [0 0 9 9] /ItalicAngle 0 /Ascent 8 /Descent -2 /CapHeight 7 /StemV 8 >>',
    ],
  ] as const;
const pages = (count: number) =>
  pdfOf([
    CATALOG,
    `<< /Type /Pages /Kids [${Array.from({ length: count }, (_, i) => `${i + 3} 0 R`).join(' ')}] /Count ${count} >>`,
    ...Array.from({ length: count }, () => '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>'),
  ]);

const cases: readonly [title: string, bytes: Buffer, want: string][] = [
  ['reads text', pageOf(HELLO), 'hello'],
  [
    'reads packed text',
    pdfOf([
      CATALOG,
      '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
      '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>',
      stream(deflateSync(HELLO), '/Filter /FlateDecode'),
      '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    ]),
    'hello',
  ],
  ['keeps empty pages, so that numbers stay true', pages(2), '|'],
  [
    'finds the pages without a table of objects',
    Buffer.from(
      pageOf(HELLO)
        .toString('latin1')
        .replace(/xref[\s\S]*startxref\n\d+/, 'trailer\n<< /Root 1 0 R >>'),
    ),
    'hello',
  ],
  ['reads behind junk', Buffer.concat([Buffer.alloc(1000, 'junk '), pageOf(HELLO)]), 'hello'],
  [
    'does not believe in two thousand million pages',
    Buffer.from(pageOf(HELLO).toString('latin1').replace('/Count 1', '/Count 2000000000')),
    'hello',
  ],
  ['refuses pages that contain themselves', pdfOf([CATALOG, '<< /Type /Pages /Kids [2 0 R] /Count 1 >>']), 'damaged'],
  [
    'refuses a page that is missing',
    pdfOf([
      CATALOG,
      '<< /Type /Pages /Kids [3 0 R 9 0 R] /Count 2 >>',
      '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>',
    ]),
    'damaged',
  ],
  ['refuses a file that is cut off', pageOf(HELLO).subarray(0, 200), 'damaged'],
  ['refuses a header alone', Buffer.from('%PDF-1.7\n'), 'damaged'],
  ['refuses what is no PDF', Buffer.from('hello'), 'damaged'],
  [
    'says when text is lost for want of a character map',
    pageOf('BT /F 12 Tf <93fa> Tj ET', ...composite('90ms-RKSJ-H', 'Japan1')),
    'unsupported',
  ],
];
for (const [title, bytes, want] of cases) {
  test(`parsePdf() ${title}`, async () => assert.equal(word(await parse(bytes)), want));
}

test('parsePdf() opens what only its owner may change, and refuses what needs a password', async () => {
  const text = [['text', 'hello']] as const;
  assert.equal(word(await parse(await makePdf(text, { ownerPassword: 'x' }))), 'hello');
  assert.equal(word(await parse(await makePdf(text, { userPassword: 'x' }))), 'encrypted');
});

test('parsePdf() reads what was typed into a form', async () => {
  const form = await makePdf([['title', 'Form']], { fields: [['Name', 'Sample, Jordan']] });
  assert.match(word(await parse(form)), /Form[\s\S]*Sample, Jordan/);
});

test('parsePdf() allows as many pages as the limit says', async () => {
  assert.equal(word(await parse(pages(4), { pages: 4 })), '|||');
  const refused = await parse(pages(5), { pages: 4 });
  assert(refused.kind === 'rejected');
  assert.deepEqual([refused.code, refused.because], ['too_large', 'It has 5 pages; 4 are allowed']);
});

test('parsePdf() stops at the page where the text is too long', async () => {
  const text = await makePdf([['text', 'aaaa'], ['page'], ['text', 'bbbb']]);
  assert.equal(word(await parse(text, { output: 8 as Bytes })), 'aaaa|bbbb');
  assert.equal(word(await parse(text, { output: 7 as Bytes })), 'too_large');
});

test('parsePdf() leaves the bytes to their owner', async () => {
  const bytes = new Uint8Array(pageOf(HELLO));
  await parse(bytes);
  assert.equal(bytes.length, pageOf(HELLO).length);
});
