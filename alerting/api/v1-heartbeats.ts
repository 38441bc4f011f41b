/** Heartbeats: those who say that they are alive say so here; which are expected stands in oncall.yaml. */
import { z } from 'zod';
import { dueAt, type HeartbeatRow } from '#alerting/heartbeat.ts';
import type { Heartbeat } from '#alerting/oncall/model.ts';
import { heartbeatRows, putBeats } from '#alerting/rows/heartbeats.ts';
import type { Setup } from '#alerting/setup.ts';
import type { App } from '#serving/app.ts';
import { problems, refuse } from '#serving/problems.ts';
import { type IncidentRoutes, iso, time } from './v1-incidents.ts';

const heartbeatSchema = z
  .object({
    name: z.string(),
    state: z.enum(['waiting', 'beating', 'missing']).describe('waiting: it has not come yet, and has time'),
    everySeconds: z.number(),
    graceSeconds: z.number(),
    severity: z.enum(['critical', 'warning', 'info']),
    beatAt: time.nullable(),
    dueAt: time
      .nullable()
      .describe('missing from then on; null: not looked at yet, or not expected before it has come once'),
    missingSince: time.nullable(),
  })
  .meta({ id: 'Heartbeat' });

export type HeartbeatRoutes = Pick<IncidentRoutes, 'db' | 'now' | 'authorised'> & { readonly setup: () => Setup };

export function heartbeatRoutes(app: App, prefix: string, { db, now, setup, authorised: may }: HeartbeatRoutes): void {
  const tags = ['heartbeats'];
  app.get(
    `${prefix}/api/v1/heartbeats`,
    {
      onRequest: may('incidents:read'),
      schema: {
        tags,
        summary: 'What should come regularly, and when it last did',
        response: { 200: z.array(heartbeatSchema), ...problems() },
      },
    },
    async () => {
      const rows = new Map((await heartbeatRows(db)).map((row) => [row.name, row]));
      return [...setup().oncall.heartbeats.values()].map((one) => shown(one, rows.get(one.name)));
    },
  );
  app.post(
    `${prefix}/api/v1/heartbeats/:name`,
    {
      onRequest: may('alerts:post'),
      schema: {
        tags,
        summary: 'It is there: a beat',
        params: z.object({ name: z.string().min(1).max(100) }),
        response: {
          200: z.object({ name: z.string(), beatAt: time }),
          ...problems('not_found', 'too_large', 'unsupported_media_type', 'uri_too_long'),
        },
      },
    },
    async ({ params: { name } }) => {
      if (!setup().oncall.heartbeats.has(name)) throw refuse('not_found', `oncall.yaml expects no heartbeat ${name}`);
      const at = now();
      await putBeats(db, [name], at);
      return { name, beatAt: iso(at) ?? '' };
    },
  );
}

function shown(heartbeat: Heartbeat, row: HeartbeatRow | undefined): z.infer<typeof heartbeatSchema> {
  const { name, every, grace, severity } = heartbeat;
  const state = row?.raisedAt !== undefined ? 'missing' : row?.beatAt === undefined ? 'waiting' : 'beating';
  return {
    name,
    state,
    everySeconds: every / 1_000,
    graceSeconds: grace / 1_000,
    severity,
    beatAt: iso(row?.beatAt),
    dueAt: iso(row && dueAt(heartbeat, row)),
    missingSince: iso(row?.raisedAt),
  };
}
