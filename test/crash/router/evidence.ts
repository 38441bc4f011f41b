/** What a run leaves behind: what was said to the routers, what arrived, and what stands in the store. */
import type { Db } from '#kernel/database.ts';
import type { Arrived } from './receivers.ts';
import type { SilenceSaid, Story } from './stories.ts';

export type Kill = { readonly at: number; readonly moment: string; readonly member: string };

export type StoredIncident = {
  readonly id: string;
  readonly number: number;
  readonly service: string;
  readonly state: string;
  readonly acknowledgedAt: number | null;
  readonly acknowledgedBy: string | null;
};
export type StoredNotification = {
  readonly id: string;
  readonly destination: string;
  readonly state: string;
  readonly attempts: number;
  readonly error: string | null;
};
export type Stored = {
  readonly alerts: readonly { readonly labels: Readonly<Record<string, string>> }[];
  readonly incidents: readonly StoredIncident[];
  readonly notifications: readonly StoredNotification[];
  readonly timeline: readonly { readonly incidentId: string | null; readonly at: number; readonly kind: string }[];
  readonly silences: readonly { readonly id: string; readonly endsAt: number }[];
  readonly groups: readonly { readonly id: string }[];
};

export type Facts = {
  readonly stories: readonly Story[];
  readonly silences: readonly SilenceSaid[];
  readonly arrived: readonly Arrived[];
  readonly kills: readonly Kill[];
  readonly stored: Stored;
  /** Services of alerts that fired in the calm, before the last ends were said. */
  readonly firing: ReadonlySet<string>;
  readonly generation: number;
  /** The file in force, as each router shows it. */
  readonly configs: readonly string[];
  /** Silences in force, as each router shows them. */
  readonly inForce: readonly ReadonlySet<string>[];
};

export async function readStored(db: Db): Promise<Stored> {
  return {
    alerts: await db.query('select labels from alerting.alerts'),
    incidents: await db.query(
      `select id, number, service, state, acknowledged_at as "acknowledgedAt", acknowledged_by as "acknowledgedBy"
       from alerting.incidents order by number`,
    ),
    notifications: await db.query('select id, destination, state, attempts, error from alerting.notifications'),
    timeline: await db.query('select incident_id as "incidentId", at, kind from alerting.timeline order by id'),
    silences: await db.query('select id, ends_at as "endsAt" from alerting.silences'),
    groups: await db.query('select id from alerting.groups'),
  };
}
