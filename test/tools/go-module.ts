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

/** @throws what Go says. */
export function buildGo(draft: string, { version, module, sum, packages, complete }: GoProgram): void {
  if (spawnSync('go', ['version'], { stdio: 'ignore' }).status !== 0) throw new Error('Go is not there to build it');
  const options = { stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'], timeout: 15 * 60_000 };
  const outside = { ...options, cwd: draft, env: { ...process.env, GO111MODULE: 'on', GOFLAGS: '' } };
  const downloaded = z
    .object({ Dir: z.string(), Sum: z.literal(sum) })
    .parse(JSON.parse(execFileSync('go', ['mod', 'download', '-json', `${module}@v${version}`], outside).toString()));
  const source = join(draft, 'source');
  cpSync(downloaded.Dir, source, { recursive: true });
  // The cache of modules is for reading only, and so is its copy.
  for (const folder of ['', ...globSync('**/', { cwd: source })]) chmodSync(join(source, folder), 0o755);
  complete?.(source);
  const stamp = `-s -w -X github.com/prometheus/common/version.Version=${version}`;
  execFileSync('go', ['build', '-trimpath', '-mod=readonly', '-ldflags', stamp, '-o', `${draft}/`, ...packages], {
    ...options,
    cwd: source,
    env: { ...process.env, CGO_ENABLED: '0' },
    maxBuffer: 16 * 1024 * 1024,
  });
  rmSync(source, { recursive: true });
}
