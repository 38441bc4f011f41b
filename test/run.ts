/**
 * `npm test`: finds or makes the real programs, says which, runs the tests of the rooms in two processes and those of the
 * whole product in processes of their own, two at a time, and ends with one line `N passed, N failed`. With CI=true a missing program is
 * a failure; elsewhere it is said what is not tested for want of it.
 */
import { spawn } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { findPostgres, startCluster } from './tools/postgres.ts';
import { findTools } from './tools/tools.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'only-rooms': { type: 'boolean' }, 'only-acceptance': { type: 'boolean' } },
});
const ci = process.env['CI'] === 'true';
type Counts = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Milliseconds, by file. */
  readonly files: Readonly<Record<string, number>>;
};
const NOTHING: Counts = { passed: 0, failed: 0, skipped: 0, files: {} };

/** A test runner that hangs must not hang the run. */
const PROCESS_LIMIT_MS = 20 * 60_000;
const reports = mkdtempSync(join(tmpdir(), 'burnline-report-'));
async function run(
  name: string,
  files: readonly string[],
  extra: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Counts> {
  const report = join(reports, name);
  const reporter = ci ? 'tap' : process.stdout.isTTY ? 'spec' : 'dot';
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--test',
      ...extra,
      `--test-reporter=${ci ? './test/kit/failure-reporter.ts' : reporter}`,
      '--test-reporter-destination=stdout',
      '--test-reporter=./test/kit/count-reporter.ts',
      `--test-reporter-destination=${report}`,
      ...files,
    ],
    { stdio: 'inherit', env, timeout: PROCESS_LIMIT_MS, killSignal: 'SIGKILL' },
  );
  const status = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('exit', resolve);
  });
  const counts = readCounts(report);
  // A process that died has told no failure.
  return status !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

function readCounts(report: string): Counts {
  const text = existsSync(report) ? readFileSync(report, 'utf8') : '';
  return text === '' ? NOTHING : (JSON.parse(text) as Counts);
}

const tools = findTools();
for (const { name, found } of tools) {
  if (found.kind === 'found') process.stdout.write(`${name}: ${found.how}\n`);
  else process.stdout.write(`${name}: MISSING (${found.why}); so ${found.costs}\n`);
}
const missing = tools.filter(({ found }) => found.kind === 'missing').length;
const env: NodeJS.ProcessEnv = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'burnline-compile-cache') };
// Who waits for a run tries fewer requests that nobody would think of; CI tries more.
if (!ci) env['TEST_EXAMPLES'] ??= '10';
for (const { name, found } of tools) if (found.kind === 'found') env[`TEST_TOOL_${name.toUpperCase()}`] = found.where;
const postgres = tools.find(({ name }) => name === 'postgres')?.found;
const cluster = postgres?.kind === 'found' ? await startCluster(postgres.where) : undefined;
if (cluster) env['TEST_POSTGRES_URL'] = cluster.url;
const oldest = ci ? findPostgres(16) : undefined;
const oldestCluster = oldest?.kind === 'found' ? await startCluster(oldest.where) : undefined;
if (oldestCluster) env['TEST_POSTGRES_16_URL'] = oldestCluster.url;

const all =
  positionals.length > 0
    ? positionals
    : globSync(
        '{kernel,access,collector,serving,samples,slo,worker,alerting,prometheus,grafana,simulators,console,loadtests,app,test}/**/*.test.ts',
      );
const isAcceptance = (file: string) => file.startsWith('test/acceptance/');
/** Two processes, one for each core of the smallest machine: what only computes, and what stands on databases and servers. */
const computes = (file: string) => /^(?:slo|prometheus|grafana|test\/simulation)\//.test(file);
const rooms = all.filter((file) => !isAcceptance(file)).sort();
/** The longest first, so that nobody waits for it at the end, and beside the rooms: a browser gives up what it loads when networks come and go. */
const FIRST = 'test/acceptance/compose.test.ts';
const acceptance = all
  .filter(isAcceptance)
  .sort((a, b) => Number(b === FIRST) - Number(a === FIRST) || (a < b ? -1 : 1));
/** The longest builds an image and brings the whole platform up twice. */
const ACCEPTANCE = ['--test-timeout=480000'];
const ROOMS = ['--test-isolation=none'];

/** One for each core of the smallest machine. */
const LANES = 2;

type Job = { readonly name: string; readonly files: readonly string[]; readonly extra: readonly string[] };
/** Each file of the acceptance in a process of its own, so that one that hangs takes no other's word with it. */
const acceptanceJobs: readonly Job[] = acceptance.map((file) => ({
  name: basename(file, '.test.ts'),
  files: [file],
  extra: ACCEPTANCE,
}));
const roomJobs: readonly Job[] = [
  { name: 'rooms', files: rooms.filter((file) => !computes(file)), extra: ROOMS },
  { name: 'rooms-that-compute', files: rooms.filter(computes), extra: ROOMS },
];

/**
 * Lanes that take the next job when one ends, so that no core waits for the longest. In CI a file of the acceptance that
 * fails is run once more, alone, and that is said: a machine that stood still for seconds is no fault of the product.
 */
async function runJobs(jobs: readonly Job[]): Promise<Counts[]> {
  const left = jobs.filter(({ files }) => files.length > 0);
  const counts: Counts[] = [];
  const failed: Job[] = [];
  const lane = async () => {
    for (let job = left.shift(); job !== undefined; job = left.shift()) {
      const started = Date.now();
      const first = await run(job.name, job.files, job.extra, env);
      process.stdout.write(`\n${job.name} took ${Math.round((Date.now() - started) / 1_000)} s\n`);
      if (ci && first.failed > 0 && acceptanceJobs.includes(job)) failed.push(job);
      else counts.push(first);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  for (const { name, files, extra } of failed) {
    process.stdout.write(`${name} failed; run once more, alone\n`);
    counts.push(await run(`${name}-again`, files, extra, env));
  }
  return counts;
}

const counts = await runJobs([
  ...(values['only-acceptance'] ? [] : roomJobs),
  ...(values['only-rooms'] ? [] : acceptanceJobs),
]);
await cluster?.stop();
await oldestCluster?.stop();
rmSync(reports, { recursive: true, force: true });

const sum = (key: 'passed' | 'failed' | 'skipped') => counts.reduce((total, one) => total + one[key], 0);
const SLOWEST = 12;
const slowest = counts
  .flatMap(({ files }) => Object.entries(files))
  .toSorted(([, one], [, other]) => other - one)
  .slice(0, SLOWEST);
if (slowest.length > 1) process.stdout.write('\nslowest files:\n');
for (const [file, ms] of slowest) process.stdout.write(`${(ms / 1_000).toFixed(1).padStart(8)} s  ${file}\n`);

const failed = sum('failed') + (ci ? missing : 0);
if (ci && missing > 0) process.stdout.write(`${missing} programs are missing, which fails a run with CI=true\n`);
process.stdout.write(
  `\n${sum('passed')} passed, ${failed} failed${sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : ''}\n`,
);
process.exit(failed === 0 && sum('passed') > 0 ? 0 : 1);
