/** What is listed for people and programs, page by page, in SQL. */

import type { Group, StoredAlert } from '#alerting/store.ts';
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { ALERT } from './alerts.ts';

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

export type ListedMember = {
  readonly group: Pick<Group, 'id' | 'routeId' | 'receiver' | 'labels'>;
  readonly alert: StoredAlert;
};
type MemberRow = StoredAlert & {
  readonly groupId: string;
  readonly routeId: string;
  readonly receiver: string;
  readonly groupLabels: Group['labels'];
};

/** Those that fire and their groups, by group and fingerprint, after the one given. */
export async function listedMembers(
  q: Queryable,
  now: Milliseconds,
  after: { readonly groupId: string; readonly fingerprint: string },
  limit: number,
): Promise<ListedMember[]> {
  const rows = await q.query<MemberRow>(
    `select ${ALERT}, g.id as "groupId", g.route_id as "routeId", g.receiver, g.labels as "groupLabels"
     from alerting.members m
     join alerting.alerts a on a.fingerprint = m.fingerprint and a.ends_at > $1
     join alerting.groups g on g.id = m.group_id
     where (m.group_id, m.fingerprint) > ($2, $3)
     order by m.group_id, m.fingerprint limit $4`,
    [instant(now), after.groupId, after.fingerprint, limit],
  );
  return rows.map(({ groupId, routeId, receiver, groupLabels, ...alert }) => ({
    group: { id: groupId, routeId, receiver, labels: groupLabels },
    alert,
  }));
}

/** Those of a group, ended ones too, by fingerprint, after the one given. */
export async function groupAlerts(q: Queryable, groupId: string, after: string, limit: number): Promise<StoredAlert[]> {
  return await q.query<StoredAlert>(
    `select ${ALERT} from alerting.members m join alerting.alerts a using (fingerprint)
     where m.group_id = $1 and m.fingerprint > $2 order by m.fingerprint limit $3`,
    [groupId, after, limit],
  );
}

/** How many of a group fire and how many have ended, by what their label says; null: they have none. */
export async function countGroupAlerts(
  q: Queryable,
  groupId: string,
  now: Milliseconds,
): Promise<{ readonly severity: string | null; readonly fires: boolean; readonly count: number }[]> {
  return await q.query(
    `select a.labels ->> 'severity' as severity, a.ends_at > $2 as fires, count(*)::float8 as count
     from alerting.members m join alerting.alerts a using (fingerprint) where m.group_id = $1 group by 1, 2`,
    [groupId, instant(now)],
  );
}

/** Of those that fire no more than what decides who is told, by fingerprint, after the one given. */
export async function firingLabels(
  q: Queryable,
  now: Milliseconds,
  after: string,
  limit: number,
): Promise<Pick<StoredAlert, 'fingerprint' | 'labels'>[]> {
  return await q.query(
    `select fingerprint, labels from alerting.alerts where ends_at > $1 and fingerprint > $2
     order by fingerprint limit $3`,
    [instant(now), after, limit],
  );
}
