/**
 * Counts what the router decides and does, as the store takes it: a store in front of the store, so that no decision knows
 * of counting, and nothing is counted that was rolled back. What a killed process had counted is gone with it, which
 * rates forgive; the counts that objectives are judged by live in the store (rows/counts.ts).
 */
import { BOUNDED_VALUES_MAX } from '#collector/catalogue.ts';
import { INCIDENT_EVENTS } from '#collector/catalogue-router.ts';
import type { Metrics } from '#collector/metrics.ts';
import { type Milliseconds, milliseconds, toSeconds } from '#kernel/units.ts';
import { ownerOf } from './destination.ts';
import type { Setup } from './setup.ts';
import type { Claimed, Incident, Settlement, Store, TimelineRow, Tx } from './store.ts';

type Known = Pick<
  Incident,
  'id' | 'severity' | 'drill' | 'state' | 'openedAt' | 'acknowledgedAt' | 'resolvedAt' | 'told'
>;
/** What one transaction saw and wrote. */
type Notes = {
  /** Incidents as they were when it first saw them, and as it left them. */
  readonly before: Map<string, Known>;
  readonly after: Map<string, Known>;
  readonly rows: TimelineRow[];
  readonly settled: { readonly claimed: Claimed; readonly settlement: Settlement }[];
};

export const tallied = (store: Store, metrics: Metrics): Store => ({
  nextDue: () => store.nextDue(),
  tx: async (work) => {
    let notes = newNotes();
    const answer = await store.tx((tx) => {
      notes = newNotes();
      return work(noted(tx, notes));
    });
    count(notes, metrics);
    return answer;
  },
});

/** Whoever may be woken is there from 0 on, so that a first page shows as growth. People first: there is a limit. */
export function expectPages(metrics: Metrics, { oncall, directory }: Setup): void {
  const receivers = new Set(
    [...oncall.policies.values()].flatMap(({ steps }) =>
      steps.flatMap(({ targets }) => targets.flatMap(({ kind, name }) => (kind === 'receiver' ? [name] : []))),
    ),
  );
  const owners = [...directory.keys()].map(ownerOf);
  const people = owners.filter(({ to }) => to === 'person');
  const named = owners.filter(({ to, name }) => to === 'receiver' && receivers.has(name));
  const expected = new Map([...people, ...named].map((owner) => [JSON.stringify(owner), owner]));
  for (const owner of [...expected.values()].slice(0, BOUNDED_VALUES_MAX)) {
    metrics.count('pages_arrived_total', owner, 0);
  }
}

const newNotes = (): Notes => ({ before: new Map(), after: new Map(), rows: [], settled: [] });

function noted(tx: Tx, { before, after, rows, settled }: Notes): Tx {
  const saw = <T extends Known>(incident: T): T => {
    if (!before.has(incident.id)) before.set(incident.id, incident);
    return incident;
  };
  return {
    ...tx,
    unresolvedIncidents: async (groupId) => (await tx.unresolvedIncidents(groupId)).map(saw),
    lockIncident: async (id) => {
      const incident = await tx.lockIncident(id);
      return incident && saw(incident);
    },
    lockDueIncident: async (now) => {
      const incident = await tx.lockDueIncident(now);
      return incident && saw(incident);
    },
    addIncident: async (incident, now) => {
      saw(incident);
      return await tx.addIncident(incident, now);
    },
    saveIncident: async (incident, now) => {
      after.set(incident.id, incident);
      await tx.saveIncident(incident, now);
    },
    addTimeline: async (added) => {
      rows.push(...added);
      await tx.addTimeline(added);
    },
    settle: async (claimed, settlement, now) => {
      const ours = await tx.settle(claimed, settlement, now);
      if (ours) settled.push({ claimed, settlement });
      return ours;
    },
  };
}

function count({ before, after, rows, settled }: Notes, metrics: Metrics): void {
  for (const { incidentId, kind } of rows) {
    const severity = incidentId === undefined ? undefined : before.get(incidentId)?.severity;
    const event = INCIDENT_EVENTS.find((one) => one === kind);
    if (severity !== undefined && event !== undefined) metrics.count('incident_events_total', { severity, event });
  }
  for (const [id, now] of after) {
    const was = before.get(id);
    if (was === undefined || now.severity !== 'critical' || now.drill) continue;
    const since = (at: Milliseconds) => toSeconds(milliseconds(Math.max(0, at - now.openedAt)));
    if (was.acknowledgedAt === undefined && now.acknowledgedAt !== undefined) {
      metrics.record('incident_time_to_acknowledge_seconds', {}, since(now.acknowledgedAt));
    }
    if (was.resolvedAt === undefined && now.resolvedAt !== undefined && now.told.length > 0) {
      metrics.record('incident_time_to_resolve_seconds', {}, since(now.resolvedAt));
    }
  }
  for (const { claimed, settlement } of settled) {
    const { channel, action, priority, destination } = claimed;
    if (settlement.state === 'pending') metrics.count('notification_retries_total', { channel });
    const page = settlement.state === 'delivered' && action === 'trigger' && priority === 0;
    if (page) metrics.count('pages_arrived_total', ownerOf(destination));
  }
}
