/**
 * Takes from the outbox and sends. A row is claimed with a lease before anything leaves, and marked as soon as the other
 * side has answered; a router that dies in between leaves a claim that runs out, and whoever takes it over knows that it
 * may have arrived. Slow destinations do not hold up others: each send has its own place and its own limit.
 */
import { describe } from '#kernel/errors.ts';
import type { Log } from '#kernel/log.ts';
import type { Random } from '#kernel/random.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { Integration } from './config/config.ts';
import type { Channel } from './destination.ts';
import { type Around, stepName } from './incidents.ts';
import type { Circumstances, Outgoing } from './message.ts';
import type { Outcome } from './notify/outcome.ts';
import { settlementOf } from './outbox.ts';
import { OTHERS_MAY_KNOW } from './setup.ts';
import type { Claimed, Incident, TimelineRow, Tx } from './store.ts';

/** Sends one message; never throws for what the other side does. */
export type Notify = (
  integration: Integration,
  message: Outgoing,
  circumstances: Circumstances,
  signal: AbortSignal,
) => Promise<Outcome>;

/** One attempt. Below the lease, so that nobody takes over what is still being sent. */
export const SEND_LIMIT = milliseconds(6_000);
export const SEND_LEASE = milliseconds(7_500);
/** Slack takes one message a second and webhook; the others have no such rule. */
export const SPACING: Readonly<Record<Channel, Milliseconds>> = {
  slack: milliseconds(1_000),
  email: milliseconds(0),
  pagerduty: milliseconds(0),
  webhook: milliseconds(0),
};

export type Deliverer = Around & {
  readonly owner: string;
  readonly notify: Notify;
  readonly random: Random;
  readonly log: Log;
};

/** @returns undefined: nothing is due. */
export async function claimOne({ store, now, owner }: Deliverer): Promise<Claimed | undefined> {
  return await store.tx((tx) => tx.claimNotification({ now: now(), owner, lease: SEND_LEASE, spacing: SPACING }));
}

/** One attempt at a claimed row, to its mark. */
export async function deliver(around: Deliverer, claimed: Claimed, signal: AbortSignal): Promise<Outcome> {
  const outcome = await attempt(around, claimed, signal);
  await around.store.tx((tx) => mark(around, tx, claimed, outcome));
  return outcome;
}

async function attempt(around: Deliverer, claimed: Claimed, signal: AbortSignal): Promise<Outcome> {
  const { destination, message, id, mayRepeat, thread, createdAt } = claimed;
  const integration = around.setup().directory.get(destination);
  if (integration === undefined) {
    const because = `${destination} is not in the configuration of this router`;
    const othersMayKnow = around.now() - createdAt < OTHERS_MAY_KNOW;
    return othersMayKnow ? { kind: 'retry', because, after: undefined } : { kind: 'refused', because };
  }
  const limit = AbortSignal.any([signal, AbortSignal.timeout(SEND_LIMIT)]);
  try {
    return await around.notify(integration, message, { id, mayRepeat, thread, createdAt }, limit);
  } catch (error) {
    around.log.error({ notification: id, destination, reason: describe(error) }, 'a notifier threw');
    return { kind: 'ambiguous', because: describe(error) };
  }
}

async function mark(around: Deliverer, tx: Tx, claimed: Claimed, outcome: Outcome): Promise<void> {
  const now = around.now();
  const settlement = settlementOf(outcome, claimed.attempts, now, around.random);
  const { incidentId, destination } = claimed;
  // The incident before its messages, as everybody locks them: else this and somebody's answer wait for each other.
  const refusedOf =
    settlement.state === 'refused' && incidentId !== undefined ? await tx.lockIncident(incidentId) : undefined;
  if (!(await tx.settle(claimed, settlement, now))) return;
  if (incidentId === undefined) return;
  if (settlement.state === 'delivered') {
    const after = claimed.attempts > 1 ? `, at attempt ${claimed.attempts}` : '';
    const chatter = claimed.action === 'update' ? true : undefined;
    await tx.addTimeline([{ ...line(claimed, now, 'sent', `${claimed.action} to ${destination}${after}`), chatter }]);
  } else if (settlement.state === 'refused') {
    await tx.addTimeline([line(claimed, now, 'refused', `${destination}: ${settlement.error}`)]);
    // Of what it would not take the beginning of, it need not hear the rest.
    const behind = (await tx.unsent({ incidentId })).filter((one) => one.destination === destination);
    await tx.supersede(
      behind.map(({ id }) => id),
      now,
    );
    if (refusedOf !== undefined) await hurryNext(tx, claimed, refusedOf, now);
  } else if (claimed.attempts === 1) {
    await tx.addTimeline([line(claimed, now, 'retried', `${destination}: ${settlement.error}`)]);
  }
}

/** A step that reached nobody must not cost the time that its people would have had to answer. */
async function hurryNext(
  tx: Tx,
  { destination, message }: Claimed,
  incident: Incident,
  now: Milliseconds,
): Promise<void> {
  if (incident.state === 'resolved') return;
  const { id: incidentId } = incident;
  const told = incident.told.filter((one) => one !== destination);
  const step = message.kind === 'incident' && message.action === 'trigger' ? message : undefined;
  const unreached =
    step !== undefined &&
    incident.state === 'open' &&
    // Of this pass: who was told before somebody took it up is not told now.
    !(await tx.hasReached(incidentId, { step: step.step, round: step.round, since: incident.acknowledgedAt }));
  const isLast = step?.step === incident.message.step && step.round === incident.message.round;
  // A new round keeps its time: by then the files may be mended.
  const waits = incident.dueAt !== undefined && incident.dueAt > now && incident.round === step?.round;
  if (unreached) {
    const because = `${stepName(incident.policy, step)} reached nobody: every destination refused it`;
    await tx.addTimeline([line({ incidentId, groupId: incident.groupId }, now, 'unreached', because)]);
  }
  const dueAt = unreached && isLast && waits ? now : incident.dueAt;
  await tx.saveIncident({ ...incident, told, dueAt } satisfies Incident, now);
}

const line = (
  { incidentId, groupId }: Pick<Claimed, 'incidentId' | 'groupId'>,
  at: Milliseconds,
  kind: TimelineRow['kind'],
  because: string,
): TimelineRow => ({ incidentId, groupId, at, kind, because });
