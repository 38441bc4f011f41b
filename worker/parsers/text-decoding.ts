/**
 * From bytes to text that everything behind can hold. The encoding is, in this order: a byte order mark, UTF-8 if it is
 * valid, what the document declares of itself, a guess. Text leaves here in NFC, without control characters (Postgres
 * refuses U+0000) and without lone surrogates.
 */
import { detect } from 'chardet';

export type Decoded =
  | { readonly kind: 'text'; readonly text: string; readonly encoding: string }
  | { readonly kind: 'binary'; readonly because: string };

/** Compressed or random bytes hold 11 % control bytes, other binary files more, text of any encoding next to none. */
const CONTROL_SHARE_MAX = 0.05;
/** Strays that even a short text may have, if they are not most of it. */
const STRAY_CONTROLS = 3;
const STRAY_SHARE_MAX = 0.2;
/** Guessing looks at this much: chardet's tables need some hundred letters, and its time grows with the size. */
const GUESS_SAMPLE = 64 * 1024;
/** WHATWG: what a page that declares nothing is, by old custom. */
const FALLBACK = 'windows-1252';

// All control characters but tab, line feed, form feed and carriage return; also noncharacters.
const CONTROLS = /[\u0000-\u0008\u000b\u000e-\u001f\u007f-\u009f\ufdd0-\ufdef\ufffe\uffff]/g;
const LINE_ENDS = /\r\n?|[\u0085\u2028]/g;
// Spaces that only differ in where a line may end, and marks that are not seen: a search is typed without them.
const SPACES = /[\u00a0\u2007\u202f]/g;
const UNSEEN = /[\u00ad\u2060\ufeff]/g;

/** @param declared an encoding's name that the document states (a meta element), used if the bytes are not UTF-8. */
export function decodeText(bytes: Uint8Array, declared?: string): Decoded {
  const { encoding, skip } = chooseEncoding(bytes, declared);
  const text = new TextDecoder(encoding).decode(bytes.subarray(skip));
  const controls = countControls(text);
  const share = controls / Math.max(1, text.length);
  if (share > (controls <= STRAY_CONTROLS ? STRAY_SHARE_MAX : CONTROL_SHARE_MAX)) {
    return { kind: 'binary', because: `${Math.round(share * 100)} % of it, read as ${encoding}, is no text` };
  }
  return { kind: 'text', text, encoding };
}

/** What may be stored and shown: see above. Line ends become line feeds; form feeds stay, they divide pages. */
export function cleanText(text: string): string {
  const tidy = text.replace(LINE_ENDS, '\n').replace(CONTROLS, '').replace(UNSEEN, '').replace(SPACES, ' ');
  return tidy.toWellFormed().normalize('NFC');
}

/** Whether there is anything to find: letters or digits of any script. */
export const hasWords = (text: string): boolean => /[\p{L}\p{N}]/u.test(text);

function chooseEncoding(bytes: Uint8Array, declared: string | undefined): { encoding: string; skip: number } {
  const [a, b, c] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) return { encoding: 'utf-8', skip: 3 };
  if (a === 0xff && b === 0xfe) return { encoding: 'utf-16le', skip: 2 };
  if (a === 0xfe && b === 0xff) return { encoding: 'utf-16be', skip: 2 };
  if (isUtf8(bytes)) return { encoding: 'utf-8', skip: 0 };
  return { encoding: known(declared) ?? known(detect(bytes.subarray(0, GUESS_SAMPLE))) ?? FALLBACK, skip: 0 };
}

/**
 * A character cut off at the end is allowed, because a sample or a truncated file ends anywhere; but not if it is the
 * only one, since "caf\xe9" is a whole word in windows-1252.
 */
function isUtf8(bytes: Uint8Array): boolean {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    const text = decoder.decode(bytes, { stream: true });
    const cutOff = new TextDecoder().decode(bytes.subarray(-3)).endsWith('\ufffd');
    return !cutOff || /[^\0-\x7f]/.test(text);
  } catch {
    return false;
  }
}

/** The WHATWG name of an encoding that Node can decode. A page in bytes that claims UTF-8 or UTF-16 is wrong by now. */
function known(label: string | null | undefined): string | undefined {
  if (!label) return undefined;
  try {
    const { encoding } = new TextDecoder(label);
    return encoding.startsWith('utf-') ? undefined : encoding;
  } catch {
    return undefined;
  }
}

/** Escape is none: ISO-2022-JP is written with it. */
function countControls(text: string): number {
  let count = 0;
  for (const [found] of text.matchAll(CONTROLS)) if (found < '\u007f' && found !== '\u001b') count++;
  return count;
}
