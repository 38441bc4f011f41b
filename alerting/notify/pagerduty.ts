/**
 * PagerDuty's Events API v2, by a small client of our own: the published ones take a refusal for a success, or cannot be
 * given a time limit.
 *
 * 202 means taken, not delivered. `acknowledge` and `resolve` of a key that is not open are dropped without a word.
 * Source: PagerDuty developer-docs, events-API-v2. Limits: summary 1,024, dedup_key 255, 512 KB in all.
 */
import { createHash } from 'node:crypto';
import type { PagerdutyIntegration } from '#alerting/config/config.ts';
import type { Message } from '#alerting/message.ts';
import { severityOf } from '#alerting/severity.ts';
import { kibibytes } from '#kernel/units.ts';
import type { Attempt, Means } from './attempt.ts';
import type { Outcome } from './outcome.ts';
import { type Call, excerpt, outcomeOfStatus, post, type Reply } from './post.ts';
import { cut, jsonBytes, oneLine, safeLink, stamp } from './text.ts';
import type { Told } from './told.ts';

export const SUMMARY_MOST = 1_024;
const KEY_MOST = 255;
const NAME_MOST = 255;
export const LINKS_MOST = 10;
/** Of one label or annotation. */
const VALUE_MOST = 500;
const VALUES_MOST = 40;
/** 512 KB with room to spare for what a proxy adds. */
export const EVENT_MOST = kibibytes(500);

type Action = 'trigger' | 'acknowledge' | 'resolve';
export type Event = {
  readonly routing_key: string;
  readonly event_action: Action;
  readonly dedup_key: string;
  readonly client: string;
  readonly client_url?: string;
  readonly links: readonly { readonly href: string; readonly text: string }[];
  readonly payload: {
    readonly summary: string;
    readonly source: string;
    readonly severity: 'critical' | 'error' | 'warning' | 'info';
    readonly timestamp?: string;
    readonly class?: string;
    readonly component?: string;
    readonly group?: string;
    readonly custom_details: Readonly<Record<string, unknown>>;
  };
};

export async function notifyPagerduty(integration: PagerdutyIntegration, attempt: Attempt): Promise<Outcome> {
  let outcome: Outcome = { kind: 'delivered', reference: undefined };
  for (const action of actionsOf(attempt.message)) {
    outcome = await send(integration, attempt, action);
    if (outcome.kind !== 'delivered') return outcome;
  }
  return outcome;
}

/** What fired and ended unseen is opened and closed: closing alone would be dropped, and nobody would ever know. */
export function actionsOf(message: Message): readonly Action[] {
  if (message.kind === 'group') {
    if (message.missed) return ['trigger', 'resolve'];
    return [message.status === 'firing' ? 'trigger' : 'resolve'];
  }
  const { action } = message;
  switch (action) {
    case 'trigger':
    case 'update':
      return ['trigger'];
    case 'acknowledge':
      return ['acknowledge'];
    case 'resolve':
      return ['resolve'];
    case 'missed':
      return ['trigger', 'resolve'];
    default:
      return action satisfies never;
  }
}

async function send(integration: PagerdutyIntegration, attempt: Attempt, action: Action): Promise<Outcome> {
  const { http, clock, message, told, signal } = attempt;
  const routingKey = integration.routingKey.reveal();
  const hidden = [...attempt.hidden, routingKey];
  const event = eventOf(integration, routingKey, message, told, action);
  const given = { url: integration.url, body: bodyOf(event), timeout: integration.timeout, signal };
  return await enqueue({ http, clock }, given, event.dedup_key, hidden);
}

/** @param reference what the other side knows it by. @param hidden what an answer may repeat and nobody may read. */
export async function enqueue(
  { http, clock }: Pick<Means, 'http' | 'clock'>,
  given: Pick<Call, 'url' | 'body' | 'timeout' | 'signal'>,
  reference: string,
  hidden: readonly string[],
): Promise<Outcome> {
  const headers = { 'content-type': 'application/json', 'user-agent': 'burnline' };
  const posted = await post(http, { ...given, headers, reads: (status) => status !== 202 }, clock.now);
  return posted.kind === 'failed' ? posted.outcome : outcomeOf(posted.reply, reference, hidden);
}

