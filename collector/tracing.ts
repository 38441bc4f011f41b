/** Spans around what we do ourselves: the steps of a job, a delivery, a request. */
import {
  type Attributes,
  type Context,
  context,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { Fault } from '#kernel/errors.ts';
import type { Milliseconds } from '#kernel/units.ts';
import type { SpanAttributes } from './attributes.ts';
import {
  currentSpanContext,
  formatTraceparent,
  isCorrelationId,
  spanContextOf,
  type Traceparent,
  withCorrelationId,
} from './context.ts';

export type SpanKindName = keyof typeof KINDS;
export type SpanOptions = {
  readonly kind?: SpanKindName;
  /** The stored context of another process; without it the span that is current is the parent. */
  readonly parent?: Traceparent | undefined;
  readonly links?: readonly Traceparent[];
  readonly attributes?: SpanAttributes;
};

/** The span that `inSpan` opened. It ends by itself. */
export interface ActiveSpan {
  readonly traceId: string;
  readonly traceparent: Traceparent;
  set(attributes: SpanAttributes): void;
  event(name: string, attributes?: SpanAttributes): void;
  /** Marks the span failed without a throw. `code` is from a closed set, never a message. */
  fail(code: string): void;
}

export type Past = { readonly begun: Milliseconds; readonly ended: Milliseconds; readonly code?: string | undefined };

export interface Tracing {
  /** Runs `work` inside a span. A throw marks it failed by its code and goes on. */
  inSpan<T>(name: string, options: SpanOptions, work: (span: ActiveSpan) => Promise<T>): Promise<T>;
  /** A span of what is over and began then, in wall time; `code`: how it failed. For what is worth one only once it is known how it went. */
  pastSpan(name: string, options: Omit<SpanOptions, 'parent' | 'links'>, span: Past): void;
  /** What a row stores, so that a job of another process goes on with this trace. */
  currentTraceparent(): Traceparent | undefined;
  /** Everything `work` starts, however deep, carries this correlation ID in its baggage, spans and log lines. */
  withCorrelation<T>(correlationId: string, work: () => T): T;
}

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

export const tracer = (): Tracer => trace.getTracer('burnline');

export const tracing: Tracing = {
  inSpan: async (name, options, work) => {
    const { span, within } = openSpan(name, options);
    try {
      return await context.with(within, () => work(activeSpan(span)));
    } catch (error) {
      failSpan(span, errorType(error));
      throw error;
    } finally {
      span.end();
    }
  },
  pastSpan: (name, { kind = 'internal', attributes = {} }, { begun, ended, code }) => {
    const span = tracer().startSpan(name, {
      kind: KINDS[kind],
      attributes: attributes as Attributes,
      startTime: begun,
    });
    if (code !== undefined) failSpan(span, code);
    span.end(ended);
  },
  currentTraceparent: () => {
    const current = currentSpanContext();
    return current && formatTraceparent(current);
  },
  withCorrelation: (correlationId, work) =>
    isCorrelationId(correlationId) ? context.with(withCorrelationId(correlationId), work) : work(),
};

/** A span that the caller ends, and the context in which it is current. */
export function openSpan(name: string, options: SpanOptions): { span: Span; within: Context } {
  const remote = spanContextOf(options.parent);
  const from = remote ? trace.setSpanContext(context.active(), remote) : context.active();
  const links = (options.links ?? []).flatMap((link) => spanContextOf(link) ?? []);
  const span = tracer().startSpan(
    name,
    {
      kind: KINDS[options.kind ?? 'internal'],
      attributes: (options.attributes ?? {}) as Attributes,
      links: links.map((linked) => ({ context: linked })),
    },
    from,
  );
  return { span, within: trace.setSpan(from, span) };
}

export function activeSpan(span: Span): ActiveSpan {
  const own = span.spanContext();
  return {
    traceId: own.traceId,
    traceparent: formatTraceparent(own),
    set: (attributes) => {
      span.setAttributes(attributes as Attributes);
    },
    event: (name, attributes = {}) => {
      span.addEvent(name, attributes as Attributes);
    },
    fail: (code) => failSpan(span, code),
  };
}

export function failSpan(span: Span, code: string): void {
  span.setAttribute('error.type', code);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** A closed word for any throw: our code, else the name of its class. Never its message. */
export function errorType(error: unknown): string {
  if (error instanceof Fault) return error.code;
  return error instanceof Error ? error.name : 'unknown';
}
