/** Markdown is what all others become: it is decoded and kept as its author wrote it. */
import { type LocalParse, parsed, reject } from './outcome.ts';
import { decodeText } from './text-decoding.ts';

export function parseMarkdown(bytes: Uint8Array): LocalParse {
  const decoded = decodeText(bytes);
  if (decoded.kind === 'binary') return reject('unsupported', `The file is not text: ${decoded.because}`);
  return parsed([decoded.text.replaceAll('\f', '\n')]);
}
