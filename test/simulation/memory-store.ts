/**
 * The store in memory: the same questions, one transaction at a time, all of it or nothing. A crash is a transaction that
 * is rolled back, or one whose caller never hears that it was not. Held against the SQL store by memory-store.test.ts.
 */
import type { Silence } from '#alerting/silence.ts';
import {
  type Claimed,
  type ClaimNotification,
  type Group,
  type HeardOnce,
  type Incident,
  type Join,
  type Notification,
  type Settlement,
  type Store,
  type StoredAlert,
  TIMELINE_FULL,
  TIMELINE_MOST,
  type TimelineRow,
  type Told,
  type Tx,
} from '#alerting/store.ts';
import { uuidv7From } from '#kernel/random.ts';
import type { Milliseconds } from '#kernel/units.ts';

type MemberRow = { readonly joinedAt: Milliseconds; readonly told: Told | undefined };
type NotificationRow = Notification & {
  readonly leaseUntil: Milliseconds | undefined;
  readonly finishedAt: Milliseconds | undefined;
};

export type Tables = {
  readonly alerts: Map<string, StoredAlert>;
  readonly groups: Map<string, Group>;
  readonly sizes: Map<string, number>;
  /** group → fingerprint → row. */
  readonly members: Map<string, Map<string, MemberRow>>;
  readonly silences: Map<string, Silence>;
  readonly incidents: Map<string, Incident>;
  readonly timeline: TimelineRow[];
  readonly notifications: Map<string, NotificationRow>;
  readonly destinations: Map<string, Milliseconds>;
  readonly beats: Map<string, Milliseconds>;
  /** source and id → row. */
  readonly inbound: Map<string, HeardOnce>;
};

/** Whose next transaction is lost, or its answer, when a test says so. */
export type FailingStore = Store & { failNext: 'none' | 'before commit' | 'after commit' };
export type MemoryStore = FailingStore & { readonly tables: () => Tables };

export class Crash extends Error {}

const GATHER = 5_000;
const GATHER_EACH = 0.2;

export function makeMemoryStore(): MemoryStore {
  const tables: Tables = {
    alerts: new Map(),
    groups: new Map(),
    sizes: new Map(),
    members: new Map(),
    silences: new Map(),
    incidents: new Map(),
    timeline: [],
    notifications: new Map(),
    destinations: new Map(),
    beats: new Map(),
    inbound: new Map(),
  };
  let turn: Promise<unknown> = Promise.resolve();
  const store: MemoryStore = {
    failNext: 'none',
    tables: () => tables,
    tx: (work) => {
      const run = async () => {
        const undo: Undo = [];
        try {
          const result = await work(memoryTx(tables, undo));
          if (store.failNext === 'before commit') throw new Crash('before commit');
          undo.length = 0;
          if (store.failNext === 'after commit') throw new Crash('after commit');
          return result;
        } finally {
          store.failNext = 'none';
          for (const back of undo.toReversed()) back();
        }
      };
      const mine = turn.then(run, run);
      turn = mine.catch(() => {});
      return mine;
    },
    nextDue: async () => nextDue(tables),
  };
  return store;
}

/** How to take back what a transaction has written, newest first. Rows are never changed in place. */
type Undo = (() => void)[];

function put<K, V>(undo: Undo, map: Map<K, V>, key: K, value: V): void {
  const before = map.get(key);
  undo.push(before === undefined ? () => map.delete(key) : () => map.set(key, before));
  map.set(key, value);
}

function drop<K, V>(undo: Undo, map: Map<K, V>, key: K): void {
  const before = map.get(key);
  if (before === undefined) return;
  undo.push(() => map.set(key, before));
  map.delete(key);
}

function nextDue({ groups, incidents, notifications, destinations }: Tables): Milliseconds | undefined {
  const times: number[] = [...groups.values()].map(({ dueAt }) => dueAt);
  for (const { dueAt } of incidents.values()) if (dueAt !== undefined) times.push(dueAt);
  for (const one of nextOfEachStory([...notifications.values()])) {
    times.push(Math.max(one.availableAt, destinations.get(one.destination) ?? 0, one.leaseUntil ?? 0));
  }
  return times.length === 0 ? undefined : (times.reduce((a, b) => Math.min(a, b)) as Milliseconds);
}

