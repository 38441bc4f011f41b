/**
 * alertmanager and amtool, whose reading of a configuration and whose walk of its routes ours is held against. A named one
 * or one on PATH, if it is new enough; else Debian's.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from '#kernel/errors.ts';
import { type Found, makeFolderOf, TOOLS_FOLDER } from './cache.ts';
import { SUITE, unpackDebian } from './debian.ts';

type Program = 'alertmanager' | 'amtool';

/** UTF-8 matchers came with 0.27, names of inhibition rules with 0.30. */
const OLDEST = [0, 30] as const;
const COSTS: Record<Program, string> = {
  alertmanager: 'nothing is held against a real Alertmanager',
  amtool: 'neither the shown configuration nor the walk of the routes is held against the real ones',
};

/** `BURNLINE_TOOL_ALERTMANAGER` and `BURNLINE_TOOL_AMTOOL` name programs. */
export function findAlertmanager(program: Program): Found {
  const named = process.env[`BURNLINE_TOOL_${program.toUpperCase()}`];
  const onPath = versionOf(named ?? program);
  if (isNewEnough(onPath)) {
    const how = `${program} ${onPath}, ${named === undefined ? 'on PATH' : 'named'}`;
    return { kind: 'found', where: named ?? program, how };
  }
  if (named !== undefined)
    return missing(program, `${named} is ${onPath ?? 'not there'}, wanted is ${OLDEST.join('.')} or later`);
  try {
    const folder = join(TOOLS_FOLDER, 'alertmanager-debian');
    if (!existsSync(folder)) makeFolderOf(folder, unpack);
    const where = join(folder, program);
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

function isNewEnough(version: string | undefined): boolean {
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

function unpack(draft: string): void {
  unpackDebian(draft, ['prometheus-alertmanager'], { alertmanager: 'prometheus-alertmanager', amtool: 'amtool' });
  const version = versionOf(join(draft, 'amtool'));
  if (!isNewEnough(version)) throw new Error(`amtool of Debian ${SUITE} is ${version ?? 'not runnable here'}`);
}
