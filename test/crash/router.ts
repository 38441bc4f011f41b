/**
 * `npm run test:crash:router`: kills alert routers at named steps and at random, and proves that no alert and no page is lost
 * and none is told twice. docs/crash-test.md says what is proved and how. Exit code 0 when every rule holds.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { findPostgres, startCluster } from '#test/tools/postgres.ts';
import { runRouters } from './router/engine.ts';
import { describeRun, summarise } from './router/report.ts';

const HELP = `node test/crash/router.ts [--kills 200] [--engine pglite|postgres|both] [--seed N] [--only MOMENT] [--json FILE]
--kills are those of each engine; --only takes the moments whose names hold it.
`;
const WRONG_USAGE = 2;

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    engine: { type: 'string', default: 'both' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1_000_000)) },
    only: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean' },
  },
});
const [kills, seed] = [Number(values.kills), Number(values.seed)];
const engines = (['postgres', 'pglite'] as const).filter((one) => values.engine === 'both' || values.engine === one);
if (values.help || engines.length === 0 || !Number.isSafeInteger(kills) || !Number.isSafeInteger(seed)) {
  process.stderr.write(HELP);
  process.exit(WRONG_USAGE);
}
const tell = (line: string) => void process.stdout.write(`${line}\n`);
const common = { kills, seed, only: values.only, tell };

async function run(engine: (typeof engines)[number]) {
  if (engine === 'pglite') return await runRouters({ ...common, engine });
  const found = findPostgres();
  if (found.kind === 'missing') throw new Error(`There is no Postgres to test on: ${found.why}`);
  await using cluster = await startCluster(found.where, { fsync: true });
  return await runRouters({ ...common, engine, databaseUrl: await cluster.create('crash') });
}

tell(`seed ${seed}: the same seed gives the same plan; what meets what is up to the machine`);
const summaries = [];
for (const engine of engines) {
  const summary = summarise(await run(engine));
  tell(`\n${describeRun(summary)}\n`);
  summaries.push(summary);
}
if (values.json) writeFileSync(values.json, `${JSON.stringify(summaries, undefined, 2)}\n`);
const failed = summaries.some(({ failures }) => failures.length > 0);
const again = `node test/crash/router.ts --engine ${values.engine} --kills ${kills} --seed ${seed}`;
tell(failed ? `FAILED; again: ${again}` : `passed (seed ${seed})`);
process.exit(failed ? 1 : 0);
