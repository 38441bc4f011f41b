/** Incidents and their timeline, in SQL. One statement each. */

import { type Incident, TIMELINE_FULL, TIMELINE_MOST, type TimelineRow } from '#alerting/store.ts';
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { present } from './alerts.ts';

const INCIDENT = `id, number, group_id as "groupId", receiver, policy, severity, state, title, service, objective, drill,
  opened_at as "openedAt", acknowledged_at as "acknowledgedAt", acknowledged_by as "acknowledgedBy",
  snoozed_until as "snoozedUntil", resolved_at as "resolvedAt", resolved_by as "resolvedBy", step, round,
  due_at as "dueAt", alerts, told, message`;
const OPTIONAL = [
  'objective',
  'acknowledgedAt',
  'acknowledgedBy',
  'snoozedUntil',
  'resolvedAt',
  'resolvedBy',
  'dueAt',
] as const;

const read = (rows: readonly Incident[]): Incident[] => rows.map((row) => present(row, OPTIONAL));
const at = (time: Milliseconds | undefined): Date | null => (time === undefined ? null : instant(time));

export async function unresolvedIncidents(q: Queryable, groupId: string): Promise<Incident[]> {
  return read(
    await q.query<Incident>(
      `select ${INCIDENT} from alerting.incidents where group_id = $1 and state <> 'resolved' order by id for update`,
      [groupId],
    ),
  );
}

export async function lockIncident(q: Queryable, id: string): Promise<Incident | undefined> {
  const rows = await q.query<Incident>(`select ${INCIDENT} from alerting.incidents where id = $1 for update`, [id]);
  return read(rows)[0];
}

export async function lockDueIncident(q: Queryable, now: Milliseconds): Promise<Incident | undefined> {
  const rows = await q.query<Incident>(
    `select ${INCIDENT} from alerting.incidents where due_at <= $1 order by due_at, id limit 1 for update skip locked`,
    [instant(now)],
  );
  return read(rows)[0];
}

/** @returns its number. */
export async function insertIncident(
  q: Queryable,
  incident: Omit<Incident, 'number'>,
  now: Milliseconds,
): Promise<number> {
  const rows = await q.query<{ number: number }>(
    `insert into alerting.incidents (id, group_id, receiver, policy, severity, state, title, service, objective, drill,
       opened_at, step, round, due_at, alerts, told, message, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18) returning number`,
    [
      incident.id,
      incident.groupId,
      incident.receiver,
      incident.policy,
      incident.severity,
      incident.state,
      incident.title,
      incident.service,
      incident.objective ?? null,
      incident.drill,
      instant(incident.openedAt),
      incident.step,
      incident.round,
      at(incident.dueAt),
      incident.alerts,
      JSON.stringify(incident.told),
      incident.message,
      instant(now),
    ],
  );
  return rows[0]?.number ?? 0;
}

export async function saveIncident(q: Queryable, incident: Incident, now: Milliseconds): Promise<void> {
  await q.query(
    `update alerting.incidents set state = $2, acknowledged_at = $3, acknowledged_by = $4, snoozed_until = $5,
       resolved_at = $6, resolved_by = $7, step = $8, round = $9, due_at = $10, alerts = $11, told = $12, message = $13,
       title = $14, drill = $15, updated_at = $16
     where id = $1`,
    [
      incident.id,
      incident.state,
      at(incident.acknowledgedAt),
      incident.acknowledgedBy ?? null,
      at(incident.snoozedUntil),
      at(incident.resolvedAt),
      incident.resolvedBy ?? null,
      incident.step,
      incident.round,
      at(incident.dueAt),
      incident.alerts,
      JSON.stringify(incident.told),
      incident.message,
      incident.title,
      incident.drill,
      instant(now),
    ],
  );
}

/** What only chatters is left out where there is much already; the row at the limit says so. */
export async function insertTimeline(q: Queryable, rows: readonly TimelineRow[]): Promise<void> {
  await q.query(
    `insert into alerting.timeline (incident_id, group_id, at, kind, because, actor)
     select r."incidentId", r."groupId", r.at, r.kind,
       case when r.chatter and n.size = $2 then $3 else r.because end, r.actor
     from jsonb_to_recordset($1::jsonb) as r ("incidentId" text, "groupId" text, at timestamptz, kind text,
       because text, actor text, chatter boolean)
     cross join lateral (select count(*) as size from (
       select 1 from alerting.timeline t where r.chatter and t.incident_id = r."incidentId" limit $2 + 1) counted) n
     where r.chatter is not true or n.size <= $2`,
    [JSON.stringify(rows.map((row) => ({ ...row, at: instant(row.at) }))), TIMELINE_MOST, TIMELINE_FULL],
  );
}

