/**
 * A change by PagerDuty's change events, to the integration that is told of alerts too.
 *
 * There is no key by which a repeat would be known: one that may have arrived is sent again and shown twice there.
 * Source: PagerDuty developer-docs, events-API-v2/03-Change-Events.
 */
import type { Integration } from '#alerting/config/config.ts';
import type { ChangeMessage } from '#alerting/message.ts';
import type { Milliseconds } from '#kernel/units.ts';
import type { Means } from './attempt.ts';
import type { Outcome } from './outcome.ts';
import { LINKS_MOST, outcomeOf, SUMMARY_MOST } from './pagerduty.ts';
import { post } from './post.ts';
import { cut, oneLine, safeLink } from './text.ts';

export async function notifyChange(
  integration: Integration,
  message: ChangeMessage,
  { http, clock }: Pick<Means, 'http' | 'clock'>,
  signal: AbortSignal,
): Promise<Outcome> {
  if (integration.kind !== 'pagerduty') return { kind: 'refused', because: 'changes are told to PagerDuty alone' };
  const url = changeUrl(integration.url);
  if (url === undefined)
    return { kind: 'refused', because: 'its url does not end in /enqueue: no address for changes' };
  const routingKey = integration.routingKey.reveal();
  const call = {
    url,
    headers: { 'content-type': 'application/json', 'user-agent': 'burnline' },
    body: JSON.stringify(changeEvent(routingKey, message)),
    timeout: integration.timeout as Milliseconds,
    signal,
    reads: (status: number) => status !== 202,
  };
  const posted = await post(http, call, clock.now);
  return posted.kind === 'failed' ? posted.outcome : outcomeOf(posted.reply, message.id, [routingKey]);
}

/** Beside the address for alerts. @returns undefined: it is not PagerDuty's. */
export function changeUrl(url: string): string | undefined {
  return /\/enqueue\/?$/.test(url) ? url.replace(/\/enqueue\/?$/, '/change/enqueue') : undefined;
}

function changeEvent(routingKey: string, { at, summary, source, links, details }: ChangeMessage): object {
  return {
    routing_key: routingKey,
    payload: {
      summary: cut(oneLine(summary), SUMMARY_MOST),
      source: oneLine(source),
      timestamp: new Date(at).toISOString(),
      custom_details: details,
    },
    links: links.slice(0, LINKS_MOST).flatMap(({ href, text }) => {
      const safe = safeLink(href);
      return safe === undefined ? [] : [{ href: safe, text: text ?? safe }];
    }),
  };
}