function memoryTx(t: Tables, u: Undo): Tx {
  return { ...alertTx(t, u), ...groupTx(t, u), ...incidentTx(t, u), ...notificationTx(t, u), audit: async () => {} };
}

type AlertTx = Pick<
  Tx,
  'lockAlerts' | 'lockOutdated' | 'putAlerts' | 'join' | 'beat' | 'keepMembers' | 'inhibitors' | 'silences'
>;

function alertTx(t: Tables, undo: Undo): AlertTx {
  return {
    lockAlerts: async (fingerprints) => [...fingerprints].sort().flatMap((one) => t.alerts.get(one) ?? []),
    lockOutdated: async (version, now, after, limit) =>
      [...t.alerts.values()]
        .filter((one) => one.endsAt > now && one.config !== version && one.fingerprint > after)
        .sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1))
        .slice(0, limit),
    putAlerts: async (fresh, known) => {
      for (const alert of [...fresh, ...known]) put(undo, t.alerts, alert.fingerprint, alert);
      return [];
    },
    join: async (joins, now) => {
      for (const join of joins) joinOne(t, undo, join, now);
    },
    beat: async (names, now) => {
      for (const name of names) put(undo, t.beats, name, now);
    },
    keepMembers: async (of) => {
      for (const { fingerprint, groupIds } of of) {
        for (const [id, members] of t.members) if (!groupIds.includes(id)) drop(undo, members, fingerprint);
      }
    },
    inhibitors: async (keys, now) => {
      const found = new Map<string, string[]>();
      for (const key of keys) {
        const sources = [...t.alerts.values()]
          .filter(({ inhibits, endsAt }) => endsAt > now && inhibits.includes(key))
          .map(({ fingerprint }) => fingerprint)
          .sort();
        if (sources.length > 0) found.set(key, sources);
      }
      return found;
    },
    silences: async (now) =>
      [...t.silences.values()]
        .filter(({ startsAt, endsAt }) => startsAt <= now && endsAt > now)
        .sort((a, b) => (a.id < b.id ? -1 : 1)),
  };
}

function joinOne(t: Tables, undo: Undo, { group, fingerprint, firstAt, hurryTo }: Join, now: Milliseconds): void {
  const known = t.groups.get(group.id);
  const open = [...t.incidents.values()].some(
    (one) => one.groupId === group.id && one.severity === 'critical' && one.state !== 'resolved',
  );
  const current: Group = known ?? { ...group, dueAt: firstAt, flushedAt: undefined, toldAt: undefined };
  const gathered =
    open && current.flushedAt !== undefined
      ? Math.max(hurryTo ?? 0, current.flushedAt + GATHER + Math.ceil((t.sizes.get(group.id) ?? 0) * GATHER_EACH))
      : hurryTo;
  const dueAt = hurryTo === undefined || gathered === undefined ? current.dueAt : Math.min(current.dueAt, gathered);
  put(undo, t.groups, group.id, { ...current, dueAt: dueAt as Milliseconds });
  const members = t.members.get(group.id) ?? new Map<string, MemberRow>();
  if (!members.has(fingerprint)) put(undo, members, fingerprint, { joinedAt: now, told: undefined });
  put(undo, t.members, group.id, members);
}

type GroupTx = Pick<Tx, 'lockDueGroup' | 'members' | 'words' | 'saveGroup' | 'tell' | 'leave' | 'dropGroup'>;

