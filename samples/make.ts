/**
 * Writes the sample documents: `node samples/make.ts [FOLDER]`. The same bytes every time; `make.test.ts` compares them
 * with the ones that are committed.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { seededRandom } from '#kernel/random.ts';
import { SAMPLES_FOLDER } from './catalogue.ts';
import { makeDocx } from './make-docx.ts';
import { makeDrawing, makePdf } from './make-pdf.ts';
import { encode, makeHtml, makeMarkdown, makePlain } from './make-text.ts';
import * as asian from './texts/asian.ts';
import * as english from './texts/english.ts';
import * as european from './texts/european.ts';
import { zip } from './zip.ts';

type Files = Readonly<Record<string, Buffer | string>>;

async function goodFiles(): Promise<Files> {
  return {
    'invoice.pdf': await makePdf(english.INVOICE),
    'discharge-instructions.pdf': await makePdf(english.DISCHARGE),
    'lease-summary.pdf': await makePdf(english.LEASE),
    'travel-policy-restricted.pdf': await makePdf(english.TRAVEL_POLICY, { ownerPassword: 'owner' }),
    'registration-form.pdf': await makePdf(english.REGISTRATION, { fields: english.REGISTRATION_FIELDS }),
    'mietvertrag.pdf': await makePdf(european.MIETVERTRAG),
    'proces-verbal.pdf': await makePdf(european.PROCES_VERBAL),
    'ficha-de-seguridad.pdf': await makePdf(european.SEGURIDAD),
    'minutes.docx': await makeDocx(english.MINUTES),
    'arbeitsanweisung.docx': await makeDocx(european.ARBEITSANWEISUNG),
    'symvasi.docx': await makeDocx(european.GREEK),
    'protokol.docx': await makeDocx(european.RUSSIAN),
    'aqd-ijar.docx': await makeDocx(asian.ARABIC, true),
    'runbook.md': makeMarkdown(english.RUNBOOK),
    'release-notes.md': makeMarkdown(asian.JAPANESE_NOTES),
    'notice.md': makeMarkdown(asian.CHINESE),
    'product-page.html': makeHtml(english.PRODUCT_PAGE, 'en', 'utf-8'),
    'horaires.html': encode(makeHtml(european.HORAIRES, 'fr', 'windows-1252'), 'windows-1252'),
    'warranty.html': encode(makeHtml(asian.JAPANESE_WARRANTY, 'ja', 'shift_jis'), 'shift_jis'),
    'shift-handover.txt': makePlain(english.HANDOVER),
    'wartung.txt': encode(makePlain(european.WARTUNG), 'windows-1252'),
    'notas-cocina.txt': Buffer.from(`\ufeff${makePlain(european.COCINA)}`, 'utf16le'),
    'obyavlenie.txt': encode(makePlain(european.RUSSIAN_NOTICE), 'windows-1251'),
    'inventory.txt': makePlain(asian.KOREAN),
  };
}

async function badFiles(): Promise<Files> {
  const pdf = await makePdf(english.INVOICE);
  const docx = await makeDocx(english.MINUTES);
  return {
    'empty.pdf': '',
    'password-protected.pdf': await makePdf(english.LEASE, { userPassword: 'open', ownerPassword: 'owner' }),
    'truncated.pdf': pdf.subarray(0, pdf.length / 2),
    'truncated.docx': docx.subarray(0, docx.length / 2),
    'drawing-only.pdf': await makeDrawing(),
    'firmware.bin': Buffer.from(seededRandom(4).bytes(4096)),
    'workbook-named.pdf': zip([
      { name: '[Content_Types].xml', content: '<Types/>' },
      { name: 'xl/workbook.xml', content: '<workbook/>' },
    ]),
  };
}

/** @param folder what is in it before is removed. */
export async function makeSamples(folder: URL): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  for (const [kind, files] of [
    ['good', await goodFiles()],
    ['bad', await badFiles()],
  ] as const) {
    await mkdir(new URL(`${kind}/`, folder), { recursive: true });
    for (const [name, content] of Object.entries(files)) await writeFile(new URL(`${kind}/${name}`, folder), content);
  }
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  await makeSamples(folder === undefined ? SAMPLES_FOLDER : pathToFileURL(`${folder}/`));
}
