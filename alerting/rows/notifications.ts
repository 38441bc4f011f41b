/** The outbox in SQL. One statement each. */

import type { Claimed, ClaimNotification, Notification, Settlement, StepTaken } from '#alerting/store.ts';
import { instant, type Queryable } from '#kernel/database.ts';
import { uuidv7From } from '#kernel/random.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { present } from './alerts.ts';

const NOTIFICATION = `n.id, n.destination, n.channel, n.incident_id as "incidentId", n.group_id as "groupId", n.action,
  n.priority, n.state, n.attempts, n.may_repeat as "mayRepeat", n.message, n.created_at as "createdAt",
  n.available_at as "availableAt", n.fence`;

/** Nothing older of the same story waits or is under way: messages go out in the order in which they were decided. */
export const IS_NEXT = `not exists (
  select 1 from alerting.notifications o
  where o.group_id = n.group_id and o.destination = n.destination
    and o.incident_id is not distinct from n.incident_id
    and o.state in ('pending', 'sending') and o.id < n.id)`;

const read = (row: Notification): Notification => present(row, ['incidentId']);

/** Nobody is sending them; whoever is about to waits for us. */
export async function unsentOfIncident(q: Queryable, incidentId: string): Promise<Notification[]> {
  const rows = await q.query<Notification>(
    `select ${NOTIFICATION} from alerting.notifications n
     where n.incident_id = $1 and n.state = 'pending' order by n.id for update`,
    [incidentId],
  );
  return rows.map(read);
}

export async function unsentOfGroup(q: Queryable, groupId: string): Promise<Notification[]> {
  const rows = await q.query<Notification>(
    `select ${NOTIFICATION} from alerting.notifications n
     where n.group_id = $1 and n.incident_id is null and n.state = 'pending' order by n.id for update`,
    [groupId],
  );
  return rows.map(read);
}

export async function unfinished(q: Queryable, incidentId: string): Promise<string[]> {
  const rows = await q.query<{ destination: string }>(
    `select distinct destination from alerting.notifications
     where incident_id = $1 and state in ('pending', 'sending') order by destination`,
    [incidentId],
  );
  return rows.map(({ destination }) => destination);
}

export async function supersede(q: Queryable, ids: readonly string[], now: Milliseconds): Promise<void> {
  await q.query(
    `update alerting.notifications set state = 'superseded', finished_at = $2 where id = any ($1::text[])`,
    [ids, instant(now)],
  );
}

export async function insertNotifications(q: Queryable, rows: readonly Notification[]): Promise<void> {
  await q.query(
    `insert into alerting.notifications (id, destination, channel, incident_id, group_id, action, priority, state,
       attempts, may_repeat, message, created_at, available_at)
     select r.id, r.destination, r.channel, r."incidentId", r."groupId", r.action, r.priority, 'pending', r.attempts,
       r."mayRepeat", r.message, r."createdAt", r."availableAt"
     from jsonb_to_recordset($1::jsonb) as r (id text, destination text, channel text, "incidentId" text,
       "groupId" text, action text, priority smallint, attempts int, "mayRepeat" boolean, message jsonb,
       "createdAt" timestamptz, "availableAt" timestamptz)`,
    [
      JSON.stringify(
        rows.map((row) => ({ ...row, createdAt: instant(row.createdAt), availableAt: instant(row.availableAt) })),
      ),
    ],
  );
  await q.query(
    `insert into alerting.destinations (name, next_at)
     select name, $2 from unnest($1::text[]) as r (name) on conflict (name) do nothing`,
    [[...new Set(rows.map(({ destination }) => destination))].sort(), instant(0 as Milliseconds)],
  );
}

export async function hasReached(
  q: Queryable,
  incidentId: string,
  { step, round, since }: StepTaken,
): Promise<boolean> {
  const rows = await q.query(
    `select 1 as reached from alerting.notifications
     where incident_id = $1 and state in ('pending', 'sending', 'delivered') and action = 'trigger'
       and (message ->> 'step')::int = $2 and (message ->> 'round')::int = $3
       and ($4::text is null or id >= $4) limit 1`,
    [incidentId, step, round, since === undefined ? null : uuidv7From(since)],
  );
  return rows.length > 0;
}

/**
 * The gravest that is due, whose destination has rested and has nothing older of the same story under way. A claim whose
 * owner is gone is due again, and may have arrived. The destination's row is locked with it: two routers do not write to
 * one destination at the same moment.
 */
