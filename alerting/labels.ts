/**
 * Labels, and the fingerprint by which an alert is known again.
 *
 * Source of the fingerprint: prometheus/common model/signature.go. FNV-1a, 64 bit, over each name and value in the order
 * of the names, each followed by the byte 0xff, which no UTF-8 text holds.
 */
import { quote } from './quote.ts';

export type Labels = Readonly<Record<string, string>>;

const SEPARATOR = 0xff;
const encoder = new TextEncoder();

/** In the order of their bytes, which for UTF-8 is that of their code points; JavaScript's own order is not. */
export function sortedNames(labels: Labels): string[] {
  const names = Object.keys(labels);
  return names.every(isAscii) ? names.sort() : names.sort(byCodePoints);
}

export function byCodePoints(a: string, b: string): number {
  if (a === b) return 0;
  if (isAscii(a) && isAscii(b)) return a < b ? -1 : 1;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** @returns 16 hexadecimal digits. */
export function fingerprint(labels: Labels): string {
  let length = 0;
  for (const name of sortedNames(labels)) length = append(append(length, name), labels[name] ?? '');
  const bytes = written;
  let [high, low] = [0xcbf29ce4 | 0, 0x84222325 | 0];
  for (let i = 0; i < length; i++) {
    low ^= bytes[i] as number;
    // Times 2^40 + 0x1b3 in 32-bit integers: 64 bits do not fit into a number, and BigInt is ten times slower.
    const first = (low & 0xffff) * 0x1b3;
    const second = (low >>> 16) * 0x1b3 + (first >>> 16);
    high = (Math.imul(high, 0x1b3) + (second >>> 16) + (low << 8)) | 0;
    low = (second << 16) | (first & 0xffff);
  }
  return hex(high) + hex(low);
}

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0');

/** What is hashed, of one alert after the other. */
let written = new Uint8Array(4_096);

/** @returns where the next text goes. */
function append(from: number, text: string): number {
  const most = from + text.length * 3 + 1;
  if (most > written.length) {
    const larger = new Uint8Array(most * 2);
    larger.set(written.subarray(0, from));
    written = larger;
  }
  const bytes = written;
  let at = from;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) {
      at = from + encoder.encodeInto(text, bytes.subarray(from)).written;
      break;
    }
    bytes[at++] = code;
  }
  bytes[at] = SEPARATOR;
  return at + 1;
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** `{alertname="X", severity="critical"}`, as Go's model.LabelSet prints it: the tail of a group's key. */
export function labelsText(labels: Labels): string {
  return `{${sortedNames(labels)
    .map((name) => `${name}=${quote(labels[name] ?? '')}`)
    .join(', ')}}`;
}
