/** What a silence would keep quiet, were it in force now: before somebody makes it. */
import { z } from 'zod';
import { fromApi, isLabelName, MATCHERS_MAX, type Matcher } from '#alerting/matcher.ts';
import { incidentsOfAlerts } from '#alerting/rows/incidents.ts';
import { severityOf } from '#alerting/severity.ts';
import { checkSilence } from '#alerting/silence.ts';
import { milliseconds } from '#kernel/units.ts';
import type { App } from '#serving/app.ts';
import { problems, refuse } from '#serving/problems.ts';
import { time } from './v1-incidents.ts';
import type { V2Routes } from './v2.ts';
import { listed } from './v2-alerts.ts';
import { listingOf } from './v2-listing.ts';
import { matcher } from './v2-silences.ts';
import { labelSet } from './wire-alerts.ts';

const previewSchema = z
  .object({
    alerts: z.int().describe('that fire and would be kept quiet, whether something keeps them quiet already or not'),
    critical: z.int(),
    warning: z.int(),
    info: z.int(),
    silenced: z.int().describe('of them another silence keeps quiet already'),
    incidents: z
      .array(
        z.object({ id: z.string(), number: z.int(), title: z.string(), severity: z.enum(['critical', 'warning']) }),
      )
      .describe('open ones that have some of these alerts'),
    list: z
      .array(z.object({ fingerprint: z.string(), labels: labelSet, annotations: labelSet, startsAt: time }))
      .describe('the first of them'),
  })
  .meta({ id: 'SilencePreview' });
export type SilencePreviewShown = z.infer<typeof previewSchema>;

const LIST_MOST = 50;
/** Of everything, whatever keeps it quiet. */
const ALL = {
  active: true,
  silenced: true,
  inhibited: true,
  muted: true,
  receiver: undefined,
} as const;

export function silencePreviewRoutes(app: App, prefix: string, routes: V2Routes): void {
  app.post(
    `${prefix}/api/v1/silences/preview`,
    {
      onRequest: routes.authorised('incidents:read'),
      schema: {
        tags: ['silences'],
        summary: 'What a silence with these matchers would keep quiet now',
        body: z.object({ matchers: z.array(matcher).min(1).max(MATCHERS_MAX) }),
        response: { 200: previewSchema, ...problems('too_large', 'unsupported_media_type') },
      },
    },
    async ({ body }) => await preview(routes, readMatchers(body.matchers, routes)),
  );
}

async function preview(routes: V2Routes, matchers: readonly Matcher[]): Promise<SilencePreviewShown> {
  const counts = { critical: 0, warning: 0, info: 0 };
  const found = { critical: [] as string[], warning: [] as string[], info: [] as string[] };
  const list: SilencePreviewShown['list'] = [];
  let silenced = 0;
  for await (const part of listed(routes, listingOf(routes, { ...ALL, matchers }), '')) {
    for (const { fingerprint, labels, annotations, startsAt, status } of part) {
      const severity = severityOf(labels);
      counts[severity]++;
      found[severity].push(fingerprint);
      if (status.silencedBy.length > 0) silenced++;
      if (list.length < LIST_MOST) list.push({ fingerprint, labels, annotations, startsAt });
    }
  }
  const incidents = await incidentsOfAlerts(routes.db, found);
  const alerts = counts.critical + counts.warning + counts.info;
  return { alerts, ...counts, silenced, incidents, list };
}

/** As a silence is checked that is made, and the fault with its field. */
function readMatchers(given: readonly z.infer<typeof matcher>[], { now, mode }: V2Routes): Matcher[] {
  const matchers = given.map((one, i) => {
    if (!isLabelName(one.name, mode)) {
      throw refuse('bad_request', `body "matchers.${i}.name": ${JSON.stringify(one.name)} is no label name`);
    }
    const read = fromApi(one);
    if (read.kind === 'fault') throw refuse('bad_request', `body "matchers.${i}.value": ${read.message}`);
    return read.matcher;
  });
  const startsAt = now();
  const draft = { matchers, startsAt, endsAt: milliseconds(startsAt + 1), createdBy: '', comment: '', annotations: {} };
  const wrong = checkSilence(draft, startsAt, mode);
  if (wrong !== undefined) throw refuse('bad_request', `body "matchers": ${wrong}`);
  return matchers;
}