export async function claimNotification(
  q: Queryable,
  { now, owner, lease, spacing }: ClaimNotification,
): Promise<Claimed | undefined> {
  const rows = await q.query<Notification & { thread: string[] }>(
    `with next as materialized (
       select n.id, n.destination, n.channel from alerting.notifications n
       join alerting.destinations d on d.name = n.destination
       where n.available_at <= $1 and d.next_at <= $1
         and (n.state = 'pending' or n.state = 'sending' and n.lease_until <= $1)
         and ${IS_NEXT}
       order by n.priority, n.available_at, n.id limit 1 for update of n, d skip locked),
     rest as (
       update alerting.destinations d
       set next_at = $1::timestamptz + (($4::jsonb ->> next.channel)::float8 * interval '1 millisecond')
       from next where d.name = next.destination)
     update alerting.notifications n set state = 'sending', attempts = n.attempts + 1, owner = $2, lease_until = $3,
       fence = n.fence + 1, may_repeat = n.may_repeat or n.state = 'sending'
     from next where n.id = next.id
     returning ${NOTIFICATION}, array(
       select t.id from alerting.notifications t
       where t.group_id = n.group_id and t.incident_id is not distinct from n.incident_id
         and t.destination = n.destination and t.state = 'delivered' and n.channel = 'email'
       order by t.id limit 20) as thread`,
    [instant(now), owner, instant((now + lease) as Milliseconds), spacing],
  );
  const [row] = rows;
  return row && { ...read(row), state: 'sending', thread: row.thread };
}

/** @returns whether the claim was still ours. */
export async function settle(
  q: Queryable,
  { id, fence }: Pick<Claimed, 'id' | 'fence'>,
  settlement: Settlement,
  now: Milliseconds,
): Promise<boolean> {
  const waits = settlement.state === 'pending' ? settlement : undefined;
  const rows = await q.query(
    `update alerting.notifications set state = $3, available_at = coalesce($4, available_at),
       may_repeat = may_repeat or $5, error = $6, reference = $7, finished_at = $8, owner = null, lease_until = null
     where id = $1 and fence = $2 and state = 'sending' returning id`,
    [
      id,
      fence,
      settlement.state,
      waits === undefined ? null : instant(waits.availableAt),
      waits?.mayRepeat ?? false,
      settlement.state === 'delivered' ? null : settlement.error,
      settlement.state === 'delivered' ? (settlement.reference ?? null) : null,
      waits === undefined ? instant(now) : null,
    ],
  );
  return rows.length > 0;
}

/** A destination that asked for patience gets it, whoever sends. */
export async function restDestination(q: Queryable, destination: string, until: Milliseconds): Promise<void> {
  await q.query('update alerting.destinations set next_at = greatest(next_at, $2) where name = $1', [
    destination,
    instant(until),
  ]);
}

export type NotificationEntry = Omit<Notification, 'message' | 'fence'> & {
  readonly finishedAt: Milliseconds | undefined;
  readonly error: string | undefined;
};

const ENTRY = `n.id, n.destination, n.channel, n.incident_id as "incidentId", n.group_id as "groupId", n.action, n.priority,
  n.state, n.attempts, n.may_repeat as "mayRepeat", n.created_at as "createdAt", n.available_at as "availableAt",
  n.finished_at as "finishedAt", n.error`;

/** Those that were decided or finished since then, oldest first. Ids sort by the time at which they were made. */
export async function changedNotifications(
  q: Queryable,
  since: Milliseconds,
  limit: number,
): Promise<NotificationEntry[]> {
  const rows = await q.query<NotificationEntry>(
    `select ${ENTRY} from alerting.notifications n where n.id >= $1 or n.finished_at >= $2
     order by coalesce(n.finished_at, n.created_at), n.id limit $3`,
    [uuidv7From(since), instant(since), limit],
  );
  return rows.map((row) => present(row, ['incidentId', 'finishedAt', 'error']));
}

export type NotificationFilter = {
  readonly incidentId?: string | undefined;
  /** Undefined: of any. */
  readonly states?: readonly Notification['state'][] | undefined;
  readonly channels?: readonly Notification['channel'][] | undefined;
  /** Older than this one; undefined: from the newest on. */
  readonly before?: string | undefined;
};

/** Newest first, without what was said. */
export async function listNotifications(
  q: Queryable,
  { incidentId, states, channels, before }: NotificationFilter,
  limit: number,
): Promise<NotificationEntry[]> {
  const rows = await q.query<NotificationEntry>(
    `select ${ENTRY} from alerting.notifications n
     where ($1::text is null or n.incident_id = $1) and ($2::text is null or n.id < $2)
       and ($4::text[] is null or n.state = any ($4)) and ($5::text[] is null or n.channel = any ($5))
     order by n.id desc limit $3`,
    [incidentId ?? null, before ?? null, limit, states ?? null, channels ?? null],
  );
  return rows.map((row) => present(row, ['incidentId', 'finishedAt', 'error']));
}
