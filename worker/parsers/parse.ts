/**
 * From a document's bytes to pages of Markdown, in this process: for trusted files and for the child that `isolated.ts`
 * runs. Libraries are loaded by the first document that needs them.
 */
import { PARSE_LIMITS, type ParseLimits } from './limits.ts';
import { type LocalParse, reject } from './outcome.ts';
import type { Format } from './sniff.ts';
import { cleanText, hasWords } from './text-decoding.ts';

export type { LocalParse } from './outcome.ts';

type Parser = (bytes: Uint8Array, limits: ParseLimits) => LocalParse | Promise<LocalParse>;

const PARSERS = {
  pdf: async () => (await import('./pdf.ts')).parsePdf,
  docx: async () => (await import('./docx.ts')).parseDocx,
  html: async () => (await import('./html.ts')).parseHtml,
  markdown: async () => (await import('./text.ts')).parseMarkdown,
  text: async () => (await import('./text.ts')).parseText,
} as const satisfies Record<Format, () => Promise<Parser>>;

/** @param format what `sniff` found. Never throws for what the bytes hold. */
export async function parseLocally(
  bytes: Uint8Array,
  format: Format,
  limits: ParseLimits = PARSE_LIMITS,
): Promise<LocalParse> {
  if (bytes.length === 0) return reject('empty', 'The file has 0 bytes');
  const parser = await PARSERS[format]();
  return finish(await parser(bytes, limits), limits);
}

/** What holds for every format: clean text, not too much of it, and not none. */
function finish(found: LocalParse, limits: ParseLimits): LocalParse {
  if (found.kind === 'rejected') return { ...found, because: cleanText(found.because) };
  const pages = found.pages.map((page) => cleanText(page).trim());
  const size = pages.reduce((sum, page) => sum + Buffer.byteLength(page), 0);
  if (size > limits.output) return reject('too_large', `It holds ${size} bytes of text; ${limits.output} are allowed`);
  if (!pages.some(hasWords)) return reject('no_text', `No letter or digit on ${pages.length} page(s)`);
  return { kind: 'parsed', pages };
}
