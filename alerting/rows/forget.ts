/** What nobody will ask for any more, in SQL: a bounded batch each, oldest first. Each returns how many rows went. */
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { COUNTED_BEFORE } from './counts.ts';

/** @param text deletes what ended before $1, at most $2 rows, and returns something for each. */
async function removed(q: Queryable, text: string, before: Milliseconds, limit: number): Promise<number> {
  return (await q.query(text, [instant(before), limit])).length;
}

/**
 * What ended long ago and is in no group, among the next so many after a fingerprint: no index says when an alert ends,
 * since each renewal would have to write to it. One that is being renewed is left alone.
 */
export async function forgetAlerts(
  q: Queryable,
  before: Milliseconds,
  after: string,
  limit: number,
): Promise<{ readonly gone: number; readonly last: string | undefined }> {
  const rows = await q.query<{ gone: number; last: string | null }>(
    `with looked as materialized (
       select fingerprint, ends_at from alerting.alerts where fingerprint > $2 order by fingerprint limit $3),
     gone as (
       delete from alerting.alerts where fingerprint in (
         select a.fingerprint from looked l join alerting.alerts a using (fingerprint)
         where l.ends_at < $1 and a.ends_at < $1
           and not exists (select 1 from alerting.members m where m.fingerprint = a.fingerprint)
         for update of a skip locked) returning fingerprint)
     select (select count(*) from gone)::float8 as gone, max(fingerprint) as last from looked`,
    [instant(before), after, limit],
  );
  return { gone: rows[0]?.gone ?? 0, last: rows[0]?.last ?? undefined };
}

const byAge =
  (table: string, key: string, time: string) =>
  (q: Queryable, before: Milliseconds, limit: number): Promise<number> =>
    removed(
      q,
      `delete from ${table} where (${key}) in (
         select ${key} from ${table} where ${time} < $1 order by ${time} limit $2 for update skip locked)
       returning ${key}`,
      before,
      limit,
    );

export const forgetSilences = byAge('alerting.silences', 'id', 'ends_at');
export const forgetInbound = byAge('alerting.inbound', 'source, id', 'heard_at');
export const forgetOverrides = byAge('alerting.overrides', 'id', 'to_at');
export const forgetChanges = byAge('alerting.changes', 'id', 'at');

/** Not before what was sent of it. */
export const forgetIncidents = (q: Queryable, before: Milliseconds, limit: number): Promise<number> =>
  removed(
    q,
    `delete from alerting.incidents where id in (
       select i.id from alerting.incidents i where i.resolved_at < $1
         and not exists (select 1 from alerting.notifications n where n.incident_id = i.id)
       order by i.resolved_at limit $2 for update skip locked) returning id`,
    before,
    limit,
  );

/** What is old and belongs to no incident that is kept. */
export const forgetTimeline = (q: Queryable, before: Milliseconds, limit: number): Promise<number> =>
  removed(
    q,
    `delete from alerting.timeline where id in (
       select t.id from alerting.timeline t where t.at < $1
         and not exists (select 1 from alerting.incidents i where i.id = t.incident_id)
       order by t.at limit $2 for update skip locked) returning id`,
    before,
    limit,
  );

/** The counters are sums of the rows, and may never go back: only what is in the sums (rows/counts.ts) goes. */
export const forgetNotifications = (q: Queryable, before: Milliseconds, limit: number): Promise<number> =>
  removed(
    q,
    `delete from alerting.notifications where id in (
       select id from alerting.notifications where finished_at < $1
         and finished_at <= (select to_timestamp((value ->> 'until')::float8 / 1000) from alerting.facts
           where name = '${COUNTED_BEFORE}')
       order by finished_at limit $2 for update skip locked) returning id`,
    before,
    limit,
  );

/**
 * Rows of the first are written over again and again (the checkpoint each minute, an incident with each alert that joins
 * it), those of the others are forgotten one day.
 */
const CHANGING = [
  ...[
    'alerts',
    'members',
    'groups',
    'notifications',
    'incidents',
    'checkpoints',
    'facts',
    'heartbeats',
    'destinations',
  ],
  ...['timeline', 'silences', 'inbound', 'changes'],
];

/** The embedded engine has no autovacuum: what was written over or forgotten would stay in the files for ever. */
export async function vacuumTables(q: Queryable): Promise<void> {
  for (const table of CHANGING) await q.query(`vacuum (skip_locked, analyze) alerting.${table}`);
}
