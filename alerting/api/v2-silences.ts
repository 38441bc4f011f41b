/** Silences by Alertmanager's API v2. */
import { z } from 'zod';
import {
  fromApi,
  MATCHERS_MAX,
  type Matcher,
  matcherText,
  parseMatcher,
  TEXT_CHARS_MAX,
  toApi,
} from '#alerting/matcher.ts';
import { allSilences, putSilence, silenceById } from '#alerting/rows/silences.ts';
import { checkSilence, expire, type Silence, type SilenceDraft, setSilence, stateOf } from '#alerting/silence.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { addressTooLong } from '#serving/problems.ts';
import { readMoment, storable } from './text.ts';
import type { V2Routes, V2Scope } from './v2.ts';
import { badRequest, errors, notFound } from './v2.ts';
import { filter, iso } from './v2-listing.ts';

const matcher = z
  .object({
    name: storable(TEXT_CHARS_MAX),
    value: storable(TEXT_CHARS_MAX),
    isRegex: z.boolean(),
    isEqual: z.boolean().optional(),
  })
  .meta({ id: 'matcher' });
const postable = z
  .object({
    id: storable(200).nullish(),
    matchers: z.array(matcher).min(1).max(MATCHERS_MAX),
    startsAt: z.string(),
    endsAt: z.string(),
    createdBy: storable(1_000),
    comment: storable(10_000),
  })
  .meta({ id: 'postableSilence' });
const gettable = z
  .object({
    id: z.string(),
    status: z.object({ state: z.enum(['expired', 'active', 'pending']) }),
    updatedAt: z.string(),
    comment: z.string(),
    createdBy: z.string(),
    endsAt: z.string(),
    matchers: z.array(matcher),
    startsAt: z.string(),
  })
  .meta({ id: 'gettableSilence' });
const byId = z.object({ id: z.string().max(200) });

export function silenceRoutes(app: V2Scope, routes: V2Routes): void {
  listRoutes(app, routes);
  changeRoutes(app, routes);
}

function listRoutes(app: V2Scope, routes: V2Routes): void {
  const { db, now } = routes;
  app.get(
    '/silences',
    {
      onRequest: routes.authorised('incidents:read'),
      schema: {
        operationId: 'getSilences',
        summary: 'All that hold, will hold, or have ended lately',
        querystring: z.object({ filter }),
        response: { 200: z.array(gettable), ...errors() },
      },
    },
    async (request) => {
      const wanted = [request.query.filter ?? []].flat().map((text) => {
        const parsed = parseMatcher(text, routes.mode);
        if (parsed.kind === 'fault') throw badRequest(`bad matcher format: ${parsed.message}`);
        return matcherText(parsed.matcher);
      });
      const at = now();
      const all = (await allSilences(db)).filter((silence) => {
        const has = new Set(silence.matchers.map(matcherText));
        return wanted.every((one) => has.has(one));
      });
      return all.sort(byState(at)).map((silence) => shown(silence, at));
    },
  );
  app.get(
    '/silence/:id',
    {
      onRequest: routes.authorised('incidents:read'),
      schema: {
        operationId: 'getSilence',
        summary: 'One silence',
        params: byId,
        response: { 200: gettable, ...errors('not_found'), ...addressTooLong },
      },
    },
    async (request) => {
      const silence = await silenceById(db, request.params.id);
      if (silence === undefined) throw notFound(`silence ${request.params.id} not found`);
      return shown(silence, now());
    },
  );
}

function changeRoutes(app: V2Scope, routes: V2Routes): void {
  const { db, now } = routes;
  app.delete(
    '/silence/:id',
    {
      onRequest: routes.authorised('silences:write'),
      schema: {
        operationId: 'deleteSilence',
        summary: 'Ends a silence; it stays on record',
        params: byId,
        response: { 200: z.null(), ...errors('not_found'), ...addressTooLong },
      },
    },
    async (request, reply) => {
      await db.tx(async (q) => {
        const silence = await silenceById(q, request.params.id);
        if (silence === undefined) throw notFound(`silence ${request.params.id} not found`);
        const ended = expire(silence, now());
        if (ended !== undefined) await putSilence(q, ended);
      });
      return await reply.serializer(() => '').send(null);
    },
  );
  app.post(
    '/silences',
    {
      onRequest: routes.authorised('silences:write'),
      schema: {
        operationId: 'postSilences',
        summary: 'Makes a silence, or changes the one with this id',
        body: postable,
        response: {
          200: z.object({ silenceID: z.string() }),
          ...errors('not_found', 'too_large', 'unsupported_media_type'),
        },
      },
    },
    async (request) => ({ silenceID: await setOne(routes, request.body) }),
  );
}

async function setOne(routes: V2Routes, body: z.infer<typeof postable>): Promise<string> {
  const now = routes.now();
  const draft: SilenceDraft = {
    matchers: body.matchers.map(readMatcher),
    startsAt: readTime('startsAt', body.startsAt),
    endsAt: readTime('endsAt', body.endsAt),
    createdBy: body.createdBy,
    comment: body.comment,
  };
  const wrong = checkSilence(draft, now, routes.mode);
  if (wrong !== undefined) throw badRequest(`Failed to create silence: ${wrong}`);
  return await routes.db.tx(async (q) => {
    const known = body.id ? await silenceById(q, body.id) : undefined;
    if (body.id && known === undefined) throw notFound(`silence ${body.id} not found`);
    const { silence, expired } = setSilence(known, draft, routes.newId(), now);
    if (expired !== undefined) await putSilence(q, expired);
    await putSilence(q, silence);
    return silence.id;
  });
}

function readMatcher(given: z.infer<typeof matcher>): Matcher {
  const parsed = fromApi(given);
  if (parsed.kind === 'fault') throw badRequest(`invalid label matcher: ${parsed.message}`);
  return parsed.matcher;
}

function readTime(field: string, text: string): Milliseconds {
  const at = readMoment(text);
  if (at === undefined) throw badRequest(`${field} is no RFC 3339 time: ${text.slice(0, 40)}`);
  return at as Milliseconds;
}

const ORDER = { active: 0, pending: 1, expired: 2 } as const;

/** Active ones by their end, pending ones by their start, expired ones the latest first. */
const byState =
  (now: Milliseconds) =>
  (a: Silence, b: Silence): number => {
    const [one, other] = [stateOf(a, now), stateOf(b, now)];
    if (one !== other) return ORDER[one] - ORDER[other];
    if (one === 'pending') return a.startsAt - b.startsAt;
    return one === 'active' ? a.endsAt - b.endsAt : b.endsAt - a.endsAt;
  };

const shown = (silence: Silence, now: Milliseconds): z.infer<typeof gettable> => ({
  id: silence.id,
  status: { state: stateOf(silence, now) },
  updatedAt: iso(silence.updatedAt),
  comment: silence.comment,
  createdBy: silence.createdBy,
  endsAt: iso(silence.endsAt),
  matchers: silence.matchers.map(toApi),
  startsAt: iso(silence.startsAt),
});
