/** Text that strangers wrote, made fit for a channel: cleaned, cut, escaped. Pure. */
import { type Milliseconds, milliseconds, type Seconds, seconds } from '#kernel/units.ts';
import { duration } from '#slo/verdict.ts';

const LONGEST_LINK = 2_000;
const LATEST_DATE = 8_640_000_000_000_000;

/** On one line; without control characters, and without those that make a reader see another order than is written. */
export const oneLine = (text: string): string => block(text).replace(/\s+/g, ' ').trim();

/** The same with its line breaks. */
export function block(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    .replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, ' ')
    .replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '')
    .trim();
}

/**
 * At most `most` long, an ellipsis where something is missing, never half a character.
 *
 * @param lengthOf of one character in the channel's eyes: escaped, or in bytes.
 */
export function cut(text: string, most: number, lengthOf: (char: string) => number = utf16): string {
  let length = 0;
  let end = 0;
  let fits = 0;
  for (const char of text) {
    length += lengthOf(char);
    if (length > most) return `${text.slice(0, fits).trimEnd()}…`;
    end += char.length;
    if (length + lengthOf('…') <= most) fits = end;
  }
  return text;
}
const utf16 = (char: string): number => char.length;
/** Inside a JSON string. */
export const jsonBytes = (char: string): number => Buffer.byteLength(JSON.stringify(char)) - 2;

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

/** `2026-11-25 22:13:30 UTC`. */
export function time(at: Milliseconds): string {
  if (!(Math.abs(at) <= LATEST_DATE)) return 'an unknown time';
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** With how long ago, or how soon. */
export function timeFrom(at: Milliseconds, now: Milliseconds): string {
  if (!(Math.abs(at) <= LATEST_DATE)) return time(at);
  const away = spanText(milliseconds(Math.abs(now - at)));
  return at > now ? `${time(at)} (in ${away})` : `${time(at)} (${away} ago)`;
}

export const spanText = (span: Milliseconds): string => duration(wholeSeconds(span));
const wholeSeconds = (span: Milliseconds): Seconds => seconds(Math.round(span / 1_000));

/** What leads to a page; undefined for all else, as `javascript:`. */
export function safeLink(url: string | undefined): string | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const { href, protocol } = new URL(url);
  return (protocol === 'http:' || protocol === 'https:') && href.length <= LONGEST_LINK ? href : undefined;
}

/** ISO 8601, for programs. */
export const stamp = (at: Milliseconds): string => new Date(Math.abs(at) <= LATEST_DATE ? at : 0).toISOString();
