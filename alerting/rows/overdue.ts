/** What was due and is not done, in SQL: asked by the watchdog, not by those who should have done it. */
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';

export type Overdue = {
  readonly groups: number;
  readonly incidents: number;
  /** Critical pages that are not delivered, whatever the reason. */
  readonly pages: number;
  /** Of critical incidents that nobody has taken: what the last step that reached nobody says, the newest first. */
  readonly unreached: readonly string[];
};

const UNREACHED_MOST = 100;

/** @param before due then and still waiting. */
export async function countOverdue(q: Queryable, before: Milliseconds): Promise<Overdue> {
  const [counts] = await q.query<Omit<Overdue, 'unreached'>>(
    `select (select count(*) from alerting.groups where due_at <= $1)::float8 as groups,
       (select count(*) from alerting.incidents where due_at <= $1)::float8 as incidents,
       (select count(*) from alerting.notifications
          where priority = 0 and state in ('pending', 'sending') and created_at <= $1)::float8 as pages`,
    [instant(before)],
  );
  const unreached = await q.query<{ text: string }>(
    `select '#' || i.number || ' ' || t.because as text from alerting.incidents i cross join lateral (
       select because from alerting.timeline where incident_id = i.id and kind = 'unreached'
         and (i.acknowledged_at is null or at > i.acknowledged_at) order by id desc limit 1) t
     where i.state <> 'resolved' and i.state = 'open' and i.severity = 'critical' order by i.number desc limit $1`,
    [UNREACHED_MOST],
  );
  return { ...(counts ?? { groups: 0, incidents: 0, pages: 0 }), unreached: unreached.map(({ text }) => text) };
}