function groupTx(t: Tables, undo: Undo): GroupTx {
  return {
    lockDueGroup: async (now) => earliest([...t.groups.values()].filter(({ dueAt }) => dueAt <= now)),
    members: async (groupId) =>
      [...(t.members.get(groupId) ?? new Map<string, MemberRow>())]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([fingerprint, row]) => {
          const alert = t.alerts.get(fingerprint);
          return alert === undefined ? [] : [{ alert, ...row }];
        }),
    words: async (fingerprints) =>
      new Map(
        fingerprints.flatMap((one) => {
          const alert = t.alerts.get(one);
          return alert === undefined ? [] : [[one, alert] as const];
        }),
      ),
    saveGroup: async ({ id, dueAt, flushedAt, toldAt }, size) => {
      const group = t.groups.get(id);
      if (group !== undefined) {
        put(undo, t.groups, id, { ...group, dueAt, flushedAt, toldAt });
        put(undo, t.sizes, id, size);
      }
    },
    tell: async (groupId, told, fingerprints) => {
      const members = t.members.get(groupId);
      for (const one of fingerprints) {
        const row = members?.get(one);
        if (members !== undefined && row !== undefined) put(undo, members, one, { ...row, told });
      }
    },
    leave: async (groupId, fingerprints) => {
      const members = t.members.get(groupId);
      if (members !== undefined) for (const one of fingerprints) drop(undo, members, one);
    },
    dropGroup: async (groupId) => {
      if ((t.members.get(groupId)?.size ?? 0) > 0) return;
      drop(undo, t.members, groupId);
      drop(undo, t.groups, groupId);
      drop(undo, t.sizes, groupId);
    },
  };
}

const earliest = <T extends { readonly id: string; readonly dueAt: Milliseconds | undefined }>(
  rows: readonly T[],
): T | undefined => [...rows].sort((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0) || (a.id < b.id ? -1 : 1))[0];

type IncidentTx = Pick<
  Tx,
  | 'unresolvedIncidents'
  | 'lockIncident'
  | 'lockDueIncident'
  | 'addIncident'
  | 'saveIncident'
  | 'addTimeline'
  | 'hearOnce'
  | 'incidentOfTheirs'
>;

function incidentTx(t: Tables, undo: Undo): IncidentTx {
  return {
    unresolvedIncidents: async (groupId) =>
      [...t.incidents.values()].filter((one) => one.groupId === groupId && one.state !== 'resolved'),
    lockIncident: async (id) => t.incidents.get(id),
    lockDueIncident: async (now) =>
      earliest([...t.incidents.values()].filter(({ dueAt }) => dueAt !== undefined && dueAt <= now)),
    addIncident: async (incident) => {
      const number = t.incidents.size + 1;
      const same = [...t.incidents.values()].some(
        (one) => one.groupId === incident.groupId && one.severity === incident.severity && one.state !== 'resolved',
      );
      if (same) throw new Error('two unresolved incidents of one group and severity');
      put(undo, t.incidents, incident.id, { ...incident, number });
      return number;
    },
    saveIncident: async (incident) => void put(undo, t.incidents, incident.id, incident),
    addTimeline: async (rows) => {
      const length = t.timeline.length;
      undo.push(() => {
        t.timeline.length = length;
      });
      // As in SQL, each is counted before any of them is written.
      const fresh = rows.flatMap(({ chatter, ...row }): TimelineRow[] => {
        if (chatter === undefined || row.incidentId === undefined) return [row];
        const size = t.timeline.filter(({ incidentId }) => incidentId === row.incidentId).length;
        return size > TIMELINE_MOST ? [] : [size === TIMELINE_MOST ? { ...row, because: TIMELINE_FULL } : row];
      });
      t.timeline.push(...fresh);
    },
    hearOnce: async (event) => {
      const key = `${event.source}\n${event.id}`;
      if (t.inbound.has(key)) return false;
      put(undo, t.inbound, key, event);
      return true;
    },
    incidentOfTheirs: async (source, theirs) =>
      [...t.inbound.values()].filter((one) => one.source === source && one.theirs === theirs).at(-1)?.incidentId,
  };
}

type NotificationTx = Pick<
  Tx,
  'unsent' | 'unfinished' | 'supersede' | 'addNotifications' | 'hasReached' | 'claimNotification' | 'settle'
>;

