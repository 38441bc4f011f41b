/** The database: restarted, connections cut, its disk full; clocks that are wrong; and documents that are poison. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mebibytes, milliseconds } from '#kernel/units.ts';
import { BAD_SAMPLES, SAMPLES_FOLDER } from '#samples/catalogue.ts';
import type { Made } from '#test/crash/documents.ts';
import type { Scenario } from './scenario.ts';
import type { Ground, Stage } from './stage.ts';
import type { Holds } from './verdict.ts';

const nothing = async (): Promise<void> => {};

function cluster({ ground }: Stage) {
  if (!ground.stack.cluster || !ground.db) throw new Error('Only a Postgres can be restarted');
  return { cluster: ground.stack.cluster, db: ground.db };
}

const HOLDS: Holds = { recoverWithin: milliseconds(30_000), paged: false, neighbour: 'nothing lost', kept: true };

const CUTS = 5;
const CUT_EVERY = 3_000;

const ROUNDS = 8;
/** Of none of the numbers that the stream has. */
const FIRST_NUMBER = 900_000;

/** Each kind of bad document, several times, as fast as they go. */
async function sendPoison({ ours, expected }: Stage): Promise<void> {
  const all: Made[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const { file, code } of BAD_SAMPLES) {
      const bytes = readFileSync(new URL(`bad/${file}`, SAMPLES_FOLDER));
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      expected.set(sha256, `rejected ${code}`);
      all.push({ kind: 'drawing', marker: String(FIRST_NUMBER + all.length), name: file, bytes, sha256 });
    }
  }
  await Promise.all(all.map((made) => ours.repeat(made, ours.enter(made))));
}

const HOUR = 3_600_000;
const CLOCKS = [
  ['clock-ahead', 'goes an hour ahead', HOUR],
  ['clock-behind', 'goes an hour back', -HOUR],
] as const;

async function answers(db: Ground['db']): Promise<boolean> {
  return await (db?.query('select 1') ?? Promise.resolve()).then(
    () => true,
    () => false,
  );
}

export const STORE_SCENARIOS: readonly Scenario[] = [
  {
    name: 'database-restarted',
    faults: 'Postgres ended as by a power cut, started again after 10 s',
    databases: ['postgres'],
    workers: 2,
    ...{ warm: 15, lasts: 10, after: 20, holds: HOLDS },
    begin: (stage) => cluster(stage).cluster.restart('immediate', 10_000),
    end: nothing,
  },
  {
    name: 'connections-cut',
    faults: 'all connections to Postgres cut, five times, every 3 s',
    databases: ['postgres'],
    workers: 2,
    ...{ warm: 15, lasts: 0, after: 20, holds: HOLDS },
    begin: async (stage) => {
      const { db } = cluster(stage);
      for (let i = 0; i < CUTS; i++) {
        await db.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and pid <> pg_backend_pid() and application_name <> 'crash-test'`,
        );
        await stage.wait(CUT_EVERY);
      }
    },
    end: nothing,
  },
  {
    name: 'disk-full',
    faults:
      'the database’s disk (a tmpfs) is filled to the last byte, 15 s; then Postgres is started again, if it has ended',
    databases: ['embedded', 'postgres'],
    needs: { disk: mebibytes(512) },
    ...{ warm: 15, lasts: 15, after: 20, holds: { ...HOLDS, recoverWithin: milliseconds(60_000) } },
    begin: async ({ ground }) => ground.disk?.fill(),
    end: async ({ ground }) => {
      ground.disk?.free();
      if (ground.stack.cluster && !(await answers(ground.db))) await ground.stack.cluster.restart('immediate');
    },
  },
  ...CLOCKS.map(
    ([name, words, step]): Scenario => ({
      name,
      faults: `the wall clock of API and worker ${words}, and is right again after 20 s`,
      databases: ['embedded', 'postgres'],
      needs: { clocks: ['service', 'api', 'worker'] },
      ...{ warm: 15, lasts: 20, after: 15, holds: HOLDS },
      begin: async ({ ground }) => ground.stepClock(step),
      end: async ({ ground }) => ground.stepClock(0),
    }),
  ),
  {
    name: 'poison',
    faults: `${ROUNDS * BAD_SAMPLES.length} documents at once that are encrypted, damaged, empty or no documents`,
    databases: ['embedded', 'postgres'],
    ...{ warm: 10, lasts: 0, after: 15, holds: { ...HOLDS, neighbour: 'undisturbed' } },
    begin: sendPoison,
    end: nothing,
  },
];
