/**
 * The uploads of a crash test: a few kinds of document, each upload with a number of its own in every section, so that its
 * bytes are found again at the vendor (by sha256) and its text in the chunks. The number has always six digits, which the
 * tokenizer cuts in the same way: two uploads of a kind are chunked alike, and differ in nothing but the number.
 */
import { createHash } from 'node:crypto';
import { seededRandom } from '#kernel/random.ts';

export const KINDS = ['note', 'log', 'page', 'report', 'long', 'bulky', 'drawing'] as const;
export type Kind = (typeof KINDS)[number];
/** `drawing` has no text to find. */
export const REJECTED_KINDS: readonly Kind[] = ['drawing'];

export type Made = {
  readonly kind: Kind;
  readonly marker: string;
  readonly name: string;
  readonly bytes: Buffer;
  readonly sha256: string;
};

const DIGITS = 6;
/** Stands in the templates, and in what the undisturbed run of each kind gives. */
export const PLACEHOLDER = '0'.repeat(DIGITS);
/** More than two pieces of 1 MiB, so that a part of it is stored before the whole has come. */
const BULK_BYTES = 2_600_000;
/** A text of this many sections of 2 to 3 chunks is cut in a thread, embedded in two batches and stored in several. */
const LONG_SECTIONS = 60;

const WORDS =
  `account answer apple archive autumn bearing bridge button canal carrier centre chapter circle clause column
  copper counter cover credit current delay depot detail district document door draft edge engine entry error evening
  factor ferry field figure filter finger forest frame garden gate glass grain handle harbour height index island item
  journey kettle label ladder lamp lantern layer ledger letter level limit line machine margin marker market meadow meter
  mirror model morning motor needle notice number office orchard order oxygen paper parcel pattern pencil permit picture
  pier plan pocket point portal process pump quarter rail record region relay report river road roof salt sample section
  sensor shelf signal silver slope station stone storm street supply surface switch table ticket timber tower track
  traffic tunnel valley valve vessel village wagon warehouse water wheel window winter wire wood yard`.split(/\s+/);

/** Sentences that are the same in every run. */
function prose(seed: number, sentences: number): string {
  const random = seededRandom(seed);
  const word = () => WORDS[Math.floor(random.next() * WORDS.length)] ?? 'word';
  return Array.from({ length: sentences }, () => {
    const words = Array.from({ length: 8 + Math.floor(random.next() * 8) }, word).join(' ');
    return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
  }).join(' ');
}

const section = (n: number, sentences: number): string =>
  `## Section ${n} of upload ${PLACEHOLDER}\n\nThis belongs to upload ${PLACEHOLDER}. ${prose(n, sentences)}\n`;
const sections = (from: number, count: number, sentences: number): string =>
  Array.from({ length: count }, (_, i) => section(from + i, sentences)).join('\n');

const TEMPLATES: Readonly<Record<Kind, { readonly name: string; readonly text: string }>> = {
  note: { name: 'note.md', text: `# Note ${PLACEHOLDER}\n\n${prose(1, 12)}\n` },
  log: {
    name: 'log.txt',
    text: Array.from({ length: 40 }, (_, i) => `upload ${PLACEHOLDER} line ${i}: ${prose(100 + i, 1)}`).join('\n'),
  },
  page: {
    name: 'page.html',
    text: `<!doctype html><title>Page</title><h1>Page of upload ${PLACEHOLDER}</h1><p>${prose(2, 25)}</p>`,
  },
  report: { name: 'report.md', text: `# Report ${PLACEHOLDER}\n\n${sections(200, 8, 30)}` },
  long: { name: 'long.md', text: `# Long report ${PLACEHOLDER}\n\n${sections(300, LONG_SECTIONS, 45)}` },
  bulky: {
    name: 'bulky.html',
    text: `<!doctype html><!-- ${'x'.repeat(BULK_BYTES)} --><h1>Upload ${PLACEHOLDER}</h1><p>${prose(3, 10)}</p>`,
  },
  drawing: {
    name: 'drawing.html',
    text: `<!doctype html><!-- upload ${PLACEHOLDER} --><svg width="9" height="9"></svg>`,
  },
};

export function makeDocument(kind: Kind, number: number): Made {
  const marker = String(number).padStart(DIGITS, '0');
  if (marker.length > DIGITS) throw new RangeError(`Cannot number an upload ${number}: the most is ${DIGITS} digits`);
  const { name, text } = TEMPLATES[kind];
  const bytes = Buffer.from(text.replaceAll(PLACEHOLDER, marker), 'utf8');
  return { kind, marker, name, bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}
