/**
 * What a person says of an incident: acknowledged, snoozed, over, in nobody's hands, a note. The change, its line in the
 * timeline and the messages that tell the others are written together.
 */
import type { AuditEntry } from '#access/audit.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { type Around, line, tellAll } from './incidents.ts';
import type { IncidentAction } from './message.ts';
import type { InboundSource, Incident, TimelineRow, Tx } from './store.ts';

export type Answer = {
  readonly by: string;
  readonly from?: InboundSource;
  /** For the audit trail: whoever is known to have said it, whatever name stands in `by`. */
  readonly deed?: AuditEntry;
} & (
  | { readonly kind: 'acknowledge' }
  | { readonly kind: 'snooze'; readonly until: Milliseconds }
  | { readonly kind: 'resolve' }
  /** Nobody is on it any more. */
  | { readonly kind: 'reopen' }
  | { readonly kind: 'note'; readonly text: string }
);

/** A person answers. @returns the incident as it then is; undefined: there is none. What is said twice changes nothing. */
export async function answer(around: Around, id: string, given: Answer): Promise<Incident | undefined> {
  return await around.store.tx(async (tx) => {
    const incident = await tx.lockIncident(id);
    return incident && (await answerIn(around, tx, incident, given, around.now()));
  });
}

/** @param incident locked. */
export async function answerIn(
  around: Around,
  tx: Tx,
  incident: Incident,
  given: Answer,
  now: Milliseconds,
): Promise<Incident> {
  const { next, kind, because, action } = answered(incident, given, now);
  if (kind === undefined) return incident;
  if (given.deed !== undefined) await tx.audit(given.deed);
  await tx.addTimeline([{ ...line(incident, now, kind, because), actor: given.by }]);
  if (action === undefined) await tx.saveIncident(next, now);
  else await tellAll(around, tx, around.setup(), next, action, [], now, given.from);
  return next;
}

/** The policy from its first step, with all its rounds. */
const ANEW = { step: 0, round: 0 } as const;

type Answered = {
  readonly next: Incident;
  /** Undefined: nothing changed. */
  readonly kind: TimelineRow['kind'] | undefined;
  readonly because: string;
  readonly action: IncidentAction | undefined;
};

function answered(incident: Incident, given: Answer, now: Milliseconds): Answered {
  const unchanged: Answered = { next: incident, kind: undefined, because: '', action: undefined };
  if (given.kind === 'note') return { ...unchanged, kind: 'noted', because: given.text };
  if (incident.state === 'resolved') return unchanged;
  const by = { acknowledgedAt: now, acknowledgedBy: given.by };
  switch (given.kind) {
    case 'acknowledge':
      if (incident.state === 'acknowledged') return unchanged;
      return {
        next: { ...incident, ...by, state: 'acknowledged', snoozedUntil: undefined, dueAt: undefined },
        kind: 'acknowledged',
        because: `by ${given.by}`,
        action: 'acknowledge',
      };
    case 'snooze':
      return {
        next: { ...incident, ...by, state: 'snoozed', snoozedUntil: given.until, dueAt: given.until, ...ANEW },
        kind: 'snoozed',
        because: `by ${given.by} until ${new Date(given.until).toISOString()}`,
        action: 'acknowledge',
      };
    case 'reopen':
      if (incident.state === 'open') return unchanged;
      // The policy begins anew, at once: whoever was on it was told by its first step.
      return {
        next: { ...incident, state: 'open', snoozedUntil: undefined, dueAt: now, ...ANEW },
        kind: 'reopened',
        because: `by ${given.by}: nobody is on it any more`,
        action: undefined,
      };
    case 'resolve':
      return {
        next: { ...incident, state: 'resolved', resolvedAt: now, resolvedBy: given.by, dueAt: undefined },
        kind: 'resolved',
        because: `by ${given.by}`,
        action: 'resolve',
      };
    default:
      return given satisfies never;
  }
}
