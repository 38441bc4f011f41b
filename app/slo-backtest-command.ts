/** `burnline slo backtest`: what would have been said, had it been watched. */
import { readFileSync, statSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { describe } from '#kernel/errors.ts';
import { ratio, type Seconds, seconds } from '#kernel/units.ts';
import type { Objective } from '#slo/objective.ts';

const FAULTS = 1;
const USAGE = 2;
/** ROWS_MAX rows of some 25 bytes. */
const EVENTS_BYTES_MAX = 256 * 1024 * 1024;

type Options = {
  readonly objective: string;
  readonly events: string;
  readonly slo?: string;
  readonly tick: Seconds;
  readonly target?: number;
  readonly falsePages?: number;
  readonly smallestBurn?: number;
};

export function addBacktestCommand(slo: Command): void {
  slo
    .command('backtest')
    .description('plays what happened through the detector: a JSON line for each change of verdict, and a summary last')
    .requiredOption('--objective <file>', 'the objective: OpenSLO v1 or Sloth')
    .requiredOption(
      '--events <csv>',
      'time,good,bad in seconds and counts since the row before; - reads standard input',
    )
    .option('--slo <name>', 'which of several objectives in the file: its name or id')
    .option('--tick <duration>', 'how often it is judged, such as 5s or 1m', parseTick, seconds(5))
    .option('--target <share>', 'what if: another target, such as 0.99', parseShare)
    .option('--false-pages <number>', 'what if: another number of tolerable false pages a year', parsePositive)
    .option('--smallest-burn <rate>', 'what if: another smallest burn rate that is worth a page', parsePositive)
    .action(run);
}

async function run(options: Options): Promise<void> {
  const objective = await readOne(options);
  if (objective === undefined) return;
  const { readRows } = await import('#slo/replay.ts');
  const { backtest } = await import('#slo/backtest.ts');
  const text = readEvents(options.events);
  if (text === undefined) return;
  const read = readRows(text);
  if (read.kind === 'fault') return fail(FAULTS, `${options.events}:${read.line}  fault: ${read.reason}`);
  const lines: string[] = [];
  const summary = backtest(whatIf(objective, options), read, options.tick, (change) => {
    lines.push(JSON.stringify(change));
  });
  lines.push(JSON.stringify({ summary }));
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function readOne({ objective: file, slo }: Options): Promise<Objective | undefined> {
  const { readPaths } = await import('./slo-commands.ts');
  const read = await readPaths([file], { references: false });
  if (read === undefined) return undefined;
  if (read.faults.length > 0) {
    fail(FAULTS, read.faults.map((one) => `${one.file}:${one.line}:${one.column}  fault: ${one.message}`).join('\n'));
    return undefined;
  }
  const names = read.objectives.map(({ id }) => id).join(', ');
  const found = read.objectives.filter(({ id, name }) => slo === undefined || slo === id || slo === name);
  if (found.length === 1) return found[0];
  const why = found.length === 0 ? `there is no objective "${slo}"` : 'there are several objectives: choose with --slo';
  fail(USAGE, `${file}: ${why}; it holds ${names || 'none'}`);
  return undefined;
}

function readEvents(file: string): string | undefined {
  try {
    const size = file === '-' ? 0 : statSync(file).size;
    if (size <= EVENTS_BYTES_MAX) return readFileSync(file === '-' ? 0 : file, 'utf8');
    fail(FAULTS, `${file}: ${size} bytes, the most is ${EVENTS_BYTES_MAX}`);
  } catch (error) {
    fail(USAGE, `Cannot read ${file}: ${describe(error)}`);
  }
  return undefined;
}

function whatIf(objective: Objective, { target, falsePages, smallestBurn }: Options): Objective {
  const { alerting } = objective;
  const changed = {
    ...objective,
    alerting: {
      ...alerting,
      falsePagesPerYear: falsePages ?? alerting.falsePagesPerYear,
      smallestBurn: smallestBurn ?? alerting.smallestBurn,
    },
  };
  if (target === undefined) return changed;
  return { ...changed, target: ratio(target), budget: ratio(Number((1 - target).toPrecision(12))) };
}

function fail(code: number, message: string): void {
  process.stderr.write(`burnline slo backtest: ${message}\n`);
  process.exitCode = code;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 };

function parseTick(text: string): Seconds {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([smh])$/.exec(text) ?? [];
  const value = Number(number) * (UNITS[unit] ?? 0);
  if (!(value >= 1 && value <= 3_600)) throw new InvalidArgumentError('expected a duration of 1s to 1h, such as 5s');
  return seconds(value);
}

function parseShare(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError('expected a share between 0 and 1, such as 0.98');
  return value;
}

function parsePositive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('expected a number above 0');
  return value;
}
