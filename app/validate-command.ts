/** `burnline validate` and `burnline baseline record`: the same checks against any document API. docs/validate.md. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { systemClock } from '#kernel/clock.ts';
import { Fault } from '#kernel/errors.ts';
import { systemRandom, uuidv7 } from '#kernel/random.ts';
import { onStopSignal } from '#kernel/shutdown.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { baselineOf, readBaseline, writeBaseline } from '#loadtests/validate/baseline.ts';
import { CHECKS, type CheckName } from '#loadtests/validate/facts.ts';
import { SLOWER } from '#loadtests/validate/performance.ts';
import { blocksOf, differenceWords, headlineOf, junitOfValidation } from '#loadtests/validate/report.ts';
import { runChecks, type Seen } from '#loadtests/validate/run.ts';
import { troublesOf } from '#loadtests/validate/troubles.ts';
import { type Validation, validationOf } from '#loadtests/validate/verdict.ts';
import { environment } from './config.ts';
import { parseDuration } from './incident-commands.ts';
import { readNamedFile } from './named-file.ts';
import { PROJECT_ROOT } from './project.ts';
import { oneLine, paint } from './terminal.ts';

/** As of the load tests, and of k6: what was asked was answered, and the answer is no. */
const DIFFERS = 99;
const SHIPPED = join(PROJECT_ROOT, 'loadtests/validate/baseline.json');

type Common = {
  readonly target: string;
  readonly key?: string;
  readonly keyFile?: string;
  readonly metrics?: string;
  readonly only?: readonly CheckName[];
  readonly performance: boolean;
  readonly within: Milliseconds;
  readonly rateRequests: number;
  readonly repetitions: number;
};
type Validate = Common & {
  readonly baseline?: string;
  readonly slower: number;
  readonly json?: boolean;
  readonly junit?: string;
};
type Record_ = Common & { readonly out: string };

export function addValidateCommands(program: Command): void {
  common(
    program
      .command('validate')
      .description(
        'makes the same checks of a running document API as were recorded, and says what differs and whether it matters',
      )
      .option('--baseline <file>', 'what it is compared with; default: the behaviour that ships with this release')
      .option('--slower <ratio>', 'so many times slower matters', parseRatio, SLOWER)
      .option('--json', 'one JSON object')
      .option('--junit <file>', 'JUnit, a case for each check'),
  )
    .addHelpText(
      'after',
      help('Exit codes: 0 the same or better, 99 differs and matters, 1 it could not be run, 2 wrong usage.'),
    )
    .action(validate);
  common(
    program
      .command('baseline')
      .description('what validate compares with')
      .command('record')
      .description('makes the checks of a document API and writes down what it does')
      .requiredOption('--out <file>', 'where to'),
  )
    .addHelpText('after', help('Exit codes: 0 recorded, 1 it could not be run, 2 wrong usage.'))
    .action(record);
}

const help = (codes: string): string => `
Checks: ${CHECKS.join(', ')}.
What it uploads, it erases, if the key may (role admin; of a writer the documents stay).

Environment:
  BURNLINE_KEY          the key, where neither --key nor --key-file is given

${codes}`;

function common(command: Command): Command {
  return command
    .requiredOption('--target <url>', 'the document API', parseUrl)
    .addOption(new Option('--key <key>', 'of the document API; a shell keeps what is typed').conflicts('keyFile'))
    .option('--key-file <file>', 'a file that holds it')
    .option('--metrics <url>', 'of a worker, where the target’s own /metrics does not show everything', parseUrl)
    .option('--only <checks>', 'some of them, with commas', parseChecks)
    .option('--no-performance', 'behaviour alone')
    .addOption(
      new Option('--within <duration>', 'how long a document may take to its end')
        .argParser(parseDuration)
        .default(milliseconds(120_000), '2m'),
    )
    .option(
      '--rate-requests <n>',
      'at most so many, to find the limit of the rate; 0: do not look',
      parseCount(0, 10_000),
      400,
    )
    .option('--repetitions <n>', 'of each request that is measured', parseCount(8, 10_000), 64);
}

function parseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new InvalidArgumentError('expected an http(s) URL');
  if (url.username !== '' || url.password !== '')
    throw new InvalidArgumentError('expected no password in it; give --key');
  return text.replace(/\/+$/, '');
}

