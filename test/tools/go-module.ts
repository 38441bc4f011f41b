/** A program from its Go module's own source, with the dependencies that it pins itself. Nothing is installed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, globSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export type GoProgram = {
  /** Without the `v`. */
  readonly version: string;
  readonly module: string;
  /** Of the module's source, as go.sum has it. */
  readonly sum: string;
  readonly packages: readonly string[];
  /** What the source lacks, as it is published. */
  readonly complete?: (source: string) => void;
};

export type GoRun = { readonly cwd: string; readonly env?: NodeJS.ProcessEnv; readonly timeout?: number };

/** Says what is built, since it takes its time; undefined: that was said. @returns what Go answers. @throws what Go says, or that it is not there. */
export function go(
  what: string | undefined,
  args: readonly string[],
  { cwd, env = {}, timeout = 15 * 60_000 }: GoRun,
): string {
  if (what !== undefined) process.stdout.write(`building ${what}, which takes some minutes the first time\n`);
  return execFileSync('go', args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 16 * 1024 * 1024,
    timeout,
    encoding: 'utf8',
  });
}

/** @throws what Go says. */
export function buildGo(draft: string, { version, module, sum, packages, complete }: GoProgram): void {
  if (spawnSync('go', ['version'], { stdio: 'ignore' }).status !== 0) throw new Error('Go is not there to build it');
  const outside = { cwd: draft, env: { GO111MODULE: 'on', GOFLAGS: '' } };
  const downloaded = z
    .object({ Dir: z.string(), Sum: z.literal(sum) })
    .parse(JSON.parse(go(`${module} ${version}`, ['mod', 'download', '-json', `${module}@v${version}`], outside)));
  const source = join(draft, 'source');
  cpSync(downloaded.Dir, source, { recursive: true });
  // The cache of modules is for reading only, and so is its copy.
  for (const folder of ['', ...globSync('**/', { cwd: source })]) chmodSync(join(source, folder), 0o755);
  complete?.(source);
  const stamp = `-s -w -X github.com/prometheus/common/version.Version=${version}`;
  go(undefined, ['build', '-trimpath', '-mod=readonly', '-ldflags', stamp, '-o', `${draft}/`, ...packages], {
    cwd: source,
    env: { CGO_ENABLED: '0' },
  });
  rmSync(source, { recursive: true });
}
