/**
 * PagerDuty's V3 webhooks: whether one is theirs, and what it says of an incident of ours. Pure. Events are read leniently,
 * since a 4xx makes PagerDuty drop them and, three times in a row, switch the whole subscription off for a day.
 *
 * Source: PagerDuty developer-docs, webhooks/01-Overview, 02-Behavior, 04-Signatures.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Inbound } from '#alerting/inbound.ts';
import type { Secret } from '#kernel/secret.ts';

const SIGNATURES_MOST = 10;
const TEXT_MOST = 10_000;
const NAME_MOST = 200;
const NAMES_MOST = 10;

/**
 * HMAC-SHA256 of the body as it came. While a secret is changed PagerDuty signs with the old one and the new one, and each
 * subscription has a secret of its own: one signature by one of ours is enough.
 */
export function isSignedBy(secrets: readonly Secret[], body: Buffer, header: string): boolean {
  const given = header
    .split(',', SIGNATURES_MOST)
    .map((one) => /^v1=([0-9a-f]{64})$/i.exec(one.trim())?.[1])
    .flatMap((hex) => (hex === undefined ? [] : [Buffer.from(hex, 'hex')]));
  const right = secrets.map((one) => createHmac('sha256', one.reveal()).update(body).digest());
  // All of them are looked at, so that the time says nothing.
  return given.flatMap((one) => right.map((other) => timingSafeEqual(one, other))).includes(true);
}

const reference = z.looseObject({ summary: z.string().nullish(), type: z.string().nullish() });
const lenient = reference.nullish().catch(undefined);

/** What a signed body must have; all else may be anything. */
export const pagerdutyWebhook = z.looseObject({
  event: z.looseObject({
    id: z.string().min(1).max(NAME_MOST),
    event_type: z.string().min(1).max(NAME_MOST),
    agent: z.unknown().optional(),
    data: z.unknown().optional(),
  }),
});
export type PagerdutyWebhook = z.infer<typeof pagerdutyWebhook>;

const dataShape = z.looseObject({
  id: z.string().min(1).max(NAME_MOST).optional().catch(undefined),
  type: z.string().optional().catch(undefined),
  incident_key: z.string().min(1).max(300).nullish().catch(undefined),
  incident: z
    .looseObject({ id: z.string().min(1).max(NAME_MOST) })
    .nullish()
    .catch(undefined),
  assignees: z.array(lenient).optional().catch(undefined),
  priority: lenient,
  user: lenient,
  resolve_reason: lenient,
  content: z.string().optional().catch(undefined),
  message: z.string().optional().catch(undefined),
  state: z.string().optional().catch(undefined),
});
type Data = z.infer<typeof dataShape>;

/** @returns undefined: it is of no incident. */
export function readPagerdutyEvent({ event }: PagerdutyWebhook): Inbound | undefined {
  const read = dataShape.safeParse(event.data);
  if (!read.success) return undefined;
  const data = read.data;
  const own = data.type === 'incident' || data.incident_key !== undefined;
  const theirs = own ? data.id : data.incident?.id;
  if (theirs === undefined) return undefined;
  return {
    source: 'pagerduty',
    id: kept(event.id, NAME_MOST),
    theirs: kept(theirs, NAME_MOST),
    ours: own ? kept(data.incident_key ?? '', NAME_MOST) : undefined,
    says: saidBy(event.event_type, reference.safeParse(event.agent).data, data),
  };
}

function saidBy(type: string, agent: z.infer<typeof reference> | undefined, data: Data): Inbound['says'] {
  const name = kept(agent?.summary ?? '', NAME_MOST).trim();
  const by = name === '' ? 'PagerDuty' : `${name} in PagerDuty`;
  const from = { by, from: 'pagerduty' } as const;
  // What came in by an integration key we sent ourselves: by now somebody may have said otherwise here.
  const isEcho = agent?.type?.endsWith('inbound_integration_reference') ?? false;
  switch (type) {
    case 'incident.acknowledged':
      return isEcho ? undefined : { ...from, kind: 'acknowledge' };
    case 'incident.resolved':
      // What was merged into another one goes on there.
      if (data.resolve_reason?.type?.startsWith('merge')) return { ...from, kind: 'note', text: 'merged into another' };
      return isEcho ? undefined : { ...from, kind: 'resolve' };
    case 'incident.unacknowledged':
    case 'incident.reopened':
      return isEcho ? undefined : { ...from, kind: 'reopen' };
    default: {
      const text = isEcho ? '' : noteOf(type, data);
      return text === '' ? undefined : { ...from, kind: 'note', text };
    }
  }
}

/** Empty: it is of no use to whoever reads the timeline. */
function noteOf(type: string, data: Data): string {
  const names = (data.assignees ?? []).flatMap((one) => (one?.summary ? [kept(one.summary, NAME_MOST)] : []));
  const to = names.slice(0, NAMES_MOST).join(', ') || 'nobody';
  switch (type) {
    case 'incident.annotated':
      return kept(data.content ?? '', TEXT_MOST).trim();
    case 'incident.status_update_published':
      return kept(data.message ?? '', TEXT_MOST).trim();
    case 'incident.reassigned':
      return `reassigned to ${to}`;
    case 'incident.delegated':
      return `handed to another escalation policy: ${to}`;
    case 'incident.escalated':
      return `escalated to ${to}`;
    case 'incident.priority_updated':
      return `priority ${kept(data.priority?.summary ?? 'none', NAME_MOST)}`;
    case 'incident.responder.added':
      return `asked for help: ${kept(data.user?.summary ?? 'a policy', NAME_MOST)}`;
    case 'incident.responder.replied':
      return `${kept(data.user?.summary ?? 'a responder', NAME_MOST)}: ${kept(data.state ?? '', NAME_MOST)}`;
    default:
      return '';
  }
}

/** As a store can keep it. */
const kept = (text: string, most: number): string =>
  text.replaceAll('\0', '').toWellFormed().slice(0, most).toWellFormed();
