/**
 * postgres_exporter, which shows Postgres' own numbers to Prometheus: whether the names in our rules are there is asked of a
 * real one. A named one or one on PATH, if it is new enough; else built from its module; else Debian's. Nothing is installed.
 */
import { join } from 'node:path';
import { type Found, TOOLS_FOLDER } from './cache.ts';
import { SUITE, unpackDebian } from './debian.ts';
import { checkBuilt, findProgram, made } from './find.ts';
import { buildGo } from './go-module.ts';

const PROGRAM = 'postgres_exporter';
const VERSION = '0.19.1';
const OLDEST = [0, 15] as const;

/** `BURNLINE_TOOL_POSTGRES_EXPORTER` names another. */
export function findPostgresExporter(): Found {
  const ways = [
    () => made(join(TOOLS_FOLDER, `postgres-exporter-${VERSION}`), build),
    () => made(join(TOOLS_FOLDER, 'postgres-exporter-debian'), unpack),
  ];
  return findProgram({
    program: PROGRAM,
    oldest: OLDEST,
    costs: 'the names of Postgres’ metrics in the rules are not looked for in a real exporter',
    ways: process.env['CI'] === 'true' ? ways.toReversed() : ways,
  });
}

/** About a minute on two cores when nothing is cached. */
function build(draft: string): void {
  buildGo(draft, {
    version: VERSION,
    module: 'github.com/prometheus-community/postgres_exporter',
    sum: 'h1:5qEW78eJYYImZukEEw2iy//tNlTmhmt3mMc+AVGR6LU=',
    packages: ['./cmd/postgres_exporter'],
  });
}

function unpack(draft: string): void {
  unpackDebian(draft, ['prometheus-postgres-exporter'], { [PROGRAM]: 'prometheus-postgres-exporter' });
  checkBuilt(draft, PROGRAM, OLDEST, `Debian ${SUITE}`);
}
