/**
 * A change by PagerDuty's change events, to the integration that is told of alerts too.
 *
 * There is no key by which a repeat would be known: one that may have arrived is sent again and shown twice there.
 * Source: PagerDuty developer-docs, events-API-v2/03-Change-Events.
 */
import type { Integration } from '#alerting/config/config.ts';
import type { ChangeMessage } from '#alerting/message.ts';
import type { Means } from './attempt.ts';
import type { Outcome } from './outcome.ts';
import { enqueue, LINKS_MOST, SUMMARY_MOST } from './pagerduty.ts';
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
  const body = JSON.stringify(changeEvent(routingKey, message));
  return await enqueue({ http, clock }, { url, body, timeout: integration.timeout, signal }, message.id, [routingKey]);
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
