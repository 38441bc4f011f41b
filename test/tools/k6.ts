/** k6, which runs the load tests: a named one or one on PATH, if it is new enough; else built from its module. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { type Found, TOOLS_FOLDER } from './cache.ts';
import { findProgram, made } from './find.ts';
import { go } from './go-module.ts';

const VERSION = '1.8.1';
/** TypeScript without a flag. */
const OLDEST = [1, 0] as const;

/** `BURNLINE_TOOL_K6` names another. */
export function findK6(): Found {
  return findProgram({
    program: 'k6',
    oldest: OLDEST,
    costs: 'the load tests are type-checked, but not run',
    ways: [() => made(join(TOOLS_FOLDER, `k6-${VERSION}`), build)],
  });
}

/** About two minutes on two cores when nothing is cached. */
function build(draft: string): void {
  go(`k6 ${VERSION}`, ['install', '-trimpath', '-ldflags', '-s -w', `go.k6.io/k6@v${VERSION}`], {
    cwd: draft,
    env: { GOBIN: draft, CGO_ENABLED: '0', GOFLAGS: '', GO111MODULE: 'on' },
  });
}

/** As `npm run load:smoke` runs it: nothing is told to anybody, and its figures go to Prometheus where one is named. */
export const K6_ENVIRONMENT = { K6_NO_USAGE_REPORT: 'true', K6_AUTO_EXTENSION_RESOLUTION: 'false' } as const;

if (import.meta.main) {
  const found = findK6();
  if (found.kind === 'missing') throw new Error(`k6 is missing: ${found.why}`);
  const [command = '--help', ...rest] = process.argv.slice(2);
  const out = process.env['K6_PROMETHEUS_RW_SERVER_URL'] === undefined ? [] : ['-o', 'experimental-prometheus-rw'];
  const args = command === 'run' ? [command, ...out, ...rest] : [command, ...rest];
  const env = { ...process.env, ...K6_ENVIRONMENT };
  process.exitCode = spawnSync(found.where, args, { stdio: 'inherit', env }).status ?? 1;
}
