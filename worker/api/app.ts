/** The HTTP server of the document API, before its routes: who calls, how much, what an error looks like. */
import helmet from '@fastify/helmet';
import multipart from '@fastify/multipart';
import swagger from '@fastify/swagger';
import fastify, { type FastifyError, type FastifyRequest } from 'fastify';
import {
  createJsonSchemaTransform,
  hasZodFastifySchemaValidationErrors,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import type { Authenticate } from '#access/authenticator.ts';
import { makeRateLimiter } from '#access/rate-limit.ts';
import { type Action, may, type Principal } from '#access/roles.ts';
import { instrumentFastify } from '#collector/http-server.ts';
import type { Telemetry } from '#collector/telemetry.ts';
import type { Clock } from '#kernel/clock.ts';
import { describe, Fault } from '#kernel/errors.ts';
import type { Log } from '#kernel/log.ts';
import type { Random } from '#kernel/random.ts';
import type { Rate } from '#kernel/token-bucket.ts';
import { kibibytes, milliseconds } from '#kernel/units.ts';
import { isRefusal, type Refusal, refuse, sendProblem } from './problems.ts';

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal;
  }
}

export type AppOptions = {
  readonly authenticate: Authenticate;
  readonly rate: Rate;
  readonly trustProxy: boolean;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly telemetry: Telemetry;
};

const JSON_BODY = kibibytes(256);
/** A whole request, its body included: 50 MB at 1.4 Mbit/s. */
const REQUEST_LIMIT = milliseconds(300_000);
const HEADERS_LIMIT = milliseconds(20_000);
const DATABASE_BACK_AFTER = milliseconds(2_000);

export type App = Awaited<ReturnType<typeof makeApp>>;

export async function makeApp(options: AppOptions) {
  const { log, telemetry } = options;
  const app = fastify({
    bodyLimit: JSON_BODY,
    requestTimeout: REQUEST_LIMIT,
    connectionTimeout: REQUEST_LIMIT,
    http: { headersTimeout: HEADERS_LIMIT },
    forceCloseConnections: 'idle',
    trustProxy: options.trustProxy,
    routerOptions: { maxParamLength: 200 },
    logger: false,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  instrumentFastify(app as never, telemetry, options);
  await app.register(helmet, { contentSecurityPolicy: { directives: { defaultSrc: ["'none'"] } } });
  await app.register(multipart, { throwFileSizeLimit: false });
  await app.register(swagger, openApi(options.version));
  const allowed = watchMethods(app as never);
  app.decorateRequest('principal');
  app.setErrorHandler((error: unknown, request, reply) => sendProblem(request, reply, toRefusal(error, request, log)));
  app.setNotFoundHandler((request, reply) => {
    const methods = allowed(request.url);
    const where = `${request.method} ${request.url.split('?')[0]?.slice(0, 200)}`;
    if (methods.length === 0) return sendProblem(request, reply, refuse('not_found', `There is nothing at ${where}`));
    const allow = methods.join(', ');
    const refusal = refuse('method_not_allowed', `${where}: only ${allow} is possible`, { headers: { allow } });
    return sendProblem(request, reply, refusal);
  });
  guard(app as never, options);
  return app;
}

/** Marks a route as needing an action; routes without it are open to all (health, metrics, the OpenAPI document). */
export function authorised(action: Action) {
  return async (request: FastifyRequest): Promise<void> => {
    if (may(request.principal, action)) return;
    const { roles, subject } = request.principal;
    throw refuse('forbidden', `${subject} has ${roles.join(', ') || 'no role'}, which does not allow ${action}`);
  };
}

type Hooks = { addHook(name: 'onRequest', hook: (request: FastifyRequest) => Promise<void>): void };
const AUTH_PROBLEMS = { 401: 'unauthenticated', 403: 'forbidden', 429: 'rate_limited' } as const;
const OPEN = new Set(['/healthz', '/readyz', '/metrics', '/openapi.json']);

function guard(app: Hooks, { authenticate, rate, clock, telemetry }: AppOptions): void {
  const limiter = makeRateLimiter(clock, rate);
  app.addHook('onRequest', async (request) => {
    const route = request.routeOptions.url;
    if (route === undefined || OPEN.has(route)) return;
    const found = await authenticate({ headers: request.headers, address: request.ip });
    if (found.kind === 'refused') {
      throw refuse(
        AUTH_PROBLEMS[found.status],
        found.message,
        found.wait === undefined ? {} : { retryAfter: found.wait },
      );
    }
    const { principal } = found;
    request.principal = principal;
    const taken = limiter.take(`${principal.tenant}/${principal.subject}`);
    if (taken.kind === 'granted') return;
    telemetry.count('uploads_refused_total', { reason: 'rate_limited' });
    const detail = `More than ${rate.perSecond} requests a second, after a burst of ${rate.burst}`;
    throw refuse('rate_limited', detail, { retryAfter: taken.wait });
  });
}

function toRefusal(error: unknown, request: FastifyRequest, log: Log): Refusal {
  if (isRefusal(error)) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const faults = error.validation.map(({ instancePath, message }) => `${instancePath || '/'}: ${message}`);
    return refuse('bad_request', `${error.validationContext ?? 'request'} ${faults.join('; ').slice(0, 500)}`);
  }
  const { statusCode = 500, code, message } = error as FastifyError;
  if (statusCode === 413) return refuse('too_large', `The body is over the limit of ${JSON_BODY} bytes`);
  if (statusCode === 415) return refuse('unsupported_media_type', 'Send application/json');
  if (statusCode >= 400 && statusCode < 500) return refuse('bad_request', message.slice(0, 500));
  const route = request.routeOptions.url;
  if (error instanceof Fault && error.retryable) {
    log.warn({ route, code: error.code, reason: describe(error) }, 'a request could not be served');
    return refuse('unavailable', 'The database is not available at this moment', { retryAfter: DATABASE_BACK_AFTER });
  }
  log.error({ route, code, err: error }, 'a request failed');
  return refuse('internal', 'The fault is on our side and was written down under the correlation ID');
}

/** Which methods an address takes, for a true 405. */
function watchMethods(app: {
  addHook(name: 'onRoute', hook: (route: { method: string | string[]; url: string }) => void): void;
}): (url: string) => string[] {
  const routes: { pattern: RegExp; method: string }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    const pattern = new RegExp(`^${url.replace(/:[a-z]+/gi, '[^/]+')}/?$`);
    for (const one of [method].flat()) routes.push({ pattern, method: one });
  });
  return (url) => {
    const path = url.split('?')[0] ?? '';
    return [...new Set(routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))];
  };
}

function openApi(version: string) {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Burnline document API',
        description: 'Documents in, searchable chunks out, and the whole way visible.',
        version,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: {
        securitySchemes: {
          key: { type: 'http' as const, scheme: 'bearer', description: 'An API key (bl_…) or a JWT' },
        },
      },
      security: [{ key: [] }, {}],
    },
    transform: createJsonSchemaTransform({ skipList: [] }) as never,
    transformObject: jsonSchemaTransformObject as never,
  };
}
