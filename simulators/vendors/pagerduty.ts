/** PagerDuty's Events API v2: `/enqueue` and `/change/enqueue`. */
import type { FastifyInstance } from 'fastify';
import { uuidv7 } from '#kernel/random.ts';
import { kibibytes } from '#kernel/units.ts';
import { answerTime } from '#simulators/latency.ts';
import { type Alert, applyEvent, changeErrors, readEvent } from '#simulators/pagerduty-event.ts';
import { pause, type Stage } from '#simulators/stage.ts';
import { type Answer, give, json, type Manners, misbehave } from './misbehave.ts';
import { tellEffect, type Webhooks } from './pagerduty-people.ts';

const BODY_LIMIT = kibibytes(512);
/** Open alerts remembered; beyond it the oldest counts as resolved. */
const MOST_ALERTS = 10_000;

const invalid = (status: number, errors: readonly string[]): Answer =>
  json(status, { status: 'invalid event', message: 'Event object is invalid', errors });

const MANNERS: Manners = {
  vendor: 'pagerduty',
  refusal: (status) => {
    if (status === 429)
      return json(429, { status: 'throttle exceeded', message: 'Requests for this service are arriving too quickly.' });
    if (status < 500) return invalid(status, ['The event was not accepted']);
    return json(status, { status: 'error', message: 'Internal Server Error' });
  },
  wrongShape: json(202, { result: 'queued', id: 7 }),
};

/** @returns the alerts that are open, by routing key and dedup key. */
export function pagerdutyRoutes(scope: FastifyInstance, stage: Stage, webhooks: Webhooks): Map<string, Alert> {
  const alerts = new Map<string, Alert>();
  misbehave(scope, stage, MANNERS);
  scope.setErrorHandler(async (error: { statusCode?: number; message: string }, _request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) return give(reply, MANNERS.refusal(status, undefined));
    return give(reply, invalid(status, [error.message]));
  });
  scope.setNotFoundHandler(async (_request, reply) =>
    give(reply, json(404, { status: 'not found', message: 'Not Found' })),
  );
  const options = (operation: string) => ({ bodyLimit: BODY_LIMIT, config: { operation } });

  scope.post('/enqueue', options('event'), async (request, reply) => {
    await pause(stage, answerTime(stage.latency, 'pagerduty', stage.weather));
    const read = readEvent(request.body);
    if (read.kind === 'invalid') return give(reply, invalid(400, read.errors));
    const { event } = read;
    const dedupKey = event.dedupKey ?? uuidv7(stage.clock.now(), stage.random).replaceAll('-', '');
    const key = `${event.routingKey}\n${dedupKey}`;
    const id = `P${uuidv7(stage.clock.now(), stage.random).slice(-12).toUpperCase()}`;
    const before = alerts.get(key);
    const { effect, next } = applyEvent(before, event, { id, dedupKey }, stage.clock.now());
    tellEffect(webhooks, effect, next ?? before);
    if (next) alerts.set(key, next);
    else alerts.delete(key);
    if (alerts.size > MOST_ALERTS) for (const oldest of alerts.keys()) if (alerts.delete(oldest)) break;
    const body = { ...(request.body as object), dedup_key: dedupKey };
    stage.inbox.add({ channel: 'pagerduty', target: event.routingKey, effect, body }, sizeOf(request.headers));
    return give(reply, json(202, { status: 'success', message: 'Event processed', dedup_key: dedupKey }));
  });

  scope.post('/change/enqueue', options('change'), async (request, reply) => {
    await pause(stage, answerTime(stage.latency, 'pagerduty', stage.weather));
    const errors = changeErrors(request.body);
    if (errors.length > 0) return give(reply, invalid(400, errors));
    const body = request.body as { routing_key: string };
    stage.inbox.add(
      { channel: 'pagerduty', target: body.routing_key, effect: 'change', body },
      sizeOf(request.headers),
    );
    return give(reply, json(202, { status: 'success', message: 'Change event processed' }));
  });
  return alerts;
}

const sizeOf = (headers: { 'content-length'?: string | undefined }): number =>
  Number(headers['content-length'] ?? 1000);
