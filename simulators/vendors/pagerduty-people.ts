/**
 * PagerDuty's other side: what somebody does there, and the V3 webhooks that tell of it. Of what comes in by the Events API
 * they tell too, with the integration as its agent.
 *
 * Source: PagerDuty developer-docs, webhooks/01-Overview, 02-Behavior, 04-Signatures.
 */
import { createHmac } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { uuidv7 } from '#kernel/random.ts';
import { ACTS, type Act, type Alert, applyAct, type Effect } from '#simulators/pagerduty-event.ts';
import type { Stage } from '#simulators/stage.ts';
import { problem } from './control.ts';
import { makeSender } from './webhook-sender.ts';

/** Four more tries, for no answer, 5xx and 429; the vendor takes twenty minutes for them. */
const TRIES = 5;
const QUEUED_MOST = 4_000;

type Subscription = { readonly url: string; readonly secrets: readonly string[] };
type Agent = { readonly summary: string; readonly type: string };
type Told = { readonly type: string; readonly agent: Agent; readonly data: object };

export type Webhooks = {
  readonly subscribe: (to: Subscription | undefined) => void;
  readonly tell: (of: Told) => void;
};

const INTEGRATION: Agent = { summary: 'Events API V2', type: 'inbound_integration_reference' };
const EVENTS: Readonly<Record<Effect, string | undefined>> = {
  opened: 'incident.triggered',
  deduplicated: undefined,
  acknowledged: 'incident.acknowledged',
  resolved: 'incident.resolved',
  dropped: undefined,
};
const ACT_EVENTS: Readonly<Record<Act, string>> = {
  acknowledge: 'incident.acknowledged',
  unacknowledge: 'incident.unacknowledged',
  resolve: 'incident.resolved',
  annotate: 'incident.annotated',
  reassign: 'incident.reassigned',
};

export function makeWebhooks(stage: Stage): Webhooks {
  const send = makeSender(stage, { tries: TRIES, again: (status) => status === 429 || status >= 500 });
  let to: Subscription | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let queued = 0;
  return {
    subscribe: (next) => {
      to = next;
    },
    tell: ({ type, agent, data }) => {
      if (to === undefined || queued >= QUEUED_MOST) return;
      const [{ url, secrets }, occurred_at] = [to, new Date(stage.clock.now()).toISOString()];
      const id = uuidv7(stage.clock.now(), stage.random);
      const body = JSON.stringify({
        event: { id, event_type: type, resource_type: 'incident', occurred_at, agent, client: null, data },
      });
      const signed = secrets.map((one) => `v1=${createHmac('sha256', one).update(body).digest('hex')}`);
      const headers = {
        'content-type': 'application/json',
        'x-webhook-id': id,
        'x-pagerduty-signature': signed.join(','),
      };
      queued++;
      // One after the other: what is told of an incident comes in order.
      last = last.then(() => send({ url, headers, body, event: type })).finally(() => queued--);
    },
  };
}

/** What came in by the Events API is told too. */
export function tellEffect(webhooks: Webhooks, effect: Effect, alert: Alert | undefined): void {
  const type = EVENTS[effect];
  if (type !== undefined && alert !== undefined)
    webhooks.tell({ type, agent: INTEGRATION, data: incidentOf(alert, type) });
}

export function peopleRoutes(app: FastifyInstance, webhooks: Webhooks, alerts: Map<string, Alert>, stage: Stage): void {
  app.get('/pagerduty/alerts', async () => [...alerts.values()]);
  app.put('/pagerduty/webhook', async (request, reply) => {
    const { url, secrets } = (request.body ?? {}) as { url?: unknown; secrets?: unknown };
    const right = Array.isArray(secrets) && secrets.length > 0 && secrets.every((one) => typeof one === 'string');
    if (typeof url !== 'string' || !URL.canParse(url) || !right) {
      return problem(reply, 400, 'Cannot subscribe: right would be {"url": "http://…", "secrets": ["…"]}');
    }
    webhooks.subscribe({ url, secrets: secrets as string[] });
    return reply.code(204).send();
  });
  app.delete('/pagerduty/webhook', async (_request, reply) => {
    webhooks.subscribe(undefined);
    return reply.code(204).send();
  });
  app.post<{ Params: { id: string; act: string } }>('/pagerduty/alerts/:id/:act', async (request, reply) => {
    const { id, act: name } = request.params;
    const act = ACTS.find((one) => one === name);
    if (act === undefined) return problem(reply, 404, `Cannot ${name}: right would be ${ACTS.join(', ')}`);
    const [key, alert] = [...alerts].find(([, one]) => one.id === id) ?? [];
    if (key === undefined || alert === undefined) return problem(reply, 404, `Cannot find an open alert "${id}"`);
    const next = applyAct(alert, act, stage.clock.now());
    if (next === undefined) alerts.delete(key);
    else alerts.set(key, next);
    const said = (request.body ?? {}) as { by?: string; note?: string; to?: string };
    const agent = { summary: said.by ?? 'Ada', type: 'user_reference' };
    const type = ACT_EVENTS[act];
    webhooks.tell({
      type,
      agent,
      data: act === 'annotate' ? noteOf(alert, said.note) : incidentOf(alert, type, said.to),
    });
    return reply.code(202).send({ id, act });
  });
}

const STATUSES: Readonly<Record<string, string>> = {
  'incident.acknowledged': 'acknowledged',
  'incident.resolved': 'resolved',
};

function incidentOf({ id, dedupKey, summary, status, openedAt }: Alert, type: string, to?: string): object {
  return {
    ...{ id, type: 'incident', incident_key: dedupKey, title: summary, status: STATUSES[type] ?? status },
    created_at: new Date(openedAt).toISOString(),
    assignees: [{ summary: to ?? 'Ada', type: 'user_reference' }],
    urgency: 'high',
    resolve_reason: null,
  };
}

/** As the vendor tells of it: the incident has no key in it. */
const noteOf = ({ id, summary }: Alert, content = 'looking'): object => ({
  ...{ id: `N${id}`, type: 'incident_note', content, trimmed: false },
  incident: { id, summary, type: 'incident_reference' },
});
