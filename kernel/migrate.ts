/**
 * Numbered SQL files per room, each applied once, in order, in a transaction of its own, in the room's own schema.
 *
 * The rule is expand, then contract: a release may add, the next may use, and only a later one may remove what the last
 * release no longer touches, so that two releases can run side by side and a rollback finds what it needs.
 */
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Db, Queryable } from './database.ts';
import { Fault } from './errors.ts';

export type Migration = {
  readonly room: string;
  readonly number: number;
  readonly text: string;
  readonly hash: string;
};

/** Any number will do, as long as every process uses the same: two starters must not migrate at once. */
const ADVISORY_LOCK = 7_420_264;

/** Reads `<root>/<room>/sql/000001.sql`, … @throws {Fault} `migration_gap` when a number is missing. */
export function readMigrations(root: string, room: string): Migration[] {
  const files = globSync(join(root, room, 'sql', '[0-9][0-9][0-9][0-9][0-9][0-9].sql')).sort();
  return files.map((file, i) => {
    const number = Number(basename(file, '.sql'));
    if (number !== i + 1) throw new Fault('migration_gap', `Cannot read ${file}: expected number ${i + 1}`);
    const text = readFileSync(file, 'utf8');
    return { room, number, text, hash: createHash('sha256').update(text).digest('hex') };
  });
}

/** Brings a database up to date. @throws {Fault} when an applied file was changed, or the database is from the future. */
export async function migrate(db: Db, migrations: readonly Migration[]): Promise<{ applied: number }> {
  let applied = 0;
  await db.query('create schema if not exists kernel');
  await db.query(
    `create table if not exists kernel.migrations (
       room text not null, number int not null, hash text not null, at timestamptz not null default now(),
       primary key (room, number))`,
  );
  for (const migration of migrations) {
    const fresh = await db.tx(async (q) => {
      if (db.engine === 'postgres') await q.query('select pg_advisory_xact_lock($1)', [ADVISORY_LOCK]);
      return await applyOne(q, migration);
    });
    if (fresh) applied++;
  }
  return { applied };
}

async function applyOne(q: Queryable, migration: Migration): Promise<boolean> {
  const { room, number, hash, text } = migration;
  const found = await q.query<{ hash: string }>('select hash from kernel.migrations where room = $1 and number = $2', [
    room,
    number,
  ]);
  if (found[0]) {
    if (found[0].hash === hash) return false;
    throw new Fault('migration_changed', `Cannot migrate: ${room}/sql/${number} was changed after it was applied`);
  }
  for (const statement of splitStatements(text)) await q.query(statement);
  await q.query('insert into kernel.migrations (room, number, hash) values ($1, $2, $3)', [room, number, hash]);
  return true;
}

/** What is applied and what is missing, for /readyz. */
export async function pendingMigrations(q: Queryable, migrations: readonly Migration[]): Promise<number> {
  const rows = await q.query<{ room: string; number: number }>('select room, number from kernel.migrations');
  const done = new Set(rows.map((row) => `${row.room}/${row.number}`));
  return migrations.filter((migration) => !done.has(`${migration.room}/${migration.number}`)).length;
}

/** Statements end with a semicolon at the end of a line; our files hold no function bodies with such lines. */
export function splitStatements(text: string): string[] {
  return text
    .replace(/^\s*--.*$/gm, '')
    .split(/;\s*(?:\n|$)/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
}
