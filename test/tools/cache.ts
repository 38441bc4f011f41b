/** Where the real programs are kept between runs, so that a fresh clone finds them again. */
import { homedir } from 'node:os';
import { join } from 'node:path';

export const TOOLS_FOLDER = join(
  process.env['BURNLINE_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'burnline'),
  'tools',
);

export type Found =
  | { readonly kind: 'found'; readonly where: string; readonly how: string }
  | { readonly kind: 'missing'; readonly why: string; readonly costs: string };
