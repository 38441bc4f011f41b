/**
 * alertmanager and amtool, whose reading of a configuration and whose walk of its routes ours is held against. A named one
 * or one on PATH, if it is new enough; else one built from the module's own source, with the dependencies that it pins
 * itself; else, for amtool, Debian's: its alertmanager wants files in /usr/share. Nothing is installed.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, globSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type Found, TOOLS_FOLDER } from './cache.ts';
import { SUITE, unpackDebian } from './debian.ts';
import { checkBuilt, findProgram, made } from './find.ts';

type Program = 'alertmanager' | 'amtool';

const VERSION = '0.34.0';
const MODULE = `github.com/prometheus/alertmanager@v${VERSION}`;
const SUM = 'h1:z75n0NoypggESmt3HD4JlTXOaOZj1EBz1ACHO4Z6EUk=';
/** UTF-8 matchers came with 0.27, names of inhibition rules with 0.30. */
const OLDEST = [0, 30] as const;
const COSTS: Record<Program, string> = {
  alertmanager: 'groups, inhibitions and silences are not held against a real Alertmanager',
  amtool: 'neither the shown configuration nor the walk of the routes is held against the real ones',
};

/** `BURNLINE_TOOL_ALERTMANAGER` and `BURNLINE_TOOL_AMTOOL` name programs. */
export function findAlertmanager(program: Program): Found {
  const built = () => made(join(TOOLS_FOLDER, `alertmanager-${VERSION}`), build);
  const packaged = () => made(join(TOOLS_FOLDER, 'alertmanager-debian'), unpack);
  const ways = program === 'amtool' ? [built, packaged] : [built];
  return findProgram({ program, oldest: OLDEST, costs: COSTS[program], ways });
}

const DOWNLOADED = z.object({ Dir: z.string(), Sum: z.literal(SUM) });

/** About two minutes on two cores when nothing is cached. Its web pages are left out: an empty one stands for them. */
function build(draft: string): void {
  if (spawnSync('go', ['version'], { stdio: 'ignore' }).status !== 0) throw new Error('Go is not there to build it');
  const options = { stdio: ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'], timeout: 15 * 60_000 };
  const outside = { ...options, cwd: draft, env: { ...process.env, GO111MODULE: 'on', GOFLAGS: '' } };
  const module = DOWNLOADED.parse(
    JSON.parse(execFileSync('go', ['mod', 'download', '-json', MODULE], outside).toString()),
  );
  const source = join(draft, 'source');
  cpSync(module.Dir, source, { recursive: true });
  // The cache of modules is for reading only, and so is its copy.
  for (const folder of ['', ...globSync('**/', { cwd: source })]) chmodSync(join(source, folder), 0o755);
  mkdirSync(join(source, 'ui/app/dist'), { recursive: true });
  writeFileSync(join(source, 'ui/app/dist/index.html'), '<!doctype html>\n');
  const stamp = `-s -w -X github.com/prometheus/common/version.Version=${VERSION}`;
  process.stdout.write(`building alertmanager ${VERSION}, which takes some minutes the first time\n`);
  execFileSync(
    'go',
    ['build', '-trimpath', '-mod=readonly', '-ldflags', stamp, '-o', `${draft}/`, './cmd/alertmanager', './cmd/amtool'],
    { ...options, cwd: source, env: { ...process.env, CGO_ENABLED: '0' }, maxBuffer: 16 * 1024 * 1024 },
  );
  rmSync(source, { recursive: true });
}

function unpack(draft: string): void {
  unpackDebian(draft, ['prometheus-alertmanager'], { amtool: 'amtool' });
  checkBuilt(draft, 'amtool', OLDEST, `Debian ${SUITE}`);
}
