import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import type { Bytes } from '#kernel/units.ts';
import { BAD_SAMPLES, GOOD_SAMPLES, SAMPLES_FOLDER } from '#samples/catalogue.ts';
import { zip } from '#samples/zip.ts';
import { PARSE_LIMITS } from './limits.ts';
import { type LocalParse, parseLocally } from './parse.ts';
import type { RejectionCode } from './rejections.ts';
import { sniff } from './sniff.ts';

const CORPUS = new URL('../../../shared/corpus/', import.meta.url);
const withCorpus = { skip: existsSync(CORPUS) ? false : 'no ../shared/corpus here' };

async function read(url: URL): Promise<LocalParse> {
  const bytes = readFileSync(url);
  const sniffed = sniff(bytes, url.pathname);
  return sniffed.kind === 'known' ? await parseLocally(bytes, sniffed.format) : sniffed;
}
const word = (found: LocalParse) => (found.kind === 'parsed' ? 'parsed' : found.code);

/** On one line, because lines end where a page is full. */
const flat = (found: LocalParse) => (found.kind === 'parsed' ? found.pages.join(' ').replace(/\s+/g, ' ') : found.code);

function assertStorable(found: LocalParse): void {
  const texts = found.kind === 'parsed' ? found.pages : [found.because];
  for (const text of texts)
    assert(text.isWellFormed() && !/[\0-\x08\r\x7f-\x9f]/.test(text) && text === text.normalize());
}

for (const { file, words } of GOOD_SAMPLES) {
  test(`parseLocally() finds its words in ${file}`, async () => {
    const found = await read(new URL(`good/${file}`, SAMPLES_FOLDER));
    assert(flat(found).includes(words), flat(found));
    assertStorable(found);
  });
}
for (const { file, code } of BAD_SAMPLES) {
  test(`parseLocally() refuses ${file}`, async () => {
    assert.equal(word(await read(new URL(`bad/${file}`, SAMPLES_FOLDER))), code);
  });
}

/** A phrase of each, far into the text or special to it. */
const CORPUS_GOOD: Readonly<Record<string, string | RegExp>> = {
  'annual-report-page.html': '| Common stock | | GLXZ | | OTCQB marketplace |',
  // One letter of its font stands for a whole word, the wrong way round for pdf.js: see docs/parsers.md.
  'arabic.pdf': /habibi [\p{Script=Arabic}\p{M}]{6}/u,
  'codeblock.md': "<body>Don't forget me this weekend!</body>",
  'contains-pictures.docx': 'A floating picture that appears on top of the text',
  'english-spanish.md': 'dotados como están de razón y conciencia',
  'four-pages.pdf': '“Huardest gefburn”? Kjift – not at all!',
  'french-olap.pdf': '# Résumés et interrogations de logs de requêtes OLAP',
  'google-doc.pdf': 'Namespaces are one honking great idea',
  'handbook-page.docx': 'The standing trustee has a fiduciary responsibility to the bankruptcy estate',
  'ideas-page.html': 'In the best case, exploring such gaps yields whole new fractal buds.',
  'korean-tables.pdf': '서비스 제공 기준',
  'layout-parser-paper.pdf': '# LayoutParser: A Unified Toolkit for Deep Learning Based Document Image Analysis',
  'list-items.pdf': '- What challenges may arise in development?',
  'minimal.pdf': 'no sea takimata sanctus est Lorem ipsum',
  'multicolumn.pdf': 'This is a sample document with two columns filled with Lorem Ipsum text.',
  'norwich-city.txt': 'He moved to Huddersfield Town in 1990',
  'outline.pdf': '# 1 Foo Hello, here is some text without a meaning.',
  'reliance.pdf': 'Reliance Industries Limited (RIL) is a Fortune 500 company',
  'simple.docx': '# These are a few of my favorite things:',
  'tables.docx': '| Lorem ipsum | [A link example](https://tabul.com/) |',
  'utf-16.txt': 'I love fuzzy blankets',
  'war-and-peace.txt': '"Well, Prince, so Genoa and Lucca are now just family estates',
  'windows-1252.html': "L'été était très chaud cette année. J'ai acheté un café au lait pour 3,50 €.",
  'with-attachment.pdf': 'Lorem ipsum dolor sit amet, consetetur sadipscing elitr',
};
const CORPUS_PAGES: Readonly<Record<string, number>> = {
  'four-pages.pdf': 4,
  'french-olap.pdf': 12,
  'multicolumn.pdf': 3,
};
const CORPUS_BAD: Readonly<Record<string, readonly (RejectionCode | 'parsed')[]>> = {
  'empty.pdf': ['empty'],
  'failure-after-repair.pdf': ['parsed', 'damaged'],
  'invalid-structure.pdf': ['parsed', 'damaged'],
  'password-protected.pdf': ['encrypted'],
  'scanned-image-only.pdf': ['no_text'],
  'spreadsheet-named.pdf': ['unsupported'],
  'truncated.docx': ['damaged'],
  'truncated.pdf': ['damaged'],
  'unsupported.p7s': ['unsupported'],
};

