/**
 * `npm run test:crash`: kills the product's processes at named moments and at random, under steady upload, and proves that
 * nothing is lost, stuck or done twice. docs/crash-test.md says what is proved and how. Exit code 0 when every rule holds.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { findPostgres, startCluster } from '#test/tools/postgres.ts';
import { type RunOptions, type RunResult, runEngine } from './engine.ts';
import type { Engine } from './fleet.ts';
import { describeFailures, summarise, table } from './report.ts';

const HELP = `node test/crash/crash.ts [--kills 100] [--engine pglite|postgres|both] [--seed N] [--json FILE]\n`;
const WRONG_USAGE = 2;
/** Of the kills of a run on both engines: Postgres has more processes to kill. */
const POSTGRES_SHARE = 0.6;
const TAKEOVERS = 24;
const POWER_CUTS = 4;

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    engine: { type: 'string', default: 'both' },
    seed: { type: 'string' },
    json: { type: 'string' },
    /** Kills whose takeover is measured, beyond --kills. */
    takeovers: { type: 'string', default: String(TAKEOVERS) },
    help: { type: 'boolean' },
  },
});
const tell = (line: string) => void process.stdout.write(`${line}\n`);

function usage(message: string): never {
  process.stderr.write(`${message}\n${HELP}`);
  process.exit(WRONG_USAGE);
}

function whole(name: 'kills' | 'seed' | 'takeovers', fallback: number): number {
  const text = values[name];
  const value = text === undefined ? fallback : Number(text);
  if (!Number.isSafeInteger(value) || value < 0) usage(`--${name} ${text}: expected a whole number from 0`);
  return value;
}

if (values.help) usage('Crash test');
if (!['both', 'pglite', 'postgres'].includes(values.engine)) {
  usage(`--engine ${values.engine}: expected pglite, postgres or both`);
}
const kills = whole('kills', 100);
const takeovers = whole('takeovers', TAKEOVERS);
const seed = whole('seed', Math.floor(Math.random() * 1_000_000));
const onPostgres = values.engine === 'both' ? Math.ceil(kills * POSTGRES_SHARE) : kills;

const COMMON = { uploadsPerSecond: 3, weathers: ['zero', 'irregular', 'storm', 'irregular'], tell } as const;
const plans: Record<Engine, () => Promise<RunResult>> = {
  postgres: async () => {
    const found = findPostgres();
    if (found.kind === 'missing') throw new Error(`There is no Postgres to test on: ${found.why}`);
    await using cluster = await startCluster(found.where, { fsync: true });
    const databaseUrl = await cluster.create('crash');
    const hangs: RunOptions['hangs'] = ['under load', 'under load', 'in a call', 'in a call', 'in a transaction'];
    return await runEngine({
      ...COMMON,
      engine: 'postgres',
      databaseUrl,
      kills: onPostgres,
      seed,
      hangs,
      takeovers,
      powerCut: () => cluster.restart('immediate'),
      powerCuts: POWER_CUTS,
      canaryEverySeconds: 5,
    });
  },
  pglite: () => {
    const rest = values.engine === 'both' ? kills - onPostgres : kills;
    const none = { hangs: [], takeovers: 0 };
    return runEngine({ ...COMMON, ...none, engine: 'pglite', kills: rest, seed: seed + 7, canaryEverySeconds: 5 });
  },
};

tell(`seed ${seed}: the same seed gives the same plan (--seed ${seed}); what meets what is up to the machine`);
const engines: readonly Engine[] = values.engine === 'both' ? ['postgres', 'pglite'] : [values.engine as Engine];
const summaries = [];
for (const engine of engines) summaries.push(summarise(await plans[engine]()));
tell(`\n${table(summaries)}\n`);
for (const summary of summaries) if (summary.failures.length > 0) tell(describeFailures(summary));
if (values.json) writeFileSync(values.json, `${JSON.stringify({ seed, engines: summaries }, undefined, 2)}\n`);
const failed = summaries.some(({ failures }) => failures.length > 0);
tell(failed ? `FAILED (seed ${seed})` : `passed (seed ${seed})`);
process.exit(failed ? 1 : 0);
