/**
 * What the router keeps, as its decisions see it: records, and the few questions and writes that one transaction may hold.
 * `rows/` says them in SQL for both engines; the deterministic simulation (test/simulation/) keeps them in memory.
 */
import type { AuditEntry } from '#access/audit.ts';
import type { Milliseconds } from '#kernel/units.ts';
import type { Alert } from './alert.ts';
import type { Channel, Destination } from './destination.ts';
import type { Labels } from './labels.ts';
import type { IncidentAction, IncidentMessage, Outgoing } from './message.ts';
import type { Silence } from './silence.ts';

export type StoredAlert = Alert & {
  readonly receivedAt: Milliseconds;
  readonly config: string;
  readonly inhibits: readonly string[];
};

export type Group = {
  readonly id: string;
  readonly routeId: string;
  readonly receiver: string;
  /** Alertmanager's groupKey. */
  readonly key: string;
  readonly labels: Labels;
  readonly dueAt: Milliseconds;
  readonly flushedAt: Milliseconds | undefined;
  readonly toldAt: Milliseconds | undefined;
};
/** Whose end is told leaves the group with it. */
export type Told = 'firing';
/** As much of an alert as deciding needs; a group may have a hundred thousand. */
export type MemberAlert = Pick<StoredAlert, 'fingerprint' | 'labels' | 'startsAt' | 'endsAt' | 'receivedAt' | 'config'>;
/** What is said of an alert beside its labels. */
export type Words = Pick<StoredAlert, 'annotations' | 'generatorUrl'>;
export type Member = {
  readonly alert: MemberAlert;
  readonly joinedAt: Milliseconds;
  readonly told: Told | undefined;
};
/** An alert enters a group. */
export type Join = {
  readonly group: Pick<Group, 'id' | 'routeId' | 'receiver' | 'key' | 'labels'>;
  readonly fingerprint: string;
  /** When a group that is new by it is first looked at. */
  readonly firstAt: Milliseconds;
  /** A group that is there already is looked at no later than this. */
  readonly hurryTo: Milliseconds | undefined;
};

export type IncidentSeverity = 'critical' | 'warning';
export type IncidentState = 'open' | 'acknowledged' | 'snoozed' | 'resolved';
export type Incident = {
  readonly id: string;
  readonly number: number;
  readonly groupId: string;
  readonly receiver: string;
  readonly policy: string;
  readonly severity: IncidentSeverity;
  readonly state: IncidentState;
  readonly title: string;
  readonly service: string;
  readonly objective: string | undefined;
  readonly drill: boolean;
  readonly openedAt: Milliseconds;
  readonly acknowledgedAt: Milliseconds | undefined;
  readonly acknowledgedBy: string | undefined;
  readonly snoozedUntil: Milliseconds | undefined;
  readonly resolvedAt: Milliseconds | undefined;
  readonly resolvedBy: string | undefined;
  readonly step: number;
  readonly round: number;
  readonly dueAt: Milliseconds | undefined;
  readonly alerts: number;
  readonly told: readonly Destination[];
  readonly message: IncidentMessage;
};

export type TimelineKind =
  | 'received'
  | 'grouped'
  | 'suppressed'
  | 'opened'
  | 'joined'
  | 'paged'
  | 'escalated'
  | 'nobody'
  /** A step told nobody at all. */
  | 'unreached'
  | 'sent'
  | 'refused'
  | 'retried'
  | 'acknowledged'
  | 'reopened'
  | 'snoozed'
  | 'noted'
  | 'edited'
  | 'configured'
  | 'resolved';
export type TimelineRow = {
  readonly incidentId: string | undefined;
  readonly groupId: string | undefined;
  readonly at: Milliseconds;
  readonly kind: TimelineKind;
  readonly because: string;
  readonly actor?: string | undefined;
  /** In a storm there are thousands of its kind: not written down where the incident has `TIMELINE_MOST` rows. */
  readonly chatter?: true | undefined;
};
/** An hour of joins every five seconds. What is decided and done is written down beyond it. */
export const TIMELINE_MOST = 1_000;
export const TIMELINE_FULL =
  'from here on it is not written down any more what joins, what is suppressed and where an update arrives';

export type NotificationAction = IncidentAction | 'group' | 'change';
export type NotificationState = 'pending' | 'sending' | 'delivered' | 'refused' | 'superseded';
export type Notification = {
  readonly id: string;
  readonly destination: Destination;
  readonly channel: Channel;
  readonly incidentId: string | undefined;
  readonly groupId: string;
  readonly action: NotificationAction;
  readonly priority: 0 | 1 | 2;
  readonly state: NotificationState;
  readonly attempts: number;
  readonly mayRepeat: boolean;
  readonly message: Outgoing;
  readonly createdAt: Milliseconds;
  readonly availableAt: Milliseconds;
  readonly fence: number;
};
export type Claimed = Notification & { readonly state: 'sending'; readonly thread: readonly string[] };

