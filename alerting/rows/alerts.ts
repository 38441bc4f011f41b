/** Alerts and who belongs to which group, in SQL. One statement each. */

import type { Group, Join, Member, MemberAlert, StoredAlert, Told, Words } from '#alerting/store.ts';
import { instant, instantsParam, jsonsParam, type Queryable, textsParam } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';

export const ALERT = `a.fingerprint, a.labels, a.annotations, a.generator_url as "generatorUrl", a.starts_at as "startsAt",
  a.ends_at as "endsAt", a.timeout, a.updated_at as "updatedAt", a.received_at as "receivedAt", a.config, a.inhibits`;

export async function lockAlerts(q: Queryable, fingerprints: readonly string[]): Promise<StoredAlert[]> {
  return await q.query<StoredAlert>(
    `select ${ALERT} from alerting.alerts a where a.fingerprint = any ($1::text[]) order by a.fingerprint for update`,
    [textsParam(fingerprints)],
  );
}

export async function lockOutdated(
  q: Queryable,
  version: string,
  now: Milliseconds,
  after: string,
  limit: number,
): Promise<StoredAlert[]> {
  return await q.query<StoredAlert>(
    `select ${ALERT} from alerting.alerts a where a.ends_at > $2 and a.config <> $1 and a.fingerprint > $3
     order by a.fingerprint limit $4 for update`,
    [version, instant(now), after, limit],
  );
}

/**
 * Eleven columns of many rows, in the order of their fingerprints, so that two who insert the same do not wait for each
 * other in a ring.
 */
const COLUMNS = `unnest($1::text[], $2::json[], $3::json[], $4::text[], $5::timestamptz[], $6::timestamptz[],
  $7::text[], $8::timestamptz[], $9::timestamptz[], $10::text[], $11::text[]) as r (fingerprint, labels, annotations,
  generator_url, starts_at, ends_at, timeout, updated_at, received_at, config, inhibits)`;

function columns(alerts: readonly StoredAlert[]): Uint8Array[] {
  const sorted = alerts.toSorted((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1));
  const texts = (of: (alert: StoredAlert) => string) => textsParam(sorted.map(of));
  const instants = (of: 'startsAt' | 'endsAt' | 'updatedAt' | 'receivedAt') =>
    instantsParam(sorted.map((alert) => alert[of]));
  return [
    texts(({ fingerprint }) => fingerprint),
    jsonsParam(sorted.map(({ labels }) => JSON.stringify(labels))),
    jsonsParam(sorted.map(({ annotations }) => JSON.stringify(annotations))),
    texts(({ generatorUrl }) => generatorUrl),
    instants('startsAt'),
    instants('endsAt'),
    texts(({ timeout }) => String(timeout)),
    instants('updatedAt'),
    instants('receivedAt'),
    texts(({ config }) => config),
    texts(({ inhibits }) => arrayText(inhibits)),
  ];
}

/** Lists of different lengths cannot be one array. Source: PostgreSQL, ch. 8.15.2 "Array Value Input". */
const arrayText = (values: readonly string[]): string =>
  `{${values.map((value) => `"${value.replace(/["\\]/g, '\\$&')}"`).join()}}`;

/** @returns those that were new; the others somebody else has just inserted. */
export async function insertAlerts(q: Queryable, alerts: readonly StoredAlert[]): Promise<string[]> {
  const rows = await q.query<{ fingerprint: string }>(
    `insert into alerting.alerts (fingerprint, labels, annotations, generator_url, starts_at, ends_at, timeout,
       updated_at, received_at, config, inhibits)
     select fingerprint, labels, annotations, generator_url, starts_at, ends_at, timeout::boolean, updated_at,
       received_at, config, inhibits::text[] from ${COLUMNS}
     on conflict (fingerprint) do nothing returning fingerprint`,
    columns(alerts),
  );
  return rows.map(({ fingerprint }) => fingerprint);
}

export async function updateAlerts(q: Queryable, alerts: readonly StoredAlert[]): Promise<void> {
  await q.query(
    `update alerting.alerts a set annotations = r.annotations, generator_url = r.generator_url,
       starts_at = r.starts_at, ends_at = r.ends_at, timeout = r.timeout::boolean, updated_at = r.updated_at,
       received_at = r.received_at, config = r.config, inhibits = r.inhibits::text[]
     from ${COLUMNS} where a.fingerprint = r.fingerprint`,
    columns(alerts),
  );
}

/** Shared by all who join a group, alone for who drops one: cheaper than a lock on each group's row. */
const DROPPING = 7_420_265;

