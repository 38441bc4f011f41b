/** From a file's bytes to its text, or why there is none. */
import { type Bytes, mebibytes } from '#kernel/units.ts';
import type { Finding } from './report.ts';

/** As many bytes as tree.ts takes characters. */
export const FILE_BYTES_MAX: Bytes = mebibytes(8);

export type Decoded =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'fault'; readonly fault: Finding };

export const tooLarge = (file: string, bytes: number): Finding => ({
  file,
  line: 1,
  column: 1,
  message: `has ${bytes} bytes, the most is ${FILE_BYTES_MAX}: split it, objectives may stand in any number of files`,
});

/** @param file what people call it. */
export function decodeText(file: string, bytes: Uint8Array): Decoded {
  if (bytes.length > FILE_BYTES_MAX) return { kind: 'fault', fault: tooLarge(file, bytes.length) };
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (utf16) return { kind: 'fault', fault: { file, line: 1, column: 1, message: 'is UTF-16: save it as UTF-8' } };
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    const { line, column, byte } = firstForeign(bytes);
    const found = `has the byte 0x${byte.toString(16).padStart(2, '0')}, which is not UTF-8 here`;
    return { kind: 'fault', fault: { file, line, column, message: `${found}: save it as UTF-8` } };
  }
}

/** The first character that is none: what is before it is the longest text that decodes whole, found by halving. */
function firstForeign(bytes: Uint8Array): { line: number; column: number; byte: number } {
  let good = 0;
  let bad = bytes.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (prefix(bytes.subarray(0, middle)) === undefined) bad = middle;
    else good = middle;
  }
  const before = prefix(bytes.subarray(0, good)) ?? '';
  const lines = before.split('\n');
  const byte = bytes[new TextEncoder().encode(before).length] ?? 0;
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1, byte };
}

/** The whole characters of bytes that may end in the middle of one. */
function prefix(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true });
  } catch {
    return undefined;
  }
}
