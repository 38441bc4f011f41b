/**
 * alertmanager and amtool, whose reading of a configuration and whose walk of its routes ours is held against. A named one
 * or one on PATH, if it is new enough; else one built from the module's own source, with the dependencies that it pins
 * itself; else, for amtool, Debian's: its alertmanager wants files in /usr/share. Nothing is installed.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Found, TOOLS_FOLDER } from './cache.ts';
import { SUITE, unpackDebian } from './debian.ts';
import { checkBuilt, findProgram, made } from './find.ts';
import { buildGo } from './go-module.ts';

type Program = 'alertmanager' | 'amtool';

const VERSION = '0.34.0';
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

/** About two minutes on two cores when nothing is cached. Its web pages are left out: an empty one stands for them. */
function build(draft: string): void {
  buildGo(draft, {
    version: VERSION,
    module: 'github.com/prometheus/alertmanager',
    sum: 'h1:z75n0NoypggESmt3HD4JlTXOaOZj1EBz1ACHO4Z6EUk=',
    packages: ['./cmd/alertmanager', './cmd/amtool'],
    complete: (source) => {
      mkdirSync(join(source, 'ui/app/dist'), { recursive: true });
      writeFileSync(join(source, 'ui/app/dist/index.html'), '<!doctype html>\n');
    },
  });
}

function unpack(draft: string): void {
  unpackDebian(draft, ['prometheus-alertmanager'], { amtool: 'amtool' });
  checkBuilt(draft, 'amtool', OLDEST, `Debian ${SUITE}`);
}
