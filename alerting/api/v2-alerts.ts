/** Alerts and their groups by Alertmanager's API v2. What lists them computes their state as it is at that moment. */
import { Readable } from 'node:stream';
import { z } from 'zod';
import { isResolved } from '#alerting/alert.ts';
import { type Matcher, makeMatcher, matchesAll, parseMatcher } from '#alerting/matcher.ts';
import { type Suppression, suppressionsOf } from '#alerting/muting.ts';
import { routesOf } from '#alerting/route.ts';
import { groupAlerts } from '#alerting/rows/alerts.ts';
import { allGroups, firingAlerts } from '#alerting/rows/listing.ts';
import type { Setup } from '#alerting/setup.ts';
import type { StoredAlert } from '#alerting/store.ts';
import { muteReason } from '#alerting/time-interval.ts';
import type { Milliseconds } from '#kernel/units.ts';
import type { V2Routes, V2Scope } from './v2.ts';
import { badRequest } from './v2.ts';
import { type GettableAlert, gettableAlert, postableAlerts, readAlerts } from './wire-alerts.ts';

const flag = z
  .enum(['true', 'false'])
  .default('true')
  .transform((text) => text === 'true');
const filter = z.union([z.string(), z.array(z.string())]).optional();
const query = z.object({
  active: flag,
  silenced: flag,
  inhibited: flag,
  unprocessed: flag,
  muted: flag,
  filter,
  receiver: z.string().max(1_000).optional(),
  limit: z.coerce.number().int().min(1).max(10_000).optional(),
  cursor: z
    .string()
    .regex(/^[0-9a-f]{16}$/, 'expected the cursor of the page before')
    .optional(),
});
type Query = z.infer<typeof query>;

/** Read from the store at once; so much is in memory whatever is listed. */
const PAGE = 500;

export function alertRoutes(app: V2Scope, routes: V2Routes): void {
  app.post(
    '/alerts',
    {
      preHandler: routes.authorised('alerts:post'),
      attachValidation: true,
      schema: { operationId: 'postAlerts', body: postableAlerts, response: { 200: z.null(), 400: z.string() } },
    },
    async (request, reply) => {
      const items = request.body as unknown;
      if (!Array.isArray(items)) throw badRequest('expected a list of alerts');
      const now = routes.now();
      const { alerts, faults } = readAlerts(items, now, routes.setup().config.resolveTimeout, routes.mode);
      await routes.receive(alerts);
      routes.counted('taken', alerts.length);
      routes.counted('refused', faults.length);
      if (faults.length > 0) throw badRequest(faults.slice(0, 20).join('; '));
      return await reply.serializer(() => '').send(null);
    },
  );
  app.get(
    '/alerts',
    {
      preHandler: routes.authorised('incidents:read'),
      schema: {
        operationId: 'getAlerts',
        querystring: query,
        response: { 200: z.array(gettableAlert), 400: z.string() },
      },
    },
    async (request, reply) => {
      const asked = readQuery(request.query, routes);
      const { limit, cursor = '' } = request.query;
      reply.type('application/json; charset=utf-8');
      if (limit === undefined)
        return await reply.serializer(String).send(Readable.from(jsonList(listed(routes, asked, cursor))) as never);
      const items: GettableAlert[] = [];
      for await (const one of listed(routes, asked, cursor)) {
        items.push(one);
        if (items.length === limit) break;
      }
      const last = items.at(-1);
      if (items.length === limit && last !== undefined) {
        const search = new URLSearchParams(request.url.split('?')[1]);
        search.set('cursor', last.fingerprint);
        reply.header('link', `<${request.url.split('?')[0]}?${search}>; rel="next"`);
      }
      return await reply.serializer(JSON.stringify).send(items);
    },
  );
  app.get(
    '/alerts/groups',
    {
      preHandler: routes.authorised('incidents:read'),
      schema: {
        operationId: 'getAlertGroups',
        querystring: query,
        response: { 200: z.array(alertGroup), 400: z.string() },
      },
    },
    async (request, reply) => {
      const asked = readQuery(request.query, routes);
      return await reply.serializer(JSON.stringify).send(await groupsListed(routes, asked));
    },
  );
}

const alertGroup = z
  .object({
    labels: z.record(z.string(), z.string()),
    receiver: z.object({ name: z.string() }),
    alerts: z.array(gettableAlert),
  })
  .meta({ id: 'alertGroup' });

type Asked = Pick<Query, 'active' | 'silenced' | 'inhibited' | 'unprocessed' | 'muted'> & {
  readonly matchers: readonly Matcher[];
  readonly receiver: ((name: string) => boolean) | undefined;
};

