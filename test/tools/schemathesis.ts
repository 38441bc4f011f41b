/** schemathesis, which throws requests made from an OpenAPI document at the server that serves it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Found, TOOLS_FOLDER } from './cache.ts';

const VERSION = '4.32.5';

export function findSchemathesis(): Found {
  const folder = join(TOOLS_FOLDER, `schemathesis-${VERSION}`);
  const where = join(folder, 'bin/schemathesis');
  try {
    if (!existsSync(join(folder, 'installed'))) {
      mkdirSync(TOOLS_FOLDER, { recursive: true });
      execFileSync('python3', ['-m', 'venv', '--clear', folder], { stdio: ['ignore', 'ignore', 'inherit'] });
      execFileSync(join(folder, 'bin/pip'), ['install', '-q', `schemathesis==${VERSION}`], {
        stdio: ['ignore', 'ignore', 'inherit'],
        timeout: 300_000,
      });
      mkdirSync(join(folder, 'installed'));
    }
    return { kind: 'found', where, how: `schemathesis ${VERSION}` };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { kind: 'missing', why, costs: 'the OpenAPI document is not fuzzed' };
  }
}
