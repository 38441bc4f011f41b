/** An HTTP server before its routes: who calls, how much, what an error looks like. Each role's API is put onto one. */
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import multipart from '@fastify/multipart';
import swagger from '@fastify/swagger';
import fastify, { type FastifyError, type FastifyReply, type FastifyRequest } from 'fastify';
import {
  hasZodFastifySchemaValidationErrors,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import type { Asking, Authenticate, RefusalReason, Refusal as Unknown } from '#access/authenticator.ts';
import { makeRateLimiter } from '#access/rate-limit.ts';
import { type Action, may, type Principal } from '#access/roles.ts';
import { instrumentFastify } from '#collector/http-server.ts';
import type { Telemetry } from '#collector/telemetry.ts';
import type { Clock } from '#kernel/clock.ts';
import { describe, Fault } from '#kernel/errors.ts';
import type { Log } from '#kernel/log.ts';
import type { Random } from '#kernel/random.ts';
import type { Rate } from '#kernel/token-bucket.ts';
import { type Bytes, kibibytes, milliseconds } from '#kernel/units.ts';
import { drainUnread, onBrokenAddress, onBrokenConnection } from './broken-requests.ts';
import type { EarlyServer } from './early-server.ts';
import { HEADERS_LIMIT, REQUEST_LIMIT } from './limits.ts';
import { openApi } from './openapi.ts';
import { isRefusal, type Refusal, refuse, sendProblem } from './problems.ts';
import { givenSession, hostsOf, type Site } from './session-cookie.ts';

export type AccessRefusal = RefusalReason | 'forbidden';

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal;
  }
  interface FastifyInstance {
    /** For the routes' own refusals. */
    accessRefused(reason: AccessRefusal): void;
    /** For an answer that goes on for long: false once its asker would be let in no more. */
    stillKnown(request: FastifyRequest): Promise<boolean>;
  }
}

export type Described = { readonly title: string; readonly description: string; readonly version: string };

export type AppOptions = {
  readonly described: Described;
  /** The largest JSON body. */
  readonly jsonBody?: Bytes;
  /** Routes that need nobody known, beside health and metrics. */
  readonly open?: readonly string[];
  /** Routes whose caller is known by the body's signature: each address has the rate of a key. */
  readonly signed?: readonly string[];
  /** Routes that are neither traced nor measured; default: health and metrics. */
  readonly quiet?: readonly string[];
  /** It listens already; else one is made, and listens when it is told. */
  readonly early?: EarlyServer;
  readonly onRateLimited?: (request: FastifyRequest) => void;
  readonly authenticate: Authenticate;
  /** Where people sign in, and a cookie may stand for their credential. */
  readonly site?: Site;
  /** False where `authenticate` lets somebody in without one. */
  readonly keyNeeded: boolean;
  readonly rate: Rate;
  readonly trustProxy: boolean;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly telemetry: Telemetry;
};

const JSON_BODY = kibibytes(256);
const DATABASE_BACK_AFTER = milliseconds(2_000);

export type App = Awaited<ReturnType<typeof makeApp>>;

