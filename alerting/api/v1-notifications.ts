/** What was sent, where, and what became of it. */
import { z } from 'zod';
import type { Channel } from '#alerting/destination.ts';
import { listNotifications, type NotificationEntry } from '#alerting/rows/notifications.ts';
import type { NotificationState } from '#alerting/store.ts';
import type { App } from '#serving/app.ts';
import { problems } from '#serving/problems.ts';
import { found, type IncidentRoutes, iso, page, severalOf, time } from './v1-incidents.ts';

const notificationSchema = z
  .object({
    id: z.string(),
    incident: z.string().nullable(),
    destination: z.string(),
    channel: z.string(),
    action: z.string(),
    state: z.string(),
    attempts: z.int(),
    mayRepeat: z.boolean(),
    createdAt: time,
    finishedAt: time.nullable(),
    error: z.string().nullable(),
  })
  .meta({ id: 'Notification' });
export type NotificationShown = z.infer<typeof notificationSchema>;
const STATES = ['pending', 'sending', 'delivered', 'refused', 'superseded'] as const satisfies NotificationState[];
const CHANNELS = ['slack', 'email', 'pagerduty', 'webhook'] as const satisfies Channel[];

export function notificationRoutes(app: App, prefix: string, { db, authorised: may }: IncidentRoutes): void {
  const limit = z.coerce.number().int().min(1).max(500).default(50);
  app.get(
    `${prefix}/api/v1/notifications`,
    {
      onRequest: may('incidents:read'),
      schema: {
        tags: ['incidents'],
        summary: 'What was sent, the newest first',
        querystring: z.object({
          incident: z.string().max(100).optional(),
          state: severalOf(STATES),
          channel: severalOf(CHANNELS),
          limit,
          cursor: z.string().max(100).optional(),
        }),
        response: { 200: page(notificationSchema), ...problems('not_found') },
      },
    },
    async ({ query: { incident, state, channel, limit: most, cursor } }) => {
      const incidentId = incident === undefined ? undefined : (await found(db, incident)).id;
      const states = state === undefined ? undefined : [state].flat();
      const channels = channel === undefined ? undefined : [channel].flat();
      const items = await listNotifications(db, { incidentId, states, channels, before: cursor }, most);
      const last = items.at(-1);
      return {
        items: items.map(notificationShown),
        nextCursor: items.length === most && last ? last.id : null,
      };
    },
  );
}

export const notificationShown = (one: NotificationEntry): NotificationShown => ({
  id: one.id,
  incident: one.incidentId ?? null,
  destination: one.destination,
  channel: one.channel,
  action: one.action,
  state: one.state,
  attempts: one.attempts,
  mayRepeat: one.mayRepeat,
  createdAt: iso(one.createdAt) ?? '',
  finishedAt: iso(one.finishedAt),
  error: one.error ?? null,
});
