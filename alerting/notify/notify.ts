/** From a decided message to an attempt in its channel. */
import type { Integration } from '#alerting/config/config.ts';
import type { Notify } from '#alerting/delivery.ts';
import type { Message } from '#alerting/message.ts';
import type { Attempt, Means } from './attempt.ts';
import { notifyEmail } from './email.ts';
import type { Outcome } from './outcome.ts';
import { notifyPagerduty } from './pagerduty.ts';
import { notifyChange } from './pagerduty-change.ts';
import { notifySlack } from './slack.ts';
import { tell } from './told.ts';
import { notifyWebhook } from './webhook.ts';

export function makeNotify(means: Means): Notify {
  return async (integration, message, circumstances, signal) => {
    if (message.kind === 'change') return await notifyChange(integration, message, means, signal);
    const told = tell(message, circumstances, means.clock.now());
    return await send(integration, { ...means, message, told, circumstances, signal, hidden: signaturesOf(message) });
  };
}

async function send(integration: Integration, attempt: Attempt): Promise<Outcome> {
  switch (integration.kind) {
    case 'slack':
      return await notifySlack(integration, attempt);
    case 'email':
      return await notifyEmail(integration, attempt);
    case 'pagerduty':
      return await notifyPagerduty(integration, attempt);
    case 'webhook':
      return await notifyWebhook(integration, attempt);
    default:
      return integration satisfies never;
  }
}

/** Whoever may read the timeline must not be able to act by what a server repeated into it. */
function signaturesOf({ links }: Message): string[] {
  return [links.acknowledge, links.silence].flatMap((url) => {
    const signature = url !== undefined && URL.canParse(url) ? new URL(url).searchParams.get('signature') : null;
    return url === undefined ? [] : [url, signature ?? ''];
  });
}