export async function makeApp(options: AppOptions) {
  const { telemetry, clock } = options;
  const app = fastify({
    bodyLimit: options.jsonBody ?? JSON_BODY,
    requestTimeout: REQUEST_LIMIT,
    connectionTimeout: REQUEST_LIMIT,
    // A missing Host header is refused below, with a body that says so.
    http: { headersTimeout: HEADERS_LIMIT, requireHostHeader: false },
    forceCloseConnections: 'idle',
    // What a connection already sent while the server stops is still answered.
    return503OnClosing: false,
    // The nearest proxy's word alone: what stands before it in X-Forwarded-For, a caller may have written.
    trustProxy: options.trustProxy && ((_address: string, hop: number) => hop === 0),
    routerOptions: { maxParamLength: 200 },
    clientErrorHandler: onBrokenConnection(options),
    frameworkErrors: onBrokenAddress(options) as never,
    logger: false,
    ...(options.early ? { serverFactory: options.early.adopt } : {}),
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  // Only 100-continue is known, and Node answers that itself; what else is expected is ignored, as RFC 9110 §10.1.1 allows.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  app.removeContentTypeParser('text/plain');
  instrumentFastify(app as never, telemetry, options);
  drainUnread(app as never, clock);
  letGoAtTheEnd(app as never);
  await app.register(helmet, SECURITY_HEADERS);
  // Before anybody asks who it is.
  await app.register(cookie);
  await app.register(multipart, { throwFileSizeLimit: false });
  await app.register(swagger, openApi(options.described, options.keyNeeded));
  const allowed = watchMethods(app as never);
  app.decorateRequest('principal');
  app.decorate('accessRefused', (reason: AccessRefusal) => telemetry.count('access_refused_total', { reason }));
  app.decorate('stillKnown', async (request: FastifyRequest) => {
    const found = await options.authenticate(asking(request, options.site));
    return found.kind === 'known';
  });
  app.setErrorHandler((error: unknown, request, reply) =>
    sendProblem(request, reply, toRefusal(error, request, options)),
  );
  refuseUnknown(app as never, allowed);
  guard(app as never, options);
  return app;
}

/** Before anybody looks at the body: where there is no route, its content type is of no interest. */
function refuseUnknown(app: Hooks, allowed: (url: string) => string[]): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    if (!request.is404) return;
    const methods = allowed(request.url);
    const where = `${request.method} ${request.url.split('?')[0]?.slice(0, 200)}`;
    if (methods.length === 0) throw refuse('not_found', `There is nothing at ${where}`);
    const allow = methods.join(', ');
    if (request.method === 'OPTIONS') return reply.code(204).header('allow', allow).send();
    throw refuse('method_not_allowed', `${where}: only ${allow} are possible`, { headers: { allow } });
  });
}

type Ending = {
  addHook(name: 'preClose', hook: () => Promise<void>): void;
  addHook(name: 'onSend', hook: (request: FastifyRequest, reply: FastifyReply) => Promise<void>): void;
};

/** A request that began before the stop is answered after it, and then its connection must not be kept. */
function letGoAtTheEnd(app: Ending): void {
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
  });
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close');
  });
}

/** Nothing here is a page: no script, no frame, no guess at a type, no copy in a cache. */
const SECURITY_HEADERS = {
  contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
  frameguard: { action: 'deny' },
} as const;

/** Marks a route as needing an action; routes without it are open to all (health, metrics, the OpenAPI document). */
export function authorised(action: Action) {
  return async (request: FastifyRequest): Promise<void> => {
    if (may(request.principal, action)) return;
    request.server.accessRefused('forbidden');
    const { roles, subject } = request.principal;
    throw refuse('forbidden', `${subject} has ${roles.join(', ') || 'no role'}, which does not allow ${action}`);
  };
}

type Hooks = {
  addHook(name: 'onRequest', hook: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>): void;
};
const AUTH_PROBLEMS = { 401: 'unauthenticated', 403: 'forbidden', 429: 'rate_limited' } as const;
const OPEN = ['/healthz', '/readyz', '/metrics', '/openapi.json'];

type ToRefusal = Pick<AppOptions, 'log' | 'jsonBody'>;

