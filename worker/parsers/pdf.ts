/**
 * PDF by pdf.js. A page that cannot be read refuses the whole document: half a contract that looks complete is worse
 * than none. What pdf.js repairs by itself (a lost cross-reference table, say) is accepted.
 */
import { getResolvedPDFJS } from 'unpdf';
import { describe } from '#kernel/errors.ts';
import type { ParseLimits } from './limits.ts';
import { type LocalParse, parsed, type Rejected, reject } from './outcome.ts';
import { layOut, type TextPiece } from './pdf-layout.ts';

type Pdfjs = Awaited<ReturnType<typeof getResolvedPDFJS>>;
type PdfDocument = Awaited<ReturnType<Pdfjs['getDocument']>['promise']>;
type PdfPage = Awaited<ReturnType<PdfDocument['getPage']>>;

const OPTIONS = {
  verbosity: 0,
  useSystemFonts: true,
  disableFontFace: true,
  isEvalSupported: false,
  useWorkerFetch: false,
  useWasm: false,
  enableXfa: false,
  isOffscreenCanvasSupported: false,
  isImageDecoderSupported: false,
};

/** What pdf.js throws about a document; anything else is a fault of ours and stays one. */
const DOCUMENT_ERRORS = ['InvalidPDFException', 'FormatError', 'UnknownErrorException', 'XRefParseException'];

export async function parsePdf(bytes: Uint8Array, limits: ParseLimits): Promise<LocalParse> {
  const { getDocument } = await getResolvedPDFJS();
  const missing: string[] = [];
  // A copy, because pdf.js takes the bytes away from their owner.
  const data = new Uint8Array(bytes);
  const task = getDocument({ ...OPTIONS, data, BinaryDataFactory: noExtraData(missing) });
  try {
    const found = await readPages(await task.promise, limits);
    // pdf.js goes on without the font's text, and nobody would notice what is not there.
    if (missing.length === 0) return found;
    return reject('unsupported', `It uses a character map that is not built in: ${missing.join(', ')}`);
  } catch (error) {
    return refusalFor(error, 'It cannot be read as a PDF');
  } finally {
    await task.destroy();
  }
}

/** The character maps of Asian fonts that are not embedded would be separate files: notes which were asked for. */
function noExtraData(missing: string[]) {
  return function factory() {
    const fetch = ({ kind, filename }: { kind: string; filename: string }): Promise<never> => {
      if (kind === 'cMapUrl' && !missing.includes(filename)) missing.push(filename);
      return Promise.reject(new Error(`${filename} is not built in`));
    };
    return { fetch };
  };
}

async function readPages(document: PdfDocument, limits: ParseLimits): Promise<LocalParse> {
  const count = document.numPages;
  if (count > limits.pages) return reject('too_large', `It has ${count} pages; ${limits.pages} are allowed`);
  const pages: string[] = [];
  let size = 0;
  for (let number = 1; number <= count; number++) {
    try {
      const text = await readPage(await document.getPage(number));
      size += Buffer.byteLength(text);
      pages.push(text);
    } catch (error) {
      return refusalFor(error, `Page ${number} of ${count} cannot be read`);
    }
    if (size > limits.output) return reject('too_large', `Pages 1 to ${number} hold ${size} bytes of text already`);
  }
  return parsed(pages);
}

async function readPage(page: PdfPage): Promise<string> {
  const { items } = await page.getTextContent();
  const text = layOut(items.flatMap((item) => ('str' in item ? [pieceOf(item)] : [])));
  const filledIn = await formFields(page);
  page.cleanup();
  return filledIn === '' ? text : `${text}\n\n${filledIn}`;
}

function pieceOf(item: {
  str: string;
  transform: unknown[];
  width: number;
  height: number;
  hasEOL: boolean;
}): TextPiece {
  const [, , , , x, y] = item.transform;
  return { text: item.str, x: Number(x), y: Number(y), width: item.width, height: item.height, endsLine: item.hasEOL };
}

/** What somebody typed into a form is no part of a page's text. */
async function formFields(page: PdfPage): Promise<string> {
  const annotations = (await page.getAnnotations()) as readonly Record<string, unknown>[];
  const values = annotations
    .filter(
      (annotation) => annotation['subtype'] === 'Widget' && annotation['fieldType'] !== 'Sig' && !annotation['hidden'],
    )
    .map(({ fieldValue }) => (Array.isArray(fieldValue) ? fieldValue.join(', ') : fieldValue));
  return values.filter((value) => typeof value === 'string' && value.trim() !== '' && value !== 'Off').join('\n');
}

/** By name: the library does not export its error classes for `instanceof`. */
function refusalFor(error: unknown, what: string): Rejected {
  const name = error instanceof Error ? error.name : '';
  if (name === 'PasswordException') return reject('encrypted', 'It can be opened with a password only');
  if (DOCUMENT_ERRORS.includes(name)) return reject('damaged', `${what}: ${describe(error)}`);
  throw error;
}
