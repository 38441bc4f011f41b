/**
 * Labels, and the fingerprint by which an alert is known again.
 *
 * Source of the fingerprint: prometheus/common model/signature.go. FNV-1a, 64 bit, over each name and value in the order
 * of the names, each followed by the byte 0xff, which no UTF-8 text holds.
 */
import { quote } from './quote.ts';

export type Labels = Readonly<Record<string, string>>;

const OFFSET = [0xcbf2, 0x9ce4, 0x8422, 0x2325] as const;
const SEPARATOR = 0xff;
const encoder = new TextEncoder();

/** In the order of their bytes, which for UTF-8 is that of their code points; JavaScript's own order is not. */
export function sortedNames(labels: Labels): string[] {
  return Object.keys(labels).sort(byCodePoints);
}

export function byCodePoints(a: string, b: string): number {
  if (a === b) return 0;
  if (isAscii(a) && isAscii(b)) return a < b ? -1 : 1;
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** @returns 16 hexadecimal digits. */
export function fingerprint(labels: Labels): string {
  let [a, b, c, d]: [number, number, number, number] = [...OFFSET];
  const eat = (byte: number): void => {
    d ^= byte;
    // Times 0x100000001b3, in four words of 16 bits: 64 bits do not fit into a number, and BigInt is ten times slower.
    const d1 = d * 0x1b3;
    const c1 = c * 0x1b3 + (d1 >>> 16);
    const b1 = b * 0x1b3 + ((d << 8) >>> 0) + (c1 >>> 16);
    const a1 = a * 0x1b3 + ((c << 8) >>> 0) + Math.floor(b1 / 65_536);
    [a, b, c, d] = [a1 & 0xffff, b1 & 0xffff, c1 & 0xffff, d1 & 0xffff];
  };
  const eatText = (text: string): void => {
    if (isAscii(text)) for (let i = 0; i < text.length; i++) eat(text.charCodeAt(i));
    else for (const byte of encoder.encode(text)) eat(byte);
    eat(SEPARATOR);
  };
  for (const name of sortedNames(labels)) {
    eatText(name);
    eatText(labels[name] ?? '');
  }
  return [a, b, c, d].map((word) => word.toString(16).padStart(4, '0')).join('');
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
