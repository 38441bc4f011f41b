/**
 * prometheus and promtool, which evaluate the rules that we compile. A named one or one on PATH, if it is new enough; else
 * one of the cache; else built from the modules pinned beside this file; else Debian's. CI with a cold cache takes
 * Debian's first: seconds, where the build takes minutes. Nothing is installed.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Found, TOOLS_FOLDER } from './cache.ts';
import { SUITE, unpackDebian } from './debian.ts';
import { checkBuilt, findProgram, made } from './find.ts';
import { go } from './go-module.ts';

const PROGRAMS = ['prometheus', 'promtool'] as const;
type Program = (typeof PROGRAMS)[number];

/** Of the pinned modules; the oldest that the tests have seen work is a long-term release. */
const VERSION = '3.15.0';
const OLDEST = [3, 5] as const;
const MODULES = join(import.meta.dirname, 'prometheus');
const COSTS: Record<Program, string> = {
  prometheus: 'nothing is read from a real PromQL server',
  promtool: 'the compiled rules are neither checked nor tried on the cases that they must get right',
};

/** `BURNLINE_TOOL_PROMETHEUS` and `BURNLINE_TOOL_PROMTOOL` name programs. */
export function findPrometheus(program: Program): Found {
  // Named by what is in it: one from before it could look up names is made again.
  const [built, packaged] = [join(TOOLS_FOLDER, `prometheus-${VERSION}-dns`), join(TOOLS_FOLDER, 'prometheus-debian')];
  const all = [() => made(built, build), () => made(packaged, unpack)];
  const there = [built, packaged].find((one) => PROGRAMS.every((each) => existsSync(join(one, each))));
  const ways = process.env['CI'] === 'true' ? all.toReversed() : all;
  return findProgram({
    program,
    oldest: OLDEST,
    costs: COSTS[program],
    ways: there === undefined ? ways : [() => there],
  });
}

/** About three minutes on two cores when nothing is cached. Of service discovery it has DNS alone, which prometheus.yml uses; and it has no web pages. */
function build(draft: string): void {
  const stamp = `-s -w -X github.com/prometheus/common/version.Version=${VERSION}`;
  const packages = PROGRAMS.map((program) => `github.com/prometheus/prometheus/cmd/${program}`);
  const flags = ['-trimpath', '-mod=readonly', '-tags', 'remove_all_sd,enable_dns_sd', '-ldflags', stamp];
  go(`prometheus ${VERSION}`, ['build', ...flags, '-o', `${draft}/`, ...packages], {
    cwd: MODULES,
    env: { CGO_ENABLED: '0' },
  });
}

/** Older suites have promtool inside the package of Prometheus. */
function unpack(draft: string): void {
  unpackDebian(draft, PROGRAMS, { prometheus: 'prometheus', promtool: 'promtool' });
  for (const program of PROGRAMS) checkBuilt(draft, program, OLDEST, `Debian ${SUITE}`);
}
