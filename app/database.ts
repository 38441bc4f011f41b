/** Opens the databases that the configuration names, and brings them up to date. */
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import type { Log } from '#kernel/log.ts';
import { type Migration, migrate, readMigrations } from '#kernel/migrate.ts';
import { openPglite } from '#kernel/pglite.ts';
import { ensureImage, prepareFolder } from '#kernel/pglite-image.ts';
import { openPostgres } from '#kernel/postgres.ts';
import type { Secret } from '#kernel/secret.ts';
import { milliseconds } from '#kernel/units.ts';
import { type Config, environment } from './config.ts';
import { PROJECT_ROOT, versionOf } from './project.ts';

/** Two databases, each with the rooms whose tables it holds: the router's does not go down with the documents'. */
const ROOMS = { service: ['access', 'worker'], router: ['access', 'alerting'] } as const;
export type DatabaseName = keyof typeof ROOMS;
const TRANSACTION_LIMIT = milliseconds(30_000);

export const migrationsOf = (name: DatabaseName): Migration[] =>
  ROOMS[name].flatMap((room) => readMigrations(PROJECT_ROOT, room));

export type DatabasePlace = {
  readonly name: DatabaseName;
  readonly url: Secret | undefined;
  /** Of the embedded one. */
  readonly folder: string;
};

/** The documents' database, as the configuration has it. */
export const openServiceDatabase = (config: Config, clock: Clock, log: Log): Promise<Db> =>
  openDatabase(
    { name: 'service', url: config.secrets.DATABASE_URL, folder: join(config.BURNLINE_STATE, 'service') },
    config,
    clock,
    log,
  );

/** The router's: beside the documents', or where `--storage.path` says. */
export const routerFolder = (config: Config): string => config.ROUTER_STORAGE ?? join(config.BURNLINE_STATE, 'router');
export const openRouterDatabase = (config: Config, clock: Clock, log: Log): Promise<Db> =>
  openDatabase(
    { name: 'router', url: config.secrets.ROUTER_DATABASE_URL, folder: routerFolder(config) },
    config,
    clock,
    log,
  );

export async function openDatabase(
  { name, url, folder }: DatabasePlace,
  config: Config,
  clock: Clock,
  log: Log,
): Promise<Db> {
  const limits = { statement: milliseconds(config.DATABASE_STATEMENT_LIMIT_MS), transaction: TRANSACTION_LIMIT };
  const migrations = migrationsOf(name);
  if (url !== undefined) {
    const applicationName = `burnline-${config.role}`;
    const db = openPostgres({ url, poolSize: config.DATABASE_POOL_SIZE, limits, clock, applicationName });
    return await migrated(db, migrations);
  }
  const prepared = await prepareEmbedded(folder, name, migrations, clock);
  if (prepared !== 'kept') log.info({ folder }, 'a new database folder was made');
  const db = await openPglite({ folder, fsync: config.DATABASE_FSYNC === 'on', limits, clock });
  return await migrated(db, migrations);
}

async function migrated(db: Db, migrations: readonly Migration[]): Promise<Db> {
  try {
    await migrate(db, migrations);
    return db;
  } catch (error) {
    await db.close();
    throw error;
  }
}

/** Builds the images ahead of the first start, so that the first start is a short one. */
export async function prepareImages(clock: Clock): Promise<void> {
  for (const name of ['service', 'router'] as const) {
    const migrations = migrationsOf(name);
    await ensureImage(imageFolder(name, migrations), (draft) => buildImage(migrations, draft, clock));
  }
}

/** A folder for the embedded engine with these migrations applied, from the image of that name. */
export const prepareEmbedded = (folder: string, name: string, migrations: readonly Migration[], clock: Clock) =>
  prepareFolder(folder, imageFolder(name, migrations), (draft) => buildImage(migrations, draft, clock));

async function buildImage(migrations: readonly Migration[], folder: string, clock: Clock): Promise<void> {
  const limits = { statement: milliseconds(60_000), transaction: milliseconds(60_000) };
  const db = await openPglite({ folder, fsync: false, limits, clock });
  try {
    await migrate(db, migrations);
  } finally {
    await db.close();
  }
}

export function cacheFolder(): string {
  const env = environment();
  return env['BURNLINE_CACHE'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'burnline');
}

function imageFolder(name: string, migrations: readonly Migration[]): string {
  const pglite = `${versionOf('@electric-sql/pglite')}+${versionOf('@electric-sql/pglite-pgvector')}`;
  const schema = migrations.map(({ hash }) => hash).join();
  const key = createHash('sha256').update(`${pglite} ${schema}`).digest('hex').slice(0, 16);
  return join(cacheFolder(), 'images', `${name}-${key}`);
}
