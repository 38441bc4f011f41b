/** The files that the slo commands read: those named, those in folders named, or those that ship. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { decodeText, FILE_BYTES_MAX, tooLarge } from '#slo/openslo/decode.ts';
import { FILES_MAX, type ObjectiveFile } from '#slo/openslo/read.ts';
import type { Finding } from '#slo/openslo/report.ts';
import { PROJECT_ROOT } from './project.ts';

export const SHIPPED = join(PROJECT_ROOT, 'slo', 'objectives');

export type FilesRead =
  | { readonly kind: 'files'; readonly files: readonly ObjectiveFile[]; readonly faults: readonly Finding[] }
  /** The command line itself is wrong. */
  | { readonly kind: 'usage'; readonly message: string };

export function readFiles(paths: readonly string[]): FilesRead {
  const found: string[] = [];
  for (const path of paths.length === 0 ? [relative(process.cwd(), SHIPPED)] : paths) {
    const names = namesAt(path);
    if (typeof names === 'string') return { kind: 'usage', message: names };
    found.push(...names);
  }
  const distinct = [...new Set(found)];
  if (distinct.length > FILES_MAX)
    return { kind: 'usage', message: `${distinct.length} files, the most is ${FILES_MAX}` };
  const files: ObjectiveFile[] = [];
  const faults: Finding[] = [];
  for (const name of distinct) {
    const { size } = statSync(name);
    const decoded = size > FILE_BYTES_MAX ? undefined : decodeText(name, readFileSync(name));
    if (decoded === undefined) faults.push(tooLarge(name, size));
    else if (decoded.kind === 'fault') faults.push(decoded.fault);
    else files.push({ name, text: decoded.text });
  }
  return { kind: 'files', files, faults };
}

/** The files of a path, in order, or what is wrong with it. */
function namesAt(path: string): string[] | string {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return `there is no file or folder ${path}`;
  if (stats.isFile()) return [path];
  if (!stats.isDirectory()) return `${path} is neither a file nor a folder`;
  const names = readdirSync(path, { withFileTypes: true, recursive: true })
    .filter(({ name }) => /\.ya?ml$/.test(name))
    .map((entry) => join(entry.parentPath, entry.name))
    // A mounted ConfigMap is links into a folder whose name begins with two dots.
    .filter((name) => !/(?:^|\/)\.\.[^/]/.test(name.slice(path.length)) && statSync(name).isFile())
    .sort();
  return names.length === 0 ? `the folder ${path} holds no .yaml or .yml file` : names;
}
