/**
 * What waits to be sent, and how it goes on after each attempt. Pure.
 *
 * Of one incident and destination messages go out in the order in which they were decided. What has not gone out yet when
 * something newer is decided is said together with it, so that a destination that comes back after an hour gets one
 * message that is true instead of sixty that were.
 */
import type { Random } from '#kernel/random.ts';
import { type Backoff, backoffDelay } from '#kernel/retry.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { Addressed } from './destination.ts';
import type { GroupMessage, IncidentAction, IncidentMessage, Outgoing } from './message.ts';
import type { Outcome } from './notify/outcome.ts';
import type { Notification, NotificationAction, Settlement } from './store.ts';

export const BACKOFF: Backoff = { first: milliseconds(1_000), most: milliseconds(60_000) };

export type Draft = {
  readonly to: Addressed;
  readonly incidentId: string | undefined;
  readonly groupId: string;
  readonly action: NotificationAction;
  readonly priority: 0 | 1 | 2;
  readonly message: Outgoing;
};
export type Posted = { readonly add: readonly Notification[]; readonly supersede: readonly string[] };

/** @param unsent what waits already for this incident or group: pending, in the order in which it was decided. */
export function post(
  drafts: readonly Draft[],
  unsent: readonly Notification[],
  now: Milliseconds,
  newId: () => string,
): Posted {
  const add: Notification[] = [];
  const supersede: string[] = [];
  for (const draft of drafts) {
    const before = unsent.filter(({ destination }) => destination === draft.to.destination).at(-1);
    const together = before === undefined || mayBeKnown(before) ? undefined : combine(before, draft);
    if (before !== undefined && together !== undefined) supersede.push(before.id);
    const message = together ?? draft.message;
    add.push({
      id: newId(),
      destination: draft.to.destination,
      channel: draft.to.integration.kind,
      incidentId: draft.incidentId,
      groupId: draft.groupId,
      action: message.kind === 'incident' ? message.action : message.kind,
      priority: together === undefined || before === undefined ? draft.priority : gravest(draft, before),
      state: 'pending',
      attempts: together === undefined ? 0 : (before?.attempts ?? 0),
      mayRepeat: together !== undefined && (before?.mayRepeat ?? false),
      message,
      createdAt: together === undefined ? now : (before?.createdAt ?? now),
      // A destination that asked for patience is not asked again because there is more to say.
      availableAt: together === undefined ? now : (Math.max(now, before?.availableAt ?? now) as Milliseconds),
      fence: 0,
    });
  }
  return { add, supersede };
}

/** It may have arrived, under a name of its own by which a repeat is known: it is repeated, and the news follows it. */
const mayBeKnown = ({ channel, mayRepeat }: Notification): boolean =>
  mayRepeat && (channel === 'email' || channel === 'webhook');

const gravest = (a: { priority: 0 | 1 | 2 }, b: { priority: 0 | 1 | 2 }): 0 | 1 | 2 =>
  a.priority < b.priority ? a.priority : b.priority;

/** One message for what waits and what comes; undefined: both are sent, one after the other. */
function combine(before: Notification, draft: Draft): Outgoing | undefined {
  const [old, fresh] = [before.message, draft.message];
  if (old.kind === 'group' && fresh.kind === 'group') return groupTogether(old, fresh);
  if (old.kind !== 'incident' || fresh.kind !== 'incident') return undefined;
  const action = actionTogether(old.action, fresh.action, draft.to.integration.kind === 'pagerduty');
  return action === undefined ? undefined : ({ ...fresh, action } satisfies IncidentMessage);
}

/** Somebody who was never told that it fired is told so when they are told that it ended. */
const groupTogether = (old: GroupMessage, fresh: GroupMessage): GroupMessage => ({
  ...fresh,
  missed: fresh.status === 'resolved' && (old.status === 'firing' || old.missed),
});

/**
 * @param keyed the channel keeps a record of its own under the incident's key: it must see it begin before it ends.
 */
function actionTogether(old: IncidentAction, fresh: IncidentAction, keyed: boolean): IncidentAction | undefined {
  if (fresh === 'update') return old === 'resolve' || old === 'missed' ? undefined : old;
  if (keyed) return old === fresh ? fresh : undefined;
  if (old === 'trigger') return fresh === 'resolve' ? 'missed' : 'trigger';
  return old === 'resolve' || old === 'missed' ? undefined : fresh;
}

/** What follows an attempt. The other side's wish for patience is never undercut; nothing is ever given up for want of luck. */
export function settlementOf(outcome: Outcome, attempts: number, now: Milliseconds, random: Random): Settlement {
  switch (outcome.kind) {
    case 'delivered':
      return { state: 'delivered', reference: outcome.reference };
    case 'refused':
      return { state: 'refused', error: outcome.because };
    case 'retry':
    case 'ambiguous': {
      const wish = outcome.kind === 'retry' ? outcome.after : undefined;
      // Stored in whole milliseconds, and never a moment earlier than it was wished for.
      const wait = Math.ceil(backoffDelay(BACKOFF, attempts, random, wish));
      return {
        state: 'pending',
        availableAt: (now + wait) as Milliseconds,
        mayRepeat: outcome.kind === 'ambiguous',
        error: outcome.because,
        restUntil: wish === undefined ? undefined : ((now + Math.ceil(wish)) as Milliseconds),
      };
    }
    default:
      return outcome satisfies never;
  }
}
