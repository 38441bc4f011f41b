/** `burnline slo report`: what an objective came to, period by period, and what ate its budget. */
import { readFileSync, statSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { describe } from '#kernel/errors.ts';
import { type Seconds, seconds } from '#kernel/units.ts';
import type { Feed, FeedOptions } from '#slo/feed.ts';
import type { Correction } from '#slo/ledger/corrections.ts';
import type { CalendarUnit, Objective } from '#slo/objective.ts';
import type { Report } from '#slo/report.ts';
import { chooseOne } from './slo-backtest-command.ts';
import {
  addSourceOptions,
  FAULTS,
  readSource,
  type Source,
  type SourceOptions,
  tickOption,
  USAGE,
  wrongSource,
} from './slo-source.ts';

const TICK = seconds(15);
const CORRECTIONS_BYTES_MAX = 8 * 1024 * 1024;

type Options = SourceOptions & {
  readonly slo?: string;
  readonly period?: Extract<CalendarUnit, 'week' | 'month' | 'quarter'>;
  readonly corrections?: string;
  readonly tick: Seconds;
  readonly format: 'markdown' | 'json' | 'csv';
  readonly json?: boolean;
};

export function addReportCommand(slo: Command): void {
  const command = slo
    .command('report')
    .description('what an objective came to: attained, budget spent and left, what ate it, corrections, when it ends')
    .argument('[FILES...]', 'files, or folders with .yaml files; default: the objectives that ship')
    .option('--slo <name>', 'which of several objectives: its name or id');
  addSourceOptions(command)
    .addOption(
      new Option(
        '--period <unit>',
        "a calendar's, in the objective's time zone or UTC; default: the objective's window",
      ).choices(['week', 'month', 'quarter']),
    )
    .option('--corrections <file>', 'YAML: what shall not count, with author and reason')
    .addOption(tickOption(TICK))
    .addOption(
      new Option('--format <format>', 'how it is written').choices(['markdown', 'json', 'csv']).default('markdown'),
    )
    .option('--json', 'the same as --format json')
    .action(run);
}

async function run(paths: readonly string[], options: Options): Promise<void> {
  const wrong = wrongSource(options);
  if (wrong !== undefined) return fail(USAGE, wrong);
  const { readForUse } = await import('./slo-commands.ts');
  const read = await readForUse(paths);
  if (read === undefined) return;
  if (read.faults.length > 0) return fail(FAULTS, read.faults.join('\n'));
  const objective = chooseOne(read.objectives, options.slo);
  if (typeof objective === 'string') return fail(USAGE, objective);
  const corrections = await correctionsFrom(options.corrections, read.objectives);
  if (corrections === undefined) return;
  const source = await readSource(objective, options);
  if (source.kind === 'refused') return fail(source.code, source.message);
  const report = await reportOf(objective, source, corrections, options);
  if (typeof report === 'string') return fail(FAULTS, `${objective.id}: ${report}`);
  const { reportCsv, reportMarkdown } = await import('#slo/report-text.ts');
  const format = options.json ? 'json' : options.format;
  const text = {
    markdown: () => `${reportMarkdown(report)}\n`,
    csv: () => reportCsv([report]),
    json: () => `${JSON.stringify(report)}\n`,
  };
  process.stdout.write(text[format]());
}

/** @returns the report, or why there is none. */
async function reportOf(
  objective: Objective,
  source: Exclude<Source, { readonly kind: 'refused' }>,
  corrections: readonly Correction[],
  { period, tick }: Options,
): Promise<Report | string> {
  const { tooLong } = await import('#slo/backtest.ts');
  const { beginOf, feedOfRows } = await import('#slo/feed.ts');
  const { feedOfCounters } = await import('#slo/feed-counters.ts');
  const { makeReport, prepareReport } = await import('#slo/report.ts');
  const begin = source.kind === 'rows' ? beginOf(source.replay) : source.replay.begin;
  const end = source.kind === 'rows' ? (source.replay.rows.at(-1)?.at ?? begin) : source.replay.end;
  const long = tooLong(begin, end, tick);
  if (long !== undefined) return long;
  const prepared = prepareReport(objective, begin, end, { unit: period, corrections });
  if (prepared.kind === 'fault') return prepared.reason;
  const feedOf = (feed: FeedOptions): Feed | string => {
    if (source.kind === 'rows') return feedOfRows(source.replay, begin, feed);
    const made = feedOfCounters(objective, source.replay, feed);
    return made.kind === 'fault' ? made.reason : made.feed;
  };
  const feed = feedOf(prepared.feed);
  return typeof feed === 'string' ? feed : makeReport(objective, feed, prepared, { tick, corrections });
}

/** Undefined when the file is wrong, which has been said. */
async function correctionsFrom(
  file: string | undefined,
  objectives: readonly Objective[],
): Promise<readonly Correction[] | undefined> {
  if (file === undefined) return [];
  const { findingText } = await import('./slo-commands.ts');
  const { readCorrections } = await import('#slo/corrections-file.ts');
  const { decodeText } = await import('#slo/openslo/decode.ts');
  let bytes: Buffer;
  try {
    const { size } = statSync(file);
    if (size > CORRECTIONS_BYTES_MAX) {
      fail(FAULTS, `${file}: ${size} bytes, the most is ${CORRECTIONS_BYTES_MAX}`);
      return undefined;
    }
    bytes = readFileSync(file);
  } catch (error) {
    fail(USAGE, `Cannot read ${file}: ${describe(error)}`);
    return undefined;
  }
  const decoded = decodeText(file, bytes);
  const read =
    decoded.kind === 'fault'
      ? { corrections: [], faults: [decoded.fault], warnings: [] }
      : readCorrections(file, decoded.text, new Set(objectives.map(({ id }) => id)));
  for (const warning of read.warnings) process.stderr.write(`${findingText(warning, 'warning')}\n`);
  if (read.faults.length === 0) return read.corrections;
  fail(FAULTS, read.faults.map((one) => findingText(one, 'fault')).join('\n'));
  return undefined;
}

function fail(code: number, message: string): void {
  process.stderr.write(`burnline slo report: ${message}\n`);
  process.exitCode = code;
}
