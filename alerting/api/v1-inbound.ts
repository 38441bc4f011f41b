/** What PagerDuty tells us. No key: whoever can sign with the secret is PagerDuty. */
import { z } from 'zod';
import type { Heard, Inbound } from '#alerting/inbound.ts';
import type { Secret } from '#kernel/secret.ts';
import type { App } from '#serving/app.ts';
import { problems, refuse } from '#serving/problems.ts';
import { isSignedBy, pagerdutyWebhook, readPagerdutyEvent } from './pagerduty-webhook.ts';

export type InboundRoutes = {
  /** One for each subscription; none: nobody is believed. */
  readonly pagerdutySecrets: readonly Secret[];
  readonly hear: (event: Inbound) => Promise<Heard>;
};

export const PAGERDUTY_PATH = '/api/v1/inbound/pagerduty';
const SIGNATURE = 'x-pagerduty-signature';

const answer = z.object({
  outcome: z
    .enum(['taken', 'unchanged', 'replayed', 'unknown'])
    .describe('unknown: of no incident of ours; replayed: the event was told before'),
  incident: z.int().nullable().describe('its number'),
});

export async function inboundRoutes(app: App, prefix: string, routes: InboundRoutes): Promise<void> {
  // A scope of its own: here a body is looked at as it came before anybody reads it.
  await app.register(async (scope: App) => {
    const readJson = scope.getDefaultJsonParser('error', 'error');
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
      const given = request.headers[SIGNATURE];
      const signed = typeof given === 'string' && isSignedBy(routes.pagerdutySecrets, body as Buffer, given);
      if (signed) return readJson(request, String(body), done);
      request.server.accessRefused('invalid');
      done(refuse('unauthenticated', 'X-PagerDuty-Signature is not that of this body by our secret') as never);
    });
    pagerdutyRoute(scope, `${prefix}${PAGERDUTY_PATH}`, routes);
  });
}

function pagerdutyRoute(scope: App, path: string, { pagerdutySecrets, hear }: InboundRoutes): void {
  const { 403: _forbidden, ...refusals } = problems('not_found', 'too_large', 'unsupported_media_type') as Record<
    string,
    unknown
  >;
  scope.post(
    path,
    {
      onRequest: async () => {
        if (pagerdutySecrets.length > 0) return;
        throw refuse('not_found', 'PagerDuty is not heard here: ROUTER_PAGERDUTY_WEBHOOK_SECRET is not set');
      },
      schema: {
        tags: ['inbound'],
        security: [],
        summary: 'PagerDuty’s V3 webhooks: acknowledged or resolved there is acknowledged or resolved here',
        headers: z.looseObject({
          [SIGNATURE]: z
            .string()
            .optional()
            .describe('v1= and the HMAC-SHA256 of the body in hex; several with commas'),
        }),
        body: pagerdutyWebhook,
        response: { 200: answer, ...(refusals as Omit<ReturnType<typeof problems>, '403'>) },
      },
    },
    async ({ body }) => {
      const event = readPagerdutyEvent(body);
      const { outcome, incident } = event === undefined ? UNKNOWN : await hear(event);
      return { outcome, incident: incident?.number ?? null };
    },
  );
}

const UNKNOWN: Heard = { outcome: 'unknown', incident: undefined };
