/** Alerts by Alertmanager's API v2: taken, and listed. */
import { z } from 'zod';
import { mutedBy } from '#alerting/muting.ts';
import { routesOf } from '#alerting/route.ts';
import { firingAlerts } from '#alerting/rows/listing.ts';
import { mebibytes } from '#kernel/units.ts';
import { JSON_TYPE } from '#serving/problems.ts';
import { holdBack } from './heavy.ts';
import { badRequest, errors, type V2Routes, type V2Scope } from './v2.ts';
import {
  flags,
  gettable,
  isAsked,
  type Listing,
  listingOf,
  listText,
  matching,
  readAsked,
  sendText,
  suppressionsNow,
} from './v2-listing.ts';
import { ALERTS_MAX, type GettableAlert, gettableAlert, postableAlerts, readAlerts } from './wire-alerts.ts';

const query = flags.extend({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe('how many at most; the header Link has the next page'),
  cursor: z
    .string()
    .regex(/^[0-9a-f]{16}$/, 'expected the cursor of the page before')
    .optional()
    .describe('from the header Link'),
});

/** Read from the store at once; so much is in memory whatever is listed. */
const PAGE = 500;
/** 256 alerts of Prometheus are some 300 KB; other programs send more at once. */
const BODY = mebibytes(32);

export function alertRoutes(app: V2Scope, routes: V2Routes): void {
  postAlerts(app, routes);
  app.get(
    '/alerts',
    {
      onRequest: routes.authorised('incidents:read'),
      schema: {
        operationId: 'getAlerts',
        summary: 'The alerts that fire, by fingerprint; with a limit page by page, as the header Link says',
        querystring: query,
        response: { 200: z.array(gettableAlert), ...errors() },
      },
    },
    async (request, reply) => {
      const listing = listingOf(routes, readAsked(request.query, routes));
      const { limit, cursor = '' } = request.query;
      if (limit === undefined) return await sendText(reply as never, listText(listed(routes, listing, cursor)));
      const items: GettableAlert[] = [];
      for await (const page of listed(routes, listing, cursor, limit)) {
        items.push(...page);
        if (items.length >= limit) break;
      }
      const shown = items.slice(0, limit);
      const last = shown.at(-1);
      if (shown.length === limit && last !== undefined) {
        const search = new URLSearchParams(request.url.split('?')[1]);
        search.set('cursor', last.fingerprint);
        reply.header('link', `<${request.url.split('?')[0]}?${search}>; rel="next"`);
      }
      return await reply.type(JSON_TYPE).serializer(JSON.stringify).send(shown);
    },
  );
}

function postAlerts(app: V2Scope, routes: V2Routes): void {
  app.post(
    '/alerts',
    {
      onRequest: [routes.authorised('alerts:post'), holdBack(routes.clock)],
      bodyLimit: BODY,
      // Each alert is checked by itself, and once.
      validatorCompiler: () => () => true,
      schema: {
        operationId: 'postAlerts',
        summary: 'Takes alerts: answered when they are durable; a right one is taken although another is wrong',
        body: postableAlerts,
        response: { 200: z.null(), ...errors('too_large', 'unsupported_media_type') },
      },
    },
    async (request, reply) => {
      const items: unknown = request.body;
      if (!Array.isArray(items)) throw badRequest('expected a list of alerts');
      if (items.length > ALERTS_MAX) {
        throw badRequest(`${items.length} alerts at once, at most ${ALERTS_MAX} are taken: send less at a time`);
      }
      const now = routes.now();
      const { alerts, faults, refused } = readAlerts(items, now, routes.setup().config.resolveTimeout, routes.mode);
      await routes.receive(alerts);
      routes.counted('taken', alerts.length);
      routes.counted('refused', refused);
      if (refused > 0) {
        const more = refused - faults.length;
        throw badRequest(`${faults.join('; ')}${more > 0 ? `; and ${more} more` : ''}`);
      }
      return await reply.serializer(() => '').send(null);
    },
  );
}

/** Page by page as they are read; of each what was asked for. @param wish a first page of so many may be enough. */
export async function* listed(
  routes: V2Routes,
  listing: Listing,
  cursor: string,
  wish = PAGE,
): AsyncGenerator<GettableAlert[]> {
  const { asked, setup, now } = listing;
  let size = Math.min(wish, PAGE);
  for (let after = cursor; ; size = PAGE) {
    const page = await firingAlerts(routes.db, now, after, size);
    const found = await matching(page, listing);
    const suppressed = await suppressionsNow(routes, listing, found);
    yield found.flatMap((alert) => {
      const receivers = routesOf(setup.config.root, alert.labels).map(({ receiver }) => receiver);
      if (asked.receiver !== undefined && !receivers.some(asked.receiver)) return [];
      const suppression = suppressed.get(alert.fingerprint);
      return isAsked(asked, suppression)
        ? [gettable(alert, suppression, receivers, mutedBy(listing.setup, listing.now, alert.labels))]
        : [];
    });
    const last = page.at(-1);
    if (page.length < size || last === undefined) return;
    after = last.fingerprint;
  }
}
