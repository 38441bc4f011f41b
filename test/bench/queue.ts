/**
 * `npm run bench:queue`: the queue alone, no-op jobs on one real Postgres, beside raw `for update skip locked`, pg-boss and
 * graphile-worker, in interleaved rounds of one run. What counts is the ratio to raw, not the number: the machine is shared.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Logger, makeWorkerUtils, run as runGraphile } from 'graphile-worker';
import pg from 'pg';
import { PgBoss } from 'pg-boss';
import { systemClock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import { migrate } from '#kernel/migrate.ts';
import { openPostgres } from '#kernel/postgres.ts';
import { secret } from '#kernel/secret.ts';
import { milliseconds } from '#kernel/units.ts';
import { LIMITS, MIGRATIONS } from '#test/kit/database.ts';
import { type Cluster, findPostgres, startCluster } from '#test/tools/postgres.ts';
import { claim, enqueue, finish, vacuumHotTables } from '#worker/queue.ts';

const { values } = parseArgs({
  options: { jobs: { type: 'string', default: '5000' }, rounds: { type: 'string', default: '3' } },
});
const JOBS = Number(values.jobs);
const ROUNDS = Number(values.rounds);
const CONCURRENCY = 10;
const HISTORY = 100_000;

type Contender = { readonly name: string; readonly fill: () => Promise<void>; readonly drain: () => Promise<void> };

/** Loops that take until there is nothing left. */
async function loops(take: () => Promise<number>): Promise<void> {
  const one = async () => {
    while ((await take()) > 0);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, one));
}

function ours(db: Db, batch: number): Contender {
  const lease = milliseconds(60_000);
  return {
    name: `burnline, ${batch} a claim`,
    fill: async () => {
      for (let from = 0; from < JOBS; from += 1_000) {
        const now = systemClock.now();
        const jobs = Array.from({ length: Math.min(1_000, JOBS - from) }, (_, i) => ({
          queue: 'noop',
          key: `${now}/${from + i}`,
          availableAt: now,
        }));
        await enqueue(db, jobs, now);
      }
      await db.query('analyze worker.jobs');
    },
    drain: () =>
      loops(async () => {
        const now = systemClock.now();
        const { claims } = await claim(db.relaxed, [{ queue: 'noop', limit: batch }], {
          owner: 'bench',
          now,
          lease,
          held: [],
        });
        if (claims.length > 0) await finish(db, claims, systemClock.now());
        return claims.length;
      }),
  };
}

function raw(pool: pg.Pool, batch: number): Contender {
  return {
    name: `raw skip locked, ${batch} a claim`,
    fill: async () => {
      await pool.query(
        'create table if not exists raw_jobs (id bigint generated always as identity primary key, payload jsonb)',
      );
      await pool.query(`insert into raw_jobs (payload) select '{}' from generate_series(1, $1)`, [JOBS]);
      await pool.query('analyze raw_jobs');
    },
    drain: () =>
      loops(async () => {
        const client = await pool.connect();
        await client.query('begin');
        const { rows } = await client.query({
          name: 'take',
          text: 'select id from raw_jobs order by id limit $1 for update skip locked',
          values: [batch],
        });
        if (rows.length > 0) {
          const ids = rows.map((row: { id: string }) => row.id);
          await client.query({
            name: 'drop',
            text: 'delete from raw_jobs where id = any ($1::bigint[])',
            values: [ids],
          });
        }
        await client.query('commit');
        client.release();
        return rows.length;
      }),
  };
}

async function boss(url: string, batch: number, stack: AsyncDisposableStack): Promise<Contender> {
  const instance = new PgBoss({ connectionString: url, max: CONCURRENCY, supervise: false, schedule: false });
  await instance.start();
  stack.defer(() => instance.stop({ graceful: false }));
  const queue = `noop${batch}`;
  await instance.createQueue(queue);
  return {
    name: `pg-boss, ${batch} a fetch`,
    fill: async () => {
      for (let from = 0; from < JOBS; from += 1_000) {
        await instance.insert(
          queue,
          Array.from({ length: Math.min(1_000, JOBS - from) }, () => ({ data: {} })),
        );
      }
    },
    drain: () =>
      loops(async () => {
        const jobs = await instance.fetch(queue, { batchSize: batch });
        if (jobs.length > 0)
          await instance.complete(
            queue,
            jobs.map((job) => job.id),
          );
        return jobs.length;
      }),
  };
}

