/** What nobody will ask for any more, in SQL: a bounded batch each, oldest first. Each returns how many rows went. */
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';

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

export const forgetSilences = (q: Queryable, before: Milliseconds, limit: number): Promise<number> =>
  removed(
    q,
    `delete from alerting.silences where id in (
       select id from alerting.silences where ends_at < $1 order by ends_at limit $2 for update skip locked)
     returning id`,
    before,
    limit,
  );

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

export const COUNTED_BEFORE = 'counted-before';

/**
 * The counters are counted from the rows, and may never go back: what goes is added to their base. Only in a transaction
 * of its own; the base is locked first, by whoever comes first.
 */
export async function forgetNotifications(
  q: Queryable,
  before: Milliseconds,
  limit: number,
  now: Milliseconds,
): Promise<number> {
  await q.query(
    `insert into alerting.facts (name, value, updated_at) values ($1, '{}', $2) on conflict (name) do nothing`,
    [COUNTED_BEFORE, instant(now)],
  );
  await q.query('select name from alerting.facts where name = $1 for update', [COUNTED_BEFORE]);
  const [row] = await q.query<{ count: number }>(
    `with gone as (
       delete from alerting.notifications where id in (
         select id from alerting.notifications where finished_at < $1 order by finished_at limit $2)
       returning channel, state, priority, created_at, finished_at),
     keys as (
       select channel || ' ' || state as key from gone
       union all
       select case when state = 'delivered' and finished_at - created_at <= interval '60 seconds'
         then 'in_time' else 'late' end
       from gone where priority = 0 and (state = 'delivered'
         or state = 'refused' and $4::timestamptz - created_at > interval '60 seconds')),
     base as (select value from alerting.facts where name = $3),
     sums as (
       select key, sum(n) as n from (
         select key, count(*) as n from keys group by key
         union all
         select c.key, c.value::bigint from base, jsonb_each_text(base.value) as c (key, value)) as every
       group by key),
     moved as (
       update alerting.facts set value = (select coalesce(jsonb_object_agg(key, n), '{}') from sums), updated_at = $4
       where name = $3)
     select count(*)::float8 as count from gone`,
    [instant(before), limit, COUNTED_BEFORE, instant(now)],
  );
  return row?.count ?? 0;
}
