/** How a real program is looked for: named, on PATH, or made into the cache by the ways that there are for it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from '#kernel/errors.ts';
import { type Found, makeFolderOf } from './cache.ts';

export type Wanted = {
  /** `BURNLINE_TOOL_<PROGRAM>` may name another. */
  readonly program: string;
  /** Major and minor. */
  readonly oldest: readonly [number, number];
  /** What is not tested without it. */
  readonly costs: string;
  /** Each answers the folder that holds it, or throws why not; tried in this order. */
  readonly ways: readonly (() => string)[];
};

const REASON_MOST = 500;

export function findProgram({ program, oldest, costs, ways }: Wanted): Found {
  const missing = (why: string): Found => ({ kind: 'missing', why, costs });
  const named = process.env[`BURNLINE_TOOL_${program.toUpperCase()}`];
  const version = versionOf(named ?? program);
  if (isNewEnough(version, oldest)) {
    const how = `${program} ${version}, ${named === undefined ? 'on PATH' : 'named'}`;
    return { kind: 'found', where: named ?? program, how };
  }
  if (named !== undefined) {
    return missing(`${named} is ${version ?? 'not there'}, wanted is ${oldest.join('.')} or later`);
  }
  const reasons: string[] = [];
  for (const way of ways) {
    try {
      const where = join(way(), program);
      return { kind: 'found', where, how: `${program} ${versionOf(where)}` };
    } catch (error) {
      // A program's own words come last, after all that it said on the way.
      reasons.push(describe(error).slice(-REASON_MOST));
    }
  }
  return missing(reasons.join('; '));
}

/** Once a run: what could not be made for one program cannot be made for the other. */
const failures = new Map<string, unknown>();

/** The folder, filled if it is not there. */
export function made(folder: string, fill: (draft: string) => void): string {
  if (existsSync(folder)) return folder;
  if (failures.has(folder)) throw failures.get(folder);
  try {
    return makeFolderOf(folder, fill);
  } catch (error) {
    failures.set(folder, error);
    throw error;
  }
}

/** What somebody else has built may be too old, or not run here. @throws saying which. */
export function checkBuilt(folder: string, program: string, oldest: Wanted['oldest'], by: string): void {
  const version = versionOf(join(folder, program));
  if (isNewEnough(version, oldest)) return;
  throw new Error(`${program} of ${by} is ${version ?? 'not runnable here'}, wanted is ${oldest.join('.')}`);
}

function versionOf(program: string): string | undefined {
  const { stdout, stderr } = spawnSync(program, ['--version'], { encoding: 'utf8', timeout: 20_000 });
  return /(?:version |Chromium |\bv)(\d+\.\d+[^\s,]*)/.exec(`${stdout ?? ''}${stderr ?? ''}`)?.[1];
}

function isNewEnough(version: string | undefined, [oldMajor, oldMinor]: Wanted['oldest']): boolean {
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  return major > oldMajor || (major === oldMajor && minor >= oldMinor);
}
