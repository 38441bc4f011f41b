/**
 * An OpenAPI document held against its server: which routes there are, and what schemathesis finds, which makes requests
 * from it, right ones and wrong ones. TEST_SEED and TEST_EXAMPLES change what it tries.
 */
import { spawn } from 'node:child_process';
import type { App } from '#serving/app.ts';
import { removeFolder, temporaryFolder } from './stack.ts';

export const TOOL = process.env['TEST_TOOL_SCHEMATHESIS'];
export const SEED = process.env['TEST_SEED'] ?? '1';
export const EXAMPLES = process.env['TEST_EXAMPLES'] ?? '30';

/**
 * Fastify's own list: a tree of lines such as "│   └── :id (GET, HEAD)", four characters a level, cut where names part.
 * (Its tree of whole names leaves out what stands before a star.)
 */
export function registeredRoutes(app: App): string[] {
  const above: string[] = [];
  const found: string[] = [];
  for (const line of app.printRoutes().split('\n')) {
    const [, indent = '', part = '', methods = ''] = /^([│ ]*)[├└]── (\S+)(?: \(([A-Z, ]+)\))?/.exec(line) ?? [];
    const depth = indent.length / 4;
    above.splice(depth, above.length, part);
    const path = above.join('').replace(/:(\w+)/g, '{$1}');
    const known = methods.split(', ').filter((method) => method !== '' && method !== 'HEAD');
    found.push(...known.map((method) => `${method.toLowerCase()} ${path}`));
  }
  return found;
}

export async function schemathesis(
  api: string,
  /** Checks that ask for what this API does not mean to do. */
  notMeant: readonly string[],
  /** Answers that do not end by themselves. */
  endless: readonly string[] = [],
): Promise<{ code: number | null; output: string }> {
  const args = ['run', `${api}/openapi.json`, '--no-color', '--checks', 'all', '--exclude-checks', notMeant.join(',')];
  const data = ['--seed', SEED, '--max-examples', EXAMPLES, '--generation-database', 'none', '--warnings', 'off'];
  // A wrong credential is refused, and enough of them are held back: that is not what is looked at here.
  const more = ['--generation-with-security-parameters', 'false', '--continue-on-failure', '--request-timeout', '20'];
  // It keeps notes where it is run.
  const cwd = temporaryFolder();
  const without = endless.flatMap((path) => ['--exclude-path', path]);
  const child = spawn(TOOL ?? '', [...args, ...data, ...more, ...without], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 270_000,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (output += String(piece)));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  removeFolder(cwd);
  return { code, output };
}
