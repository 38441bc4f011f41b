/** Releases and other changes: told by a pipeline, shown beside what breaks. */
import { z } from 'zod';
import { type Change, keepChange } from '#alerting/change.ts';
import { listChanges } from '#alerting/rows/changes.ts';
import type { Setup } from '#alerting/setup.ts';
import type { Milliseconds } from '#kernel/units.ts';
import type { App } from '#serving/app.ts';
import { deedOf } from '#serving/deed.ts';
import { problems, refuse } from '#serving/problems.ts';
import { readMoment, storable } from './text.ts';
import { type IncidentRoutes, iso, page, time } from './v1-incidents.ts';

export type ChangeRoutes = Pick<IncidentRoutes, 'db' | 'now' | 'authorised'> & {
  readonly setup: () => Setup;
  readonly newId: () => string;
};

const DETAILS_MOST = 50;
const LINKS_MOST = 10;
/** A release that is announced this far ahead is a typing error. */
const AHEAD_MOST = 3_600_000;

const link = z.object({ href: z.url({ protocol: /^https?$/ }).max(2_000), text: storable(200).optional() });
const details = z
  .record(storable(100), storable(2_000))
  .refine((all) => Object.keys(all).length <= DETAILS_MOST, `more than ${DETAILS_MOST} details`);
const draft = z.object({
  summary: storable(1_024).trim().min(1).describe('what was changed, in a line'),
  source: storable(200).trim().min(1).optional().describe('where; default: burnline'),
  at: z.string().max(40).optional().describe('RFC 3339; default: now'),
  service: storable(200).trim().min(1).optional().describe('as in the label sloth_service or service'),
  links: z.array(link).max(LINKS_MOST).optional(),
  details: details.optional(),
  key: storable(200).min(1).optional().describe('what is told again under it is the same change, told once'),
});
const shape = z
  .object({
    id: z.string(),
    at: time,
    summary: z.string(),
    source: z.string(),
    service: z.string().nullable(),
    links: z.array(z.object({ href: z.string(), text: z.string().optional() })),
    details: z.record(z.string(), z.string()),
    createdBy: z.string(),
  })
  .meta({ id: 'Change' });
export type ChangeShown = z.infer<typeof shape>;

export function changeRoutes(app: App, prefix: string, routes: ChangeRoutes): void {
  const tags = ['changes'];
  const path = `${prefix}/api/v1/changes`;
  app.post(
    path,
    {
      onRequest: routes.authorised('changes:post'),
      schema: {
        tags,
        summary: 'Something was released or changed: kept, told to PagerDuty, shown in reports',
        body: draft,
        response: {
          200: shape.extend({ told: z.array(z.string()).describe('where it will be told') }),
          ...problems('too_large', 'unsupported_media_type'),
        },
      },
    },
    async (request) => {
      const { body, principal } = request;
      const { summary, source = 'burnline', service, links = [], details: more = {}, key } = body;
      const at = momentOf(body.at, routes.now());
      const given = { at, summary, source, service, links, details: more, createdBy: principal.subject };
      const audited = (id: string) => deedOf(request, 'changes:create', id, routes.now());
      const { change, told } = await keepChange(routes, given, audited, key);
      return { ...shown(change), told: [...told] };
    },
  );
  app.get(
    path,
    {
      onRequest: routes.authorised('incidents:read'),
      schema: {
        tags,
        summary: 'Changes, the newest first',
        querystring: z.object({
          limit: z.coerce.number().int().min(1).max(500).default(50),
          cursor: z
            .string()
            .regex(/^\d{1,13}-[\w-]{1,100}$/)
            .optional(),
        }),
        response: { 200: page(shape), ...problems() },
      },
    },
    async ({ query: { limit, cursor } }) => {
      const [, at, id] = /^(\d+)-(.+)$/.exec(cursor ?? '') ?? [];
      const before = at === undefined || id === undefined ? undefined : { at: Number(at) as Milliseconds, id };
      const items = await listChanges(routes.db, before, limit);
      const last = items.at(-1);
      return { items: items.map(shown), nextCursor: items.length === limit && last ? `${last.at}-${last.id}` : null };
    },
  );
}

function momentOf(text: string | undefined, now: Milliseconds): Milliseconds {
  if (text === undefined) return now;
  const at = readMoment(text);
  if (at === undefined) throw refuse('bad_request', 'body "at": is no RFC 3339 time');
  if (at > now + AHEAD_MOST || at < 0) throw refuse('bad_request', 'body "at": is before 1970 or over an hour ahead');
  return at as Milliseconds;
}

const shown = ({ at, service, links, details: all, ...change }: Change): z.infer<typeof shape> => ({
  ...change,
  at: iso(at) ?? '',
  service: service ?? null,
  links: links.map(({ href, text }) => (text === undefined ? { href } : { href, text })),
  details: { ...all },
});
