/**
 * Events API v2: which events are accepted and what they do to an alert. Pure.
 * Source: PagerDuty developer-docs, events-API-v2/01-Overview and 02-Trigger-Events.
 */
import type { Milliseconds } from '#kernel/units.ts';

const LONGEST_SUMMARY = 1024;
const LONGEST_DEDUP_KEY = 255;
const LONGEST_ROUTING_KEY = 255;
const SEVERITIES = ['critical', 'error', 'warning', 'info'];
const ACTIONS = ['trigger', 'acknowledge', 'resolve'] as const;
type Action = (typeof ACTIONS)[number];

export type AlertEvent = {
  readonly action: Action;
  readonly routingKey: string;
  /** Undefined only for a trigger: the caller makes one. */
  readonly dedupKey: string | undefined;
  readonly summary: string;
  readonly severity: string;
  readonly source: string;
};

export type ReadEvent =
  | { readonly kind: 'event'; readonly event: AlertEvent }
  | { readonly kind: 'invalid'; readonly errors: readonly string[] };

export function readEvent(body: unknown): ReadEvent {
  const fields = record(body);
  const payload = record(fields?.['payload']);
  if (!fields) return { kind: 'invalid', errors: ['Event is not a JSON object'] };
  const errors = [...routingErrors(fields), ...dedupErrors(fields)];
  const action = ACTIONS.find((name) => name === fields['event_action']);
  if (!action) errors.push("'event_action' must be one of the following: 'trigger', 'acknowledge' or 'resolve'");
  if (action === 'trigger') errors.push(...(payload ? payloadErrors(payload) : ["'payload' is missing or blank"]));
  if (action && action !== 'trigger' && !words(fields['dedup_key'])) errors.push("'dedup_key' is missing or blank");
  if (errors.length > 0 || !action) return { kind: 'invalid', errors };
  const event = {
    action,
    routingKey: words(fields['routing_key']),
    dedupKey: words(fields['dedup_key']) || undefined,
    summary: words(payload?.['summary']),
    severity: words(payload?.['severity']),
    source: words(payload?.['source']),
  };
  return { kind: 'event', event };
}

export function changeErrors(body: unknown): string[] {
  const fields = record(body);
  if (!fields) return ['Event is not a JSON object'];
  const payload = record(fields['payload']);
  if (!payload) return [...routingErrors(fields), "'payload' is missing or blank"];
  return [...routingErrors(fields), ...summaryErrors(payload)];
}

function routingErrors(fields: Record<string, unknown>): string[] {
  const key = words(fields['routing_key']);
  if (key === '') return ["'routing_key' is missing or blank"];
  if (key.length <= LONGEST_ROUTING_KEY) return [];
  return [`Length of 'routing_key' is incorrect (should be at most ${LONGEST_ROUTING_KEY} characters)`];
}

function dedupErrors(fields: Record<string, unknown>): string[] {
  const key = fields['dedup_key'];
  if (key === undefined || key === null) return [];
  if (typeof key !== 'string') return ["'dedup_key' must be a string"];
  if (key.length <= LONGEST_DEDUP_KEY) return [];
  return [`Length of 'dedup_key' is incorrect (should be at most ${LONGEST_DEDUP_KEY} characters)`];
}

function payloadErrors(payload: Record<string, unknown>): string[] {
  const errors = summaryErrors(payload);
  if (!words(payload['source'])) errors.push("'payload.source' is missing or blank");
  const severity = words(payload['severity']);
  if (severity === '') errors.push("'payload.severity' is missing or blank");
  else if (!SEVERITIES.includes(severity)) {
    errors.push("'payload.severity' must be one of the following: 'critical', 'error', 'warning' or 'info'");
  }
  return errors;
}

function summaryErrors(payload: Record<string, unknown>): string[] {
  const summary = words(payload['summary']);
  if (summary === '') return ["'payload.summary' is missing or blank"];
  if (summary.length <= LONGEST_SUMMARY) return [];
  return [`Length of 'payload.summary' is incorrect (should be at most ${LONGEST_SUMMARY} characters)`];
}

const words = (value: unknown): string => (typeof value === 'string' ? value.trim() : '');
const record = (value: unknown): Record<string, unknown> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;

/** An alert that is not resolved; a resolved one is forgotten, so that the next trigger opens another. */
export type Alert = {
  /** What PagerDuty calls the incident that it opens for it. */
  readonly id: string;
  readonly routingKey: string;
  readonly dedupKey: string;
  readonly status: 'triggered' | 'acknowledged';
  readonly summary: string;
  readonly severity: string;
  readonly source: string;
  readonly triggers: number;
  readonly openedAt: Milliseconds;
  readonly updatedAt: Milliseconds;
};

export type Effect = 'opened' | 'deduplicated' | 'acknowledged' | 'resolved' | 'dropped';
export type Applied = { readonly effect: Effect; readonly next: Alert | undefined };

/** @param open the alert with this routing key and dedup key, if one is open. Another routing key does not reach it. */
export function applyEvent(
  open: Alert | undefined,
  event: AlertEvent,
  { id, dedupKey }: Pick<Alert, 'id' | 'dedupKey'>,
  now: Milliseconds,
): Applied {
  const { action } = event;
  switch (action) {
    case 'trigger': {
      // A new trigger does not undo an acknowledgement: nobody is called again.
      if (open) return { effect: 'deduplicated', next: { ...open, triggers: open.triggers + 1, updatedAt: now } };
      const { routingKey, summary, severity, source } = event;
      const fresh = { id, routingKey, dedupKey, summary, severity, source, triggers: 1, openedAt: now, updatedAt: now };
      return { effect: 'opened', next: { ...fresh, status: 'triggered' } };
    }
    case 'acknowledge':
      if (!open) return { effect: 'dropped', next: undefined };
      return { effect: 'acknowledged', next: { ...open, status: 'acknowledged', updatedAt: now } };
    case 'resolve':
      return { effect: open ? 'resolved' : 'dropped', next: undefined };
    default:
      return action satisfies never;
  }
}

/** What somebody does in PagerDuty itself. */
export const ACTS = ['acknowledge', 'unacknowledge', 'resolve', 'annotate', 'reassign'] as const;
export type Act = (typeof ACTS)[number];

/** @returns the alert as it then is; undefined: it is resolved, and forgotten. */
export function applyAct(open: Alert, act: Act, now: Milliseconds): Alert | undefined {
  switch (act) {
    case 'acknowledge':
      return { ...open, status: 'acknowledged', updatedAt: now };
    case 'unacknowledge':
      return { ...open, status: 'triggered', updatedAt: now };
    case 'resolve':
      return undefined;
    case 'annotate':
    case 'reassign':
      return open;
    default:
      return act satisfies never;
  }
}
