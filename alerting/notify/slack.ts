/**
 * Slack by an incoming webhook. The library posts; how often and when is the outbox's business, and how long ours.
 * It hides the headers and takes `200 invalid_payload` for a success: both are read at its `fetch` option.
 */
import { IncomingWebhook } from '@slack/webhook';
import type { SlackIntegration } from '#alerting/config/config.ts';
import type { Attempt } from './attempt.ts';
import type { Outcome } from './outcome.ts';
import { excerpt, outcomeOfStatus, type Posted, post, type Reply, secretsOfUrl } from './post.ts';
import { slackMessage } from './slack-message.ts';

export async function notifySlack(integration: SlackIntegration, attempt: Attempt): Promise<Outcome> {
  const { http, clock, told, circumstances, signal, hidden } = attempt;
  const url = integration.url.reveal();
  let posted: Posted | undefined;
  const webhook = new IncomingWebhook(url, {
    timeout: integration.timeout,
    retryConfig: { retries: 0 },
    fetch: async (address, { headers = {}, body, signal: limit } = {}) => {
      const any = limit === undefined ? signal : AbortSignal.any([signal, limit]);
      const request = { url: String(address), headers, body: String(body), timeout: integration.timeout, signal: any };
      posted = await post(http, { ...request, reads: () => true }, clock.now);
      return responseOf(posted);
    },
  });
  try {
    await webhook.send(slackMessage(told, circumstances.mayRepeat, integration));
  } catch (error) {
    // What it throws is what was posted, in words that may name the address.
    if (posted === undefined) throw error;
  }
  if (posted === undefined) return { kind: 'ambiguous', because: 'the library sent nothing' };
  return posted.kind === 'failed' ? posted.outcome : outcomeOf(posted.reply, [...hidden, ...secretsOfUrl(url)]);
}

/** What the library asks of an answer. */
function responseOf(posted: Posted) {
  if (posted.kind === 'failed') throw new Error('failed');
  const { status, text = '' } = posted.reply;
  return {
    ok: status >= 200 && status < 300,
    status,
    statusText: '',
    url: '',
    headers: new Headers(),
    arrayBuffer: async () => new ArrayBuffer(0),
    json: async (): Promise<unknown> => undefined,
    text: async () => text,
  };
}

/** Of a workspace or a server that is in trouble; the message is as good as before. */
const PASSING = new Set([
  'rate_limited',
  'ratelimited',
  'rollup_error',
  'internal_error',
  'fatal_error',
  'service_unavailable',
]);

/** `ok`, or the JSON with which other servers that speak Slack's webhooks say the same. */
function outcomeOf(reply: Reply, hidden: readonly string[]): Outcome {
  const said = excerpt(reply.text, hidden);
  if (reply.status < 200 || reply.status >= 300) return outcomeOfStatus(reply, said);
  if (said === 'ok' || /^\{\s*"(?:ok|success)"\s*:\s*true\b/.test(said))
    return { kind: 'delivered', reference: undefined };
  const code =
    /^[a-z][a-z0-9_]{2,60}$/.exec(said)?.[0] ?? /^\{\s*"ok"\s*:\s*false.*"error"\s*:\s*"(\w+)"/.exec(said)?.[1];
  if (code === undefined)
    return { kind: 'ambiguous', because: `answered ${reply.status} with what Slack does not say` };
  if (PASSING.has(code))
    return { kind: 'retry', because: `answered ${reply.status}: ${code}`, after: reply.retryAfter };
  return { kind: 'refused', because: `answered ${reply.status}: ${code}` };
}
