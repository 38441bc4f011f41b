/** Incidents, for people and programs: what is open, what was done, and the answers that people give. */
import { z } from 'zod';
import type { Action } from '#access/roles.ts';
import type { Answer } from '#alerting/incidents.ts';
import { reportOf } from '#alerting/report.ts';
import { findIncident, listIncidents, timelineOf } from '#alerting/rows/incidents.ts';
import { listNotifications } from '#alerting/rows/notifications.ts';
import type { Incident } from '#alerting/store.ts';
import type { Db } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';
import type { App, authorised } from '#serving/app.ts';
import { problemSchema, refuse } from '#serving/problems.ts';

export type IncidentRoutes = {
  readonly db: Db;
  readonly now: () => Milliseconds;
  readonly answer: (incidentId: string, given: Answer) => Promise<Incident | undefined>;
  readonly authorised: (action: Action) => ReturnType<typeof authorised>;
};

const STATES = ['open', 'acknowledged', 'snoozed', 'resolved'] as const;
export const time = z.string().describe('RFC 3339');
const incidentSchema = z
  .object({
    id: z.string(),
    number: z.int(),
    state: z.enum(STATES),
    severity: z.enum(['critical', 'warning']),
    title: z.string(),
    service: z.string(),
    objective: z.string().nullable(),
    drill: z.boolean(),
    policy: z.string(),
    openedAt: time,
    acknowledgedAt: time.nullable(),
    acknowledgedBy: z.string().nullable(),
    snoozedUntil: time.nullable(),
    resolvedAt: time.nullable(),
    resolvedBy: z.string().nullable(),
    alerts: z.int().describe('how many have been part of it'),
    told: z.array(z.string()).describe('where it was sent'),
    nextStepAt: time.nullable(),
    paged: z.array(z.string()),
  })
  .meta({ id: 'Incident' });
const timelineSchema = z
  .object({ at: time, kind: z.string(), because: z.string(), actor: z.string().nullable() })
  .meta({ id: 'TimelineEntry' });
const detail = incidentSchema
  .extend({ timeline: z.array(timelineSchema), alertsTold: z.unknown(), links: z.unknown() })
  .meta({ id: 'IncidentWithTimeline' });

const params = z.object({ id: z.string().min(1).max(100) });
const by = z.string().trim().min(1).max(200).optional().describe('who answers; default: whoever the key names');
const answered = { 200: incidentSchema, 404: problemSchema };

export function incidentRoutes(app: App, prefix: string, routes: IncidentRoutes): void {
  readRoutes(app, `${prefix}/api/v1`, routes);
  const tags = ['incidents'];
  const act = routes.authorised('incidents:act');
  const give = async (id: string, given: Answer) => {
    const incident = await found(routes.db, id);
    return shown((await routes.answer(incident.id, given)) ?? incident);
  };
  const path = `${prefix}/api/v1/incidents/:id`;
  app.post(
    `${path}/acknowledge`,
    { preHandler: act, schema: { tags, params, body: z.object({ by }).nullish(), response: answered } },
    async ({ params: { id }, body, principal }) => give(id, { kind: 'acknowledge', by: body?.by ?? principal.subject }),
  );
  app.post(
    `${path}/resolve`,
    { preHandler: act, schema: { tags, params, body: z.object({ by }).nullish(), response: answered } },
    async ({ params: { id }, body, principal }) => give(id, { kind: 'resolve', by: body?.by ?? principal.subject }),
  );
  app.post(
    `${path}/snooze`,
    {
      preHandler: act,
      schema: {
        tags,
        params,
        body: z.object({ by, minutes: z.int().min(1).max(1_440) }),
        response: answered,
      },
    },
    async ({ params: { id }, body, principal }) => {
      const until = (routes.now() + body.minutes * 60_000) as Milliseconds;
      return await give(id, { kind: 'snooze', by: body.by ?? principal.subject, until });
    },
  );
  app.post(
    `${path}/notes`,
    {
      preHandler: act,
      schema: { tags, params, body: z.object({ by, text: z.string().trim().min(1).max(10_000) }), response: answered },
    },
    async ({ params: { id }, body, principal }) =>
      give(id, { kind: 'note', by: body.by ?? principal.subject, text: body.text }),
  );
}

function readRoutes(app: App, path: string, { db, now, authorised: may }: IncidentRoutes): void {
  const tags = ['incidents'];
  const read = may('incidents:read');
  const limit = z.coerce.number().int().min(1).max(500).default(50);
  app.get(
    `${path}/incidents`,
    {
      preHandler: read,
      schema: {
        tags,
        querystring: z.object({
          state: z.enum(STATES).optional(),
          limit,
          cursor: z.coerce.number().int().min(1).optional(),
        }),
        response: { 200: page(incidentSchema), 400: problemSchema },
      },
    },
    async ({ query: { state, limit: most, cursor } }) => {
      const states = state === undefined ? STATES : [state];
      const items = await listIncidents(db, { states, before: cursor, limit: most });
      const last = items.at(-1);
      return { items: items.map(shown), nextCursor: items.length === most && last ? String(last.number) : null };
    },
  );
  app.get(
    `${path}/incidents/:id`,
    { preHandler: read, schema: { tags, params, response: { 200: detail, 404: problemSchema } } },
    async ({ params: { id } }) => {
      const incident = await found(db, id);
      const timeline = (await timelineOf(db, incident.id)).map(({ at, kind, because, actor }) => ({
        at: iso(at) ?? '',
        kind,
        because,
        actor: actor ?? null,
      }));
      const { alerts, links } = incident.message;
      return { ...shown(incident), timeline, alertsTold: alerts, links };
    },
  );
  app.get(
    `${path}/incidents/:id/report`,
    { preHandler: read, schema: { tags, params, response: { 200: z.string(), 404: problemSchema } } },
    async ({ params: { id } }, reply) => {
      const incident = await found(db, id);
      const timeline = await timelineOf(db, incident.id);
      const sent = await listNotifications(db, incident.id, undefined, 500);
      reply.type('text/markdown; charset=utf-8');
      return await reply.serializer(String).send(reportOf(incident, timeline, sent, now()));
    },
  );
}

export const page = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });

export async function found(db: Db, name: string): Promise<Incident> {
  const incident = await findIncident(db, name);
  if (incident === undefined) throw refuse('not_found', `There is no incident ${name}`);
  return incident;
}

export const iso = (at: Milliseconds | undefined): string | null =>
  at === undefined ? null : new Date(at).toISOString();

export const shown = (incident: Incident): z.infer<typeof incidentSchema> => ({
  id: incident.id,
  number: incident.number,
  state: incident.state,
  severity: incident.severity,
  title: incident.title,
  service: incident.service,
  objective: incident.objective ?? null,
  drill: incident.drill,
  policy: incident.policy,
  openedAt: iso(incident.openedAt) ?? '',
  acknowledgedAt: iso(incident.acknowledgedAt),
  acknowledgedBy: incident.acknowledgedBy ?? null,
  snoozedUntil: iso(incident.snoozedUntil),
  resolvedAt: iso(incident.resolvedAt),
  resolvedBy: incident.resolvedBy ?? null,
  alerts: incident.alerts,
  told: [...incident.told],
  nextStepAt: iso(incident.dueAt),
  paged: [...incident.message.paged],
});
