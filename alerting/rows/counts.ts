/** What the router counts of itself, in SQL: read at a scrape, so that no count dies with a process. */
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { present } from './alerts.ts';
import { COUNTED_BEFORE } from './forget.ts';

/** A page that has waited longer is late, whether it arrives or not. */
const IN_TIME = '60 seconds';

/** What was counted of rows that are gone (rows/forget.ts). In the same statement: between two a row could move. */
const gone = (key: string): string =>
  `coalesce((select (value ->> ${key})::float8 from alerting.facts where name = '${COUNTED_BEFORE}'), 0)`;

export async function countPages(q: Queryable, now: Milliseconds): Promise<{ in_time: number; late: number }> {
  const rows = await q.query<{ in_time: number; late: number }>(
    `select count(*) filter (where state = 'delivered' and finished_at - created_at <= interval '${IN_TIME}')::float8
         + ${gone("'in_time'")} as in_time,
       count(*) filter (where state = 'delivered' and finished_at - created_at > interval '${IN_TIME}'
         or state in ('pending', 'sending', 'refused') and $1 - created_at > interval '${IN_TIME}')::float8
         + ${gone("'late'")} as late
     from alerting.notifications where priority = 0`,
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
    `select channel, state, sum(n)::float8 as count, min(oldest) as oldest from (
       select channel, state, count(*) as n, min(created_at) as oldest
       from alerting.notifications group by channel, state
       union all
       select split_part(key, ' ', 1), split_part(key, ' ', 2), c.value::bigint, null::timestamptz
       from alerting.facts f, jsonb_each_text(f.value) as c (key, value)
       where f.name = '${COUNTED_BEFORE}' and key like '% %') as every
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
