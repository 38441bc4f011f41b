/** Incidents, for people and programs: what is open, what was done, and the answers that people give. */
import { z } from 'zod';
import type { Action } from '#access/roles.ts';
import type { Answer } from '#alerting/answer.ts';
import { nextOf } from '#alerting/escalation.ts';
import { findIncident, listIncidents, timelineOf } from '#alerting/rows/incidents.ts';
import { lastEdit } from '#alerting/rows/reports.ts';
import type { Setup } from '#alerting/setup.ts';
import type { Incident } from '#alerting/store.ts';
import type { Db } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';
import type { App, authorised } from '#serving/app.ts';
import { type Doer, deedOf } from '#serving/deed.ts';
import { problems, refuse } from '#serving/problems.ts';
import { storable } from './text.ts';
import { type Runbooks, runbookOf } from './v1-runbooks.ts';

export type IncidentRoutes = {
  readonly db: Db;
  readonly setup: () => Setup;
  readonly runbooks: Runbooks;
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
export type IncidentShown = z.infer<typeof incidentSchema>;
const timelineSchema = z
  .object({ at: time, kind: z.string(), because: z.string(), actor: z.string().nullable() })
  .meta({ id: 'TimelineEntry' });
const detail = incidentSchema
  .extend({
    timeline: z.array(timelineSchema),
    alertsTold: z.unknown(),
    links: z.unknown(),
    next: z
      .object({ who: z.array(z.string()), at: time })
      .nullable()
      .describe('whom the next step will tell, as it now looks, and when; null: nobody any more'),
    runbook: z.string().nullable().describe('the link of the alerts; else docs/runbooks/NAME.md, which ships'),
    dashboard: z.string().nullable(),
    reportEdited: z.object({ by: z.string(), at: time }).nullable().describe('null: it is made anew each time'),
  })
  .meta({ id: 'IncidentWithTimeline' });
export type IncidentDetailShown = z.infer<typeof detail>;

export const params = z.object({ id: z.string().min(1).max(100).describe('an id or a number') });
export const by = storable(200).trim().min(1).optional().describe('who answers; default: whoever the key names');
const answered = {
  200: incidentSchema,
  ...problems('not_found', 'too_large', 'unsupported_media_type', 'uri_too_long'),
};

type Asked = Doer & {
  readonly params: { readonly id: string };
  readonly body: { readonly by?: string | undefined } | null | undefined;
};
/** What somebody says, whoever it is. */
type What =
  | { readonly kind: 'acknowledge' | 'resolve' }
  | { readonly kind: 'snooze'; readonly until: Milliseconds }
  | { readonly kind: 'note'; readonly text: string };

export function incidentRoutes(app: App, prefix: string, routes: IncidentRoutes): void {
  readRoutes(app, `${prefix}/api/v1`, routes);
  const tags = ['incidents'];
  const act = routes.authorised('incidents:act');
  const give = async (asked: Asked, what: What) => {
    const incident = await found(routes.db, asked.params.id);
    const by = asked.body?.by ?? asked.principal.subject;
    const deed = deedOf(asked, `incidents:${what.kind}`, incident.id, routes.now());
    return shown((await routes.answer(incident.id, { ...what, by, deed })) ?? incident);
  };
  const path = `${prefix}/api/v1/incidents/:id`;
  app.post(
    `${path}/acknowledge`,
    {
      onRequest: act,
      schema: {
        tags,
        params,
        summary: 'Somebody is on it: nobody else is woken',
        body: z.object({ by }).nullish(),
        response: answered,
      },
    },
    async (request) => await give(request, { kind: 'acknowledge' }),
  );
  app.post(
    `${path}/resolve`,
    {
      onRequest: act,
      schema: { tags, params, summary: 'It is over', body: z.object({ by }).nullish(), response: answered },
    },
    async (request) => await give(request, { kind: 'resolve' }),
  );
  app.post(
    `${path}/snooze`,
    {
      onRequest: act,
      schema: {
        tags,
        params,
        summary: 'Acknowledged for some minutes, and then open again',
        body: z.object({ by, minutes: z.int().min(1).max(1_440) }),
        response: answered,
      },
    },
    async (request) => {
      const until = (routes.now() + request.body.minutes * 60_000) as Milliseconds;
      return await give(request, { kind: 'snooze', until });
    },
  );
  app.post(
    `${path}/notes`,
    {
      onRequest: act,
      schema: {
        tags,
        params,
        summary: 'A note for the timeline',
        body: z.object({ by, text: storable(10_000).trim().min(1) }),
        response: answered,
      },
    },
    async (request) => await give(request, { kind: 'note', text: request.body.text }),
  );
}

const name = z.string().min(1).max(300).optional();

function readRoutes(app: App, path: string, routes: IncidentRoutes): void {
  const { db } = routes;
  const tags = ['incidents'];
  const read = routes.authorised('incidents:read');
  const limit = z.coerce.number().int().min(1).max(500).default(50);
  app.get(
    `${path}/incidents`,
    {
      onRequest: read,
      schema: {
        tags,
        summary: 'Incidents, the newest first',
        querystring: z.object({
          state: severalOf(STATES),
          objective: name,
          service: name,
          limit,
          cursor: z.coerce.number().int().min(1).optional(),
        }),
        response: { 200: page(incidentSchema), ...problems() },
      },
    },
    async ({ query: { state, objective, service, limit: most, cursor } }) => {
      const states = state === undefined ? STATES : [state].flat();
      const items = await listIncidents(db, { states, objective, service, before: cursor, limit: most });
      const last = items.at(-1);
      return { items: items.map(shown), nextCursor: items.length === most && last ? String(last.number) : null };
    },
  );
  readOne(app, `${path}/incidents/:id`, routes, read);
}

function readOne(
  app: App,
  path: string,
  { db, setup, runbooks }: IncidentRoutes,
  read: ReturnType<typeof authorised>,
): void {
  const tags = ['incidents'];
  app.get(
    path,
    {
      onRequest: read,
      schema: {
        tags,
        params,
        summary: 'One incident, what happened in it, and the links that answer it',
        response: { 200: detail, ...problems('not_found', 'uri_too_long') },
      },
    },
    async ({ params: { id } }) => {
      const incident = await found(db, id);
      const timeline = (await timelineOf(db, incident.id)).map(({ at, kind, because, actor }) => ({
        at: iso(at) ?? '',
        kind,
        because,
        actor: actor ?? null,
      }));
      const { alerts, links } = incident.message;
      const edit = await lastEdit(db, incident.id);
      return {
        ...shown(incident),
        ...{ timeline, alertsTold: alerts, links, next: nextShown(incident, setup()) },
        runbook: runbookOf(incident.message, runbooks),
        dashboard: links.dashboard ?? null,
        reportEdited: edit === undefined ? null : { by: edit.editedBy, at: iso(edit.editedAt) ?? '' },
      };
    },
  );
}

function nextShown(incident: Incident, { oncall, who }: Setup): IncidentDetailShown['next'] {
  const next = nextOf(incident, oncall.policies.get(incident.receiver), who);
  return next === undefined ? null : { who: [...next.who], at: iso(next.at) ?? '' };
}

/** One of them, or several: `state=open&state=acknowledged`. */
export const severalOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z
    .union([z.enum(values), z.array(z.enum(values)).max(values.length)], {
      error: `expected one or several of ${values.join(', ')}`,
    })
    .optional()
    .describe('may be given several times; default: any');

export const page = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });

export async function found(db: Db, name: string): Promise<Incident> {
  const incident = await findIncident(db, name);
  if (incident === undefined) throw refuse('not_found', `There is no incident ${name}`);
  return incident;
}

export const iso = (at: Milliseconds | undefined): string | null =>
  at === undefined ? null : new Date(at).toISOString();

export const shown = (incident: Incident): IncidentShown => ({
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
