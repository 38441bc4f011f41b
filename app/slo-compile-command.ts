/**
 * `burnline slo compile`: objectives' files to Prometheus rule files. Everything is written beside its place first and
 * moved there when all of it is done, so that Prometheus never reads half of it; with a fault nothing is written.
 * `--check` writes nothing and says what would change.
 */
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describe } from '#kernel/errors.ts';
import { type Bytes, kibibytes } from '#kernel/units.ts';
import type { Links } from '#prometheus/alerts.ts';
import { compileRules, HEAD, type LeftOut } from '#prometheus/compile.ts';
import type { Objective } from '#slo/objective.ts';

export type ReadObjectives = (paths: readonly string[]) => {
  readonly objectives: readonly Objective[];
  /** Each a line that names the place. With one, nothing is compiled. */
  readonly faults: readonly string[];
};
type Options = {
  readonly out: string;
  readonly check?: boolean;
  readonly json?: boolean;
  readonly dashboardUrl?: string;
  readonly runbookUrl?: string;
};
type Outcome = {
  readonly files: readonly string[];
  /** That differ from what stands in the folder, or, of `stale`, stand there without an objective. */
  readonly changed: readonly string[];
  readonly stale: readonly string[];
  readonly leftOut: readonly LeftOut[];
};

/** @param defaults the files that are read when none is named. */
export function addCompileCommand(slo: Command, read: ReadObjectives, defaults: readonly string[]): void {
  slo
    .command('compile')
    .description(
      'Prometheus rules from objectives: one file a service, with the records of Sloth and an alert for each tier',
    )
    .argument('[files...]', 'OpenSLO files or folders', [...defaults])
    .option('--out <dir>', 'where the rule files are written', 'prometheus/rules')
    .option('--check', 'writes nothing; exit code 1 if a file would change')
    .option('--dashboard-url <url>', 'put before an objective’s id, in each alert')
    .option('--runbook-url <url>', 'for objectives that name no runbook of their own')
    .option('--json', 'as JSON')
    .action((paths: readonly string[], options: Options) => {
      process.exitCode = compileCommand(paths, options, read);
    });
}

function compileCommand(paths: readonly string[], options: Options, read: ReadObjectives): number {
  const { objectives, faults } = read(paths);
  if (faults.length > 0) {
    tell(options, { ok: false, faults, files: [], changed: [], stale: [], leftOut: [] });
    return 1;
  }
  try {
    const outcome = compileInto(options.out, objectives, linksOf(options), options.check !== true);
    const ok = options.check !== true || outcome.changed.length + outcome.stale.length === 0;
    tell(options, { ok, faults: [], ...outcome });
    return ok ? 0 : 1;
  } catch (error) {
    process.stderr.write(`Cannot write rules into ${options.out}: ${describe(error)}\n`);
    return 1;
  }
}

const linksOf = ({ dashboardUrl, runbookUrl }: Options): Links => ({
  ...(dashboardUrl === undefined ? {} : { dashboard: dashboardUrl }),
  ...(runbookUrl === undefined ? {} : { runbook: runbookUrl }),
});

/** @throws what the file system throws; the folder is then as it was, but for files already moved. */
export function compileInto(out: string, objectives: Iterable<Objective>, links: Links, write: boolean): Outcome {
  if (write) mkdirSync(out, { recursive: true });
  // In the folder itself, so that moving is one step; a checker leaves the folder alone.
  const draft = mkdtempSync(write ? join(out, '.draft-') : join(tmpdir(), 'burnline-rules-'));
  try {
    const files = new Set<string>();
    const leftOut: LeftOut[] = [];
    for (const piece of compileRules(objectives, links)) {
      if (piece.kind === 'left out') leftOut.push(piece.leftOut);
      else {
        files.add(piece.file);
        appendFileSync(join(draft, piece.file), piece.text);
      }
    }
    const changed = [...files].filter((file) => !isSame(join(draft, file), join(out, file)));
    const stale = ours(out).filter((file) => !files.has(file));
    if (write) {
      for (const file of changed) renameSync(join(draft, file), join(out, file));
      for (const file of stale) rmSync(join(out, file));
    }
    return { files: [...files].sort(), changed: changed.sort(), stale, leftOut };
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

const PIECE: Bytes = kibibytes(64);

/** Piece by piece: a file of thousands of objectives is 100 MB. */
function isSame(a: string, b: string): boolean {
  if (!existsSync(b) || statSync(a).size !== statSync(b).size) return false;
  const [one, other] = [openSync(a, 'r'), openSync(b, 'r')];
  try {
    const [left, right] = [Buffer.alloc(PIECE), Buffer.alloc(PIECE)];
    for (;;) {
      const length = readSync(one, left);
      readSync(other, right);
      if (length === 0) return true;
      if (left.compare(right, 0, length, 0, length) !== 0) return false;
    }
  } finally {
    closeSync(one);
    closeSync(other);
  }
}

function startOf(path: string): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(HEAD.length);
    return bytes.toString('utf8', 0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}

/** Files that an earlier run wrote: an objective that is gone must not go on paging. Others' files are not touched. */
function ours(out: string): string[] {
  if (!existsSync(out)) return [];
  return readdirSync(out)
    .filter((file) => file.endsWith('.yaml') && startOf(join(out, file)) === HEAD)
    .sort();
}

function tell(options: Options, outcome: Outcome & { readonly ok: boolean; readonly faults: readonly string[] }): void {
  if (options.json) {
    process.stdout.write(`${JSON.stringify(outcome)}\n`);
    return;
  }
  const { faults, files, changed, stale, leftOut } = outcome;
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  for (const { id, what, because } of leftOut) process.stdout.write(`${id}: left out, ${what}: ${because}\n`);
  for (const file of stale)
    process.stdout.write(`${join(options.out, file)} ${options.check ? 'has no objective' : 'removed'}\n`);
  for (const file of changed)
    process.stdout.write(`${join(options.out, file)} ${options.check ? 'would change' : 'written'}\n`);
  if (faults.length === 0) process.stdout.write(`${files.length} rule file(s), ${changed.length} changed\n`);
}