function notificationTx(t: Tables, undo: Undo): NotificationTx {
  const all = () => [...t.notifications.values()]; // by their ids: so they were added
  return {
    unsent: async (of) =>
      all().filter(
        (one) =>
          one.state === 'pending' &&
          ('incidentId' in of
            ? one.incidentId === of.incidentId
            : one.groupId === of.groupId && one.incidentId === undefined),
      ),
    unfinished: async (incidentId) => [
      ...new Set(
        all()
          .filter((one) => one.incidentId === incidentId && (one.state === 'pending' || one.state === 'sending'))
          .map(({ destination }) => destination),
      ),
    ],
    supersede: async (ids, now) => {
      for (const id of ids) {
        const row = t.notifications.get(id);
        if (row !== undefined) put(undo, t.notifications, id, { ...row, state: 'superseded', finishedAt: now });
      }
    },
    addNotifications: async (rows) => {
      for (const row of rows) {
        put(undo, t.notifications, row.id, { ...row, leaseUntil: undefined, finishedAt: undefined });
        if (!t.destinations.has(row.destination)) put(undo, t.destinations, row.destination, 0 as Milliseconds);
      }
    },
    hasReached: async (incidentId, { step, round, since }) =>
      all().some(
        ({ id, incidentId: of, state, action, message }) =>
          of === incidentId &&
          (since === undefined || id >= uuidv7From(since)) &&
          (state === 'pending' || state === 'sending' || state === 'delivered') &&
          message.kind === 'incident' &&
          `${action} ${message.step} ${message.round}` === `trigger ${step} ${round}`,
      ),
    claimNotification: async (claim) => claimOne(t, undo, all(), claim),
    settle: async (claimed, settlement, now) => settleOne(t, undo, claimed, settlement, now),
  };
}

const story = (one: NotificationRow) => `${one.destination}\n${one.groupId}\n${one.incidentId}`;

/** Of what waits or is under way. */
function nextOfEachStory(rows: readonly NotificationRow[]): NotificationRow[] {
  const waiting = rows.filter(({ state }) => state === 'pending' || state === 'sending');
  const first = new Map<string, NotificationRow>();
  for (const row of waiting) {
    const known = first.get(story(row));
    if (known === undefined || row.id < known.id) first.set(story(row), row);
  }
  return [...first.values()];
}

function claimOne(
  t: Tables,
  undo: Undo,
  all: readonly NotificationRow[],
  { now, lease, spacing }: ClaimNotification,
): Claimed | undefined {
  const due = nextOfEachStory(all).filter(
    (one) =>
      one.availableAt <= now &&
      (t.destinations.get(one.destination) ?? 0) <= now &&
      (one.state === 'pending' || (one.leaseUntil ?? 0) <= now),
  );
  const [row] = due.sort((a, b) => a.priority - b.priority || a.availableAt - b.availableAt || (a.id < b.id ? -1 : 1));
  if (row === undefined) return undefined;
  put(undo, t.destinations, row.destination, (now + spacing[row.channel]) as Milliseconds);
  const claimed: NotificationRow = {
    ...row,
    state: 'sending',
    attempts: row.attempts + 1,
    mayRepeat: row.mayRepeat || row.state === 'sending',
    fence: row.fence + 1,
    leaseUntil: (now + lease) as Milliseconds,
  };
  put(undo, t.notifications, row.id, claimed);
  const thread = all
    .filter((one) => story(one) === story(row) && one.state === 'delivered' && row.channel === 'email')
    .map(({ id }) => id);
  return { ...claimed, state: 'sending', thread: thread.slice(0, 20) };
}

function settleOne(t: Tables, undo: Undo, claimed: Claimed, settlement: Settlement, now: Milliseconds): boolean {
  const row = t.notifications.get(claimed.id);
  if (row === undefined || row.state !== 'sending' || row.fence !== claimed.fence) return false;
  const waits = settlement.state === 'pending' ? settlement : undefined;
  put(undo, t.notifications, row.id, {
    ...row,
    state: settlement.state,
    availableAt: waits?.availableAt ?? row.availableAt,
    mayRepeat: row.mayRepeat || (waits?.mayRepeat ?? false),
    leaseUntil: undefined,
    finishedAt: waits === undefined ? now : undefined,
  });
  const rest = Math.max(waits?.restUntil ?? 0, t.destinations.get(row.destination) ?? 0);
  put(undo, t.destinations, row.destination, rest as Milliseconds);
  return true;
}
