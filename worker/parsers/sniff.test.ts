import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { zip } from '#samples/zip.ts';
import { CONTENT_TYPES, extensionOf, type Sniffed, sniff } from './sniff.ts';

const word = (sniffed: Sniffed) => (sniffed.kind === 'known' ? sniffed.format : sniffed.code);
const archive = (...names: string[]) => zip(names.map((name) => ({ name, content: 'x' })));
const hex = (text: string, length = 64) => Buffer.concat([Buffer.from(text, 'hex'), Buffer.alloc(length)]);
const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');
const compound = (stream: string) => Buffer.concat([hex('d0cf11e0a1b11ae1', 512), Buffer.from(stream, 'utf16le')]);
const object = '\n1 0 obj\n<< /Type /Catalog >>\nendobj\n';
const junk = (length: number) => Buffer.alloc(length, '\x01junk ');

type Case = readonly [title: string, bytes: Buffer | string, filename: string, want: string, because?: RegExp];

const PDFS: readonly Case[] = [
  ['knows a PDF by its header', '%PDF-1.7\n', 'a.pdf', 'pdf'],
  ['knows a PDF without a name', '%PDF-1.7\n', '', 'pdf'],
  ['knows a PDF under a wrong name', '%PDF-1.7\n', 'a.docx', 'pdf'],
  [
    'knows a PDF behind 1024 bytes of junk',
    Buffer.concat([junk(1024), Buffer.from(`%PDF-1.4${object}`)]),
    'a.pdf',
    'pdf',
  ],
  [
    'does not look further',
    Buffer.concat([junk(1025), Buffer.from(`%PDF-1.4${object}`)]),
    'a.pdf',
    'unsupported',
    /binary data of an unknown kind; its name ends in .pdf/,
  ],
  ['takes a text about PDF headers for a text', 'A file starts with %PDF-1.7 and a line end.', 'a.md', 'markdown'],
];

const ARCHIVES: readonly Case[] = [
  ['knows a docx', archive('[Content_Types].xml', 'word/document.xml'), 'a.docx', 'docx'],
  ['knows a docx under a wrong name', archive('[Content_Types].xml', 'word/document.xml'), 'a.pdf', 'docx'],
  ['refuses a workbook named .pdf', archive('xl/workbook.xml'), 'a.pdf', 'unsupported', /Excel workbook.*ends in .pdf/],
  ['refuses a workbook named .docx', archive('xl/workbook.xml'), 'a.docx', 'unsupported', /Excel workbook/],
  ['refuses a presentation', archive('ppt/presentation.xml'), 'a.pptx', 'unsupported', /PowerPoint/],
  ['refuses a plain archive', archive('a.txt'), 'a.zip', 'unsupported', /a ZIP archive/],
  ['refuses an empty archive', archive(), 'a.zip', 'unsupported', /a ZIP archive/],
  [
    'refuses OpenDocument',
    zip([{ name: 'mimetype', content: 'application/vnd.oasis.opendocument.text' }]),
    'a.odt',
    'unsupported',
    /OpenDocument/,
  ],
  ['refuses EPUB', zip([{ name: 'mimetype', content: 'application/epub+zip' }]), 'a.epub', 'unsupported', /EPUB/],
  [
    'knows a cut-off docx by its first names',
    archive('[Content_Types].xml', 'word/a.xml').subarray(0, 120),
    'a',
    'docx',
  ],
  [
    'believes the name of an archive that lost its own',
    archive('[Content_Types].xml').subarray(0, 40),
    'a.docx',
    'docx',
  ],
  ['refuses it under another name', archive('[Content_Types].xml').subarray(0, 40), 'a.bin', 'unsupported'],
  [
    'refuses packed passwords',
    zip([{ name: 'word/document.xml', content: 'x', encrypted: true }]),
    'a.docx',
    'encrypted',
  ],
  ['refuses an Office file with a password', compound('EncryptedPackage'), 'a.docx', 'encrypted'],
  ['refuses old Word files', compound('WordDocument'), 'a.doc', 'unsupported', /Word 97-2003/],
  ['refuses old workbooks', compound('Workbook'), 'a.doc', 'unsupported', /Excel 97-2003/],
  ['refuses mail', compound('__properties_version1.0'), 'a.msg', 'unsupported', /Outlook/],
];

