/**
 * VictoriaMetrics, and vmauth beside it, the second server that the router's watch is tried on: Debian's, since what speaks PromQL beside
 * Prometheus is otherwise built for hours. It does not say its version. Nothing is installed.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from '#kernel/errors.ts';
import { type Found, TOOLS_FOLDER } from './cache.ts';
import { SUITE, unpackDebian } from './debian.ts';
import { made } from './find.ts';

const PROGRAM = 'victoria-metrics';

/** `BURNLINE_TOOL_VICTORIAMETRICS` names another. */
export function findVictoriaMetrics(): Found {
  const named = process.env['BURNLINE_TOOL_VICTORIAMETRICS'];
  const costs = 'PromQL is asked of a real Prometheus alone';
  if (named !== undefined) {
    if (existsSync(named)) return { kind: 'found', where: named, how: `${PROGRAM}, named` };
    return { kind: 'missing', why: `${named} is not there`, costs };
  }
  try {
    const folder = made(join(TOOLS_FOLDER, 'victoriametrics-debian'), (draft) => {
      unpackDebian(draft, [PROGRAM], { [PROGRAM]: PROGRAM, vmauth: 'vmauth' });
    });
    return { kind: 'found', where: join(folder, PROGRAM), how: `${PROGRAM} of Debian ${SUITE}` };
  } catch (error) {
    return { kind: 'missing', why: describe(error), costs };
  }
}
