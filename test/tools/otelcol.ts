/**
 * otelcol, the OpenTelemetry Collector with exactly the components of collector/distribution.yaml: a named one or one on
 * PATH, if it is new enough; else one of the cache; else built from the sources beside this file, which OpenTelemetry's
 * builder 0.155 made from that manifest (a test holds them together). Nothing is installed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Found, TOOLS_FOLDER } from './cache.ts';
import { findProgram, made } from './find.ts';
import { go } from './go-module.ts';

const SOURCES = join(import.meta.dirname, 'otelcol');
const MANIFEST = join(import.meta.dirname, '../../collector/distribution.yaml');
/** Names of components are those of this release. */
const OLDEST = [0, 155] as const;

/** `BURNLINE_TOOL_OTELCOL` names another. */
export function findOtelcol(): Found {
  const { dist } = parse(readFileSync(MANIFEST, 'utf8')) as { dist: { version: string } };
  return findProgram({
    program: 'otelcol',
    oldest: OLDEST,
    costs: 'what goes through the Collector is not looked at: neither what it hides nor what it keeps',
    ways: [() => made(join(TOOLS_FOLDER, `otelcol-${dist.version}`), (draft) => build(draft, dist.version))],
  });
}

/** About four minutes on two cores when nothing is cached. */
function build(draft: string, version: string): void {
  go(
    `otelcol ${version}`,
    ['build', '-trimpath', '-mod=readonly', '-ldflags', '-s -w', '-o', join(draft, 'otelcol'), '.'],
    {
      cwd: SOURCES,
      env: { CGO_ENABLED: '0' },
      timeout: 20 * 60_000,
    },
  );
}
