/** What is listed for people and programs, page by page, in SQL. */

import type { Group, StoredAlert } from '#alerting/store.ts';
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { ALERT, present } from './alerts.ts';

/** Those that fire, by fingerprint, after the one given. */
export async function firingAlerts(
  q: Queryable,
  now: Milliseconds,
  after: string,
  limit: number,
): Promise<StoredAlert[]> {
  return await q.query<StoredAlert>(
    `select ${ALERT} from alerting.alerts a where a.ends_at > $1 and a.fingerprint > $2
     order by a.fingerprint limit $3`,
    [instant(now), after, limit],
  );
}

export async function allGroups(q: Queryable): Promise<Group[]> {
  const rows = await q.query<Group>(
    `select id, route_id as "routeId", receiver, key, labels, due_at as "dueAt", flushed_at as "flushedAt",
       told_at as "toldAt" from alerting.groups order by labels::text, receiver limit 10000`,
  );
  return rows.map((row) => present(row, ['flushedAt', 'toldAt']));
}
