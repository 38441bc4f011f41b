/**
 * An incident's life: it opens, its steps are taken, people answer, it ends. Each change is written together with its line
 * in the timeline and the messages that tell of it. Who is told, and when the next step is due, is `escalation.ts`.
 */
import type { Milliseconds } from '#kernel/units.ts';
import { alertsTold, gravest, incidentMessage, nameIncident } from './compose.ts';
import type { Addressed } from './destination.ts';
import { escalate, firstStepAt } from './escalation.ts';
import { becauseOf, type GroupView, type IncidentChange } from './flush.ts';
import type { AlertsTold, IncidentAction, IncidentMessage } from './message.ts';
import { type Draft, post } from './outbox.ts';
import { LOOK_AGAIN, OTHERS_MAY_KNOW, type Setup } from './setup.ts';
import type { InboundSource, Incident, Member, Store, TimelineRow, Tx } from './store.ts';

export type Around = {
  readonly store: Store;
  readonly setup: () => Setup;
  readonly now: () => Milliseconds;
  /** Sorts by the time at which it was made. */
  readonly newId: () => string;
};

export const draftsOf = (
  to: readonly Addressed[],
  groupId: string,
  priority: 0 | 1 | 2,
  message: Draft['message'],
  incidentId?: string,
): Draft[] =>
  to.map((one) => ({
    to: one,
    incidentId,
    groupId,
    action: message.kind === 'incident' ? message.action : message.kind,
    priority,
    message,
  }));

export async function send(
  around: Around,
  tx: Tx,
  of: { incidentId: string } | { groupId: string },
  drafts: readonly Draft[],
  now: Milliseconds,
): Promise<void> {
  if (drafts.length === 0) return;
  const posted = post(drafts, await tx.unsent(of), now, around.newId);
  await tx.supersede(posted.supersede, now);
  await tx.addNotifications(posted.add);
}

/** @returns the incident that was opened. */
export async function applyChange(
  around: Around,
  tx: Tx,
  setup: Setup,
  view: GroupView,
  change: IncidentChange,
  now: Milliseconds,
): Promise<string | undefined> {
  switch (change.kind) {
    case 'open':
      return await openIncident(around, tx, setup, view, change, now);
    case 'join': {
      const { incident, joined, alerts } = change;
      const because = `${count(joined)} joined: ${namesOf(joined)}`;
      await tx.addTimeline([{ ...line(incident, now, 'joined', because), chatter: true }]);
      const grown = { ...incident, alerts: incident.alerts + joined.length };
      await tellAll(around, tx, setup, grown, 'update', alerts, now);
      return undefined;
    }
    case 'resolve': {
      const { incident, alerts } = change;
      const ended: Incident = { ...incident, state: 'resolved', resolvedAt: now, dueAt: undefined };
      await tx.addTimeline([line(incident, now, 'resolved', 'every alert of it has ended')]);
      await tellAll(around, tx, setup, ended, 'resolve', alerts, now);
      return undefined;
    }
    case 'withdraw':
      await withdraw(tx, view, change, now);
      return undefined;
    default:
      return change satisfies never;
  }
}

/** If what suppresses its alerts goes away while they fire, they open another: they count as not told. */
async function withdraw(
  tx: Tx,
  { muted }: GroupView,
  { incident, alerts }: Extract<IncidentChange, { kind: 'withdraw' }>,
  now: Milliseconds,
): Promise<void> {
  const why = alerts.map(({ alert }) => muted.get(alert.fingerprint)).find((one) => one !== undefined);
  const reason = why === undefined ? '' : `: ${becauseOf(why)}`;
  const because = `its alerts were suppressed before anybody was told${reason}`;
  await tx.addTimeline([line(incident, now, 'resolved', because)]);
  await tx.saveIncident({ ...incident, state: 'resolved', resolvedAt: now, dueAt: undefined }, now);
  await tx.tell(
    incident.groupId,
    undefined,
    alerts.map(({ alert }) => alert.fingerprint),
  );
}

