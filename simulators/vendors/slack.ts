/** Slack: incoming webhooks (`/services/T/B/X`) and the simplest part of `/api/chat.postMessage`. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type Bucket, fullBucket, type Rate, take } from '#kernel/token-bucket.ts';
import type { Seconds } from '#kernel/units.ts';
import { answerTime } from '#simulators/latency.ts';
import { checkMessage } from '#simulators/slack-message.ts';
import { pause, type Stage } from '#simulators/stage.ts';
import { bearer, give, json, type Manners, misbehave, text } from './misbehave.ts';

/** Tokens (the last part of a webhook's path) with a fate of their own, for tests of permanent refusals. */
const DOOMED = {
  unknown: text(404, 'no_service'),
  forbidden: text(403, 'action_prohibited'),
  archived: text(410, 'channel_is_archived'),
} as const;

const isDoomed = (token: string): token is keyof typeof DOOMED => Object.hasOwn(DOOMED, token);

/** Paced targets remembered; beyond it the oldest starts anew. */
const MOST_PACED = 1_000;

const WORDS: Readonly<Record<number, string>> = {
  403: 'action_prohibited',
  404: 'no_service',
  410: 'channel_is_archived',
  429: 'rate_limited',
  500: 'rollup_error',
};

const MANNERS: Manners = {
  vendor: 'slack',
  refusal: (status) => text(status, WORDS[status] ?? (status < 500 ? 'invalid_payload' : 'server_error')),
  // Seen in the wild: a refusal that calls itself a success.
  wrongShape: text(200, 'invalid_payload'),
};

export function slackRoutes(scope: FastifyInstance, stage: Stage): void {
  misbehave(scope, stage, MANNERS);
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  scope.setErrorHandler(async (error: { statusCode?: number }, _request, reply) =>
    give(reply, MANNERS.refusal(error.statusCode ?? 500, undefined)),
  );
  scope.setNotFoundHandler(async (_request, reply) => give(reply, text(404, 'no_service')));
  const paced = makePacing(stage);

  scope.post('/services/:team/:app/:token', { config: { operation: 'webhook' } }, async (request, reply) => {
    await pause(stage, answerTime(stage.latency, 'slack', stage.weather));
    const { team, app, token } = request.params as Record<'team' | 'app' | 'token', string>;
    if (isDoomed(token)) return give(reply, DOOMED[token]);
    const target = `/services/${team}/${app}/${token}`;
    const wait = paced(target);
    if (wait) return give(reply, text(429, 'rate_limited', { 'retry-after': String(wait) }));
    const checked = checkMessage(payloadOf(request));
    if (checked.kind === 'refused') {
      stage.log.warn({ code: checked.code, because: checked.because }, 'Slack refuses a message');
      return give(reply, text(400, checked.code));
    }
    stage.inbox.add({ channel: 'slack', target, body: checked.message }, String(request.body).length);
    return give(reply, text(200, 'ok'));
  });

  // The Web API says 200 to nearly all and puts the truth into `ok`.
  scope.post('/api/chat.postMessage', { config: { operation: 'postMessage' } }, async (request, reply) => {
    await pause(stage, answerTime(stage.latency, 'slack', stage.weather));
    const payload = payloadOf(request) as Record<string, unknown> | undefined;
    const fail = (error: string) => give(reply, json(200, { ok: false, error }));
    if (bearer(request) === undefined && !payload?.['token']) return fail('not_authed');
    const channel = payload?.['channel'];
    if (typeof channel !== 'string' || channel === '') return fail('channel_not_found');
    const wait = paced(channel);
    if (wait) return give(reply, json(429, { ok: false, error: 'ratelimited' }, { 'retry-after': String(wait) }));
    const checked = checkMessage(payload);
    if (checked.kind === 'refused') {
      stage.log.warn({ code: checked.code, because: checked.because }, 'Slack refuses a message');
      return fail(checked.code);
    }
    const { token: _secret, ...message } = checked.message;
    stage.inbox.add({ channel: 'slack', target: channel, body: message }, String(request.body).length);
    const ts = (stage.clock.now() / 1000).toFixed(6);
    return give(reply, json(200, { ok: true, channel, ts, message: { type: 'message', ts, ...message } }));
  });
}

/** JSON, or a form with `payload=JSON` (webhooks) or one field per argument (the Web API). */
function payloadOf(request: FastifyRequest): unknown {
  const body = String(request.body ?? '');
  try {
    if (!/^application\/x-www-form-urlencoded/i.test(request.headers['content-type'] ?? '')) return JSON.parse(body);
    const form = Object.fromEntries(new URLSearchParams(body));
    if (form['payload'] !== undefined) return JSON.parse(form['payload']);
    const lists = Object.entries(form).map(([name, value]) => [
      name,
      name === 'blocks' || name === 'attachments' ? JSON.parse(value) : value,
    ]);
    return Object.fromEntries(lists);
  } catch {
    return undefined;
  }
}

/** Only while the plan asks for it: a message a second and target is the vendor's rule, with short bursts let through. */
function makePacing(stage: Stage): (target: string) => Seconds | undefined {
  const buckets = new Map<string, Bucket>();
  return (target) => {
    const perSecond = stage.faults.plan('slack')?.messagesPerSecond;
    if (perSecond === undefined) {
      buckets.clear();
      return undefined;
    }
    const rate: Rate = { perSecond, burst: Math.max(1, perSecond) };
    const now = stage.clock.now();
    const taken = take(buckets.get(target) ?? fullBucket(rate, now), rate, 1, now);
    buckets.set(target, taken.bucket);
    if (buckets.size > MOST_PACED) for (const oldest of buckets.keys()) if (buckets.delete(oldest)) break;
    return taken.kind === 'granted' ? undefined : (Math.ceil(taken.wait / 1000) as Seconds);
  };
}
