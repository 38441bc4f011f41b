/** The compiled rules before Prometheus' own judge: are they rules, and do they say what is true on the trap cases? */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import test, { after, before } from 'node:test';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { days, ratio } from '#kernel/units.ts';
import { DEFAULT_ALERTING, type Objective } from '#slo/objective.ts';
import { errorsOf, KINDS, objective } from '#test/kit/objectives-by-hand.ts';
import { compileFiles } from './compile.ts';

const PROMTOOL = process.env['TEST_TOOL_PROMTOOL'];
const skip = PROMTOOL === undefined ? 'promtool is not here: `npm run tools` says why' : false;
const thirty = { kind: 'rolling', period: days(30) } as const;

const traps = { service: 'traps', target: ratio(0.99), window: thirty };
const silent = { ...DEFAULT_ALERTING, page: false, ticket: false };
const detection = objective('answers', errorsOf('app'), { service: 'detection', window: thirty });
/** Of three or more in a service it is asked together which burn; these two have no events. */
const others = (service: string, alerting = DEFAULT_ALERTING) =>
  [0.9, 0.999].map((target) =>
    objective(`other-${target * 1000}`, errorsOf('other'), { service, target: ratio(target), alerting }),
  );

type Rules = { readonly objectives: readonly Objective[]; readonly only?: string };
/** By the name under which the test files ask for it; perhaps one group alone, for what is not needed costs minutes. */
const RULES: Readonly<Record<string, Rules>> = {
  'traps.rules': { objectives: [objective('answers', errorsOf('app'), traps), ...others('traps', silent)] },
  'windows.rules': { objectives: [objective('answers', errorsOf('app'), { ...traps, alerting: silent })] },
  'blocks.rules': { objectives: [objective('answers', errorsOf('app'), traps)], only: 'burnline-slo-traps-blocks' },
  'detection.rules': { objectives: [detection] },
  'detection-minute.rules': { objectives: [detection, ...others('detection')], only: 'burnline-slo-detection' },
  'kinds.rules': { objectives: KINDS },
};
const readGroups = z.object({ groups: z.array(z.looseObject({ name: z.string() })) });
const LINKS = { dashboard: 'https://example.org/d/slo?var-id=', runbook: 'https://example.org/runbook' };

/** Beside the rules that they try, which may have the same name. */
const testName = (file: string): string => `of-${file}`;

let folder = '';
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'burnline-promtool-'));
  for (const [name, { objectives, only }] of Object.entries(RULES)) {
    const links = name === 'detection.rules' ? LINKS : {};
    const text = [...compileFiles(objectives, links).files.values()].join('');
    const alone = () => readGroups.parse(parse(text)).groups.filter((group) => group.name === only);
    writeFileSync(join(folder, name), only === undefined ? text : stringify({ groups: alone() }));
  }
  for (const file of globSync('prometheus/rules/*.yaml')) copyFileSync(file, join(folder, basename(file)));
  for (const file of globSync('prometheus/tests/*.yaml')) {
    writeFileSync(join(folder, testName(basename(file))), ordered(readFileSync(file, 'utf8')));
  }
});

/** Left to itself promtool evaluates the groups of a moment in another order each time: as they stand in their files. */
function ordered(tests: string): string {
  const { rule_files: files } = z.object({ rule_files: z.array(z.string()) }).parse(parse(tests));
  const groups = files.flatMap((file) => {
    return readGroups.parse(parse(readFileSync(join(folder, file), 'utf8'))).groups;
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

for (const name of ['prometheus.yml', 'prometheus.local.yml']) {
  test(`promtool reads ${name} without a complaint`, { skip }, async () => {
    const file = join(import.meta.dirname, name);
    await promtool('check', 'config', '--lint=all', '--lint-fatal', file);
  });
}

// At the same time: each plays hours minute by minute, on one core.
test('the rules say what is true', { skip, concurrency: true }, async (t) => {
  const files = named('prometheus/tests/*.yaml');
  await Promise.all(files.map((file) => t.test(`in ${file}`, () => promtool('test', 'rules', testName(file)))));
});
