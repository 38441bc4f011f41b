/** Who is there: signing in by a credential, signing out, and what the page may know of whoever it is. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Authenticate, Known } from '#access/authenticator.ts';
import { changeCounts, cookieCounts } from '#access/provenance.ts';
import { type Action, MAY, may, type Principal, ROLES } from '#access/roles.ts';
import type { Sessions } from '#access/sessions.ts';
import type { Setup } from '#alerting/setup.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { type App, asking, refusedAccess } from '#serving/app.ts';
import { problems, refuse } from '#serving/problems.ts';
import { givenSession, type Site, sessionCookie } from '#serving/session-cookie.ts';

export type SessionRoutes = {
  readonly site: Site;
  readonly sessions: Sessions;
  readonly authenticate: Authenticate;
  readonly setup: () => Setup;
  readonly now: () => Milliseconds;
  readonly version: string;
  /** Under `npm start`. */
  readonly embedded: boolean;
  readonly features: (principal: Principal) => { readonly documents: boolean; readonly simulators: boolean };
  readonly links: { readonly grafana: string | null; readonly traces: string | null };
};

const ACTIONS = Object.keys(MAY) as [Action, ...Action[]];
const time = z.iso.datetime();
export const sessionSchema = z
  .object({
    subject: z.string().describe('as it stands in the timeline and in the audit trail'),
    name: z.string().describe('what people call it'),
    tenant: z.string(),
    roles: z.array(z.enum(ROLES)),
    via: z.enum(['key', 'jwt', 'basic', 'anonymous']),
    may: z.array(z.enum(ACTIONS)),
    signedIn: z.boolean().describe('by a cookie, which signing out ends'),
    expiresAt: time.nullable().describe('when the cookie ends'),
    anonymous: z.boolean().describe('nobody in particular, on the machine of the router'),
    embedded: z.boolean().describe('everything on this machine, by npm start'),
    features: z.object({ documents: z.boolean(), simulators: z.boolean() }),
    people: z.array(z.object({ name: z.string(), displayName: z.string() })).describe('of oncall.yaml'),
    version: z.string(),
    now: time,
    links: z.object({
      grafana: z.string().nullable(),
      traces: z.string().nullable().describe('with {traceId} where that stands'),
    }),
  })
  .meta({ id: 'Session' });
export type SessionShown = z.infer<typeof sessionSchema>;

const credential = z.strictObject({ credential: z.string().trim().min(1).max(8_192).describe('an API key or a JWT') });
const password = z.strictObject({
  user: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[^:]+$/, 'a name has no colon'),
  password: z.string().min(1).max(1_000),
});
export const signInBody = z.union([credential, password], 'expected {credential} or {user, password}');
export type SignIn = z.infer<typeof signInBody>;

const PATH = '/api/v1/session';
/** Whoever asks is known by nothing yet, or by what is about to end: the address has the rate of a key. */
export const signedPaths = (prefix: string): string[] => [`${prefix}${PATH}`];
const tags = ['session'];

export function sessionRoutes(app: App, prefix: string, routes: SessionRoutes): void {
  const path = `${prefix}${PATH}`;
  app.get(
    path,
    {
      schema: {
        tags,
        summary: 'Who asks, what they may do, and what there is here',
        response: { 200: sessionSchema, ...problems() },
      },
    },
    async (request) => {
      const found = await routes.authenticate(asking(request, routes.site));
      if (found.kind === 'refused') throw refusedAccess(request, found);
      return shown(routes, found.principal);
    },
  );
  app.post(
    path,
    {
      schema: {
        tags,
        summary: 'Signs in: a cookie stands for the credential, 12 hours at most',
        body: signInBody,
        response: { 200: sessionSchema, ...problems('too_large', 'unsupported_media_type') },
      },
    },
    async (request, reply) => {
      const { principal, grounds } = await judged(request, routes);
      if (grounds === undefined) throw refuse('unauthenticated', 'No session can be begun with that.');
      const { name, options } = sessionCookie(request, routes.site);
      const before = givenSession(request, routes.site);
      const begun = await routes.sessions.begin(principal, grounds, before, request.correlationId);
      const until = begun.principal.session?.until ?? routes.now();
      const maxAge = Math.max(0, Math.floor((until - routes.now()) / 1_000));
      reply.setCookie(name, begun.token.reveal(), { ...options, maxAge });
      return shown(routes, begun.principal);
    },
  );
  app.delete(
    path,
    {
      schema: { tags, summary: 'Signs out, at every router of the store', response: { 204: z.null(), ...problems() } },
    },
    async (request, reply) => {
      const token = givenSession(request, routes.site);
      if (token !== undefined) {
        const { method, headers, hosts } = asking(request, routes.site);
        if (!cookieCounts(method, headers, hosts)) throw foreign(request);
        await routes.sessions.end(token, request.correlationId);
        const { name, options } = sessionCookie(request, routes.site);
        reply.clearCookie(name, options);
      }
      return await reply.code(204).send(null);
    },
  );
}

/** The same judgement as of a header, with its limit on guesses. A page of another site may sign nobody in. */
async function judged(request: FastifyRequest, { authenticate, site }: SessionRoutes): Promise<Known> {
  const { address, hosts, method, headers } = asking(request, site);
  if (!changeCounts(method, headers, hosts)) throw foreign(request);
  const body = request.body as SignIn;
  const text =
    'credential' in body
      ? `Bearer ${body.credential}`
      : `Basic ${Buffer.from(`${body.user}:${body.password}`).toString('base64')}`;
  const found = await authenticate({ address, hosts, method, headers: { authorization: text } });
  if (found.kind === 'known') return found;
  const message = found.reason === 'malformed' ? ('credential' in body ? NO_KEY : NO_PASSWORD) : found.message;
  throw refusedAccess(request, { ...found, message });
}

const NO_KEY = 'That is neither an API key (bl_…) nor a token that is known here.';
const NO_PASSWORD = 'The name or the password is wrong.';

function foreign(request: FastifyRequest) {
  request.server.accessRefused('cross_site');
  return refuse('forbidden', 'Only the console’s own pages may sign in and out.');
}

function shown(routes: SessionRoutes, principal: Principal): SessionShown {
  const { tenant, subject, roles, via, session } = principal;
  const { people } = routes.setup().oncall;
  return {
    subject,
    name: principal.name ?? subject.replace(/^(?:jwt|basic|key):/, ''),
    tenant,
    roles: [...roles],
    via,
    may: ACTIONS.filter((action) => may(principal, action)),
    signedIn: session !== undefined,
    expiresAt: session === undefined ? null : iso(session.until),
    anonymous: via === 'anonymous',
    embedded: routes.embedded,
    features: routes.features(principal),
    people: may(principal, 'incidents:read')
      ? [...people].map(([name, { displayName }]) => ({ name, displayName }))
      : [],
    version: routes.version,
    now: iso(routes.now()),
    links: routes.links,
  };
}

const iso = (at: Milliseconds): string => new Date(at).toISOString();