/** With the words of those few that are named. */
export async function toldOf(tx: Tx, members: readonly Member[], now: Milliseconds): Promise<AlertsTold> {
  const named = gravest(members, now).map(({ alert }) => alert.fingerprint);
  return alertsTold(members, await tx.words(named), now);
}

async function openIncident(
  around: Around,
  tx: Tx,
  setup: Setup,
  { group, policy }: GroupView,
  { severity, alerts }: Extract<IncidentChange, { kind: 'open' }>,
  now: Milliseconds,
): Promise<string | undefined> {
  if (policy === undefined) return undefined;
  const told = await toldOf(tx, alerts, now);
  const names = nameIncident(group, alerts, told);
  const id = around.newId();
  const draft: Omit<Incident, 'message' | 'number'> = {
    id,
    groupId: group.id,
    receiver: group.receiver,
    policy: policy.name,
    severity,
    state: 'open',
    ...names,
    openedAt: now,
    acknowledgedAt: undefined,
    acknowledgedBy: undefined,
    snoozedUntil: undefined,
    resolvedAt: undefined,
    resolvedBy: undefined,
    step: 0,
    round: 0,
    dueAt: firstStepAt(policy, severity, now),
    alerts: alerts.length,
    told: [],
  };
  const said = { paged: [], next: undefined, step: 0, round: 0 };
  const unnumbered = { ...draft, number: 0 };
  const message = incidentMessage('trigger', unnumbered, told, said, setup.links, now);
  const number = await tx.addIncident({ ...draft, message }, now);
  const incident = { ...draft, number, message: { ...message, incident: { ...message.incident, number } } };
  const first = alerts.reduce((a, b) => (a.alert.receivedAt <= b.alert.receivedAt ? a : b));
  await tx.addTimeline([
    line(incident, first.alert.receivedAt, 'received', `${namesOf([first])}`),
    line(incident, first.joinedAt, 'grouped', `taken into ${group.key}, told to ${group.receiver}`),
    line(incident, now, 'opened', `${count(alerts)} of it: ${namesOf(alerts)}`),
  ]);
  if (incident.dueAt !== undefined && incident.dueAt <= now) await takeStep(around, tx, setup, incident, now);
  return id;
}

/** The step that is due: its people are told, and the time of the next one is written. */
async function takeStep(around: Around, tx: Tx, setup: Setup, incident: Incident, now: Milliseconds): Promise<void> {
  const policy = setup.oncall.policies.get(incident.receiver);
  if (policy === undefined && now - incident.openedAt < OTHERS_MAY_KNOW) {
    return await tx.saveIncident({ ...incident, dueAt: (now + LOOK_AGAIN) as Milliseconds }, now);
  }
  if (policy === undefined) {
    const because = `the policy ${incident.policy} is not in the configuration any more`;
    await tx.addTimeline([line(incident, now, 'unreached', because)]);
    return await tx.saveIncident({ ...incident, dueAt: undefined }, now);
  }
  const { paged, names, next, nobody, incident: place } = escalate(incident, policy, setup.who, now);
  const first = incident.step === 0 && incident.round === 0;
  const moved: Incident = {
    ...incident,
    ...place,
    told: [...new Set([...incident.told, ...paged.map(({ destination }) => destination)])],
  };
  const said = { paged: names, next, step: incident.step + 1, round: incident.round };
  const message = incidentMessage('trigger', moved, incident.message.alerts, said, setup.links, now);
  await tx.saveIncident({ ...moved, message }, now);
  const step = stepName(policy.name, said);
  const rows: TimelineRow[] =
    paged.length === 0
      ? [line(incident, now, 'unreached', `${step} reached nobody: ${nobody.join('; ') || 'it has no targets'}`)]
      : [
          ...nobody.map((because) => line(incident, now, 'nobody', because)),
          line(incident, now, first ? 'paged' : 'escalated', `${step}: ${names.join(', ')}`),
        ];
  await tx.addTimeline(rows);
  const priority = incident.severity === 'critical' ? 0 : 1;
  const drafts = draftsOf(paged, incident.groupId, priority, message, incident.id);
  await send(around, tx, { incidentId: incident.id }, drafts, now);
}