/**
 * Groups that are new are looked at when they say; those that are there, no later than `hurryTo`. None is dropped as empty
 * before the end of the transaction; usually none is written to.
 */
export async function openGroups(q: Queryable, joins: readonly Join[]): Promise<void> {
  const byId = new Map<string, Join>();
  for (const join of joins) {
    const known = byId.get(join.group.id);
    byId.set(join.group.id, known === undefined ? join : sooner(known, join));
  }
  const joining = [...byId.values()];
  const there = await q.query<{ id: string }>(
    `select id from alerting.groups, (select pg_advisory_xact_lock_shared(${DROPPING})) as held
     where id = any ($1::text[])`,
    [joining.map(({ group }) => group.id)],
  );
  const known = new Set(there.map(({ id }) => id));
  const missing = joining.filter(({ group }) => !known.has(group.id));
  if (missing.length > 0) await insertGroups(q, missing);
  const hurried = joining.filter(({ hurryTo }) => hurryTo !== undefined);
  if (hurried.length > 0) await hurryGroups(q, hurried);
}

async function insertGroups(q: Queryable, joins: readonly Join[]): Promise<void> {
  const rows = joins.map(({ group, firstAt }) => ({ ...group, firstAt: instant(firstAt) }));
  await q.query(
    `insert into alerting.groups (id, route_id, receiver, key, labels, due_at)
     select r.id, r."routeId", r.receiver, r.key, r.labels, r."firstAt"
     from jsonb_to_recordset($1::jsonb) as r (id text, "routeId" text, receiver text, key text, labels jsonb,
       "firstAt" timestamptz) order by r.id
     on conflict (id) do nothing`,
    [JSON.stringify(rows)],
  );
}

/**
 * What joins an incident that is open already wakes nobody: it waits a little for others, or a storm is a message each; the
 * longer, the more work a look at the group is.
 */
async function hurryGroups(q: Queryable, joins: readonly Join[]): Promise<void> {
  await q.query(
    `update alerting.groups g set due_at = w.at from (
       select h.id, case when i.id is null then h.at else greatest(h.at, g.flushed_at + ($3::float8 + ceil(g.size * $4::float8)) * interval '1 ms') end as at
       from unnest($1::text[], $2::timestamptz[]) as h (id, at)
       join alerting.groups g on g.id = h.id
       left join alerting.incidents i on i.group_id = h.id and i.severity = 'critical' and i.state <> 'resolved') w
     where g.id = w.id and w.at < g.due_at`,
    [
      joins.map(({ group }) => group.id),
      joins.map(({ hurryTo }) => instant(hurryTo ?? (0 as Milliseconds)).toISOString()),
      GATHER,
      GATHER_EACH,
    ],
  );
}
const GATHER = 5_000;
const GATHER_EACH = 0.2;

function sooner(a: Join, b: Join): Join {
  const hurries = [a.hurryTo, b.hurryTo].filter((at) => at !== undefined);
  return {
    ...a,
    firstAt: a.firstAt < b.firstAt ? a.firstAt : b.firstAt,
    hurryTo: hurries.length === 0 ? undefined : (Math.min(...hurries) as Milliseconds),
  };
}

/** Who comes back after it was told as ended comes as new. */
export async function addMembers(q: Queryable, joins: readonly Join[], now: Milliseconds): Promise<void> {
  await q.query(
    `insert into alerting.members (group_id, fingerprint, joined_at)
     select r.group_id, r.fingerprint, $3 from unnest($1::text[], $2::text[]) as r (group_id, fingerprint)
     on conflict (group_id, fingerprint) do nothing`,
    [textsParam(joins.map(({ group }) => group.id)), textsParam(joins.map((join) => join.fingerprint)), instant(now)],
  );
}

export async function keepMembers(
  q: Queryable,
  of: readonly { readonly fingerprint: string; readonly groupIds: readonly string[] }[],
): Promise<void> {
  await q.query(
    `delete from alerting.members m
     using jsonb_to_recordset($1::jsonb) as r (fingerprint text, "groupIds" text[])
     where m.fingerprint = r.fingerprint and not (m.group_id = any (r."groupIds"))`,
    [JSON.stringify(of)],
  );
}

/** Skips what another router is looking at. */
export async function lockDueGroup(q: Queryable, now: Milliseconds): Promise<Group | undefined> {
  const rows = await q.query<Group>(
    `select id, route_id as "routeId", receiver, key, labels, due_at as "dueAt", flushed_at as "flushedAt",
       told_at as "toldAt"
     from alerting.groups where due_at <= $1 order by due_at, id limit 1 for update skip locked`,
    [instant(now)],
  );
  return rows[0] && present(rows[0], ['flushedAt', 'toldAt']);
}

