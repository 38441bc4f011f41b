/** Plain text, and Markdown, which is what all other formats become. Both are decoded and kept as they were written. */
import type { ParseLimits } from './limits.ts';
import { type LocalParse, parsed, type Rejected, reject } from './outcome.ts';
import { decodeText } from './text-decoding.ts';

/** UTF-16 takes two bytes for what UTF-8 has in one; no encoding is longer. */
const BYTES_PER_OUTPUT = 2;

/** A form feed divides pages, as printers have it. */
export function parseText(bytes: Uint8Array, limits: ParseLimits): LocalParse {
  const text = readText(bytes, limits);
  return typeof text === 'string' ? parsed(text.split('\f')) : text;
}

export function parseMarkdown(bytes: Uint8Array, limits: ParseLimits): LocalParse {
  const text = readText(bytes, limits);
  return typeof text === 'string' ? parsed([text.replaceAll('\f', '\n')]) : text;
}

function readText(bytes: Uint8Array, limits: ParseLimits): string | Rejected {
  const most = limits.output * BYTES_PER_OUTPUT;
  if (bytes.length > most) return reject('too_large', `It is a text of ${bytes.length} bytes; ${most} are allowed`);
  const decoded = decodeText(bytes);
  if (decoded.kind === 'binary') return reject('unsupported', `The file is not text: ${decoded.because}`);
  return decoded.text;
}
