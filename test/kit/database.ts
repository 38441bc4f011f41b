/**
 * The same suite on every engine: PGlite, a real Postgres where the run has one, and in CI the oldest Postgres too. Databases are opened once for each process; a suite starts with empty tables.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { prepareEmbedded } from '#app/database.ts';
import { systemClock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import { migrate, readMigrations } from '#kernel/migrate.ts';
import { openPglite } from '#kernel/pglite.ts';
import { openPostgres } from '#kernel/postgres.ts';
import { secret } from '#kernel/secret.ts';
import { milliseconds } from '#kernel/units.ts';

export type Engine = 'PGlite' | 'Postgres' | 'Postgres 16';
export const LIMITS = { statement: milliseconds(20_000), transaction: milliseconds(20_000) };
export const ROOMS = ['access', 'worker', 'alerting'] as const;
export const MIGRATIONS = ROOMS.flatMap((room) => readMigrations('.', room));

/** Set by test/run.ts when it has started a cluster. */
export const POSTGRES_URL = process.env['TEST_POSTGRES_URL'];
/** The oldest release that is promised; only in CI, since it costs a minute. */
const POSTGRES_16_URL = process.env['TEST_POSTGRES_16_URL'];

const ENGINES: readonly Engine[] = [
  'PGlite',
  ...(POSTGRES_URL ? (['Postgres'] as const) : []),
  ...(POSTGRES_16_URL ? (['Postgres 16'] as const) : []),
];
const opened = new Map<Engine, Promise<Db>>();
const folders: string[] = [];

export function openEngine(engine: Engine): Promise<Db> {
  const known = opened.get(engine);
  if (known) return known;
  const fresh = open(engine).then(async (db) => {
    await migrate(db, MIGRATIONS);
    return db;
  });
  opened.set(engine, fresh);
  return fresh;
}

async function open(engine: Engine): Promise<Db> {
  const common = { limits: LIMITS, clock: systemClock };
  if (engine === 'PGlite') {
    const parent = mkdtempSync(join(tmpdir(), 'burnline-test-'));
    folders.push(parent);
    const folder = join(parent, 'db');
    await prepareEmbedded(folder, 'test', MIGRATIONS, systemClock);
    return await openPglite({ ...common, folder });
  }
  const url = await freshDatabase(engine === 'Postgres 16' ? POSTGRES_16_URL : POSTGRES_URL);
  return openPostgres({ ...common, url: secret(url), poolSize: 8, applicationName: 'test' });
}

/** A database of this process' own on the run's cluster. */
export async function freshDatabase(server = POSTGRES_URL): Promise<string> {
  if (!server) throw new Error('There is no Postgres in this run');
  const name = `t_${process.pid}_${Math.random().toString(36).slice(2, 10)}`;
  const db = openPostgres({
    limits: LIMITS,
    clock: systemClock,
    url: secret(server),
    poolSize: 2,
    applicationName: 'test',
  });
  await db.query(`create database ${name}`);
  await db.close();
  return server.replace(/\/[^/]*$/, `/${name}`);
}

/** Closes what the process has opened; the last thing a run does. */
after(async () => {
  for (const db of opened.values()) await (await db).close().catch(() => {});
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export function onEveryEngine(title: string, suite: (db: () => Db, engine: Engine) => void): void {
  for (const engine of ENGINES) {
    describe(`${title} (${engine})`, () => {
      let db: Db | undefined;
      before(async () => {
        db = await openEngine(engine);
        await emptyTables(db);
      });
      suite(() => {
        if (!db) throw new Error('The database is opened before the suite runs');
        return db;
      }, engine);
    });
  }
}

export async function emptyTables(db: Db): Promise<void> {
  const tables = await db.query<{ name: string }>(
    `select schemaname || '.' || tablename as name from pg_tables where schemaname = any ($1)`,
    [[...ROOMS]],
  );
  if (tables.length > 0) await db.query(`truncate ${tables.map(({ name }) => name).join(', ')} restart identity`);
}
