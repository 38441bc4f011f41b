/** Alerts for pages: those of an incident, all of them, and how many there are of each kind. */
import { z } from 'zod';
import { mutedBy, type Suppression, suppressionsOf } from '#alerting/muting.ts';
import { countGroupAlerts, firingLabels, groupAlerts } from '#alerting/rows/listing.ts';
import { severityOf } from '#alerting/severity.ts';
import type { Incident, StoredAlert } from '#alerting/store.ts';

import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { App } from '#serving/app.ts';
import { problems } from '#serving/problems.ts';
import { remembered } from './remembered.ts';
import { found, iso, page, time } from './v1-incidents.ts';
import type { V2Routes } from './v2.ts';
import { labelSet } from './wire-alerts.ts';

const alertSchema = z
  .object({
    fingerprint: z.string(),
    status: z.enum(['firing', 'resolved']),
    labels: labelSet,
    annotations: labelSet,
    startsAt: time,
    endsAt: time.nullable().describe('null while it fires'),
    generatorUrl: z.string(),
    silencedBy: z.array(z.string()).describe('ids of silences'),
    inhibitedBy: z.array(z.string()).describe('fingerprints of alerts'),
  })
  .meta({ id: 'Alert' });
export type AlertShown = z.infer<typeof alertSchema>;
const incidentAlertsSchema = page(alertSchema)
  .extend({ firing: z.int(), resolved: z.int() })
  .meta({ id: 'IncidentAlerts' });
export type IncidentAlertsShown = z.infer<typeof incidentAlertsSchema>;
const summarySchema = z
  .object({
    alerts: z.int().describe('that fire'),
    bySeverity: z.object({ critical: z.int(), warning: z.int(), info: z.int() }),
    byState: z
      .object({ active: z.int(), silenced: z.int(), inhibited: z.int(), muted: z.int() })
      .describe('each counts once: silenced before inhibited before muted by its routes'),
  })
  .meta({ id: 'AlertsSummary' });
export type AlertsSummaryShown = z.infer<typeof summarySchema>;

/** All alerts are looked through for it: not for each page that is open. */
const SUMMARY_REMEMBERED = milliseconds(5_000);

export function incidentAlertRoutes(app: App, prefix: string, routes: V2Routes): void {
  incidentRoute(app, prefix, routes);
  const summary = remembered(routes.now, SUMMARY_REMEMBERED, () => summaryOf(routes));
  app.get(
    `${prefix}/api/v1/alerts/summary`,
    {
      onRequest: routes.authorised('incidents:read'),
      schema: {
        tags: ['alerts'],
        summary: 'How many alerts fire, by severity and by what keeps them quiet; up to five seconds old',
        response: { 200: summarySchema, ...problems() },
      },
    },
    async () => await summary(),
  );
}

function incidentRoute(app: App, prefix: string, routes: V2Routes): void {
  app.get(
    `${prefix}/api/v1/incidents/:id/alerts`,
    {
      onRequest: routes.authorised('incidents:read'),
      schema: {
        tags: ['incidents'],
        params: z.object({ id: z.string().min(1).max(100).describe('an id or a number') }),
        querystring: z.object({
          limit: z.coerce.number().int().min(1).max(500).default(100),
          cursor: z
            .string()
            .regex(/^[0-9a-f]{16}$/, 'expected the cursor of the page before')
            .optional(),
        }),
        summary: 'The alerts in it, by fingerprint; of one that is over, those that its last message names',
        response: { 200: incidentAlertsSchema, ...problems('not_found', 'uri_too_long') },
      },
    },
    async ({ params: { id }, query: { limit, cursor } }) => {
      const incident = await found(routes.db, id);
      return incident.state === 'resolved' ? toldOf(incident) : await alertsOf(routes, incident, limit, cursor ?? '');
    },
  );
}

/** What has ended leaves its group with that: only its last message knows of it. */
function toldOf({ message: { alerts } }: Incident): IncidentAlertsShown {
  const items = alerts.list.map((one) => ({
    ...one,
    startsAt: iso(one.startsAt) ?? '',
    endsAt: iso(one.endsAt),
    silencedBy: [],
    inhibitedBy: [],
  }));
  return { items, nextCursor: null, firing: alerts.firing, resolved: alerts.resolved };
}

async function alertsOf(
  { db, store, setup, now }: V2Routes,
  incident: Incident,
  limit: number,
  cursor: string,
): Promise<IncidentAlertsShown> {
  const at = now();
  const items: StoredAlert[] = [];
  // A group has critical ones and others, which are another incident's.
  for (let after = cursor; items.length < limit; ) {
    const part = await groupAlerts(db, incident.groupId, after, limit);
    items.push(...part.filter(({ labels }) => severityOf(labels) === incident.severity));
    const last = part.at(-1);
    if (part.length < limit || last === undefined) break;
    after = last.fingerprint;
  }
  const shown = items.slice(0, limit);
  const suppressed = await store.tx((tx) => suppressionsOf(tx, setup(), shown, at));
  const counts = await countGroupAlerts(db, incident.groupId, at);
  const count = (fires: boolean) =>
    counts
      .filter((one) => one.fires === fires && wordOf(one.severity) === incident.severity)
      .reduce((sum, { count: n }) => sum + n, 0);
  return {
    items: shown.map((alert) => alertShown(alert, suppressed.get(alert.fingerprint), at)),
    nextCursor: shown.length === limit ? (shown.at(-1)?.fingerprint ?? null) : null,
    firing: count(true),
    resolved: count(false),
  };
}

const wordOf = (severity: string | null) => severityOf(severity === null ? {} : { severity });

function alertShown(alert: StoredAlert, suppression: Suppression | undefined, now: Milliseconds): AlertShown {
  const fires = alert.endsAt > now;
  return {
    fingerprint: alert.fingerprint,
    status: fires ? 'firing' : 'resolved',
    labels: alert.labels,
    annotations: alert.annotations,
    startsAt: iso(alert.startsAt) ?? '',
    endsAt: fires ? null : iso(alert.endsAt),
    generatorUrl: alert.generatorUrl,
    silencedBy: [...(suppression?.silencedBy ?? [])],
    inhibitedBy: [...(suppression?.inhibitedBy ?? [])],
  };
}

/** Read at once: labels alone are small. */
const SUMMED_AT_ONCE = 2_000;

async function summaryOf(routes: V2Routes): Promise<AlertsSummaryShown> {
  const [setup, now] = [routes.setup(), routes.now()];
  const bySeverity = { critical: 0, warning: 0, info: 0 };
  const byState = { active: 0, silenced: 0, inhibited: 0, muted: 0 };
  let alerts = 0;
  for (let after: string | undefined = ''; after !== undefined; ) {
    const part: Pick<StoredAlert, 'fingerprint' | 'labels'>[] = await firingLabels(
      routes.db,
      now,
      after,
      SUMMED_AT_ONCE,
    );
    const suppressed = await routes.store.tx((tx) => suppressionsOf(tx, setup, part, now));
    for (const alert of part) {
      const why = suppressed.get(alert.fingerprint);
      bySeverity[severityOf(alert.labels)]++;
      if (why !== undefined) byState[why.silencedBy.length > 0 ? 'silenced' : 'inhibited']++;
      else byState[mutedBy(setup, now, alert.labels).length > 0 ? 'muted' : 'active']++;
    }
    alerts += part.length;
    after = part.length < SUMMED_AT_ONCE ? undefined : part.at(-1)?.fingerprint;
  }
  return { alerts, bySeverity, byState };
}
