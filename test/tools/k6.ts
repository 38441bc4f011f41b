/** k6, which runs the load tests: a named one or one on PATH, if it is new enough; else built from its module. */
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
