/**
 * `npm test`: finds or makes the real programs, says which, runs the tests of the rooms in one process and those of the
 * whole product in processes of their own, and ends with one line `N passed, N failed`. With CI=true a missing program is
 * a failure; elsewhere it is said what is not tested for want of it.
 */
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findPostgres, startCluster } from './tools/postgres.ts';
import { findTools } from './tools/tools.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'only-rooms': { type: 'boolean' }, 'only-acceptance': { type: 'boolean' } },
});
const ci = process.env['CI'] === 'true';
type Counts = { passed: number; failed: number; skipped: number };

const reports = mkdtempSync(join(tmpdir(), 'burnline-report-'));
function run(name: string, files: readonly string[], extra: readonly string[], env: NodeJS.ProcessEnv): Counts {
  if (files.length === 0) return { passed: 0, failed: 0, skipped: 0 };
  const report = join(reports, name);
  const reporter = ci ? 'tap' : process.stdout.isTTY ? 'spec' : 'dot';
  const { status } = spawnSync(
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
    { stdio: 'inherit', env },
  );
  const counts = JSON.parse(readFileSync(report, 'utf8') || '{"passed":0,"failed":0,"skipped":0}') as Counts;
  // A process that died has told no failure.
  return status !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

const tools = findTools();
for (const { name, found } of tools) {
  if (found.kind === 'found') process.stdout.write(`${name}: ${found.how}\n`);
  else process.stdout.write(`${name}: MISSING (${found.why}); so ${found.costs}\n`);
}
const missing = tools.filter(({ found }) => found.kind === 'missing').length;
const env: NodeJS.ProcessEnv = { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'burnline-compile-cache') };
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
    : globSync('{kernel,access,collector,samples,worker,simulators,app,test}/**/*.test.ts');
const isAcceptance = (file: string) => file.startsWith('test/acceptance/');
const rooms = all.filter((file) => !isAcceptance(file)).sort();
const acceptance = all.filter(isAcceptance).sort();
const counts = [
  values['only-acceptance'] ? undefined : run('rooms', rooms, ['--test-isolation=none'], env),
  values['only-rooms']
    ? undefined
    : run('acceptance', acceptance, ['--test-concurrency=2', '--test-timeout=240000'], env),
].filter((one) => one !== undefined);
await cluster?.stop();
await oldestCluster?.stop();
rmSync(reports, { recursive: true, force: true });

const sum = (key: keyof Counts) => counts.reduce((total, one) => total + one[key], 0);
const failed = sum('failed') + (ci ? missing : 0);
if (ci && missing > 0) process.stdout.write(`${missing} programs are missing, which fails a run with CI=true\n`);
process.stdout.write(
  `\n${sum('passed')} passed, ${failed} failed${sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : ''}\n`,
);
process.exit(failed === 0 && sum('passed') > 0 ? 0 : 1);
