/**
 * Incoming HTTP of a Fastify server: the correlation ID, one server span and one measurement for each request. By
 * Fastify's hooks and not by a patched `http`, because only Fastify knows the route's template, and the template keeps
 * the label bounded and free of what a caller typed.
 *
 * Source: https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-server
 */
import { finished } from 'node:stream';
import { type Context, context, defaultTextMapGetter, ROOT_CONTEXT, type Span } from '@opentelemetry/api';
import { W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '#kernel/clock.ts';
import { type Random, uuidv7 } from '#kernel/random.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { HTTP_METHODS } from './catalogue-operation.ts';
import { correlationIdOf, isCorrelationId, withCorrelationId } from './context.ts';
import type { Telemetry } from './telemetry.ts';
import { failSpan, openSpan } from './tracing.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Taken from `X-Correlation-ID` or the baggage, or made; also in the answer's `X-Correlation-ID`. */
    correlationId: string;
  }
}

export type HttpServerOptions = {
  readonly clock: Clock;
  readonly random: Random;
  /** Routes of machines that ask all the time: neither traced nor measured, or their calm would hide an outage. */
  readonly quiet?: readonly string[];
};

export const QUIET_ROUTES = ['/metrics', '/healthz', '/readyz', '/-/healthy', '/-/ready'] as const;
const CORRELATION_HEADER = 'x-correlation-id';
const TRACE_CONTEXT = new W3CTraceContextPropagator();
const BAGGAGE = new W3CBaggagePropagator();

type Method = (typeof HTTP_METHODS)[number];
type Watched = { readonly span: Span; readonly within: Context; readonly begun: Milliseconds };

/** Call it before routes and other hooks are added. */
export function instrumentFastify(app: FastifyInstance, telemetry: Telemetry, options: HttpServerOptions): void {
  const quiet = new Set<string>(options.quiet ?? QUIET_ROUTES);
  app.decorateRequest('correlationId', '');
  app.addHook('onRequest', (request, reply, done) => {
    const correlated = correlate(request, reply, options);
    const route = request.routeOptions.url;
    if (route !== undefined && quiet.has(route)) return context.with(correlated, done);
    const state = begin(request, correlated, options.clock.steady());
    finished(reply.raw, () => end(request, reply, state, telemetry, options.clock));
    // Fastify carries the context over the reading of a body; a test with large bodies holds it to that.
    context.with(state.within, done);
  });
}

/** The caller's trace, and one correlation ID: the header's, the baggage's, or a new one. */
function correlate(request: FastifyRequest, reply: FastifyReply, { clock, random }: HttpServerOptions): Context {
  const { headers } = request;
  const caller = TRACE_CONTEXT.extract(ROOT_CONTEXT, headers, defaultTextMapGetter);
  const baggage = correlationIdOf(BAGGAGE.extract(ROOT_CONTEXT, headers, defaultTextMapGetter));
  const wished = [headers[CORRELATION_HEADER], baggage].find(isCorrelationId);
  request.correlationId = wished ?? uuidv7(clock.now(), random);
  reply.header(CORRELATION_HEADER, request.correlationId);
  return withCorrelationId(request.correlationId, caller);
}

function begin(request: FastifyRequest, correlated: Context, begun: Milliseconds): Watched {
  const method = methodOf(request);
  const route = request.routeOptions.url;
  const attributes = {
    'http.request.method': method,
    'url.scheme': request.protocol,
    // Of a path that no route knows, nothing is kept: it is whatever a stranger typed.
    ...(route === undefined ? {} : { 'http.route': route, 'url.path': request.url.split('?', 1)[0] }),
  };
  const name = route === undefined ? method : `${method} ${route}`;
  return { ...context.with(correlated, () => openSpan(name, { kind: 'server', attributes })), begun };
}

function end(request: FastifyRequest, reply: FastifyReply, state: Watched, telemetry: Telemetry, clock: Clock): void {
  const route = request.routeOptions.url;
  const status = reply.raw.headersSent ? reply.raw.statusCode : undefined;
  const error = status === undefined ? 'aborted' : status >= 500 ? String(status) : undefined;
  const shared = {
    ...(status === undefined ? {} : { 'http.response.status_code': status }),
    ...(error === undefined ? {} : { 'error.type': error }),
  };
  state.span.setAttributes(shared);
  if (error !== undefined && error !== 'aborted') failSpan(state.span, error);
  state.span.end();
  telemetry.record(
    'http_server_request_duration_seconds',
    {
      'http.request.method': methodOf(request),
      ...(route === undefined ? {} : { 'http.route': route }),
      'url.scheme': request.protocol === 'https' ? 'https' : 'http',
      ...shared,
    },
    (clock.steady() - state.begun) / 1000,
  );
}

const methodOf = ({ method }: FastifyRequest): Method => HTTP_METHODS.find((name) => name === method) ?? '_OTHER';
