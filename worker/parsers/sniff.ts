/**
 * What a file is, by its content. The name is believed in one matter only: which of the kinds of text a text is.
 * Pure and cheap: it looks at the head and, of archives, at the directory; whether the rest can be read is for `parse.ts`.
 */
import {
  isCompoundFile,
  looksLikeHtml,
  nameOfArchive,
  nameOfBinary,
  nameOfCompoundFile,
  nameOfTextKind,
} from './magic.ts';
import type { RejectionCode } from './rejections.ts';
import { decodeText } from './text-decoding.ts';
import { isZip, readZipDirectory } from './zip-directory.ts';

export const CONTENT_TYPES = {
  pdf: 'application/pdf',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  html: 'text/html',
  markdown: 'text/markdown',
  text: 'text/plain',
} as const;

export type Format = keyof typeof CONTENT_TYPES;

export type Sniffed =
  | { readonly kind: 'known'; readonly format: Format; readonly contentType: string }
  /** `because` says what the file really is, for the user to read behind the code's own message. */
  | { readonly kind: 'rejected'; readonly code: RejectionCode; readonly because: string };

/** Enough to tell text from other data, and to find the first element of a page behind comments. */
const HEAD = 64 * 1024;
/** Readers accept junk before the header: PDF 1.7 reference, appendix H, implementation note 13. */
const PDF_HEADER_WITHIN = 1024;

const TEXT_NAMES: Readonly<Record<string, Format>> = {
  html: 'html',
  htm: 'html',
  xhtml: 'html',
  md: 'markdown',
  markdown: 'markdown',
  txt: 'text',
  text: 'text',
};

export function sniff(bytes: Uint8Array, filename: string): Sniffed {
  const extension = extensionOf(filename);
  if (bytes.length === 0) return rejected('empty', 'The file has 0 bytes');
  if (isZip(bytes)) return sniffArchive(bytes, extension);
  if (isCompoundFile(bytes)) {
    const { name, encrypted } = nameOfCompoundFile(bytes);
    return rejected(encrypted ? 'encrypted' : 'unsupported', whatItIs(name, extension));
  }
  const head = bytes.subarray(0, HEAD);
  if (hasPdfHeader(head)) return known('pdf');
  const decoded = decodeText(head);
  if (decoded.kind === 'binary') return rejected('unsupported', whatItIs(nameOfBinary(head), extension));
  return sniffText(decoded.text, extension);
}

/** The name's last part in lower case, without the dot; '' when there is none. */
export function extensionOf(filename: string): string {
  return /\.([A-Za-z0-9]{1,10})\s*$/.exec(filename)?.[1]?.toLowerCase() ?? '';
}

function sniffArchive(bytes: Uint8Array, extension: string): Sniffed {
  const directory = readZipDirectory(bytes);
  const names = directory.entries.map((entry) => entry.name);
  const other = nameOfArchive(names, Buffer.from(bytes.subarray(0, 200)).toString('latin1'));
  // A cut-off archive may have lost the names that tell; what it calls itself is the best that is left.
  const lost = directory.kind === 'damaged' && other === 'a ZIP archive' && extension === 'docx';
  if (other !== undefined && !lost) return rejected('unsupported', whatItIs(other, extension));
  return directory.entries.some((entry) => entry.encrypted)
    ? rejected('encrypted', 'The document is packed with a password')
    : known('docx');
}

function sniffText(text: string, extension: string): Sniffed {
  if (text.trim() === '') return rejected('empty', 'The file holds nothing but white space');
  const other = nameOfTextKind(text);
  if (other !== undefined) return rejected('unsupported', whatItIs(other, extension));
  const html = looksLikeHtml(text);
  // A login page saved as report.pdf is a common accident; its text is not what anybody meant to upload.
  if (extension === 'pdf' || extension === 'docx') {
    return rejected('damaged', whatItIs(html ? 'an HTML page' : 'plain text', extension));
  }
  return known(TEXT_NAMES[extension] ?? (html ? 'html' : 'text'));
}

/** Behind junk the header alone proves nothing: a text may speak of it. An object must follow. */
function hasPdfHeader(head: Uint8Array): boolean {
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('latin1');
  if (text.startsWith('%PDF-')) return true;
  const at = text.slice(0, PDF_HEADER_WITHIN + '%PDF-1'.length).search(/%PDF-\d/);
  return at > 0 && /(?:^|\s)\d{1,10} \d{1,5} obj\b/.test(text.slice(at));
}

const known = (format: Format): Sniffed => ({ kind: 'known', format, contentType: CONTENT_TYPES[format] });
const rejected = (code: RejectionCode, because: string): Sniffed => ({ kind: 'rejected', code, because });

function whatItIs(name: string, extension: string): string {
  return extension === '' ? `The file is ${name}` : `The file is ${name}; its name ends in .${extension}`;
}
