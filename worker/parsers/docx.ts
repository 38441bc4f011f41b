/**
 * Word documents. The archive's directory is read first: a cut-off file, a password and a bomb are told apart before
 * anything is unpacked. What a lying directory unpacks to is held by the memory limit of `isolated.ts`.
 */
import mammoth from 'mammoth';
import { describe } from '#kernel/errors.ts';
import { htmlToMarkdown } from './html-to-markdown.ts';
import type { ParseLimits } from './limits.ts';
import { type LocalParse, parsed, type Rejected, reject } from './outcome.ts';
import { readZipDirectory, type ZipEntry } from './zip-directory.ts';

export async function parseDocx(bytes: Uint8Array, limits: ParseLimits): Promise<LocalParse> {
  const refusal = checkArchive(bytes, limits);
  if (refusal) return refusal;
  try {
    const { value } = await mammoth.convertToHtml({ buffer: Buffer.from(bytes) }, OPTIONS);
    return parsed([htmlToMarkdown(value).markdown]);
  } catch (error) {
    return reject('damaged', `It cannot be read as a Word document: ${describe(error)}`);
  }
}

/** Pictures are not read: their bytes would become base64 in the HTML and be dropped behind it. */
const OPTIONS = {
  convertImage: mammoth.images.imgElement(() => Promise.resolve({ src: '' })),
  externalFileAccess: false,
};

function checkArchive(bytes: Uint8Array, limits: ParseLimits): Rejected | undefined {
  const directory = readZipDirectory(bytes);
  if (directory.kind === 'damaged') return reject('damaged', directory.because);
  if (directory.entries.some((entry) => entry.encrypted)) return reject('encrypted', 'It is packed with a password');
  const sizes = { unpacked: sizeOf(directory.entries), markup: sizeOf(directory.entries.filter(isRead)) };
  for (const name of ['unpacked', 'markup'] as const) {
    if (sizes[name] <= limits[name]) continue;
    const what = name === 'markup' ? 'text and formatting' : 'data';
    return reject('too_large', `It unpacks to ${sizes[name]} bytes of ${what}; ${limits[name]} are allowed`);
  }
  return undefined;
}

const sizeOf = (entries: readonly ZipEntry[]): number => entries.reduce((sum, { unpacked }) => sum + unpacked, 0);
const isRead = ({ name }: ZipEntry): boolean => /^word\/(?!stylesWithEffects)[^/]+\.xml$/.test(name);