/** @param at the step from 1, the round from 0. */
export const stepName = (policy: string, { step, round }: Pick<IncidentMessage, 'step' | 'round'>): string =>
  `step ${step} of ${policy}${round > 0 ? `, round ${round + 1}` : ''}`;

/** Takes the next step of the incident that has waited longest. @returns false: none is due. */
export async function escalateOne(around: Around): Promise<boolean> {
  return await around.store.tx(async (tx) => {
    const now = around.now();
    const incident = await tx.lockDueIncident(now);
    if (incident === undefined) return false;
    const awake: Incident = { ...incident, state: 'open', snoozedUntil: undefined };
    await takeStep(around, tx, around.setup(), incident.state === 'snoozed' ? awake : incident, now);
    return true;
  });
}

/** Everybody who was told of it is told how it goes on, but those who said so. */
export async function tellAll(
  around: Around,
  tx: Tx,
  setup: Setup,
  incident: Incident,
  action: IncidentAction,
  alerts: readonly Member[],
  now: Milliseconds,
  from?: InboundSource,
): Promise<void> {
  const told = alerts.length === 0 ? incident.message.alerts : await toldOf(tx, alerts, now);
  const { paged, next, step, round } = incident.message;
  const said = { paged, next: incident.dueAt === undefined ? undefined : next, step, round };
  const message = incidentMessage(action, incident, told, said, setup.links, now);
  await tx.saveIncident({ ...incident, message }, now);
  const to = incident.told.flatMap((destination): Addressed[] => {
    const integration = setup.directory.get(destination);
    return integration === undefined ? [] : [{ destination, integration }];
  });
  const knowing = from === undefined ? new Set<string>() : knowingOf(to, action, await tx.unfinished(incident.id));
  const others = to.filter(({ destination }) => !knowing.has(destination));
  await send(around, tx, { incidentId: incident.id }, draftsOf(others, incident.groupId, 1, message, incident.id), now);
}

/**
 * Where it was said need not be told, as long as that is one place: of several accounts there we do not know which it was,
 * and the word twice does no harm. An end is told there too where something before it is still on its way, and would begin
 * it again.
 */
function knowingOf(to: readonly Addressed[], action: IncidentAction, unfinished: readonly string[]): Set<string> {
  const there = to.flatMap(({ destination, integration }) =>
    integration.kind === 'pagerduty' ? [{ destination, account: integration.routingKey.reveal() }] : [],
  );
  if (new Set(there.map(({ account }) => account)).size > 1) return new Set();
  const knowing = there.map(({ destination }) => destination);
  return new Set(action === 'resolve' ? knowing.filter((one) => !unfinished.includes(one)) : knowing);
}

export const line = (
  { id, groupId }: Pick<Incident, 'id' | 'groupId'>,
  at: Milliseconds,
  kind: TimelineRow['kind'],
  because: string,
): TimelineRow => ({ incidentId: id, groupId, at, kind, because });

const count = (members: readonly Member[]): string => (members.length === 1 ? '1 alert' : `${members.length} alerts`);

const NAMED_MOST = 5;
function namesOf(members: readonly Member[]): string {
  const names = members.slice(0, NAMED_MOST).map(({ alert }) => nameOf(alert.labels));
  return names.join(', ') + (members.length > NAMED_MOST ? ` and ${members.length - NAMED_MOST} more` : '');
}
function nameOf(labels: Member['alert']['labels']): string {
  const { alertname, sloth_slo: slo, instance, eye } = labels;
  return [alertname ?? 'alert', slo, instance, eye && `seen by ${eye}`].filter((one) => one !== undefined).join(' ');
}
