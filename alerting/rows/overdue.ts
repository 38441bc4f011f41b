/** What was due and is not done, in SQL: asked by the watchdog, not by those who should have done it. */
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';

export type Overdue = {
  readonly groups: number;
  readonly incidents: number;
  /** Critical pages that are not delivered, whatever the reason. */
  readonly pages: number;
};

/** @param before due then and still waiting. */
export async function countOverdue(q: Queryable, before: Milliseconds): Promise<Overdue> {
  const rows = await q.query<Overdue>(
    `select (select count(*) from alerting.groups where due_at <= $1)::float8 as groups,
       (select count(*) from alerting.incidents where due_at <= $1)::float8 as incidents,
       (select count(*) from alerting.notifications
          where priority = 0 and state in ('pending', 'sending') and created_at <= $1)::float8 as pages`,
    [instant(before)],
  );
  return rows[0] ?? { groups: 0, incidents: 0, pages: 0 };
}
