/** Where the project stands, and which versions it is made of. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PROJECT_ROOT = fileURLToPath(new URL('..', import.meta.url));

const version = (file: string): string => {
  const parsed = JSON.parse(readFileSync(file, 'utf8')) as { version?: string };
  return parsed.version ?? '0.0.0';
};

export const VERSION = version(join(PROJECT_ROOT, 'package.json'));

/** Of an installed package. Read from the file, since a package need not export its package.json. */
export const versionOf = (name: string): string => version(join(PROJECT_ROOT, 'node_modules', name, 'package.json'));