function parseChecks(text: string): CheckName[] {
  return text.split(',').map((name) => {
    const found = CHECKS.find((check) => check === name.trim());
    if (found === undefined) throw new InvalidArgumentError(`expected some of ${CHECKS.join(', ')}`);
    return found;
  });
}

const parseCount =
  (least: number, most: number) =>
  (text: string): number => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`);
  };

function parseRatio(text: string): number {
  const value = Number(text);
  if (value > 1 && value <= 100) return value;
  throw new InvalidArgumentError('expected a number above 1, such as 1.5');
}

async function validate(options: Validate): Promise<void> {
  const file = options.baseline ?? SHIPPED;
  const baseline = readBaseline(readNamedFile(file, 'baseline_unfit'), file);
  const [begun, steady] = [systemClock.now(), systemClock.steady()];
  const { run, seen } = await visit(options, options.json ?? false);
  const validation = validationOf(baseline, seen, {
    target: options.target,
    run,
    begunAt: new Date(begun).toISOString(),
    seconds: Math.round((systemClock.steady() - steady) / 100) / 10,
    slower: options.slower,
  });
  if (options.junit !== undefined) write(options.junit, junitOfValidation(validation));
  process.stdout.write(options.json ? `${JSON.stringify(validation)}\n` : textOf(validation));
  process.exitCode = validation.verdict === 'same' ? 0 : DIFFERS;
}

async function record(options: Record_): Promise<void> {
  const { run, seen } = await visit(options, false);
  const unanswered = seen.results.filter(({ facts, check }) => facts[`${check}/answered`] === false);
  if (unanswered.length > 0) {
    const why = unanswered.map(({ check, notSeen }) => `${check} (${Object.values(notSeen).join('; ')})`).join(', ');
    throw new Fault('not_recorded', `Cannot record ${options.target}: it was not answered in ${why}`);
  }
  const trouble = troublesOf(seen.results).find(({ matters }) => matters);
  if (trouble !== undefined)
    throw new Fault('not_recorded', `Cannot record ${options.target}: ${differenceWords(trouble)}`);
  const baseline = baselineOf(seen.version, seen.results);
  write(options.out, writeBaseline(baseline));
  const left = seen.left.length === 0 ? '' : `; ${seen.left.length} documents are not erased, correlation ID ${run}`;
  process.stdout.write(
    `Recorded ${Object.keys(baseline.behaviour).length} facts of version ${seen.version} in ${options.out}${left}.\n`,
  );
}

async function visit(options: Common, quiet: boolean): Promise<{ run: string; seen: Seen }> {
  const stop = onStopSignal(systemClock, { ignoreTerminal: false, ignoreHangUp: false });
  const run = `validate-${uuidv7(systemClock.now(), systemRandom)}`;
  const left = [...(options.performance ? [] : ['performance']), ...(options.rateRequests > 0 ? [] : ['rate-limit'])];
  const seen = await runChecks({
    url: options.target,
    key: keyOf(options),
    metricsUrl: options.metrics?.replace(/\/metrics$/, ''),
    checks: (options.only ?? CHECKS).filter((check) => !left.includes(check)),
    run,
    within: options.within,
    rateRequests: options.rateRequests,
    repetitions: options.repetitions,
    clock: systemClock,
    signal: stop,
    onCheck: (check, number, of) => {
      if (!quiet) process.stderr.write(`${paint('dim', `${number}/${of} ${check}`, process.stderr)}\n`);
    },
  });
  return { run, seen };
}

function keyOf({ key, keyFile }: Common): string | undefined {
  if (keyFile !== undefined) return readNamedFile(keyFile, 'key_unreadable').trim();
  return key ?? environment()['BURNLINE_KEY'];
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (cause) {
    throw new Fault('not_written', `Cannot write ${file}`, { cause });
  }
}

/** What a target answers is a stranger's: it can move no cursor. */
function textOf(validation: Validation): string {
  const blocks = blocksOf(validation).map(({ title, bad, lines }) => {
    const told = lines.flatMap((line) => line.split('\n').map((one) => `  ${oneLine(one)}\n`));
    return `${paint(bad ? 'red' : 'bold', title)}\n${told.join('')}\n`;
  });
  const same = validation.verdict === 'same';
  return `${blocks.join('')}${paint(same ? 'green' : 'red', oneLine(headlineOf(validation)))}\n`;
}
