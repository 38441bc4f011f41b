/** The SLO engine by hand. Reads files and prints; decides nothing. */
import type { Command } from 'commander';
import type { Finding } from '#slo/openslo/report.ts';
import { addBacktestCommand } from './slo-backtest-command.ts';
import { addCompileCommand, type CompileInput } from './slo-compile-command.ts';
import { addCorrectionCommands } from './slo-corrections-command.ts';
import { addReportCommand } from './slo-report-command.ts';

const FAULTS = 1;
const USAGE = 2;

const FILES = 'files, or folders with .yaml files; default: the objectives that ship';

export function addSloCommands(program: Command): void {
  const slo = program.command('slo').description('objectives: checked, explained, compiled, replayed, reported');
  slo
    .command('validate')
    .description('reads objectives (OpenSLO v1, Sloth prometheus/v1) and tells every fault and what each objective is')
    .argument('[FILES...]', FILES)
    .option('--strict', "by the rules of OpenSLO's own SDK; else by its README and published examples")
    .option('--no-references', 'what the files refer to may stand elsewhere')
    .option('--json', 'as JSON')
    .action(validate);
  slo
    .command('export')
    .description('writes them as OpenSLO with all references resolved')
    .argument('[FILES...]', FILES)
    .option('--no-references', 'what the files refer to may stand elsewhere')
    .action(exportFiles);
  addCompileCommand(slo, readForUse, []);
  addBacktestCommand(slo);
  addReportCommand(slo);
  addCorrectionCommands(slo);
}

type Options = { readonly strict?: boolean; readonly references: boolean; readonly json?: boolean };

async function validate(paths: readonly string[], options: Options): Promise<void> {
  const read = await readPaths(paths, options);
  if (read === undefined) return;
  const { validateText, validateView } = await import('./slo-output.ts');
  const view = validateView(read);
  process.stdout.write(options.json ? `${JSON.stringify(view)}\n` : validateText(view, process.stdout));
  if (!view.ok) process.exitCode = FAULTS;
}

async function exportFiles(paths: readonly string[], options: Options): Promise<void> {
  const read = await readPaths(paths, options);
  if (read === undefined) return;
  const { exportResolved } = await import('#slo/openslo/export.ts');
  if (read.faults.length === 0) process.stdout.write(exportResolved(read.documents));
  else {
    // Half an export is worse than none: a reader could not tell.
    process.stderr.write(read.faults.map((one) => `${findingText(one, 'fault')}\n`).join(''));
    process.exitCode = FAULTS;
  }
}

/**
 * What compile, backtest and report work on: read as validate reads by default, so that all of them call the same files right.
 * Warnings are told and stop nothing: a Service or DataSource may well stand elsewhere.
 * @returns undefined when the command line was wrong, which has been said.
 */
export async function readForUse(paths: readonly string[]): Promise<CompileInput | undefined> {
  const read = await readPaths(paths, {});
  if (read === undefined) return undefined;
  process.stderr.write(read.warnings.map((one) => `${findingText(one, 'warning')}\n`).join(''));
  return { objectives: read.objectives, faults: read.faults.map((one) => findingText(one, 'fault')) };
}

export const findingText = ({ file, line, column, message }: Finding, word: 'fault' | 'warning'): string =>
  `${file}:${line}:${column}  ${word}: ${message}`;

/** Undefined when the command line was wrong, which has been said. */
async function readPaths(
  paths: readonly string[],
  { strict = false, references = true }: { readonly strict?: boolean; readonly references?: boolean },
) {
  const { readFiles } = await import('./slo-files.ts');
  const { readObjectives } = await import('#slo/openslo/read.ts');
  const found = readFiles(paths);
  if (found.kind === 'usage') {
    process.stderr.write(`burnline slo: ${found.message}\n`);
    process.exitCode = USAGE;
    return undefined;
  }
  const read = readObjectives(found.files, { strict, references });
  return { ...read, faults: [...found.faults, ...read.faults] };
}