function readQuery({ filter: texts = [], receiver, ...flags }: Query, { mode }: V2Routes): Asked {
  const matchers = [texts].flat().map((text) => {
    const parsed = parseMatcher(text, mode);
    if (parsed.kind === 'fault') throw badRequest(`bad matcher format: ${parsed.message}`);
    return parsed.matcher;
  });
  return { ...flags, matchers, receiver: receiver === undefined ? undefined : receiverTest(receiver) };
}

function receiverTest(pattern: string): (name: string) => boolean {
  const parsed = makeMatcher('receiver', '=~', pattern);
  if (parsed.kind === 'fault') throw badRequest(`failed to parse receiver param: ${parsed.message}`);
  return parsed.matcher.test;
}

async function* listed(routes: V2Routes, asked: Asked, cursor: string): AsyncGenerator<GettableAlert> {
  const { db, setup: current, now: clock, store } = routes;
  const [setup, now] = [current(), clock()];
  for (let after = cursor; ; ) {
    const page = await firingAlerts(db, now, after, PAGE);
    const matching = page.filter(({ labels }) => matchesAll(asked.matchers, labels));
    const suppressed = await store.tx((tx) => suppressionsOf(tx, setup, matching, now));
    for (const alert of matching) {
      const receivers = routesOf(setup.config.root, alert.labels).map(({ receiver }) => receiver);
      if (asked.receiver !== undefined && !receivers.some(asked.receiver)) continue;
      const suppression = suppressed.get(alert.fingerprint);
      if (isAsked(asked, suppression)) yield gettable(alert, suppression, receivers, mutedBy(setup, alert, now));
    }
    const last = page.at(-1);
    if (page.length < PAGE || last === undefined) return;
    after = last.fingerprint;
  }
}

function isAsked(asked: Asked, suppression: Suppression | undefined): boolean {
  if (suppression === undefined) return asked.active;
  return (
    (asked.silenced || suppression.silencedBy.length === 0) && (asked.inhibited || suppression.inhibitedBy.length === 0)
  );
}

/** Muted is an alert whose every route is. */
function mutedBy(setup: Setup, alert: StoredAlert, now: Milliseconds): readonly string[] {
  const reasons = routesOf(setup.config.root, alert.labels).map((route) =>
    muteReason(route, setup.config.timeIntervals, now),
  );
  return reasons.every((reason) => reason !== undefined)
    ? [...new Set(reasons.flatMap((reason) => reason?.names ?? []))]
    : [];
}

function gettable(
  alert: StoredAlert,
  suppression: Suppression | undefined,
  receivers: readonly string[],
  muted: readonly string[],
): GettableAlert {
  const { silencedBy = [], inhibitedBy = [] } = suppression ?? {};
  const suppressed = silencedBy.length + inhibitedBy.length + muted.length > 0;
  return {
    annotations: alert.annotations,
    endsAt: iso(alert.endsAt),
    fingerprint: alert.fingerprint,
    receivers: receivers.map((name) => ({ name })),
    startsAt: iso(alert.startsAt),
    status: {
      inhibitedBy: [...inhibitedBy],
      mutedBy: [...muted],
      silencedBy: [...silencedBy],
      state: suppressed ? 'suppressed' : 'active',
    },
    updatedAt: iso(alert.updatedAt),
    generatorURL: alert.generatorUrl,
    labels: alert.labels,
  };
}

export const iso = (at: Milliseconds): string => new Date(at).toISOString();

async function groupsListed(routes: V2Routes, asked: Asked): Promise<z.infer<typeof alertGroup>[]> {
  const { db, store } = routes;
  const [setup, now] = [routes.setup(), routes.now()];
  const found: z.infer<typeof alertGroup>[] = [];
  for (const group of await allGroups(db)) {
    if (asked.receiver !== undefined && !asked.receiver(group.receiver)) continue;
    const route = setup.routes.get(group.routeId);
    const reason = route && muteReason(route, setup.config.timeIntervals, now);
    if (reason !== undefined && !asked.muted) continue;
    const members = await groupAlerts(db, group.id);
    const firing = members.filter((alert) => !isResolved(alert, now) && matchesAll(asked.matchers, alert.labels));
    const suppressed = await store.tx((tx) => suppressionsOf(tx, setup, firing, now));
    const alerts = firing
      .filter(({ fingerprint }) => isAsked(asked, suppressed.get(fingerprint)))
      .map((alert) => {
        const receivers = routesOf(setup.config.root, alert.labels).map(({ receiver }) => receiver);
        return gettable(alert, suppressed.get(alert.fingerprint), receivers, reason?.names ?? []);
      });
    if (alerts.length > 0) found.push({ labels: group.labels, receiver: { name: group.receiver }, alerts });
  }
  return found;
}

async function* jsonList(items: AsyncIterable<object>): AsyncGenerator<string> {
  let before = '[';
  for await (const item of items) {
    yield `${before}${JSON.stringify(item)}`;
    before = ',';
  }
  yield before === '[' ? '[]\n' : ']\n';
}