test('the corpus holds what this file knows of', withCorpus, () => {
  assert.deepEqual(readdirSync(new URL('good/', CORPUS)).sort(), Object.keys(CORPUS_GOOD).sort());
  assert.deepEqual(readdirSync(new URL('bad/', CORPUS)).sort(), Object.keys(CORPUS_BAD).sort());
});
for (const [file, phrase] of Object.entries(CORPUS_GOOD)) {
  test(`parseLocally() reads the corpus' ${file}`, withCorpus, async () => {
    const found = await read(new URL(`good/${file}`, CORPUS));
    assert(typeof phrase === 'string' ? flat(found).includes(phrase) : phrase.test(flat(found)), flat(found));
    if (CORPUS_PAGES[file]) assert.equal(found.kind === 'parsed' && found.pages.length, CORPUS_PAGES[file]);
    assertStorable(found);
  });
}
for (const [file, codes] of Object.entries(CORPUS_BAD)) {
  test(`parseLocally() judges the corpus' ${file}`, withCorpus, async () => {
    const found = await read(new URL(`bad/${file}`, CORPUS));
    assert(codes.includes(word(found)), word(found));
    assertStorable(found);
  });
}

test('parseLocally() allows as much text as the limit says, counted in UTF-8', async () => {
  const limits = { ...PARSE_LIMITS, output: 6 as Bytes };
  assert.deepEqual(await parseLocally(Buffer.from('äöü'), 'text', limits), { kind: 'parsed', pages: ['äöü'] });
  assert.equal(word(await parseLocally(Buffer.from('äöüa'), 'text', limits)), 'too_large');
});

test('parseLocally() does not decode a text that is too long by its bytes already', async () => {
  const limits = { ...PARSE_LIMITS, output: 6 as Bytes };
  const utf16 = (length: number) => Buffer.from(`\ufeff${'a'.repeat(length)}`, 'utf16le');
  assert.equal(word(await parseLocally(utf16(5), 'text', limits)), 'parsed');
  const refused = await parseLocally(utf16(6), 'markdown', limits);
  assert(refused.kind === 'rejected');
  assert.match(refused.because, /a text of 14 bytes; 12 are allowed/);
});

const formats = ['pdf', 'docx', 'html', 'markdown', 'text'] as const;
for (const format of formats) {
  test(`parseLocally() refuses an empty ${format}`, async () => {
    assert.equal(word(await parseLocally(Buffer.alloc(0), format)), 'empty');
  });
}

test('parseLocally() refuses what has no words', async () => {
  assert.equal(word(await parseLocally(Buffer.from('--- \n\n | |'), 'markdown')), 'no_text');
  assert.equal(word(await parseLocally(Buffer.from('<html><nav>menu</nav><script>x</script>'), 'html')), 'no_text');
});

test('parseLocally() divides a text at form feeds and cleans it', async () => {
  const found = await parseLocally(Buffer.from(' a\0b\r\n\fu\u0308\f'), 'text');
  assert.deepEqual(found, { kind: 'parsed', pages: ['ab', 'ü', ''] });
});

test('parseLocally() makes a heading of the title of a page that has none', async () => {
  const page = (body: string) => Buffer.from(`<title>T</title>${body}`);
  assert.deepEqual(await parseLocally(page('<p>a'), 'html'), { kind: 'parsed', pages: ['# T\n\na'] });
  assert.deepEqual(await parseLocally(page('<h1>b</h1>a'), 'html'), { kind: 'parsed', pages: ['# b\n\na'] });
});

test('parseLocally() reads the encoding that a page declares', async () => {
  for (const head of [
    '<meta charset="windows-1251">',
    "<META http-equiv=x content='text/html; charset=windows-1251'>",
  ]) {
    const page = Buffer.concat([Buffer.from(`<html>${head}<p>`), Buffer.from([0xc6, 0xf3, 0xea])]);
    assert.deepEqual(await parseLocally(page, 'html'), { kind: 'parsed', pages: ['Жук'] });
  }
});

test('parseLocally() is not fooled by a wrong format', async () => {
  const docx = zip([{ name: 'word/document.xml', content: '<a/>' }]);
  for (const format of formats) assert.equal((await parseLocally(docx, format)).kind, 'rejected', format);
});
