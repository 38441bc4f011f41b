/** An incident's report: made from what was written down, until somebody edits it. */
import { z } from 'zod';
import { audit } from '#access/audit.ts';
import { changesOf } from '#alerting/change.ts';
import { line } from '#alerting/incidents.ts';
import { reportOf } from '#alerting/report.ts';
import { insertTimeline, timelineOf, touchIncident } from '#alerting/rows/incidents.ts';
import { listNotifications } from '#alerting/rows/notifications.ts';
import { type EditedReport, editedReport, saveReport } from '#alerting/rows/reports.ts';
import type { Incident } from '#alerting/store.ts';
import type { Db } from '#kernel/database.ts';
import { kibibytes, type Milliseconds } from '#kernel/units.ts';
import type { App } from '#serving/app.ts';
import { deedOf } from '#serving/deed.ts';
import { problems, type Refusal, refuse } from '#serving/problems.ts';
import { storable } from './text.ts';
import { by, found, type IncidentRoutes, iso, params, time } from './v1-incidents.ts';

const savedSchema = z.object({ revision: z.int(), editedBy: z.string(), editedAt: time }).meta({ id: 'EditedReport' });
export type ReportSavedShown = z.infer<typeof savedSchema>;

/** The longest that is made has a thousand lines of a timeline. */
const MARKDOWN_MOST = 500_000;
const BODY = kibibytes(2_048);
const tags = ['incidents'];
const path = '/incidents/:id/report';

export function reportRoutes(app: App, prefix: string, routes: IncidentRoutes): void {
  readRoute(app, `${prefix}/api/v1${path}`, routes);
  const { db, now, authorised: may } = routes;
  app.put(
    `${prefix}/api/v1${path}`,
    {
      onRequest: may('incidents:act'),
      bodyLimit: BODY,
      schema: {
        tags,
        params,
        summary: 'Keeps what somebody made of the report; it does not follow the timeline any more',
        headers: z.object({
          'if-match': z
            .string()
            .regex(/^(?:"\d{1,9}"|\*)$/, 'expected the ETag that the report came with, or *')
            .describe('the ETag of the report that was edited'),
        }),
        body: z.object({ markdown: storable(MARKDOWN_MOST).refine((text) => text.trim() !== '', 'is empty'), by }),
        response: {
          200: savedSchema,
          ...problems('not_found', 'changed_meanwhile', 'too_large', 'unsupported_media_type', 'uri_too_long'),
        },
      },
    },
    async (request, reply) => {
      const { params: asked, headers, body, principal } = request;
      const { id: incidentId, groupId } = await found(db, asked.id);
      const match = headers['if-match'];
      const edit = { markdown: body.markdown, editedBy: body.by ?? principal.subject, editedAt: now() };
      const revision = await db.tx(async (q) => {
        await touchIncident(q, incidentId, edit.editedAt);
        const saved = await saveReport(q, incidentId, edit, match === '*' ? undefined : Number(match.slice(1, -1)));
        if (saved === undefined) throw changedMeanwhile(await editedReport(q, incidentId));
        await insertTimeline(q, [
          { ...line({ id: incidentId, groupId }, edit.editedAt, 'edited', 'report edited'), actor: edit.editedBy },
        ]);
        await audit(q, deedOf(request, 'incidents:edit-report', incidentId, edit.editedAt));
        return saved;
      });
      reply.header('etag', etagOf(revision));
      return { revision, editedBy: edit.editedBy, editedAt: iso(edit.editedAt) ?? '' };
    },
  );
}

function readRoute(app: App, route: string, { db, now, authorised: may }: IncidentRoutes): void {
  app.get(
    route,
    {
      onRequest: may('incidents:read'),
      schema: {
        tags,
        params,
        querystring: z.object({
          generated: z
            .enum(['true', 'false'])
            .optional()
            .describe('true: as it is made from what was written down, although somebody edited it'),
        }),
        summary:
          'Its report, in Markdown: what somebody made of it, else as it is made; the ETag says which edit it is',
        response: {
          200: { description: 'The report', content: { 'text/markdown': { schema: z.string() } } },
          ...problems('not_found', 'uri_too_long'),
        },
      },
    },
    async ({ params: { id }, query: { generated } }, reply) => {
      const incident = await found(db, id);
      const edited = await editedReport(db, incident.id);
      reply.type('text/markdown; charset=utf-8').header('etag', etagOf(edited?.revision ?? 0));
      const isMade = edited === undefined || generated === 'true';
      return await reply.serializer(String).send(isMade ? await madeOf(db, incident, now()) : edited.markdown);
    },
  );
}

async function madeOf(db: Db, incident: Incident, now: Milliseconds): Promise<string> {
  const timeline = await timelineOf(db, incident.id);
  const sent = await listNotifications(db, { incidentId: incident.id }, 500);
  return reportOf(incident, timeline, sent, await changesOf(db, incident, now), now);
}

/** Which edit it is: what is made anew each time is edit 0. */
const etagOf = (revision: number): string => `"${revision}"`;

function changedMeanwhile(now: EditedReport | undefined): Refusal {
  if (now === undefined) return refuse('changed_meanwhile', 'Nobody has edited this report: its ETag is "0"');
  const { editedBy, editedAt, revision } = now;
  const what = `${editedBy} edited it at ${iso(editedAt)}, and it is "${revision}" now: take their text in, and save again`;
  return refuse('changed_meanwhile', what);
}
