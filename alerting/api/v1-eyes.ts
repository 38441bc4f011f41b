/** Which eyes are open: what is blind tells of no outage. */
import { z } from 'zod';
import { type EyeView, type PrometheusKnown, prometheusEye } from '#alerting/eye.ts';
import { lastAlertOfEye } from '#alerting/rows/alerts.ts';
import { heartbeatRows } from '#alerting/rows/heartbeats.ts';
import type { Setup } from '#alerting/setup.ts';
import type { Db } from '#kernel/database.ts';

import { milliseconds } from '#kernel/units.ts';
import type { App } from '#serving/app.ts';
import { problems } from '#serving/problems.ts';
import { remembered } from './remembered.ts';
import { type IncidentRoutes, iso, time } from './v1-incidents.ts';

export type EyeRoutes = Pick<IncidentRoutes, 'db' | 'now' | 'setup' | 'authorised'> & {
  /** The router's own. */
  readonly eye: () => EyeView;
};

const eyeSchema = z
  .object({
    eye: z.enum(['router', 'prometheus']),
    state: z.enum(['open', 'blind', 'absent']).describe('absent: there is none'),
    since: time.nullable(),
    because: z.string(),
    lastAt: time.nullable().describe('when it last saw anything'),
    targets: z.array(
      z.object({
        name: z.string(),
        url: z.string().nullable(),
        answered: z.boolean(),
        lastAt: time.nullable(),
        because: z.string().nullable().describe('why it did not answer'),
      }),
    ),
  })
  .meta({ id: 'Eye' });
export type EyeShown = z.infer<typeof eyeSchema>;

/** All alerts are looked through for it: not for each page that is open. */
const REMEMBERED = milliseconds(5_000);
/** What Prometheus' alert that always fires is called. */
const WATCHDOG = 'Watchdog';

export function eyeRoutes(app: App, prefix: string, { db, now, setup, eye, authorised: may }: EyeRoutes): void {
  const lastAlert = remembered(now, REMEMBERED, () => lastAlertOfEye(db, 'prometheus'));
  app.get(
    `${prefix}/api/v1/eyes`,
    {
      onRequest: may('incidents:read'),
      schema: {
        tags: ['objectives'],
        summary: 'The router’s own watch and Prometheus: which of them sees, since when, and why not',
        response: { 200: z.array(eyeSchema), ...problems() },
      },
    },
    async () => {
      const known = { beats: await beatsOf(db, setup()), alertedAt: await lastAlert() };
      return [eye(), prometheusEye(known, now())].map(shown);
    },
  );
}

async function beatsOf(db: Db, { oncall }: Setup): Promise<PrometheusKnown['beats']> {
  const expected = [...oncall.heartbeats.values()].filter(({ alert }) =>
    alert?.some(({ name, op, test }) => name === 'alertname' && (op === '=' || op === '=~') && test(WATCHDOG)),
  );
  if (expected.length === 0) return [];
  const rows = new Map((await heartbeatRows(db)).map((row) => [row.name, row]));
  return expected.map((heartbeat) => ({ heartbeat, row: rows.get(heartbeat.name) }));
}

const shown = ({ targets, since, lastAt, ...rest }: EyeView): EyeShown => ({
  ...rest,
  since: iso(since),
  lastAt: iso(lastAt),
  targets: targets.map((one) => ({
    ...one,
    url: one.url ?? null,
    lastAt: iso(one.lastAt),
    because: one.because ?? null,
  })),
});
