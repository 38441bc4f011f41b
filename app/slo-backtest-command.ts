/** `burnline slo backtest`: what would have been said, had it been watched. */
import type { Command } from 'commander';
import { type Seconds, seconds } from '#kernel/units.ts';
import type { Summary } from '#slo/backtest.ts';
import type { Objective } from '#slo/objective.ts';
import {
  addSourceOptions,
  FAULTS,
  readSource,
  type SourceOptions,
  tickOption,
  USAGE,
  wrongSource,
} from './slo-source.ts';
import { addWhatIfOptions, type WhatIfOptions, whatIfOf, wrongWhatIf } from './slo-what-if.ts';

type Options = SourceOptions &
  WhatIfOptions & { readonly objective: string; readonly slo?: string; readonly tick: Seconds };

export function addBacktestCommand(slo: Command): void {
  const command = slo
    .command('backtest')
    .description('plays what happened through the detector: a JSON line for each change of verdict, and a summary last')
    .requiredOption('--objective <file>', 'the objective: OpenSLO v1 or Sloth');
  addSourceOptions(command)
    .option('--slo <name>', 'which of several objectives in the file: its name or id')
    .addOption(tickOption(seconds(5)));
  addWhatIfOptions(command).action(run);
}

async function run(options: Options): Promise<void> {
  const wrong = wrongSource(options) ?? wrongWhatIf(options);
  if (wrong !== undefined) return fail(USAGE, wrong);
  const found = await readOne(options);
  if (found === undefined) return;
  const { suppose } = await import('#slo/what-if.ts');
  const whatIf = whatIfOf(options);
  const supposed = suppose(found, whatIf ?? {});
  if (supposed.kind === 'refused') return fail(USAGE, supposed.reason);
  const { judged, leftOut } = supposed;
  for (const { rule, because } of leftOut) {
    process.stderr.write(`burnline slo backtest: ${rule} of ${judged.objective.id} is left out: ${because}\n`);
  }
  const { objective } = judged;
  const source = await readSource(objective, options);
  if (source.kind === 'refused') return fail(source.code, source.message);
  const { backtest, backtestFeed, tooLong } = await import('#slo/backtest.ts');
  const { feedOfCounters } = await import('#slo/feed-counters.ts');
  const { longestPeriod } = await import('#slo/ledger/account.ts');
  const { KEPT_MAX } = await import('#slo/ledger/ring.ts');
  const kept = longestPeriod(objective.window);
  if (kept > KEPT_MAX) {
    const { file, line, column } = objective.source;
    const most = `the longest that a ledger keeps is ${KEPT_MAX / 86_400} days`;
    return fail(FAULTS, `${file}:${line}:${column}  fault: a window of ${Math.ceil(kept / 86_400)} days; ${most}`);
  }
  const lines: string[] = [];
  const changed = (change: unknown) => {
    lines.push(JSON.stringify(change));
  };
  // What was supposed stands in the answer: a summary that is kept must not be taken for what was.
  const told = (summary: Summary) => JSON.stringify({ summary: { ...summary, whatIf: whatIf ?? null, leftOut } });
  if (source.kind === 'rows') {
    const { rows } = source.replay;
    const long = tooLong(rows[0]?.at ?? seconds(0), rows.at(-1)?.at ?? seconds(0), options.tick);
    if (long !== undefined) return fail(FAULTS, long);
    lines.push(told(backtest(judged, source.replay, options.tick, changed)));
  } else {
    const { replay } = source;
    const long = tooLong(replay.begin, replay.end, options.tick);
    if (long !== undefined) return fail(FAULTS, long);
    const made = feedOfCounters(objective, replay, { start: replay.begin, kept, corrections: [] });
    if (made.kind === 'fault') return fail(FAULTS, `${objective.id}: ${made.reason}`);
    lines.push(told(backtestFeed(judged, made.feed, options.tick, changed)));
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

async function readOne({ objective: file, slo }: Options): Promise<Objective | undefined> {
  const { readForUse } = await import('./slo-commands.ts');
  const read = await readForUse([file]);
  if (read === undefined) return undefined;
  if (read.faults.length > 0) {
    fail(FAULTS, read.faults.join('\n'));
    return undefined;
  }
  const chosen = chooseOne(read.objectives, slo);
  if (typeof chosen !== 'string') return chosen;
  fail(USAGE, `${file}: ${chosen}`);
  return undefined;
}

/** @returns what is wrong, and what there is. */
export function chooseOne(objectives: readonly Objective[], slo: string | undefined): Objective | string {
  const names = objectives.map(({ id }) => id).join(', ');
  const found = objectives.filter(({ id, name }) => slo === undefined || slo === id || slo === name);
  if (found.length === 1 && found[0] !== undefined) return found[0];
  const why = found.length === 0 ? `there is no objective "${slo}"` : 'there are several objectives: choose with --slo';
  return `${why}; it holds ${names || 'none'}`;
}

function fail(code: number, message: string): void {
  process.stderr.write(`burnline slo backtest: ${message}\n`);
  process.exitCode = code;
}