const IN_FORCE = 'config-in-force';

/**
 * New files are in force: said on every incident that is open, once, however many routers of this store read them.
 * @returns on how many.
 */
export async function insertConfigured(q: Queryable, version: string, now: Milliseconds): Promise<number> {
  const rows = await q.query(
    `with news as (
       insert into alerting.facts (name, value, updated_at) values ($1, to_jsonb($2::text), $3)
       on conflict (name) do update set value = excluded.value, updated_at = excluded.updated_at
         where facts.value is distinct from excluded.value
       returning name)
     insert into alerting.timeline (incident_id, group_id, at, kind, because)
     select i.id, i.group_id, $3, 'configured', 'new files are in force: version ' || $2
     from alerting.incidents i, news
     where i.state <> 'resolved' and (select count(*) from (
       select 1 from alerting.timeline t where t.incident_id = i.id limit $4 + 1) counted) <= $4
     returning id`,
    [IN_FORCE, version, instant(now), TIMELINE_MOST],
  );
  return rows.length;
}

export type IncidentFilter = {
  readonly states: readonly Incident['state'][];
  /** Undefined: of any. */
  readonly objective?: string | undefined;
  readonly service?: string | undefined;
  /** Older than this one; undefined: from the newest on. */
  readonly before: number | undefined;
  readonly limit: number;
};

/** Newest first. */
export async function listIncidents(
  q: Queryable,
  { states, before, limit, objective, service }: IncidentFilter,
): Promise<Incident[]> {
  return read(
    await q.query<Incident>(
      `select ${INCIDENT} from alerting.incidents
       where state = any ($1::text[]) and ($2::bigint is null or number < $2)
         and ($4::text is null or objective = $4) and ($5::text is null or service = $5)
       order by number desc limit $3`,
      [states, before ?? null, limit, objective ?? null, service ?? null],
    ),
  );
}

export type ChangedIncident = { readonly incident: Incident; readonly at: Milliseconds };

/** Those that were written since then, oldest first. */
export async function changedIncidents(q: Queryable, since: Milliseconds, limit: number): Promise<ChangedIncident[]> {
  const rows = await q.query<Incident & { updatedAt: Milliseconds }>(
    `select ${INCIDENT}, updated_at as "updatedAt" from alerting.incidents
     where updated_at >= $1 order by updated_at, id limit $2`,
    [instant(since), limit],
  );
  return rows.map(({ updatedAt, ...row }) => ({ incident: present(row, OPTIONAL), at: updatedAt }));
}

/** By its id, or by the number that people speak. */
export async function findIncident(q: Queryable, name: string): Promise<Incident | undefined> {
  const number = /^\d{1,15}$/.test(name) ? Number(name) : null;
  const rows = await q.query<Incident>(`select ${INCIDENT} from alerting.incidents where id = $1 or number = $2`, [
    name,
    number,
  ]);
  return read(rows)[0];
}

export type TimelineEntry = TimelineRow & { readonly id: number };

export async function timelineOf(q: Queryable, incidentId: string): Promise<TimelineEntry[]> {
  const rows = await q.query<TimelineEntry>(
    `select id, incident_id as "incidentId", group_id as "groupId", at, kind, because, actor
     from alerting.timeline where incident_id = $1 order by at, id limit 10000`,
    [incidentId],
  );
  return rows.map((row) => present(row, ['incidentId', 'groupId', 'actor']));
}

/** Unresolved ones that have some of these alerts, newest first; an incident has those of its severity. */
export async function incidentsOfAlerts(
  q: Queryable,
  { critical, warning }: { readonly critical: readonly string[]; readonly warning: readonly string[] },
): Promise<Pick<Incident, 'id' | 'number' | 'title' | 'severity'>[]> {
  return await q.query(
    `select id, number, title, severity from alerting.incidents i
     where state <> 'resolved' and exists (
       select 1 from alerting.members m where m.group_id = i.group_id
         and m.fingerprint = any (case when i.severity = 'critical' then $1::text[] else $2::text[] end))
     order by number desc limit 500`,
    [critical, warning],
  );
}

/** Something beside it was changed: whoever follows it is told. */
export async function touchIncident(q: Queryable, id: string, now: Milliseconds): Promise<void> {
  await q.query('update alerting.incidents set updated_at = $2 where id = $1', [id, instant(now)]);
}
