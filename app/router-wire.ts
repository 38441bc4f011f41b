/** What the commands read of the router's answers: of each what they use. */
import { z } from 'zod';

export const incidentShape = z.object({
  id: z.string(),
  number: z.number(),
  state: z.string(),
  severity: z.string(),
  title: z.string(),
  service: z.string(),
  drill: z.boolean(),
  policy: z.string(),
  openedAt: z.string(),
  acknowledgedAt: z.string().nullable(),
  acknowledgedBy: z.string().nullable(),
  snoozedUntil: z.string().nullable(),
  resolvedAt: z.string().nullable(),
  resolvedBy: z.string().nullable(),
  alerts: z.number(),
  told: z.array(z.string()),
  nextStepAt: z.string().nullable(),
  paged: z.array(z.string()),
});
export type IncidentView = z.infer<typeof incidentShape>;

const timelineShape = z.object({
  at: z.string(),
  kind: z.string(),
  because: z.string(),
  actor: z.string().nullable(),
});
export type TimelineView = z.infer<typeof timelineShape>;

export const incidentDetail = incidentShape.extend({
  timeline: z.array(timelineShape),
  alertsTold: z.looseObject({
    list: z.array(z.looseObject({ fingerprint: z.string(), labels: z.record(z.string(), z.string()) })),
  }),
  links: z.looseObject({ external: z.string() }),
});
export type IncidentDetail = z.infer<typeof incidentDetail>;

export const incidentPage = z.object({ items: z.array(incidentShape), nextCursor: z.string().nullable() });

const notificationShape = z.object({
  id: z.string(),
  incident: z.string().nullable(),
  destination: z.string(),
  channel: z.string(),
  action: z.string(),
  state: z.string(),
  attempts: z.number(),
  createdAt: z.string(),
  finishedAt: z.string().nullable(),
  error: z.string().nullable(),
});
export const notificationPage = z.object({ items: z.array(notificationShape), nextCursor: z.string().nullable() });

export const silenceShape = z.object({
  id: z.string(),
  status: z.object({ state: z.string() }),
  comment: z.string(),
  createdBy: z.string(),
  startsAt: z.string(),
  endsAt: z.string(),
  matchers: z.array(
    z.object({ name: z.string(), value: z.string(), isRegex: z.boolean(), isEqual: z.boolean().default(true) }),
  ),
});
export type SilenceView = z.infer<typeof silenceShape>;

export const overrideShape = z.object({
  /** null: it stands in oncall.yaml. */
  id: z.string().nullable(),
  schedule: z.string(),
  displayName: z.string(),
  from: z.string(),
  to: z.string(),
  because: z.string().nullable(),
  createdBy: z.string().nullable(),
});
export type OverrideView = z.infer<typeof overrideShape>;
export const overridesByCalendar = z.array(z.object({ overrides: z.array(overrideShape) }));

export const correctionShape = z.object({
  id: z.string(),
  from: z.string(),
  to: z.string(),
  share: z.number().nullable(),
  events: z.number().nullable(),
  by: z.string(),
  reason: z.string(),
  withdrawnAt: z.string().nullable(),
  withdrawnBy: z.string().nullable(),
});
export const correctionPage = z.object({ items: z.array(correctionShape), nextCursor: z.string().nullable() });
