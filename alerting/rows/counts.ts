/** What the router counts of itself, in SQL: read at a scrape, so that no count dies with a process. */
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';

/** A page that has waited longer is late, whether it arrives or not. */
const IN_TIME = '60 seconds';

export async function countPages(q: Queryable, now: Milliseconds): Promise<{ in_time: number; late: number }> {
  const rows = await q.query<{ in_time: number; late: number }>(
    `select count(*) filter (where state = 'delivered' and finished_at - created_at <= interval '${IN_TIME}')::float8 as in_time,
       count(*) filter (where state = 'delivered' and finished_at - created_at > interval '${IN_TIME}'
         or state in ('pending', 'sending', 'refused') and $1 - created_at > interval '${IN_TIME}')::float8 as late
     from alerting.notifications where priority = 0`,
    [instant(now)],
  );
  return rows[0] ?? { in_time: 0, late: 0 };
}

export type Counted = {
  readonly channel: string;
  readonly state: string;
  readonly count: number;
  readonly oldest: Milliseconds;
};

export async function countNotifications(q: Queryable): Promise<Counted[]> {
  return await q.query<Counted>(
    `select channel, state, count(*)::float8 as count, min(created_at) as oldest
     from alerting.notifications group by channel, state`,
  );
}

export async function countIncidents(
  q: Queryable,
): Promise<{ readonly severity: string; readonly state: string; readonly count: number }[]> {
  return await q.query(
    `select severity, state, count(*)::float8 as count from alerting.incidents where state <> 'resolved'
     group by severity, state`,
  );
}
