/**
 * What is to be said, before any channel has words for it: a snapshot, taken in the transaction that decided it, so that
 * what is sent later is what was decided. Kept in the outbox row as JSON. Shapes only.
 */
import type { Milliseconds } from '#kernel/units.ts';
import type { Severity } from '#slo/verdict.ts';
import type { Labels } from './labels.ts';

export type Message = GroupMessage | IncidentMessage;
/** What the outbox holds. */
export type Outgoing = Message | ChangeMessage;

/** How an incident's message stands to those before it. */
export type IncidentAction =
  /** Somebody is to be woken. */
  | 'trigger'
  /** More alerts joined, or the severity rose; who is woken already is told, nobody is woken again. */
  | 'update'
  | 'acknowledge'
  | 'resolve'
  /** It fired and ended before this channel could be reached: one message for both. */
  | 'missed';

export type IncidentMessage = {
  readonly kind: 'incident';
  readonly action: IncidentAction;
  readonly incident: {
    readonly id: string;
    /** Small and spoken: `#42`. */
    readonly number: number;
    readonly title: string;
    readonly severity: Severity;
    readonly state: 'open' | 'acknowledged' | 'snoozed' | 'resolved';
    readonly service: string;
    readonly objective: string | undefined;
    readonly openedAt: Milliseconds;
    readonly acknowledgedBy: string | undefined;
    readonly resolvedAt: Milliseconds | undefined;
    readonly drill: boolean;
  };
  /** Who is told by this step, and who will be next and when, in words. */
  readonly paged: readonly string[];
  readonly next: { readonly who: readonly string[]; readonly at: Milliseconds } | undefined;
  /** Which step of the policy told it, from 1, and in which round. */
  readonly step: number;
  readonly round: number;
  readonly alerts: AlertsTold;
  readonly links: Links;
};

/** A notification of a route without a policy, as Alertmanager sends it. */
export type GroupMessage = {
  readonly kind: 'group';
  readonly status: 'firing' | 'resolved';
  /** It fired and ended before this destination could be reached. */
  readonly missed: boolean;
  readonly receiver: string;
  /** Alertmanager's groupKey. */
  readonly groupKey: string;
  readonly groupLabels: Labels;
  readonly commonLabels: Labels;
  readonly commonAnnotations: Labels;
  readonly alerts: AlertsTold;
  readonly links: Links;
};

/** Something was released or changed: shown beside incidents, and wakes nobody. */
export type ChangeMessage = {
  readonly kind: 'change';
  readonly id: string;
  readonly at: Milliseconds;
  readonly summary: string;
  readonly source: string;
  readonly links: readonly ChangeLink[];
  readonly details: Readonly<Record<string, string>>;
};
export type ChangeLink = { readonly href: string; readonly text?: string | undefined };

export type AlertsTold = {
  readonly firing: number;
  readonly resolved: number;
  /** The gravest first, at most `TOLD_MOST`; `firing + resolved - list.length` more are not named. */
  readonly list: readonly ToldAlert[];
};
export const TOLD_MOST = 20;

export type ToldAlert = {
  readonly status: 'firing' | 'resolved';
  readonly fingerprint: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startsAt: Milliseconds;
  readonly endsAt: Milliseconds | undefined;
  readonly generatorUrl: string;
};

/** Absent where there is nothing to link to. Those that act are signed and expire. */
export type Links = {
  readonly external: string;
  readonly incident?: string;
  readonly acknowledge?: string;
  readonly silence?: string;
  readonly runbook?: string;
  readonly dashboard?: string;
};

/** How often an alert may be repeated in a channel that cannot tell a repeat: said in the message. */
export type Circumstances = {
  /** The outbox row's id: an e-mail's Message-ID, a webhook's idempotency key. */
  readonly id: string;
  /** An earlier attempt may have arrived. */
  readonly mayRepeat: boolean;
  /** E-mail threads: the ids of earlier rows of the same incident or group and address, oldest first. */
  readonly thread: readonly string[];
  readonly createdAt: Milliseconds;
};
