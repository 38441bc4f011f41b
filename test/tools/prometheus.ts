/**
 * prometheus and promtool, which evaluate the rules that we compile. A named one or one on PATH, if it is new enough; else
 * one of the cache; else built from the modules pinned beside this file; else Debian's. CI with a cold cache takes
 * Debian's first: seconds, where the build takes minutes. Nothing is installed.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from '#kernel/errors.ts';
import { type Found, makeFolderOf, TOOLS_FOLDER } from './cache.ts';
import { SUITE, unpackDebian } from './debian.ts';

const PROGRAMS = ['prometheus', 'promtool'] as const;
type Program = (typeof PROGRAMS)[number];

/** Of the pinned modules; the oldest that the tests have seen work is a long-term release. */
const VERSION = '3.15.0';
const OLDEST = [3, 5] as const;
const MODULES = join(import.meta.dirname, 'prometheus');
const REASON_MOST = 500;
const COSTS: Record<Program, string> = {
  prometheus: 'nothing is read from a real PromQL server',
  promtool: 'the compiled rules are neither checked nor tried on the cases that they must get right',
};

/** `BURNLINE_TOOL_PROMETHEUS` and `BURNLINE_TOOL_PROMTOOL` name programs. */
export function findPrometheus(program: Program): Found {
  const named = process.env[`BURNLINE_TOOL_${program.toUpperCase()}`];
  const version = versionOf(named ?? program);
  if (version !== undefined && isNewEnough(version)) {
    return {
      kind: 'found',
      where: named ?? program,
      how: `${program} ${version}, ${named === undefined ? 'on PATH' : 'named'}`,
    };
  }
  if (named !== undefined)
    return missing(program, `${named} is ${version ?? 'not there'}, wanted is ${OLDEST.join('.')} or later`);
  try {
    const where = join(folder(), program);
    return { kind: 'found', where, how: `${program} ${versionOf(where)}` };
  } catch (error) {
    return missing(program, describe(error));
  }
}

const missing = (program: Program, why: string): Found => ({ kind: 'missing', why, costs: COSTS[program] });

function versionOf(program: string): string | undefined {
  const { stdout, stderr } = spawnSync(program, ['--version'], { encoding: 'utf8', timeout: 20_000 });
  return /version (\d+\.\d+[^\s,]*)/.exec(`${stdout ?? ''}${stderr ?? ''}`)?.[1];
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

let made: (() => string) | undefined;

/** Once a run: what could not be made for the one program cannot be made for the other. */
function folder(): string {
  try {
    const where = (made ?? makeFolder)();
    made = () => where;
  } catch (error) {
    made = () => {
      throw error;
    };
  }
  return made();
}

/** The folder with both programs. @throws when neither way leads to it, with both reasons. */
function makeFolder(): string {
  const built = join(TOOLS_FOLDER, `prometheus-${VERSION}`);
  const packaged = join(TOOLS_FOLDER, 'prometheus-debian');
  const there = [built, packaged].find((one) => PROGRAMS.every((program) => existsSync(join(one, program))));
  if (there !== undefined) return there;
  const ways = [() => makeFolderOf(built, build), () => makeFolderOf(packaged, unpack)];
  const reasons: string[] = [];
  for (const way of process.env['CI'] === 'true' ? ways.reverse() : ways) {
    try {
      return way();
    } catch (error) {
      // A program's own words come last, after all that it said on the way.
      reasons.push(describe(error).slice(-REASON_MOST));
    }
  }
  throw new Error(reasons.join('; '));
}

/** About three minutes on two cores when nothing is cached. Without service discovery of clouds, and without web pages. */
function build(draft: string): void {
  if (spawnSync('go', ['version'], { stdio: 'ignore' }).status !== 0) throw new Error('Go is not there to build it');
  const stamp = `-s -w -X github.com/prometheus/common/version.Version=${VERSION}`;
  const packages = PROGRAMS.map((program) => `github.com/prometheus/prometheus/cmd/${program}`);
  const flags = ['-trimpath', '-mod=readonly', '-tags', 'remove_all_sd', '-ldflags', stamp];
  process.stdout.write(`building prometheus ${VERSION}, which takes some minutes the first time\n`);
  execFileSync('go', ['build', ...flags, '-o', `${draft}/`, ...packages], {
    cwd: MODULES,
    env: { ...process.env, CGO_ENABLED: '0' },
    stdio: ['ignore', 'ignore', 'pipe'],
    maxBuffer: 16 * 1024 * 1024,
    timeout: 15 * 60_000,
  });
}

/** Older suites have promtool inside the package of Prometheus. */
function unpack(draft: string): void {
  unpackDebian(draft, PROGRAMS, { prometheus: 'prometheus', promtool: 'promtool' });
  for (const program of PROGRAMS) {
    const version = versionOf(join(draft, program));
    if (version === undefined || !isNewEnough(version)) {
      throw new Error(
        `${program} of Debian ${SUITE} is ${version ?? 'not runnable here'}, wanted is ${OLDEST.join('.')}`,
      );
    }
  }
}
