/** `npm run chaos -- --scenario NAME|--all`: docs/reliability.md. Stands here, as the load tests do, since it starts whole stacks. */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { columns, paint } from '#app/terminal.ts';
import { systemClock } from '#kernel/clock.ts';
import { describe, Fault } from '#kernel/errors.ts';
import { onStopSignal } from '#kernel/shutdown.ts';
import type { StackWish } from '#test/load/stack.ts';
import { type ChaosResult, runScenario, shippedPromises } from './run.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios.ts';
import { openGround } from './stage.ts';
import { rowOf, withRows } from './table.ts';
import { exitCodeOf, NOT_RUN, pagesInWords, statement, USAGE } from './verdict.ts';

const PAGE = 'docs/reliability.md';
const HELP = `npm run chaos -- --scenario NAME[,NAME]|--all [options]

  --database embedded|postgres  default: embedded where the scenario can be there; with --all both
  --seed N                      of chance: what is sent, whom a fault hits; default: one of the time, which is printed
  --latency realistic|zero      of the simulated vendors; default: realistic
  --table                       writes the rows into ${PAGE}
  --json                        the results on standard output, as JSON, and nothing else there
  --list                        the scenarios, and what must hold of each

Exit codes: 0 all held, 99 something did not, 1 it could not be run, 2 wrong usage.
`;

class Usage extends Error {}
type Database = StackWish['database'];
type Wish = {
  readonly plan: readonly (readonly [Scenario, Database])[];
  readonly seed: number;
  readonly latency: StackWish['latency'];
  readonly table: boolean;
  readonly json: boolean;
};

const OPTIONS = {
  scenario: { type: 'string' },
  all: { type: 'boolean' },
  database: { type: 'string' },
  seed: { type: 'string' },
  latency: { type: 'string' },
  table: { type: 'boolean' },
  json: { type: 'boolean' },
  list: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/** @throws {Usage} */
function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS }).values;
  } catch (error) {
    throw new Usage(describe(error));
  }
}

/** @throws {Usage} */
function readWish(values: ReturnType<typeof parsed>): Wish {
  const { database, latency = 'realistic', all } = values;
  if (database !== undefined && database !== 'embedded' && database !== 'postgres')
    throw new Usage(`--database: expected embedded or postgres, received ${database}`);
  if (latency !== 'realistic' && latency !== 'zero')
    throw new Usage(`--latency: expected realistic or zero, received ${latency}`);
  if ((values.scenario === undefined) === (all !== true)) throw new Usage('expected --scenario NAME or --all');
  const chosen = all ? SCENARIOS : (values.scenario ?? '').split(',').map(scenarioOf);
  const plan = chosen.flatMap((scenario): (readonly [Scenario, Database])[] => {
    if (database !== undefined && !scenario.databases.includes(database)) {
      if (all) return [];
      throw new Usage(`--database: ${scenario.name} is for ${scenario.databases.join(' and ')}`);
    }
    const wanted: readonly Database[] =
      database === undefined ? (all ? scenario.databases : scenario.databases.slice(0, 1)) : [database];
    return wanted.map((one: Database) => [scenario, one] as const);
  });
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new Usage(`--seed: expected a whole number from 0, received ${values.seed}`);
  return { plan, seed, latency, table: values.table === true, json: values.json === true };
}

function scenarioOf(name: string): Scenario {
  const found = SCENARIOS.find((one) => one.name === name);
  if (!found)
    throw new Usage(`--scenario: expected one of ${SCENARIOS.map((one) => one.name).join(', ')}, received ${name}`);
  return found;
}

async function run(argv: readonly string[]): Promise<number> {
  const values = parsed(argv);
  if (values.help) return say(HELP);
  if (values.list) return list();
  const { plan, seed, latency, table, json } = readWish(values);
  const results: ChaosResult[] = [];
  let notRun = false;
  const signal = onStopSignal(systemClock, { ignoreTerminal: false, ignoreHangUp: false });
  for (const [scenario, database] of plan) {
    try {
      await using ground = await openGround({ database, latency, workers: scenario.workers ?? 1, ...scenario.needs });
      const result = await runScenario({
        scenario,
        ground,
        seed,
        signal,
        tell: (line) => process.stderr.write(`${line}\n`),
      });
      results.push(result);
      tellResult(result, process.stderr);
      if (table)
        writeFileSync(
          PAGE,
          withRows(
            readFileSync(PAGE, 'utf8'),
            [rowOf(result)],
            SCENARIOS.map(({ name }) => name),
          ),
        );
    } catch (error) {
      if (signal.aborted) throw new Fault('broken_off', 'it was broken off, and says nothing', { cause: error });
      // One that cannot be run must not hide what the others find.
      notRun = true;
      process.stderr.write(`${scenario.name} on ${database} could not be run: ${(error as Error).stack}\n`);
    }
  }
  if (json) process.stdout.write(`${JSON.stringify({ seed, results }, null, 2)}\n`);
  return exitCodeOf(results, notRun);
}

const say = (text: string): number => {
  process.stdout.write(text);
  return 0;
};

function list(): number {
  const { target } = shippedPromises()['documents-processed'];
  for (const { name, faults, databases, holds } of SCENARIOS) {
    say(`${name} (${databases.join(', ')}): ${faults}\n`);
    for (const sentence of statement(holds, target)) say(`    ${sentence}\n`);
  }
  return 0;
}

function tellResult(result: ChaosResult, stream: NodeJS.WriteStream): void {
  const { judgements, figures, pages, recoverMs, seconds, load, verdict } = result;
  const colour = (kept: boolean) => (kept ? 'green' : 'red');
  const rows = judgements.map(({ holds, kept, says }) => [
    `  ${paint(colour(kept), kept ? 'held' : 'BROKEN', stream)}`,
    holds,
    says,
  ]);
  stream.write(columns(rows));
  stream.write(
    `  ${figures.documents} documents, ${figures.processed} processed, ${figures.failed} failed, ${figures.lost} lost, ${figures.duplicated} duplicated; ` +
      `page: ${pagesInWords(pages)}; well again after ${recoverMs === null ? 'never' : `${(recoverMs / 1_000).toFixed(1)} s`}; ` +
      `${seconds.toFixed(0)} s, load ${load.toFixed(1)}\n`,
  );
  stream.write(`${paint(colour(verdict === 'kept'), verdict, stream)}: ${result.scenario} on ${result.database}\n\n`);
}

process.exitCode = await run(process.argv.slice(2)).catch((error: unknown) => {
  const wrong = error instanceof Usage;
  const shown = wrong || error instanceof Fault ? describe(error) : (error as Error).stack;
  process.stderr.write(`chaos: ${wrong ? '' : 'it could not be run: '}${shown}\n${wrong ? `\n${HELP}` : ''}`);
  return wrong ? USAGE : NOT_RUN;
});
// Whatever still holds the event loop must not hold the process.
process.exit();