function guard(app: Hooks, options: AppOptions): void {
  const { authenticate, rate, clock } = options;
  const open = new Set([...OPEN, ...(options.open ?? [])]);
  const signed = new Set(options.signed ?? []);
  const limiter = makeRateLimiter(clock, rate);
  const hold = (who: string, request: FastifyRequest) => {
    const taken = limiter.take(who);
    if (taken.kind === 'granted') return;
    options.onRateLimited?.(request);
    const detail = `More than ${rate.perSecond} requests a second, after a burst of ${rate.burst}`;
    throw refuse('rate_limited', detail, { retryAfter: taken.wait });
  };
  app.addHook('onRequest', async (request) => {
    if (request.headers.host === undefined && request.raw.httpVersion === '1.1') {
      throw refuse('bad_request', 'The header Host is missing');
    }
    const route = request.routeOptions.url;
    if (route === undefined || open.has(route)) return;
    if (signed.has(route)) return hold(`address ${request.ip}`, request);
    const found = await authenticate(asking(request, options.site));
    if (found.kind === 'refused') throw refusedAccess(request, found);
    const { principal } = found;
    request.principal = principal;
    hold(`${principal.tenant}/${principal.subject}`, request);
  });
}

/** What is known of whoever sends a request. */
export const asking = (request: FastifyRequest, site: Site | undefined): Asking => ({
  headers: request.headers,
  address: request.ip,
  method: request.method,
  hosts: hostsOf(request, site),
  session: givenSession(request, site),
});

/** Counts it, for the caller to throw. */
export function refusedAccess({ server }: FastifyRequest, { reason, status, message, wait }: Unknown): Refusal {
  server.accessRefused(reason);
  return refuse(AUTH_PROBLEMS[status], message, wait === undefined ? {} : { retryAfter: wait });
}

export function toRefusal(error: unknown, request: FastifyRequest, { log, jsonBody }: ToRefusal): Refusal {
  if (isRefusal(error)) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const where = PLACES[error.validationContext ?? ''] ?? 'request';
    const faults = error.validation.map(({ instancePath, message }) => {
      const name = instancePath.slice(1).replaceAll('/', '.');
      return name === '' ? `${where}: ${message}` : `${where} "${name}": ${message}`;
    });
    return refuse('bad_request', faults.join('; ').slice(0, 500));
  }
  const { statusCode = 500, code, message } = error as FastifyError;
  if (statusCode === 413) {
    const limit = request.routeOptions.bodyLimit ?? jsonBody ?? JSON_BODY;
    return refuse('too_large', `The body is over the limit of ${limit} bytes`);
  }
  if (statusCode === 415) return refuse('unsupported_media_type', wantedType(request));
  if (statusCode >= 400 && statusCode < 500) return refuse('bad_request', message.slice(0, 500));
  const route = request.routeOptions.url;
  if (error instanceof Fault && error.retryable) {
    log.warn({ route, code: error.code, reason: describe(error) }, 'a request could not be served');
    return refuse('unavailable', 'The database is not available at this moment', { retryAfter: DATABASE_BACK_AFTER });
  }
  log.error({ route, code, err: error }, 'a request failed');
  return refuse('internal', 'The fault is on our side and was written down under the correlation ID');
}

const PLACES: Readonly<Record<string, string>> = {
  querystring: 'parameter',
  params: 'path',
  headers: 'header',
  body: 'body',
};

/** What would have been right, for a 415. */
export function wantedType({ routeOptions, headers }: FastifyRequest): string {
  const { consumes } = (routeOptions.schema ?? {}) as { consumes?: readonly string[] };
  const found = headers['content-type'];
  const had = found === undefined ? 'there was no Content-Type' : `received ${found.slice(0, 100)}`;
  return `Send ${consumes?.join(' or ') ?? 'application/json'}; ${had}`;
}

/** Which methods an address takes, for a true 405. */
function watchMethods(app: {
  addHook(name: 'onRoute', hook: (route: { method: string | string[]; url: string }) => void): void;
}): (url: string) => string[] {
  const routes: { pattern: RegExp; method: string }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    const pattern = new RegExp(`^${url.replace(/:[a-z]+/gi, '[^/]+').replace('*', '.*')}/?$`);
    for (const one of [method].flat()) routes.push({ pattern, method: one });
  });
  return (url) => {
    const path = url.split('?')[0] ?? '';
    const methods = routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
    return methods.length === 0 ? [] : [...new Set([...methods, 'OPTIONS'])].sort();
  };
}