function outcomeOf(reply: Reply, reference: string, hidden: readonly string[]): Outcome {
  if (reply.status === 202) return { kind: 'delivered', reference };
  const said = excerpt(reply.text, hidden);
  if (reply.status < 200 || reply.status >= 300) return outcomeOfStatus(reply, said);
  // Something between us answers for it; by the key a repeat does no harm.
  return { kind: 'ambiguous', because: `answered ${reply.status}, where PagerDuty says 202` };
}

/** The incident is the key; a group's key can be of any length and is told to nobody. */
export function dedupKeyOf(message: Message): string {
  if (message.kind === 'incident') return cut(message.incident.id, KEY_MOST);
  return createHash('sha256').update(message.groupKey).digest('hex');
}

export function eventOf(
  integration: PagerdutyIntegration,
  routingKey: string,
  message: Message,
  told: Told,
  action: Action,
): Event {
  const client = integration.client ?? 'Burnline';
  const clientUrl = safeLink(integration.clientUrl ?? message.links.incident ?? message.links.external);
  const name = (value: string | undefined) => cut(oneLine(value ?? ''), NAME_MOST) || undefined;
  const [component, group, kind] = [
    name(integration.component ?? told.service),
    name(integration.group ?? told.objective),
    name(integration.class ?? message.alerts.list[0]?.labels['alertname']),
  ];
  return {
    routing_key: routingKey,
    event_action: action,
    dedup_key: dedupKeyOf(message),
    client,
    ...(clientUrl === undefined ? {} : { client_url: clientUrl }),
    links: told.links.slice(0, LINKS_MOST).map(({ label, url }) => ({ href: url, text: label })),
    payload: {
      summary: cut(told.headline, SUMMARY_MOST),
      source: integration.source ?? client,
      severity: integration.severity ?? severityFor(message, told),
      ...(told.since === undefined ? {} : { timestamp: stamp(told.since) }),
      ...(component === undefined ? {} : { component }),
      ...(group === undefined ? {} : { group }),
      ...(kind === undefined ? {} : { class: kind }),
      custom_details: detailsOf(integration, message, told),
    },
  };
}

/** Of its four words `error` is the one that we have no severity for: kept where an alert's label says it. */
function severityFor(message: Message, { severity }: Told): Event['payload']['severity'] {
  if (message.kind === 'incident') return severity;
  const own = message.alerts.list.map(({ labels }) => labels).find((labels) => severityOf(labels) === severity);
  return own?.['severity']?.toLowerCase() === 'error' ? 'error' : severity;
}

function detailsOf(integration: PagerdutyIntegration, { alerts }: Message, told: Told): Record<string, unknown> {
  return {
    ...(told.notices.length > 0 ? { notices: told.notices } : {}),
    ...Object.fromEntries(told.facts.map(({ name, value }) => [name, value])),
    ...(told.description === undefined ? {} : { description: told.description }),
    ...integration.details,
    num_firing: alerts.firing,
    num_resolved: alerts.resolved,
    alerts: alerts.list.map(({ status, labels, annotations, startsAt, endsAt }) => ({
      status,
      labels: short(labels),
      annotations: short(annotations),
      startsAt: stamp(startsAt),
      ...(endsAt === undefined ? {} : { endsAt: stamp(endsAt) }),
    })),
  };
}

const short = (labels: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(labels)
      .slice(0, VALUES_MOST)
      .map(([name, value]) => [cut(name, VALUE_MOST, jsonBytes), cut(value, VALUE_MOST, jsonBytes)]),
  );

/** Without the alerts where it would be too long: their number is in it. */
export function bodyOf(event: Event): string {
  const body = JSON.stringify(event);
  if (Buffer.byteLength(body) <= EVENT_MOST) return body;
  const { alerts: _alerts, ...custom_details } = event.payload.custom_details;
  return JSON.stringify({ ...event, payload: { ...event.payload, custom_details } });
}
