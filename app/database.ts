/** Opens the database that the configuration names, and brings it up to date. */
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
import { milliseconds } from '#kernel/units.ts';
import { type Config, environment } from './config.ts';
import { PROJECT_ROOT, versionOf } from './project.ts';

/** The rooms whose tables the service's database holds. */
const SERVICE_ROOMS = ['access', 'worker'] as const;
const TRANSACTION_LIMIT = milliseconds(30_000);

export const serviceMigrations = (): Migration[] => SERVICE_ROOMS.flatMap((room) => readMigrations(PROJECT_ROOT, room));

export async function openServiceDatabase(config: Config, clock: Clock, log: Log): Promise<Db> {
  const limits = { statement: milliseconds(config.DATABASE_STATEMENT_LIMIT_MS), transaction: TRANSACTION_LIMIT };
  const url = config.secrets.DATABASE_URL;
  const migrations = serviceMigrations();
  if (url !== undefined) {
    const applicationName = `burnline-${config.role}`;
    const db = openPostgres({ url, poolSize: config.DATABASE_POOL_SIZE, limits, clock, applicationName });
    return await migrated(db, migrations);
  }
  const folder = join(config.BURNLINE_STATE, 'service');
  const prepared = await prepareFolder(folder, imageFolder(migrations), (draft) => buildImage(draft, clock));
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

/** Builds the image ahead of the first start, so that the first start is a short one. */
export async function prepareImage(clock: Clock): Promise<boolean> {
  return await ensureImage(imageFolder(serviceMigrations()), (draft) => buildImage(draft, clock));
}

async function buildImage(folder: string, clock: Clock): Promise<void> {
  const limits = { statement: milliseconds(60_000), transaction: milliseconds(60_000) };
  const db = await openPglite({ folder, fsync: false, limits, clock });
  try {
    await migrate(db, serviceMigrations());
  } finally {
    await db.close();
  }
}

export function cacheFolder(): string {
  const env = environment();
  return env['BURNLINE_CACHE'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'burnline');
}

function imageFolder(migrations: readonly Migration[]): string {
  const pglite = `${versionOf('@electric-sql/pglite')}+${versionOf('@electric-sql/pglite-pgvector')}`;
  const schema = migrations.map((migration) => migration.hash).join();
  const key = createHash('sha256').update(`${pglite} ${schema}`).digest('hex').slice(0, 16);
  return join(cacheFolder(), 'images', `service-${key}`);
}
