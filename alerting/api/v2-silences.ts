/** Silences by Alertmanager's API v2. */
import { z } from 'zod';
import { audit } from '#access/audit.ts';
import {
  apiMatcherText,
  fromApi,
  MATCHERS_MAX,
  type Matcher,
  matcherText,
  parseMatcher,
  TEXT_CHARS_MAX,
  toApi,
} from '#alerting/matcher.ts';
import {
  type ListedSilence,
  listSilences,
  placeOf,
  putSilence,
  type SilencePlace,
  silenceById,
} from '#alerting/rows/silences.ts';
import { checkSilence, expire, type SilenceDraft, type SilenceState, setSilence, stateOf } from '#alerting/silence.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { type Doer, deedOf } from '#serving/deed.ts';
import { addressTooLong } from '#serving/problems.ts';
import { readMoment, storable } from './text.ts';
import type { V2Routes, V2Scope } from './v2.ts';
import { badRequest, errors, notFound } from './v2.ts';
import { filter, iso, listText, sendText } from './v2-listing.ts';
import { labelFault, labelSet, VALUE_CHARS_MAX } from './wire-alerts.ts';

export const matcher = z
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
    annotations: labelSet.nullish(),
  })
  .meta({ id: 'postableSilence' });
const gettable = z
  .object({
    id: z.string(),
    status: z.object({ state: z.enum(['expired', 'active', 'pending']) }),
    updatedAt: z.string(),
    comment: z.string(),
    annotations: labelSet,
    createdBy: z.string(),
    endsAt: z.string(),
    matchers: z.array(matcher),
    startsAt: z.string(),
  })
  .meta({ id: 'gettableSilence' });
export type SilenceShown = z.infer<typeof gettable>;
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
    async (request, reply) => {
      const wanted = [request.query.filter ?? []].flat().map((text) => {
        const parsed = parseMatcher(text, routes.mode);
        if (parsed.kind === 'fault') throw badRequest(`bad matcher format: ${parsed.message}`);
        return matcherText(parsed.matcher);
      });
      return await sendText(reply as never, listText(listed(routes, wanted)));
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
        response: { 200: gettable, ...errors('not_found'), ...addressTooLong() },
      },
    },
    async (request) => {
      const silence = await silenceById(db, request.params.id);
      if (silence === undefined) throw notFound(`silence ${request.params.id} not found`);
      return shown({ ...silence, matchers: silence.matchers.map(toApi) }, stateOf(silence, now()));
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
        response: { 200: z.null(), ...errors('not_found'), ...addressTooLong() },
      },
    },
    async (request, reply) => {
      await db.tx(async (q) => {
        const silence = await silenceById(q, request.params.id);
        if (silence === undefined) throw notFound(`silence ${request.params.id} not found`);
        const ended = expire(silence, now());
        if (ended === undefined) return;
        await putSilence(q, ended);
        await audit(q, deedOf(request, 'silences:expire', silence.id, now()));
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
    async (request) => ({ silenceID: await setOne(routes, request.body, request) }),
  );
}

async function setOne(routes: V2Routes, body: z.infer<typeof postable>, doer: Doer): Promise<string> {
  const now = routes.now();
  const draft: SilenceDraft = {
    matchers: body.matchers.map(readMatcher),
    startsAt: readTime('startsAt', body.startsAt),
    endsAt: readTime('endsAt', body.endsAt),
    createdBy: body.createdBy,
    comment: body.comment,
    annotations: body.annotations ?? {},
  };
  const wrong =
    checkSilence(draft, now, routes.mode) ?? labelFault('annotation', draft.annotations, VALUE_CHARS_MAX, routes.mode);
  if (wrong !== undefined) throw badRequest(`Failed to create silence: ${wrong}`);
  return await routes.db.tx(async (q) => {
    const known = body.id ? await silenceById(q, body.id) : undefined;
    if (body.id && known === undefined) throw notFound(`silence ${body.id} not found`);
    const { silence, expired } = setSilence(known, draft, routes.newId(), now);
    if (expired !== undefined) await putSilence(q, expired);
    await putSilence(q, silence);
    // What cannot be changed any more ends, and another begins.
    if (expired !== undefined) await audit(q, deedOf(doer, 'silences:expire', expired.id, now));
    const deed = known?.id === silence.id ? 'silences:change' : 'silences:create';
    await audit(q, deedOf(doer, deed, silence.id, now));
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

const STATES = ['active', 'pending', 'expired'] as const;
/** Read from the store at once. */
const PAGE = 500;

/** In Alertmanager's order, page by page as they are read, however many there are. @param wanted texts of matchers. */
async function* listed({ db, now }: V2Routes, wanted: readonly string[]): AsyncGenerator<object[]> {
  const at = now();
  for (const state of STATES) {
    for (let after: SilencePlace | undefined; ; ) {
      const page = await listSilences(db, state, at, after, PAGE);
      const found = page.filter(({ matchers }) => {
        const has = new Set(wanted.length === 0 ? [] : matchers.map(apiMatcherText));
        return wanted.every((one) => has.has(one));
      });
      yield found.map((silence) => shown(silence, state));
      const last = page.at(-1);
      if (page.length < PAGE || last === undefined) break;
      after = placeOf(state, last);
    }
  }
}

const shown = (silence: ListedSilence, state: SilenceState): z.infer<typeof gettable> => ({
  id: silence.id,
  status: { state },
  updatedAt: iso(silence.updatedAt),
  comment: silence.comment,
  annotations: { ...silence.annotations },
  createdBy: silence.createdBy,
  endsAt: iso(silence.endsAt),
  matchers: silence.matchers.map((one) => ({ ...one, isEqual: one.isEqual ?? true })),
  startsAt: iso(silence.startsAt),
});
