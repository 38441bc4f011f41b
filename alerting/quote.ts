/**
 * Texts in double quotes as Go writes and reads them: Alertmanager's matchers and group keys are made of them, and JSON's
 * quotes differ in what is escaped and how.
 *
 * Source: https://pkg.go.dev/strconv#Quote and https://go.dev/ref/spec#String_literals
 */
const NAMED: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
};
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

export function quote(text: string): string {
  if (/^[\w .:/@=+*()|?^$%-]*$/.test(text)) return `"${text}"`;
  return `"${Array.from(text.toWellFormed(), quoteOne).join('')}"`;
}

function quoteOne(character: string): string {
  const named = NAMED[character];
  if (named !== undefined) return named;
  if (PRINTABLE.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  const hex = (digits: number): string => code.toString(16).padStart(digits, '0');
  if (code < 0x20 || code === 0x7f) return `\\x${hex(2)}`;
  return code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`;
}

const ESCAPE =
  /\\(?:([abfnrtv\\"])|x([0-9a-fA-F]{2})|([0-3][0-7]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))|([^\\\n"]+)|(.)/gs;
const MEANT: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(NAMED).map(([character, written]) => [written.slice(1), character]),
);
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @returns undefined when it is no such text, or not UTF-8: `\xf0` is a byte, not a character. */
export function unquote(quoted: string): string | undefined {
  const bytes: Uint8Array[] = [];
  for (const [, named, hex, octal, short, long, plain, wrong] of quoted.slice(1, -1).matchAll(ESCAPE)) {
    if (wrong !== undefined) return undefined;
    const byte = hex === undefined ? octal && Number.parseInt(octal, 8) : Number.parseInt(hex, 16);
    if (typeof byte === 'number') {
      bytes.push(Uint8Array.of(byte));
      continue;
    }
    const code = short ?? long;
    const text = code === undefined ? (plain ?? MEANT[named ?? '']) : character(Number.parseInt(code, 16));
    if (text?.isWellFormed() !== true) return undefined;
    bytes.push(encoder.encode(text));
  }
  try {
    return decoder.decode(Buffer.concat(bytes));
  } catch {
    return undefined;
  }
}

const character = (code: number): string | undefined => (code > 0x10ffff ? undefined : String.fromCodePoint(code));
