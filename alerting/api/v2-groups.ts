/**
 * The groups with their alerts. However many there are, one page of members is in memory: the answer is written as they
 * are read, in the order of the groups' ids (route, then labels).
 */
import { z } from 'zod';
import { routesOf } from '#alerting/route.ts';
import { type ListedMember, listedMembers } from '#alerting/rows/listing.ts';
import { muteReason } from '#alerting/time-interval.ts';
import { errors, type V2Routes, type V2Scope } from './v2.ts';
import {
  flags,
  gettable,
  isAsked,
  type Listing,
  listingOf,
  matching,
  readAsked,
  sendText,
  suppressionsNow,
} from './v2-listing.ts';
import { type GettableAlert, gettableAlert } from './wire-alerts.ts';

const alertGroup = z
  .object({
    labels: z.record(z.string(), z.string()),
    receiver: z.object({ name: z.string() }),
    alerts: z.array(gettableAlert),
  })
  .meta({ id: 'alertGroup' });

/** Read from the store at once. */
const PAGE = 250;

export function groupRoutes(app: V2Scope, routes: V2Routes): void {
  app.get(
    '/alerts/groups',
    {
      onRequest: routes.authorised('incidents:read'),
      schema: {
        operationId: 'getAlertGroups',
        summary: 'The groups with the alerts that fire in them, by route and labels',
        querystring: flags,
        response: { 200: z.array(alertGroup), ...errors() },
      },
    },
    async (request, reply) => {
      const listing = listingOf(routes, readAsked(request.query, routes));
      return await sendText(reply as never, groupsText(membersListed(routes, listing)));
    },
  );
}

type Shown = { readonly group: ListedMember['group']; readonly alert: GettableAlert };

async function* membersListed(routes: V2Routes, listing: Listing): AsyncGenerator<Shown[]> {
  const { asked, setup, now } = listing;
  for (let after = { groupId: '', fingerprint: '' }; ; ) {
    const page = await listedMembers(routes.db, now, after, PAGE);
    const wanted = page.filter(({ group: { receiver } }) => asked.receiver === undefined || asked.receiver(receiver));
    const members = await matching(
      wanted.map((one) => ({ ...one, labels: one.alert.labels })),
      listing,
    );
    const suppressed = await suppressionsNow(
      routes,
      listing,
      members.map(({ alert }) => alert),
    );
    yield members.flatMap(({ group, alert }) => {
      const suppression = suppressed.get(alert.fingerprint);
      const route = setup.routes.get(group.routeId);
      const muted = route && muteReason(route, setup.config.timeIntervals, now);
      if ((muted !== undefined && !asked.muted) || !isAsked(asked, suppression)) return [];
      const receivers = routesOf(setup.config.root, alert.labels).map(({ receiver }) => receiver);
      return [{ group, alert: gettable(alert, suppression, receivers, muted?.names ?? []) }];
    });
    const last = page.at(-1);
    if (page.length < PAGE || last === undefined) return;
    after = { groupId: last.group.id, fingerprint: last.alert.fingerprint };
  }
}

/** A group is opened by its first alert, and closed by the first of the next one. */
async function* groupsText(pages: AsyncIterable<readonly Shown[]>): AsyncGenerator<string> {
  let open: string | undefined;
  for await (const page of pages) {
    let text = '';
    for (const { group, alert } of page) {
      if (group.id === open) text += ',';
      else {
        const head = JSON.stringify({ labels: group.labels, receiver: { name: group.receiver } });
        text += `${open === undefined ? '[' : ']},'}${head.slice(0, -1)},"alerts":[`;
        open = group.id;
      }
      text += JSON.stringify(alert);
    }
    if (text !== '') yield text;
  }
  yield open === undefined ? '[]\n' : ']}]\n';
}
