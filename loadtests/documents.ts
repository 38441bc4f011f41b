/** What is sent: the project's own samples, each of which must end in a known way, or the files of somebody's folder. */
import { readdirSync, statSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault } from '#kernel/errors.ts';
import { type Bytes, mebibytes } from '#kernel/units.ts';
import { BAD_SAMPLES, GOOD_SAMPLES, SAMPLES_FOLDER } from '#samples/catalogue.ts';
import type { Expected, PlannedDocument } from './k6/plan.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.pdf': 'application/pdf',
  '.docx': 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  '.html': 'text/html',
  '.htm': 'text/html',
  '.md': 'text/markdown',
  '.txt': 'text/plain',
};
/** Of one file: what the service takes by default. */
const BYTES_MOST: Bytes = mebibytes(50);
/** Each is open in every virtual user. */
const FILES_MOST = 500;

/** @param from the folder that paths are told from; default: none, they are absolute. */
export function sampleDocuments(from?: string): PlannedDocument[] {
  const root = fileURLToPath(SAMPLES_FOLDER);
  const make = (folder: string, file: string, expected: Expected, words: string): PlannedDocument =>
    planned(join(root, folder, file), expected, words, from && `${from}/${folder}/${file}`);
  return [
    ...GOOD_SAMPLES.map(({ file, words }) => make('good', file, 'completed', words)),
    ...BAD_SAMPLES.map(({ file, code }) => make('bad', file, `rejected ${code}`, '')),
  ];
}

/** Every file of a folder and those in it. Nobody knows whether one of them is rejected by right, so it may be. */
export function folderDocuments(folder: string): PlannedDocument[] {
  const root = resolve(folder);
  if (!statSync(root, { throwIfNoEntry: false })?.isDirectory()) throw unfit(folder, 'it is no folder');
  const files = readdirSync(root, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  if (files.length === 0) throw unfit(folder, 'it holds no file');
  if (files.length > FILES_MOST) throw unfit(folder, `it holds ${files.length} files, the most is ${FILES_MOST}`);
  return files.map((file) => planned(file, 'any', ''));
}

function planned(file: string, expected: Expected, words: string, told = file): PlannedDocument {
  const { size } = statSync(file);
  if (size > BYTES_MOST) throw unfit(file, `it has ${size} bytes, the most is ${BYTES_MOST}`);
  const type = TYPES[extname(file).toLowerCase()] ?? 'application/octet-stream';
  return { path: told, name: file.slice(file.lastIndexOf('/') + 1), type, bytes: size, expected, words };
}

const unfit = (what: string, why: string): Fault => new Fault('documents_unfit', `Cannot send ${what}: ${why}`);
