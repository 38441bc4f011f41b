/**
 * `burnline slo compile`: objectives' files to Prometheus rule files. With a fault nothing is written. `--check` writes
 * nothing and says what would change.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe } from '#kernel/errors.ts';
import type { Links } from '#prometheus/alerts.ts';
import type { Objective } from '#slo/objective.ts';
import type { Outcome } from './slo-compile.ts';

export type CompileInput = {
  readonly objectives: readonly Objective[];
  /** Each a line that names the place. With one, nothing is compiled. */
  readonly faults: readonly string[];
};
/** Undefined when the command line was wrong, which has been said. */
export type ReadObjectives = (paths: readonly string[]) => Promise<CompileInput | undefined>;
/** Where the command's words go: `process` has both. */
export type Streams = Readonly<Record<'stdout' | 'stderr', { write(text: string): unknown }>>;
type Options = {
  readonly out: string;
  readonly check?: boolean;
  readonly json?: boolean;
  readonly dashboardUrl?: string;
  readonly runbookUrl?: string;
};
type Run = Options & { readonly whole: boolean };

/** @param defaults the files that are read when none is named. */
export function addCompileCommand(
  slo: Command,
  read: ReadObjectives,
  defaults: readonly string[],
  streams: Streams = process,
): void {
  slo
    .command('compile')
    .description(
      'Prometheus rules from objectives: one file a service, with the records of Sloth and an alert for each tier',
    )
    .argument('[files...]', 'OpenSLO files or folders', [...defaults])
    .option('--out <dir>', 'where the rule files are written', 'prometheus/rules')
    .option('--check', 'writes nothing; exit code 1 if a file would change')
    .option('--dashboard-url <url>', 'put before an objective’s id, in each alert')
    .option(
      '--runbook-url <url>',
      'for objectives that name no runbook of their own; {alert} in it is the alert’s name',
      'docs/runbooks/{alert}.md',
    )
    .option('--json', 'as JSON')
    .action(async (paths: readonly string[], options: Options) => {
      const input = await read(paths);
      // Who names one file of several does not say that the others are gone.
      const whole = paths.every((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory());
      if (input !== undefined) process.exitCode = await compileCommand(input, { ...options, whole }, streams);
    });
}

async function compileCommand({ objectives, faults }: CompileInput, options: Run, streams: Streams): Promise<number> {
  const none = objectives.length === 0 ? ['there is no objective: nothing was compiled, and nothing removed'] : [];
  if (faults.length + none.length > 0) {
    tell(options, { ok: false, faults: [...faults, ...none], files: [], changed: [], stale: [], leftOut: [] }, streams);
    return 1;
  }
  // Loaded when it is used: every role reads this file to know its commands.
  const { compileInto } = await import('./slo-compile.ts');
  try {
    const outcome = compileInto(options.out, objectives, linksOf(options), {
      write: options.check !== true,
      removes: options.whole,
    });
    const ok = options.check !== true || outcome.changed.length + outcome.stale.length === 0;
    tell(options, { ok, faults: [], ...outcome }, streams);
    return ok ? 0 : 1;
  } catch (error) {
    streams.stderr.write(`Cannot write rules into ${options.out}: ${describe(error)}\n`);
    return 1;
  }
}

const linksOf = ({ dashboardUrl, runbookUrl }: Options): Links => ({
  ...(dashboardUrl === undefined ? {} : { dashboard: dashboardUrl }),
  ...(runbookUrl === undefined ? {} : { runbook: runbookUrl }),
});

function tell(
  options: Options,
  outcome: Outcome & { readonly ok: boolean; readonly faults: readonly string[] },
  { stdout, stderr }: Streams,
): void {
  if (options.json) {
    stdout.write(`${JSON.stringify(outcome)}\n`);
    return;
  }
  const { faults, files, changed, stale, leftOut } = outcome;
  for (const fault of faults) stderr.write(`${fault}\n`);
  for (const { id, what, because } of leftOut) stdout.write(`${id}: left out, ${what}: ${because}\n`);
  for (const file of stale)
    stdout.write(`${join(options.out, file)} ${options.check ? 'has no objective' : 'removed'}\n`);
  for (const file of changed)
    stdout.write(`${join(options.out, file)} ${options.check ? 'would change' : 'written'}\n`);
  if (faults.length === 0) stdout.write(`${files.length} rule file(s), ${changed.length} changed\n`);
}
