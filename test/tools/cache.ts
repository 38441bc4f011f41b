/** Where the real programs are kept between runs, so that a fresh clone finds them again. */
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

export const TOOLS_FOLDER = join(
  process.env['BURNLINE_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'burnline'),
  'tools',
);

export type Found =
  | { readonly kind: 'found'; readonly where: string; readonly how: string }
  | { readonly kind: 'missing'; readonly why: string; readonly costs: string };

/** The folder, filled beside its place first: an interrupted run leaves none that is half full. */
export function makeFolderOf(target: string, fill: (draft: string) => void): string {
  mkdirSync(TOOLS_FOLDER, { recursive: true });
  const draft = mkdtempSync(`${target}.new-`);
  try {
    fill(draft);
    rmSync(target, { recursive: true, force: true });
    renameSync(draft, target);
    return target;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
