/** Plain text. A form feed divides pages, as printers have it. */
import { type LocalParse, parsed, reject } from './outcome.ts';
import { decodeText } from './text-decoding.ts';

export function parseText(bytes: Uint8Array): LocalParse {
  const decoded = decodeText(bytes);
  if (decoded.kind === 'binary') return reject('unsupported', `The file is not text: ${decoded.because}`);
  return parsed(decoded.text.split('\f'));
}
