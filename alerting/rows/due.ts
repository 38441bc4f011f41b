/** When the router has something to do next. */
import type { Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { IS_NEXT } from './notifications.ts';

export async function nextDue(q: Queryable): Promise<Milliseconds | undefined> {
  const rows = await q.query<{ at: Milliseconds | null }>(
    `select least(
       (select min(due_at) from alerting.groups),
       (select min(due_at) from alerting.incidents where due_at is not null),
       (select min(greatest(n.available_at, d.next_at, n.lease_until)) from alerting.notifications n
          join alerting.destinations d on d.name = n.destination
          where n.state in ('pending', 'sending') and ${IS_NEXT})) as at`,
  );
  return rows[0]?.at ?? undefined;
}
