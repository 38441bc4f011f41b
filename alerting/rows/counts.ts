/** What the router counts of itself, in SQL: read at a scrape, so that no count dies with a process. */
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { present } from './alerts.ts';

/** A page that has waited longer is late, whether it arrives or not. */
const IN_TIME = '60 seconds';

/**
 * What has ended is counted once, up to a moment, and read as a sum; only what came after it is counted at a scrape. One
 * fact holds the moment and the sums, so that they never disagree, and rows that were counted may go (rows/forget.ts).
 */
export const COUNTED_BEFORE = 'counted-before';
const UNTIL = `coalesce(to_timestamp((value ->> 'until')::float8 / 1000), '-infinity')`;
const BASE = `select value, ${UNTIL} as until from alerting.facts where name = '${COUNTED_BEFORE}'`;
/** An end is given, although it says nothing: without one the planner expects a third of all rows, and reads all of them. */
const SINCE = `n.finished_at > coalesce((select until from base), '-infinity') and n.finished_at < 'infinity'`;

/**
 * Adds to the sums what has ended until then. Only in a transaction of its own: the sums are locked first, by whoever comes
 * first.
 * @param until so long ago that no transaction of that time is still open.
 */
export async function countFinished(q: Queryable, until: Milliseconds, now: Milliseconds): Promise<void> {
  await q.query(
    `insert into alerting.facts (name, value, updated_at) values ($1, '{}', $2) on conflict (name) do nothing`,
    [COUNTED_BEFORE, instant(now)],
  );
  await q.query('select name from alerting.facts where name = $1 for update', [COUNTED_BEFORE]);
  await q.query(
    `with base as (${BASE}),
     ended as (
       select channel, state, priority, finished_at - created_at as took from alerting.notifications n
       where ${SINCE} and n.finished_at <= $1),
     keys as (
       select channel || ' ' || state as key from ended
       union all
       select case when state = 'delivered' and took <= interval '${IN_TIME}' then 'in_time' else 'late' end
       from ended where priority = 0 and state in ('delivered', 'refused')),
     sums as (
       select key, sum(n) as n from (
         select key, count(*) as n from keys group by key
         union all
         select c.key, c.value::bigint from base, jsonb_each_text(base.value) as c (key, value) where c.key <> 'until'
         ) as every
       group by key)
     update alerting.facts set updated_at = $2, value = (select coalesce(jsonb_object_agg(key, n), '{}') from sums)
       || jsonb_build_object('until', greatest($3::float8, (value ->> 'until')::float8))
     where name = '${COUNTED_BEFORE}'`,
    [instant(until), instant(now), until],
  );
}

export async function countPages(q: Queryable, now: Milliseconds): Promise<{ in_time: number; late: number }> {
  const rows = await q.query<{ in_time: number; late: number }>(
    `with base as (${BASE}),
     live as (
       select n.state, n.created_at, n.finished_at from alerting.notifications n where n.priority = 0 and ${SINCE}
       union all
       select n.state, n.created_at, n.finished_at from alerting.notifications n
       where n.priority = 0 and n.state in ('pending', 'sending'))
     select count(*) filter (where state = 'delivered' and finished_at - created_at <= interval '${IN_TIME}')::float8
         + coalesce((select (value ->> 'in_time')::float8 from base), 0) as in_time,
       count(*) filter (where state = 'delivered' and finished_at - created_at > interval '${IN_TIME}'
         or state in ('pending', 'sending', 'refused') and $1 - created_at > interval '${IN_TIME}')::float8
         + coalesce((select (value ->> 'late')::float8 from base), 0) as late
     from live`,
    [instant(now)],
  );
  return rows[0] ?? { in_time: 0, late: 0 };
}

export type Counted = {
  readonly channel: string;
  readonly state: string;
  readonly count: number;
  /** Undefined: none of those counted is there any more. */
  readonly oldest: Milliseconds | undefined;
};

export async function countNotifications(q: Queryable): Promise<Counted[]> {
  const rows = await q.query<Counted>(
    `with base as (${BASE})
     select channel, state, sum(n)::float8 as count, min(oldest) as oldest from (
       select channel, state, count(*) as n, min(created_at) as oldest
       from alerting.notifications n where ${SINCE} group by channel, state
       union all
       select channel, state, count(*), min(created_at)
       from alerting.notifications where state in ('pending', 'sending') group by channel, state
       union all
       select split_part(key, ' ', 1), split_part(key, ' ', 2), c.value::bigint, null::timestamptz
       from base, jsonb_each_text(base.value) as c (key, value) where key like '% %') as every
     group by channel, state`,
  );
  return rows.map((row) => present(row, ['oldest']));
}

export async function countIncidents(
  q: Queryable,
): Promise<{ readonly severity: string; readonly state: string; readonly count: number }[]> {
  return await q.query(
    `select severity, state, count(*)::float8 as count from alerting.incidents where state <> 'resolved'
     group by severity, state`,
  );
}
