/** The store on Postgres or PGlite: each question is one function of `rows/`. */
import { audit } from '#access/audit.ts';
import type { Db, Queryable } from '#kernel/database.ts';
import * as alerts from './rows/alerts.ts';
import { nextDue } from './rows/due.ts';
import { putBeats } from './rows/heartbeats.ts';
import { hearOnce, incidentOfTheirs } from './rows/inbound.ts';
import * as incidents from './rows/incidents.ts';
import * as notifications from './rows/notifications.ts';
import { liveSilences } from './rows/silences.ts';
import type { Store, Tx } from './store.ts';

export const makeSqlStore = (db: Db): Store => ({
  tx: (work) => db.tx((q) => work(sqlTx(q))),
  nextDue: () => nextDue(db),
});

function sqlTx(q: Queryable): Tx {
  return {
    lockAlerts: (fingerprints) => alerts.lockAlerts(q, fingerprints),
    lockOutdated: (version, now, after, limit) => alerts.lockOutdated(q, version, now, after, limit),
    putAlerts: async (fresh, known) => {
      if (known.length > 0) await alerts.updateAlerts(q, known);
      if (fresh.length === 0) return [];
      const inserted = new Set(await alerts.insertAlerts(q, fresh));
      return fresh.map(({ fingerprint }) => fingerprint).filter((one) => !inserted.has(one));
    },
    join: async (joins, now) => {
      if (joins.length === 0) return;
      // Neither needs the other's answer.
      await Promise.all([alerts.openGroups(q, joins), alerts.addMembers(q, joins, now)]);
    },
    beat: (names, now) => putBeats(q, names, now),
    keepMembers: async (of) => {
      if (of.length > 0) await alerts.keepMembers(q, of);
    },
    lockDueGroup: (now) => alerts.lockDueGroup(q, now),
    members: (groupId) => alerts.membersOf(q, groupId),
    inhibitors: async (keys, now) => (keys.length === 0 ? new Map() : await alerts.inhibitorsOf(q, keys, now)),
    silences: (now) => liveSilences(q, now),
    words: async (fingerprints) => (fingerprints.length === 0 ? new Map() : await alerts.wordsOf(q, fingerprints)),
    saveGroup: (group, size) => alerts.saveGroup(q, group, size),
    tell: async (groupId, told, fingerprints) => {
      if (fingerprints.length > 0) await alerts.tellMembers(q, groupId, told, fingerprints);
    },
    leave: async (groupId, fingerprints) => {
      if (fingerprints.length > 0) await alerts.removeMembers(q, groupId, fingerprints);
    },
    dropGroup: (groupId) => alerts.dropEmptyGroup(q, groupId),
    unresolvedIncidents: (groupId) => incidents.unresolvedIncidents(q, groupId),
    lockIncident: (id) => incidents.lockIncident(q, id),
    lockDueIncident: (now) => incidents.lockDueIncident(q, now),
    addIncident: (incident, now) => incidents.insertIncident(q, incident, now),
    saveIncident: (incident, now) => incidents.saveIncident(q, incident, now),
    addTimeline: async (rows) => {
      if (rows.length > 0) await incidents.insertTimeline(q, rows);
    },
    audit: (deed) => audit(q, deed),
    hearOnce: (event, now) => hearOnce(q, event, now),
    incidentOfTheirs: (source, theirs) => incidentOfTheirs(q, source, theirs),
    unfinished: (incidentId) => notifications.unfinished(q, incidentId),
    unsent: (of) =>
      'incidentId' in of
        ? notifications.unsentOfIncident(q, of.incidentId)
        : notifications.unsentOfGroup(q, of.groupId),
    supersede: async (ids, now) => {
      if (ids.length > 0) await notifications.supersede(q, ids, now);
    },
    addNotifications: async (rows) => {
      if (rows.length > 0) await notifications.insertNotifications(q, rows);
    },
    hasReached: (incidentId, step) => notifications.hasReached(q, incidentId, step),
    claimNotification: (claim) => notifications.claimNotification(q, claim),
    settle: async (claimed, settlement, now) => {
      if (!(await notifications.settle(q, claimed, settlement, now))) return false;
      const until = settlement.state === 'pending' ? settlement.restUntil : undefined;
      if (until !== undefined) await notifications.restDestination(q, claimed.destination, until);
      return true;
    },
  };
}
