/** Overrides in SQL. One statement each. */
import type { StoredOverride } from '#alerting/oncall/override.ts';
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { present } from './alerts.ts';

const HOLDS_UNTIL = 'least(to_at, coalesce(ended_at, to_at))';
const OVERRIDE = `id, schedule, person, from_at as "from", ${HOLDS_UNTIL} as "to", because, created_by as "createdBy",
  created_at as "createdAt"`;
/** Of those that are read at once; the youngest, if there were ever more. */
const READ_MOST = 10_000;

/** @returns false: there are `most` that hold or will, and it was not made. */
export async function insertOverride(
  q: Queryable,
  { id, schedule, person, from, to, because, createdBy, createdAt }: StoredOverride,
  most: number,
): Promise<boolean> {
  const rows = await q.query(
    `insert into alerting.overrides (id, schedule, person, from_at, to_at, because, created_by, created_at, updated_at)
     select $1, $2, $3, $4, $5, $6, $7, $8::timestamptz, $8::timestamptz
     where (select count(*) from alerting.overrides where to_at > $8 and ended_at is null) < $9::int returning id`,
    [id, schedule, person, instant(from), instant(to), because ?? null, createdBy, instant(createdAt), most],
  );
  return rows.length > 0;
}

/** Ends one that holds, or takes back one that will. @returns false: there is none, or it is over. */
export async function endOverride(q: Queryable, id: string, by: string, now: Milliseconds): Promise<boolean> {
  const rows = await q.query(
    `update alerting.overrides set ended_at = $2, ended_by = $3, updated_at = $2
     where id = $1 and ended_at is null and to_at > $2 returning id`,
    [id, instant(now), by],
  );
  return rows.length > 0;
}

/** Those that held after `since`, hold or will, in the order in which they were made. */
export async function overridesFrom(q: Queryable, since: Milliseconds): Promise<StoredOverride[]> {
  const rows = await q.query<StoredOverride>(
    `select * from (
       select ${OVERRIDE} from alerting.overrides
       where to_at > $1 and (ended_at is null or ended_at > $1 and ended_at > from_at)
       order by created_at desc, id desc limit ${READ_MOST}) youngest
     order by "createdAt", id`,
    [instant(since)],
  );
  return rows.map((row) => present(row, ['because']));
}

export type ChangedRow = { readonly id: string; readonly at: Milliseconds };

/** Those that were made or ended since then. */
export async function changedOverrides(q: Queryable, since: Milliseconds, limit: number): Promise<ChangedRow[]> {
  return await q.query<ChangedRow>(
    `select id, updated_at as at from alerting.overrides where updated_at >= $1 order by updated_at, id limit $2`,
    [instant(since), limit],
  );
}
