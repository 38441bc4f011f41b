/**
 * `node test/bench/slo-compile.ts [--sizes 1,100,1000,5000]`: what compiling objectives into one rule file costs. Each
 * size in a process of its own, so that its peak of memory is its own; the process that compiles nothing is the base.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compileInto } from '#app/slo-compile.ts';
import type { Objective } from '#slo/objective.ts';
import { errorsOf, objective } from '#test/kit/objectives-by-hand.ts';

const { values } = parseArgs({
  options: { sizes: { type: 'string', default: '1,100,1000,5000' }, child: { type: 'string' } },
});
type Cost = { readonly cpuMs: number; readonly peakMb: number; readonly fileMb: number };

function* objectives(count: number): Generator<Objective> {
  for (let i = 0; i < count; i++)
    yield objective(`slo-${i}`, errorsOf(`job-${i}`), { labels: { team: `team-${i % 10}` } });
}

/** In the child: compiles, and says what it took from the start of the process on. */
function compileHere(count: number): Cost {
  const folder = mkdtempSync(join(tmpdir(), 'burnline-bench-'));
  try {
    compileInto(folder, objectives(count), {}, { write: true, removes: true });
    const { user, system } = process.cpuUsage();
    const bytes = readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
    return { cpuMs: (user + system) / 1_000, peakMb: process.resourceUsage().maxRSS / 1_024, fileMb: bytes / 1e6 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function inChild(count: number): Cost {
  const { stdout, stderr, status } = spawnSync(process.execPath, [import.meta.filename, '--child', String(count)], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Cost;
}

if (values.child !== undefined) process.stdout.write(JSON.stringify(compileHere(Number(values.child))));
else {
  const base = inChild(0);
  process.stdout.write(`base: ${base.cpuMs.toFixed(0)} ms CPU, ${base.peakMb.toFixed(0)} MB\n\n`);
  process.stdout.write(
    '| objectives | CPU ms, base included | CPU ms an objective above base | peak MB | file MB |\n| --- | --- | --- | --- | --- |\n',
  );
  for (const count of values.sizes.split(',').map(Number)) {
    const { cpuMs, peakMb, fileMb } = inChild(count);
    const each = (cpuMs - base.cpuMs) / count;
    process.stdout.write(
      `| ${count} | ${cpuMs.toFixed(0)} | ${each.toFixed(3)} | ${peakMb.toFixed(0)} | ${fileMb.toFixed(1)} |\n`,
    );
  }
}