async function graphile(url: string, localQueue: number, stack: AsyncDisposableStack): Promise<Contender> {
  const pool = new pg.Pool({ connectionString: url, max: CONCURRENCY + 2 });
  pool.on('error', () => {});
  stack.defer(() => pool.end());
  const utils = await makeWorkerUtils({ pgPool: pool });
  await utils.migrate();
  stack.defer(async () => void (await utils.release()));
  let left = 0;
  return {
    name: localQueue > 0 ? `graphile-worker, localQueue ${localQueue}` : 'graphile-worker',
    fill: async () => {
      await pool.query(`select graphile_worker.add_job('noop', '{}'::json) from generate_series(1, $1)`, [JOBS]);
      left = JOBS;
    },
    drain: async () => {
      const runner = await runGraphile({
        pgPool: pool,
        concurrency: CONCURRENCY,
        noHandleSignals: true,
        pollInterval: 100,
        logger: new Logger(() => () => {}),
        taskList: { noop: async () => void left-- },
        ...(localQueue > 0 ? { preset: { worker: { localQueue: { size: localQueue } } } } : {}),
      });
      while (left > 0) await sleep(2);
      await runner.stop();
    },
  };
}

async function timed(contender: Contender): Promise<number> {
  await contender.fill();
  const from = performance.now();
  await contender.drain();
  return JOBS / ((performance.now() - from) / 1000);
}

const median = (values_: readonly number[]): number =>
  values_.toSorted((a, b) => a - b)[Math.floor(values_.length / 2)] ?? Number.NaN;

async function open(cluster: Cluster, name: string, stack: AsyncDisposableStack): Promise<Db> {
  const url = secret(await cluster.create(name));
  const db = openPostgres({ url, poolSize: CONCURRENCY, limits: LIMITS, clock: systemClock, applicationName: 'bench' });
  stack.defer(() => db.close());
  await migrate(db, MIGRATIONS);
  return db;
}

async function compare(cluster: Cluster, stack: AsyncDisposableStack): Promise<void> {
  const db = await open(cluster, 'ours', stack);
  const pool = new pg.Pool({ connectionString: await cluster.create('raw'), max: CONCURRENCY });
  stack.defer(() => pool.end());
  const bossUrl = await cluster.create('boss');
  const contenders = [
    raw(pool, 1),
    ours(db, 1),
    await boss(bossUrl, 1, stack),
    await graphile(await cluster.create('graphile'), 0, stack),
    raw(pool, 50),
    ours(db, 50),
    await boss(bossUrl, 50, stack),
    await graphile(await cluster.create('graphile_local'), 500, stack),
  ];
  const rates = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const contender of contenders) {
      const rate = await timed(contender);
      if (round > 0) rates.get(contender.name)?.push(rate); // the first warms up
      process.stderr.write(`round ${round} ${contender.name}: ${Math.round(rate)}/s\n`);
    }
  }
  const base = (name: string) =>
    median(rates.get(`raw skip locked, ${/\b50\b|500/.test(name) ? 50 : 1} a claim`) ?? []);
  process.stdout.write(
    `\n| queue, ${JOBS} no-op jobs, concurrency ${CONCURRENCY}, median of ${ROUNDS} | jobs/s | of raw |\n| --- | ---: | ---: |\n`,
  );
  for (const [name, all] of rates) {
    process.stdout.write(`| ${name} | ${Math.round(median(all))} | ${(median(all) / base(name)).toFixed(2)} |\n`);
  }
}

/** Does what is done slow down what is to do? Two databases, one with history and one without, in turns. */
async function history(cluster: Cluster, stack: AsyncDisposableStack): Promise<void> {
  const young = await open(cluster, 'young', stack);
  const old = await open(cluster, 'old', stack);
  for (let done = 0; done < HISTORY; done += JOBS) await timed(ours(old, 50));
  process.stdout.write(
    `\n| burnline, median of ${2 * ROUNDS} | no history | over ${HISTORY} finished rows | kept |\n| --- | ---: | ---: | ---: |\n`,
  );
  for (const batch of [1, 50]) {
    const rates = { young: [] as number[], old: [] as number[] };
    for (let round = 0; round <= 2 * ROUNDS; round++) {
      for (const [name, db] of Object.entries({ young, old }) as [keyof typeof rates, Db][]) {
        await vacuumHotTables(db); // as the worker's housekeeping does, every 15 s
        if (name === 'young') await db.query('truncate worker.finished_jobs');
        const rate = await timed(ours(db, batch));
        if (round > 0) rates[name].push(rate);
      }
    }
    const [without, over] = [median(rates.young), median(rates.old)];
    const kept = `${Math.round((over / without) * 100)} %`;
    process.stdout.write(`| ${batch} a claim | ${Math.round(without)}/s | ${Math.round(over)}/s | ${kept} |\n`);
  }
}

const found = findPostgres();
if (found.kind === 'missing') throw new Error(`Cannot measure without Postgres: ${found.why}`);
await using stack = new AsyncDisposableStack();
const cluster = await startCluster(found.where, {
  fsync: true,
  settings: ['synchronous_commit=on', 'shared_buffers=256MB'],
});
stack.defer(() => cluster.stop());
await compare(cluster, stack);
await history(cluster, stack);
await stack.disposeAsync();
process.exit(0);