/** How a claimed notification goes on. */
export type Settlement =
  | { readonly state: 'delivered'; readonly reference: string | undefined }
  | { readonly state: 'refused'; readonly error: string }
  | {
      readonly state: 'pending';
      readonly availableAt: Milliseconds;
      readonly mayRepeat: boolean;
      readonly error: string;
      /** The destination asked for patience: nothing else goes there before. */
      readonly restUntil: Milliseconds | undefined;
    };

export type ClaimNotification = {
  readonly now: Milliseconds;
  readonly owner: string;
  readonly lease: Milliseconds;
  /** How long a destination of each channel rests between two messages. */
  readonly spacing: Readonly<Record<Channel, Milliseconds>>;
};

export type StepTaken = {
  /** From 1. */
  readonly step: number;
  readonly round: number;
  /** In the pass that began after that; undefined: ever. */
  readonly since: Milliseconds | undefined;
};

/** Who tells us what people did there. */
export type InboundSource = 'pagerduty';
/** An event of theirs, by their id; `theirs` is what they call the incident. */
export type HeardOnce = {
  readonly source: InboundSource;
  readonly id: string;
  readonly incidentId: string;
  readonly theirs: string;
};

export interface Tx {
  /** Locks them, in one order for all. */
  lockAlerts(fingerprints: readonly string[]): Promise<readonly StoredAlert[]>;
  /** Those that fire and were last looked at under other files, by fingerprint, after the one given. */
  lockOutdated(version: string, now: Milliseconds, after: string, limit: number): Promise<readonly StoredAlert[]>;
  /** @returns the fingerprints of those among `fresh` that somebody else inserted meanwhile: to be merged again. */
  putAlerts(fresh: readonly StoredAlert[], known: readonly StoredAlert[]): Promise<readonly string[]>;
  join(joins: readonly Join[], now: Milliseconds): Promise<void>;
  /** These heartbeats have beaten. */
  beat(names: readonly string[], now: Milliseconds): Promise<void>;
  /** Each leaves the groups that are not named. */
  keepMembers(of: readonly { readonly fingerprint: string; readonly groupIds: readonly string[] }[]): Promise<void>;

  /** The group that has waited longest and that nobody else holds; it stays locked. */
  lockDueGroup(now: Milliseconds): Promise<Group | undefined>;
  members(groupId: string): Promise<readonly Member[]>;
  /** For those few that are named in a message. */
  words(fingerprints: readonly string[]): Promise<ReadonlyMap<string, Words>>;
  /** Which of these keys some firing alert inhibits under, and by which alerts. */
  inhibitors(keys: readonly string[], now: Milliseconds): Promise<ReadonlyMap<string, readonly string[]>>;
  silences(now: Milliseconds): Promise<readonly Silence[]>;
  saveGroup(group: Pick<Group, 'id' | 'dueAt' | 'flushedAt' | 'toldAt'>, size: number): Promise<void>;
  tell(groupId: string, told: Told | undefined, fingerprints: readonly string[]): Promise<void>;
  leave(groupId: string, fingerprints: readonly string[]): Promise<void>;
  /** Only if it has no member any more. */
  dropGroup(groupId: string): Promise<void>;

  unresolvedIncidents(groupId: string): Promise<readonly Incident[]>;
  lockIncident(id: string): Promise<Incident | undefined>;
  lockDueIncident(now: Milliseconds): Promise<Incident | undefined>;
  /** @returns its number. */
  addIncident(incident: Omit<Incident, 'number'>, now: Milliseconds): Promise<number>;
  saveIncident(incident: Incident, now: Milliseconds): Promise<void>;
  /** Who did it, for the audit trail. */
  audit(deed: AuditEntry): Promise<void>;
  addTimeline(rows: readonly TimelineRow[]): Promise<void>;
  /** @returns false: it was heard before. */
  hearOnce(event: HeardOnce, now: Milliseconds): Promise<boolean>;
  /** The incident that was spoken of last by this name of theirs. */
  incidentOfTheirs(source: InboundSource, theirs: string): Promise<string | undefined>;

  /** Not yet sent to these destinations of the same incident or group; nobody is sending them. Locked. */
  unsent(of: { incidentId: string } | { groupId: string }): Promise<readonly Notification[]>;
  /** Where something of it waits or is under way. */
  unfinished(incidentId: string): Promise<readonly Destination[]>;
  supersede(ids: readonly string[], now: Milliseconds): Promise<void>;
  addNotifications(rows: readonly Notification[]): Promise<void>;
  /** Is anything of this step on its way or there? */
  hasReached(incidentId: string, step: StepTaken): Promise<boolean>;
  claimNotification(claim: ClaimNotification): Promise<Claimed | undefined>;
  /** @returns false when the claim is not ours any more. */
  settle(claimed: Claimed, settlement: Settlement, now: Milliseconds): Promise<boolean>;
}

export interface Store {
  /** All of it or nothing. Nothing but the store is waited for inside. */
  tx<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** When something falls due next, of groups, incidents and notifications. */
  nextDue(): Promise<Milliseconds | undefined>;
}
