/**
 * A new PGlite folder costs 6 s of initdb; a copy of one that is already initialised, a fraction. The image is a plain
 * folder in the user's cache, made once for each version of the engine and the schema, under a temporary name first, so
 * that a crash leaves no half image behind.
 */
import {
  closeSync,
  cpSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Fault } from './errors.ts';

/** Makes `folder` a copy of the image, if there is no folder yet. @returns what was done. */
export async function prepareFolder(
  folder: string,
  image: string,
  build: (folder: string) => Promise<void>,
): Promise<'kept' | 'copied' | 'built'> {
  if (existsSync(folder)) return 'kept';
  const built = await ensureImage(image, build);
  mkdirSync(dirname(folder), { recursive: true });
  const draft = mkdtempSync(`${folder}.new-`);
  cpSync(image, draft, { recursive: true });
  syncTree(draft);
  try {
    renameSync(draft, folder);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
    return 'kept';
  }
  return built ? 'built' : 'copied';
}

/** @returns true when it had to be built. @throws whatever `build` throws; nothing is left then. */
export async function ensureImage(image: string, build: (folder: string) => Promise<void>): Promise<boolean> {
  if (existsSync(image)) return false;
  mkdirSync(dirname(image), { recursive: true });
  const work = mkdtempSync(`${image}.new-`);
  try {
    const draft = join(work, 'data');
    await build(draft);
    renameSync(draft, image);
  } catch (error) {
    // Somebody else's image is as good as ours.
    if (!existsSync(image)) throw error as Fault;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return true;
}

/**
 * What is committed later goes to the disk through the log; the files it starts from must be there before. Without this a
 * power cut soon after the first start could leave acknowledged rows on top of an empty base.
 */
function syncTree(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    syncPath(join(entry.parentPath, entry.name));
  }
  syncPath(folder);
}

function syncPath(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
