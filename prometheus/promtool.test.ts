/** The compiled rules before Prometheus' own judge: are they rules, and do they say what is true on the trap cases? */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import test, { after, before } from 'node:test';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { z } from 'zod';
import { days, ratio } from '#kernel/units.ts';
import type { Objective } from '#slo/objective.ts';
import { errorsOf, KINDS, objective } from '#test/kit/objectives-by-hand.ts';
import { compileFiles } from './compile.ts';

const PROMTOOL = process.env['TEST_TOOL_PROMTOOL'];
const skip = PROMTOOL === undefined ? 'promtool is not here: `npm run tools` says why' : false;
const thirty = { kind: 'rolling', period: days(30) } as const;

/** By the name under which the test files ask for it. */
const RULES: Readonly<Record<string, readonly Objective[]>> = {
  'traps.rules': [objective('answers', errorsOf('app'), { service: 'traps', target: ratio(0.99), window: thirty })],
  'detection.rules': [objective('answers', errorsOf('app'), { service: 'detection', window: thirty })],
  'kinds.rules': KINDS,
};
const LINKS = { dashboard: 'https://example.org/d/slo?var-id=', runbook: 'https://example.org/runbook' };

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'burnline-promtool-'));
  for (const [name, objectives] of Object.entries(RULES)) {
    const links = name === 'detection.rules' ? LINKS : {};
    writeFileSync(join(folder, name), [...compileFiles(objectives, links).files.values()].join(''));
  }
  for (const file of globSync('prometheus/rules/*.yaml')) copyFileSync(file, join(folder, basename(file)));
  for (const file of globSync('prometheus/tests/*.yaml')) {
    writeFileSync(join(folder, basename(file)), ordered(readFileSync(file, 'utf8')));
  }
});

/** Left to itself promtool evaluates the groups of a moment in another order each time: as they stand in their files. */
function ordered(tests: string): string {
  const { rule_files: files } = z.object({ rule_files: z.array(z.string()) }).parse(parse(tests));
  const groups = files.flatMap((file) => {
    const rules = parse(readFileSync(join(folder, file), 'utf8'));
    return z.object({ groups: z.array(z.object({ name: z.string() })) }).parse(rules).groups;
  });
  return `${tests}\ngroup_eval_order: ${JSON.stringify(groups.map(({ name }) => name))}\n`;
}

after(() => rmSync(folder, { recursive: true, force: true }));

const run = promisify(execFile);

async function promtool(...args: readonly string[]): Promise<void> {
  await run(PROMTOOL ?? '', args, { cwd: folder, timeout: 600_000 }).catch((error: Error & { stdout?: string }) => {
    assert.fail(`promtool ${args.join(' ')}: ${error.message}${error.stdout ?? ''}`);
  });
}

const named = (pattern: string): string[] => globSync(pattern).map((path) => basename(path));

for (const name of [...Object.keys(RULES), ...named('prometheus/rules/*.yaml')]) {
  test(`promtool reads ${name} without a complaint`, { skip }, () =>
    promtool('check', 'rules', '--lint=all', '--lint-fatal', name),
  );
}

// At the same time: each plays hours minute by minute, on one core.
test('the rules say what is true', { skip, concurrency: true }, async (t) => {
  const files = named('prometheus/tests/*.yaml');
  await Promise.all(files.map((file) => t.test(`in ${file}`, () => promtool('test', 'rules', file))));
});
