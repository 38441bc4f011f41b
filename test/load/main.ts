/**
 * `npm run loadtest -- smoke|load|stress|spike|overload|soak|breakpoint`: docs/loadtests.md. Stands here, and not among the commands,
 * since it needs k6 and starts whole stacks, as the benchmarks do.
 */
import { mkdirSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { prometheusDuration } from '#alerting/config/duration.ts';
import { SETTING_NAMES } from '#app/settings.ts';
import { readFiles } from '#app/slo-files.ts';
import { systemClock } from '#kernel/clock.ts';
import { describe, Fault } from '#kernel/errors.ts';
import { http } from '#kernel/http.ts';
import { onStopSignal } from '#kernel/shutdown.ts';
import { folderDocuments, sampleDocuments } from '#loadtests/documents.ts';
import { runLoadtest, type Target } from '#loadtests/loadtest.ts';
import { type Promises, promisesOf } from '#loadtests/promises.ts';
import type { Watch } from '#loadtests/resources.ts';
import {
  makePlan,
  RATE_LEAST,
  SCENARIOS,
  type Scenario,
  type Steps,
  USUAL,
  USUAL_STEPS,
} from '#loadtests/scenarios.ts';
import { findK6 } from '#test/tools/k6.ts';
import { INSPECTED } from './inspector.ts';
import { makeProgress } from './progress.ts';
import { tellResult, writeReports } from './report.ts';
import { startStack } from './stack.ts';
import { watchStack } from './watch.ts';

/** k6's own code for thresholds that did not hold, and so this tool's. */
const BROKEN = 99;
const NOT_RUN = 1;
const USAGE = 2;
/** Less would be a ramp: that is what breakpoint is for. */
const GROW_LEAST = 1.05;

const OPTIONS = {
  target: ['URL', 'the document API; default: a whole stack of its own, ended afterwards'],
  key: ['KEY', 'of the document API, may be given several times; or BURNLINE_KEY'],
  metrics: ['URL', 'of a worker of the target, for its counters; may be given several times'],
  router: ['URL', 'of the target, for its ledger'],
  'router-key': ['KEY', 'of the router; or BURNLINE_ROUTER_KEY'],
  alone: ['', 'nobody else sends to the target: its counters must have grown by just as much'],
  database: ['embedded|postgres', 'of the stack of its own; default: embedded'],
  workers: ['N', 'of a stack on Postgres; default: 1'],
  set: ['NAME=VALUE', 'a setting of its processes, such as WORKER_PLACES=32; may be given several times'],
  latency: ['realistic|zero', 'of its simulated vendors; default: realistic'],
  documents: ['DIR', 'files to send; default: the project’s samples'],
  rate: [
    'N',
    'documents a second: of stress and breakpoint the most, of spike the one before it, of overload the knee',
  ],
  from: ['N', 'stress: documents a second of the first step; default: 1'],
  grow: ['N', 'stress: how many times the rate of a step the next one has; default: 1.5'],
  duration: ['5m', 'of the test; of stress, of a step'],
  knee: ['N', 'stress, breakpoint: the knee must be at least there'],
  objectives: ['FILE', 'files or folders of objectives; default: those that ship'],
  out: ['DIR', 'where the reports go; default: .burnline/loadtests/RUN'],
  profile: ['', 'writes a CPU profile of each process of its own stack into DIR/profiles'],
  prometheus: ['URL', 'takes k6’s metrics by remote write, for the dashboard “Load test”'],
} as const;
type Name = keyof typeof OPTIONS;
const MANY: readonly Name[] = ['key', 'metrics', 'objectives', 'set'];

const usage = (): string => {
  const scenarios = SCENARIOS.map((name) => {
    const { about, rate, duration, climbs } = USUAL[name];
    return `  ${name.padEnd(12)}${about} (${climbs ? 'up to ' : ''}${rate}/s, ${duration / 1_000} s${name === 'stress' ? ' a step' : ''})`;
  });
  const options = Object.entries(OPTIONS).map(([name, [value, help]]) => `  ${`--${name} ${value}`.padEnd(30)}${help}`);
  return `npm run loadtest -- SCENARIO [options]\n\n${scenarios.join('\n')}\n\n${options.join('\n')}\n\nExit codes: 0 kept, 99 broken, 1 it could not be run, 2 wrong usage.\n`;
};

class Usage extends Error {}

type Wish = {
  readonly scenario: Scenario;
  readonly one: Readonly<Partial<Record<Name, string>>>;
  readonly many: Readonly<Partial<Record<Name, readonly string[]>>>;
  readonly alone: boolean;
  readonly profile: boolean;
};

/** @throws {Usage} */
function readWish(argv: readonly string[]): Wish {
  const options = Object.fromEntries(
    Object.entries(OPTIONS).map(([name, [value]]) => [
      name,
      { type: value === '' ? ('boolean' as const) : ('string' as const), multiple: MANY.includes(name as Name) },
    ]),
  );
  let parsed: { values: Record<string, unknown>; positionals: string[] };
  try {
    parsed = parseArgs({ args: [...argv], options, allowPositionals: true }) as typeof parsed;
  } catch (error) {
    throw new Usage(describe(error));
  }
  const [scenario, ...more] = parsed.positionals;
  if (scenario === undefined || more.length > 0 || !SCENARIOS.includes(scenario as Scenario)) {
    throw new Usage(`expected one of ${SCENARIOS.join(', ')}, received ${parsed.positionals.join(' ') || 'nothing'}`);
  }
  const { values } = parsed;
  const strings = Object.entries(values).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const lists = Object.entries(values).filter((entry): entry is [string, string[]] => Array.isArray(entry[1]));
  return {
    scenario: scenario as Scenario,
    one: Object.fromEntries(strings),
    many: Object.fromEntries(lists),
    alone: values['alone'] === true,
    profile: values['profile'] === true,
  };
}

/** @throws {Usage} */
function numberOf({ one }: Wish, name: Name, usual: number, least: number): number {
  const text = one[name];
  const value = text === undefined ? usual : Number(text);
  if (!(value >= least && value < 1e6))
    throw new Usage(`--${name}: expected a number from ${least} on, received ${text}`);
  return value;
}

/** @throws {Usage} */
function choiceOf<T extends string>({ one }: Wish, name: Name, choices: readonly [T, ...T[]]): T {
  const found = one[name] ?? choices[0];
  if (!choices.includes(found as T)) throw new Usage(`--${name}: expected ${choices.join(' or ')}, received ${found}`);
  return found as T;
}

function durationOf({ scenario, one }: Wish) {
  const text = one.duration;
  const found = text === undefined ? USUAL[scenario].duration : prometheusDuration(text);
  if (found === undefined || found < 1_000)
    throw new Usage(`--duration: expected one such as 90s or 2h, received ${text}`);
  return found;
}

function stepsOf(wish: Wish): Steps {
  for (const name of ['from', 'grow'] as const) {
    if (wish.one[name] !== undefined && wish.scenario !== 'stress') throw new Usage(`--${name} is for stress`);
  }
  const { from, grow } = USUAL_STEPS;
  return { from: numberOf(wish, 'from', from, RATE_LEAST), grow: numberOf(wish, 'grow', grow, GROW_LEAST) };
}

function promisesFor({ many }: Wish): Promises {
  const read = readFiles(many.objectives ?? []);
  if (read.kind === 'usage') throw new Usage(`--objectives: ${read.message}`);
  const [fault] = read.faults;
  if (fault !== undefined) throw new Usage(`--objectives: ${fault.file}:${fault.line} ${fault.message}`);
  return promisesOf(read.files);
}

const address = (url: string): string => {
  if (!URL.canParse(url) || !/^https?:/.test(url))
    throw new Usage(`expected an address such as http://host:8080, received ${url}`);
  return url.replace(/\/+$/, '');
};

function settingsOf({ many }: Wish): Record<string, string> {
  const known = new Set<string>(SETTING_NAMES);
  return Object.fromEntries(
    (many.set ?? []).map((text) => {
      const [name = '', ...value] = text.split('=');
      if (!known.has(name) || value.length === 0)
        throw new Usage(`--set: expected a setting of docs/configuration.md and its value, received ${text}`);
      return [name, value.join('=')];
    }),
  );
}

/** A given one is not ours to start or end. */
async function targetFor(
  wish: Wish,
  folder: string,
  undo: AsyncDisposableStack,
): Promise<{ target: Target; watch: Watch | undefined }> {
  const { one, many, alone } = wish;
  if (one.target === undefined) {
    for (const name of ['router', 'metrics', 'key'] as const) {
      if (one[name] !== undefined || many[name] !== undefined) throw new Usage(`--${name} belongs to --target`);
    }
    const database = choiceOf(wish, 'database', ['embedded', 'postgres']);
    const latency = choiceOf(wish, 'latency', ['realistic', 'zero']);
    const workers = numberOf(wish, 'workers', 1, 1);
    process.stderr.write(`starting a stack (${database}) …\n`);
    const inspected = wish.scenario === 'soak';
    const options = [
      ...(wish.profile ? [`--cpu-prof --cpu-prof-dir=${join(folder, 'profiles')}`] : []),
      ...(inspected ? [INSPECTED] : []),
    ];
    const env = { ...(options.length > 0 ? { NODE_OPTIONS: options.join(' ') } : {}), ...settingsOf(wish) };
    const stack = undo.use(await startStack({ database, latency, workers, env }));
    return { target: stack.target, watch: undo.use(watchStack(stack, inspected)) };
  }
  if (wish.profile || many.set !== undefined)
    throw new Usage('--profile and --set are for a stack of its own, without --target');
  const given = process.env['BURNLINE_KEY'];
  const target = {
    url: address(one.target),
    keys: many.key ?? (given === undefined || given === '' ? [] : [given]),
    metrics: (many.metrics ?? []).map(address),
    router:
      one.router === undefined
        ? undefined
        : { url: address(one.router), key: one['router-key'] ?? process.env['BURNLINE_ROUTER_KEY'] },
    alone,
  };
  return { target, watch: undefined };
}

async function run(argv: readonly string[]): Promise<number> {
  const wish = readWish(argv);
  const { scenario, one } = wish;
  const rate = numberOf(wish, 'rate', USUAL[scenario].rate, RATE_LEAST);
  const leastKnee = one.knee === undefined ? undefined : numberOf(wish, 'knee', 0, RATE_LEAST);
  if (leastKnee !== undefined && !USUAL[scenario].climbs) throw new Usage(`--knee: ${scenario} looks for none`);
  const name = `${scenario}-${new Date()
    .toISOString()
    .replace(/[-:]|\.\d+Z$/g, '')
    .replace('T', '-')}`;
  const plan = makePlan({
    scenario,
    rate,
    steps: stepsOf(wish),
    run: `load-${name}-${process.pid}`,
    duration: durationOf(wish),
    promises: promisesFor(wish),
    documents: one.documents === undefined ? sampleDocuments() : folderDocuments(one.documents),
  });
  // k6 takes what it opens from its script's folder.
  const folder = resolve(one.out ?? join('.burnline', 'loadtests', name));
  if (statSync(folder, { throwIfNoEntry: false })?.isFile()) throw new Usage(`--out: ${folder} is a file`);
  const found = findK6();
  if (found.kind === 'missing') throw new Fault('k6_failed', `k6 is missing: ${found.why}`);
  mkdirSync(folder, { recursive: true });
  const signal = onStopSignal(systemClock, { ignoreTerminal: false, ignoreHangUp: false });
  await using undo = new AsyncDisposableStack();
  const { target, watch } = await targetFor(wish, folder, undo);
  const prometheus = one.prometheus && address(one.prometheus);
  process.stderr.write(`${scenario}: ${target.url}, run ${plan.run}\n`);
  const result = await runLoadtest(
    {
      ...{ plan, target, folder, leastKnee, prometheus, watch, k6: found.where, environment: process.env },
      promises: promisesFor(wish),
    },
    { http, clock: systemClock, signal, tell: makeProgress(plan, process.stderr) },
  );
  writeReports(result, folder);
  tellResult(result, relative('', folder), process.stdout);
  return result.verdict === 'kept' ? 0 : BROKEN;
}

if (process.argv.includes('--help')) process.stdout.write(usage());
else {
  process.exitCode = await run(process.argv.slice(2)).catch((error: unknown) => {
    const wrong = error instanceof Usage;
    const shown = wrong || error instanceof Fault ? describe(error) : (error as Error).stack;
    process.stderr.write(`loadtest: ${wrong ? '' : 'it could not be run: '}${shown}\n${wrong ? `\n${usage()}` : ''}`);
    return wrong ? USAGE : NOT_RUN;
  });
  // Whatever still holds the event loop must not hold the process.
  process.exit();
}