/** An absent value is undefined here, as everywhere else in this program; SQL says null. */
export function present<R extends object>(row: R, names: readonly (keyof R)[]): R {
  const copy = { ...row };
  for (const name of names) if (copy[name] === null) copy[name] = undefined as R[keyof R];
  return copy;
}

export async function membersOf(q: Queryable, groupId: string): Promise<Member[]> {
  const rows = await q.query<MemberAlert & { joinedAt: Milliseconds; told: Told | null }>(
    `select a.fingerprint, a.labels, a.starts_at as "startsAt", a.ends_at as "endsAt", a.received_at as "receivedAt",
       a.config, m.joined_at as "joinedAt", m.told
     from alerting.members m join alerting.alerts a using (fingerprint) where m.group_id = $1 order by m.fingerprint`,
    [groupId],
  );
  return rows.map(({ joinedAt, told, ...alert }) => ({ alert, joinedAt, told: told ?? undefined }));
}

export async function wordsOf(q: Queryable, fingerprints: readonly string[]): Promise<Map<string, Words>> {
  const rows = await q.query<Words & { fingerprint: string }>(
    `select fingerprint, annotations, generator_url as "generatorUrl" from alerting.alerts
     where fingerprint = any ($1::text[])`,
    [fingerprints],
  );
  return new Map(rows.map(({ fingerprint, ...words }) => [fingerprint, words]));
}

export async function inhibitorsOf(
  q: Queryable,
  keys: readonly string[],
  now: Milliseconds,
): Promise<Map<string, string[]>> {
  const rows = await q.query<{ key: string; fingerprints: string[] }>(
    `select k.key, array_agg(a.fingerprint order by a.fingerprint) as fingerprints
     from unnest($1::text[]) as k (key)
     join alerting.alerts a on a.inhibits @> array[k.key] and a.inhibits <> '{}' and a.ends_at > $2
     group by k.key`,
    [keys, instant(now)],
  );
  return new Map(rows.map(({ key, fingerprints }) => [key, fingerprints]));
}

export async function saveGroup(
  q: Queryable,
  { id, dueAt, flushedAt, toldAt }: Pick<Group, 'id' | 'dueAt' | 'flushedAt' | 'toldAt'>,
  size: number,
): Promise<void> {
  await q.query('update alerting.groups set due_at = $2, flushed_at = $3, told_at = $4, size = $5 where id = $1', [
    id,
    instant(dueAt),
    flushedAt === undefined ? null : instant(flushedAt),
    toldAt === undefined ? null : instant(toldAt),
    size,
  ]);
}

export async function tellMembers(
  q: Queryable,
  groupId: string,
  told: Told | undefined,
  fingerprints: readonly string[],
): Promise<void> {
  await q.query('update alerting.members set told = $2 where group_id = $1 and fingerprint = any ($3::text[])', [
    groupId,
    told ?? null,
    fingerprints,
  ]);
}

export async function removeMembers(q: Queryable, groupId: string, fingerprints: readonly string[]): Promise<void> {
  await q.query('delete from alerting.members where group_id = $1 and fingerprint = any ($2::text[])', [
    groupId,
    fingerprints,
  ]);
}

/**
 * If nobody is in it, and nobody is about to join one: never waits for that, since whoever joins may be waiting for this
 * group. It is tried again at its next look.
 */
export async function dropEmptyGroup(q: Queryable, groupId: string): Promise<void> {
  const rows = await q.query<{ alone: boolean }>(`select pg_try_advisory_xact_lock(${DROPPING}) as alone`);
  if (rows[0]?.alone !== true) return;
  await q.query(
    `delete from alerting.groups g where g.id = $1
       and not exists (select 1 from alerting.members m where m.group_id = g.id)`,
    [groupId],
  );
}

/** Those that fired at `since` and would be missed before `until`; not those whose end was told. */
export async function lengthenAlerts(q: Queryable, since: Milliseconds, until: Milliseconds): Promise<number> {
  const rows = await q.query(
    `update alerting.alerts set ends_at = $2 where ends_at > $1 and ends_at < $2 and ends_at > updated_at
     returning fingerprint`,
    [instant(since), instant(until)],
  );
  return rows.length;
}

/** When an alert with this label last came, of those that are still known. */
export async function lastAlertOfEye(q: Queryable, eye: string): Promise<Milliseconds | undefined> {
  const rows = await q.query<{ at: Milliseconds | null }>(
    `select max(updated_at) as at from alerting.alerts where labels ->> 'eye' = $1`,
    [eye],
  );
  return rows[0]?.at ?? undefined;
}