const TEXTS: readonly Case[] = [
  ['lets the name tell Markdown', '# a', 'a.MD', 'markdown'],
  ['lets the name tell HTML', 'hello', 'a.htm', 'html'],
  ['lets the name tell plain text', '<html><p>a', 'a.txt', 'text'],
  ['knows HTML without a name', '<!DOCTYPE html><p>a', 'page', 'html'],
  ['knows HTML behind comments', '<!-- a --> <!-- b -->\n<html>', 'page', 'html'],
  ['knows XHTML', '<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "x">', 'page', 'html'],
  ['takes other text for plain text', 'a,b\n1,2', 'a.csv', 'text'],
  ['knows UTF-16 by its mark', utf16('hello'), 'a.txt', 'text'],
  ['knows HTML in UTF-16', utf16('<html><p>hello'), 'a', 'html'],
  ['knows text of an older encoding', Buffer.from('Stra\xdfe und Stra\xdfenbahn', 'latin1'), 'a.txt', 'text'],
  ['refuses a page that is named .pdf', '<html>Please log in', 'report.pdf', 'damaged', /an HTML page/],
  ['refuses a text that is named .docx', 'hello', 'report.docx', 'damaged', /plain text/],
  ['refuses RTF', '{\\rtf1 hello}', 'a.doc', 'unsupported', /Rich Text/],
  ['refuses PostScript', '%!PS-Adobe-3.0\n', 'a.ps', 'unsupported', /PostScript/],
  ['refuses SVG', '<?xml version="1.0"?><svg xmlns="x">', 'a.svg', 'unsupported', /SVG/],
  ['refuses keys', '-----BEGIN PKCS7-----\nMIIB', 'a.p7s', 'unsupported', /PEM/],
  [
    'refuses signed mail',
    'MIME-Version: 1.0\nContent-Type: multipart/signed;\n protocol="x"\n\nbody',
    'a.p7s',
    'unsupported',
    /signed message/,
  ],
  ['takes a text that speaks of mail for a text', 'Note:\nMIME-Version: 1.0', 'a.txt', 'text'],
];

const OTHERS: readonly Case[] = [
  ['refuses no bytes', '', 'a.pdf', 'empty'],
  ['refuses white space', ' \r\n\t', 'a.txt', 'empty'],
  ['refuses a mark with nothing behind it', utf16(''), 'a.txt', 'empty'],
  ['refuses PNG', hex('89504e470d0a1a0a'), 'a.pdf', 'unsupported', /a PNG image; its name ends in .pdf/],
  ['refuses JPEG', hex('ffd8ffe0'), 'a.jpg', 'unsupported', /JPEG/],
  ['refuses programs', hex('7f454c46'), 'a', 'unsupported', /^The file is a program \(ELF\)$/],
  ['refuses Windows programs', hex('4d5a9000'), 'a.exe', 'unsupported', /Windows/],
  ['refuses gzip', hex('1f8b0800'), 'a.txt', 'unsupported', /gzip/],
  ['refuses DER signatures', hex('3082010006092a864886f70d010702'), 'a.p7s', 'unsupported', /digital signature/],
  ['refuses what it cannot name', hex('0001020304'), 'a.txt', 'unsupported', /unknown kind/],
  ['refuses mostly control characters', Buffer.from(`${'a'.repeat(94)}${'\x01'.repeat(6)}`), 'a.txt', 'unsupported'],
  ['accepts a few control characters', Buffer.from(`${'a'.repeat(95)}${'\x01'.repeat(5)}`), 'a.txt', 'text'],
];

for (const [title, bytes, filename, want, because = /^/] of [...PDFS, ...ARCHIVES, ...TEXTS, ...OTHERS]) {
  test(`sniff() ${title}`, () => {
    const sniffed = sniff(Buffer.from(bytes), filename);
    assert.equal(word(sniffed), want);
    if (sniffed.kind === 'known') assert.equal(sniffed.contentType, CONTENT_TYPES[sniffed.format]);
    else assert.match(sniffed.because, because);
  });
}

test('sniff() judges the view it is given, not the buffer behind it', () => {
  const behind = Buffer.from('%PDF-1.7 %PDF-1.7 hello');
  assert.equal(word(sniff(behind.subarray(18), 'a.txt')), 'text');
});

test('sniff() answers for any bytes under any name', () => {
  const starts = ['', '%PDF-', 'PK\x03\x04', 'PK\x05\x06', '<!--', '\xff\xfe', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'];
  fc.assert(
    fc.property(fc.constantFrom(...starts), fc.uint8Array({ maxLength: 300 }), fc.string(), (start, rest, name) => {
      const bytes = Buffer.concat([Buffer.from(start, 'latin1'), rest]);
      assert(['known', 'rejected'].includes(sniff(bytes, name).kind));
    }),
    { numRuns: 300 },
  );
});

test('sniff() takes linear time for comments without an end', () => {
  const costOf = (times: number): number => {
    const before = process.threadCpuUsage();
    for (const piece of ['<!---->', 'a: b\n']) sniff(Buffer.from(piece.repeat(times)), 'a');
    return process.threadCpuUsage(before).user / 1_000;
  };
  costOf(2_000);
  const [few, many] = [costOf(2_000), costOf(8_000)];
  assert(many < 10 * Math.max(few, 20), `${few} ms, then ${many} ms`);
});

const endings: readonly [string, string][] = [
  ['a.pdf', 'pdf'],
  ['a.tar.GZ', 'gz'],
  ['a', ''],
  ['.profile', 'profile'],
  ['a.', ''],
  ['a.b/c', ''],
];
for (const [name, want] of endings) {
  test(`extensionOf() of "${name}" is "${want}"`, () => assert.equal(extensionOf(name), want));
}
