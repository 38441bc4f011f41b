/** `burnline route test`: cases of one's own, held against the router's files. Reads and prints; decides nothing. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { z } from 'zod';
import { type Matcher, parseMatchers } from '#alerting/matcher.ts';
import { onDuty } from '#alerting/oncall/schedule.ts';
import {
  type Difference,
  differences,
  type RouteCase,
  type Routed,
  routed,
  SUPPRESSORS,
} from '#alerting/route-cases.ts';
import { systemClock } from '#kernel/clock.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { readTrees } from '#slo/openslo/grow.ts';
import { makeReport } from '#slo/openslo/report.ts';
import { place, plain, type Tree } from '#slo/openslo/tree.ts';
import { type FileOptions, readFiles, withFiles } from './oncall-commands.ts';
import { paint } from './terminal.ts';

const FAULTS = 1;
const USAGE = 2;
const CASES_MOST = 10_000;

export function addRouteCommands(program: Command): void {
  const route = program.command('route').description('where alerts would go');
  withFiles(
    route
      .command('test')
      .description('holds cases against alertmanager.yml and oncall.yaml, for a CI: docs/routing.md')
      .argument('<CASES>', 'YAML: a list of {name, labels, at, with, silences, expect}')
      .option('--json', 'as JSON'),
  )
    .addHelpText('after', '\nExit codes: 0 all as expected, 1 some are not, or a file is wrong, 2 wrong usage.')
    .action(test);
}

type Wrong = { readonly path: readonly (string | number)[]; readonly message: string };

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const labels = z.record(z.string(), text);
const caseShape = z.strictObject({
  name: text,
  labels,
  at: z.iso
    .datetime({ offset: true, error: 'expected a moment with its offset, such as 2026-03-01T09:00:00Z' })
    .optional(),
  with: z.array(z.strictObject({ labels })).default([]),
  silences: z.array(z.string()).default([]),
  expect: z
    .strictObject({
      receivers: z.array(text).optional(),
      woken: z.array(text).optional(),
      suppressed_by: z.enum([...SUPPRESSORS, 'none']).optional(),
    })
    .refine((given) => Object.values(given).some((one) => one !== undefined), {
      error: 'expects nothing: expected receivers, woken or suppressed_by',
    }),
});
const casesShape = z.array(caseShape).min(1).max(CASES_MOST);
type Case = z.infer<typeof caseShape>;

type Options = FileOptions & { readonly json?: boolean };
type Judged = {
  readonly name: string;
  readonly where: string;
  readonly apart: readonly Difference[];
  readonly found: Routed;
};

async function test(file: string, options: Options): Promise<void> {
  const cases = readCases(file);
  if ('faults' in cases) return fail(cases.unreadable ? USAGE : FAULTS, cases.faults);
  const read = await readFiles(options);
  if (read === undefined) return;
  if (read.kind === 'faults') {
    const { faultText } = await import('./router-files.ts');
    return fail(FAULTS, read.faults.map(faultText));
  }
  const { config, oncall } = read;
  const duty = (name: string, at: Milliseconds) => {
    const schedule = oncall.schedules.get(name);
    return schedule === undefined ? [] : onDuty(schedule, at);
  };
  const who = { receivers: config.receivers, oncall, onDuty: duty };
  const now = systemClock.now();
  const judged = cases.cases.map(({ given, where, silences }): Judged => {
    const at = given.at === undefined ? now : milliseconds(Date.parse(given.at));
    const asked: RouteCase = { labels: given.labels, at, others: given.with.map((one) => one.labels), silences };
    const found = routed(config, who, asked);
    const { receivers, woken, suppressed_by: suppressedBy } = given.expect;
    return { name: given.name, where, apart: differences({ receivers, woken, suppressedBy }, found), found };
  });
  process.stdout.write(options.json ? `${JSON.stringify(asJson(judged))}\n` : asText(judged));
  if (judged.some(({ apart }) => apart.length > 0)) process.exitCode = FAULTS;
}

type CasesRead =
  | { readonly cases: readonly { given: Case; where: string; silences: readonly (readonly Matcher[])[] }[] }
  | { readonly faults: readonly string[]; readonly unreadable: boolean };

function readCases(file: string): CasesRead {
  let written: string;
  try {
    written = readFileSync(file, 'utf8');
  } catch {
    return { faults: [`${file}: cannot be read`], unreadable: true };
  }
  const { report, findings } = makeReport(true);
  const [tree] = readTrees(file, written, report);
  const broken = findings().faults;
  if (broken.length > 0 || tree === undefined) {
    const lines = broken.map((one) => `${one.file}:${one.line}:${one.column} ${one.message}`);
    return { faults: lines.length > 0 ? lines : [`${file}: is empty: expected a list of cases`], unreadable: false };
  }
  const read = casesShape.safeParse(plain(tree));
  const wrong: Wrong[] = [];
  if (!read.success) {
    for (const { path, message } of read.error.issues) wrong.push({ path: path.map(step), message });
    return { faults: wrong.map((one) => wrongText(tree, one)), unreadable: false };
  }
  const cases = read.data.map((given, i) => ({
    given,
    where: whereOf(tree, [i]),
    silences: given.silences.map((one, j) => {
      const parsed = parseMatchers(one, 'default');
      if (parsed.kind === 'matchers' && parsed.matchers.length > 0) return parsed.matchers;
      const message = parsed.kind === 'fault' ? parsed.message : 'holds every alert: expected matchers';
      wrong.push({ path: [i, 'silences', j], message });
      return [];
    }),
  }));
  return wrong.length > 0 ? { faults: wrong.map((one) => wrongText(tree, one)), unreadable: false } : { cases };
}

const step = (key: PropertyKey): string | number => (typeof key === 'number' ? key : String(key));

function whereOf(tree: Tree, path: Wrong['path']): string {
  const { file, line, column } = place(tree, path);
  return `${file}:${line}:${column}`;
}

const wrongText = (tree: Tree, { path, message }: Wrong): string =>
  `${whereOf(tree, path)} ${path.join('.')}${path.length > 0 ? ': ' : ''}${message}`;

function fail(code: number, lines: readonly string[]): void {
  process.stderr.write(lines.map((line) => `${line}\n`).join(''));
  process.exitCode = code;
}

function asJson(judged: readonly Judged[]) {
  return {
    ok: judged.every(({ apart }) => apart.length === 0),
    cases: judged.map(({ name, where, apart, found: { receivers, woken, suppressedBy } }) => ({
      name,
      where,
      ok: apart.length === 0,
      faults: apart,
      found: { receivers, woken, suppressed_by: suppressedBy },
    })),
  };
}

function asText(judged: readonly Judged[]): string {
  const list = (names: readonly string[]): string => (names.length === 0 ? 'nobody' : names.join(', '));
  const words = ({ what, expected, found }: Difference): string =>
    what === 'suppressed_by'
      ? `suppressed by: expected ${expected.join()}, found ${found.join(', ') || 'none'}`
      : `${what}: expected ${list(expected)}, found ${list(found)}`;
  const lines = judged.flatMap(({ name, where, apart }) =>
    apart.length === 0
      ? [`${paint('green', 'ok')}     ${name}\n`]
      : [`${paint('red', 'fault')}  ${name}  ${where}\n`, ...apart.map((one) => `         ${words(one)}\n`)],
  );
  const faults = judged.filter(({ apart }) => apart.length > 0).length;
  return `${lines.join('')}${judged.length} case(s), ${faults} fault(s)\n`;
}
