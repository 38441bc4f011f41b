/**
 * What connects the pieces of one document's way: the W3C trace context, and the correlation ID in the baggage.
 * OpenTelemetry keeps both in one context per process, so these are functions and not part of a `Telemetry`: a log made
 * before it can already take `logContext` as its mixin.
 *
 * Source: https://www.w3.org/TR/trace-context/ §3.2, https://www.w3.org/TR/baggage/.
 */
import { type Context, context, isSpanContextValid, propagation, type SpanContext, trace } from '@opentelemetry/api';

declare const traceparent: unique symbol;
/** A W3C trace context, `00-<trace id>-<span id>-<flags>`: what a row stores so that another process can go on. */
export type Traceparent = string & { readonly [traceparent]: true };

export const CORRELATION_KEY = 'correlation.id';
/** What a caller may choose as a correlation ID: it goes into rows, logs, spans and headers as it is. */
const CORRELATION_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Undefined for what is none: a caller's header is a wish, not a reason to fail. */
export function parseTraceparent(text: string | null | undefined): Traceparent | undefined {
  return spanContextOf(text) === undefined ? undefined : (text as Traceparent);
}

/** A later version may have more fields; version ff is forbidden, ids of zeros are invalid. */
export function spanContextOf(text: string | null | undefined): SpanContext | undefined {
  const [, version, traceId = '', spanId = '', flags = '', more] = TRACEPARENT.exec(text ?? '') ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  const found: SpanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
  return isSpanContextValid(found) ? found : undefined;
}

export function formatTraceparent({ traceId, spanId, traceFlags }: SpanContext): Traceparent {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}` as Traceparent;
}

export function isCorrelationId(text: unknown): text is string {
  return typeof text === 'string' && CORRELATION_ID.test(text);
}

export function correlationIdOf(from: Context = context.active()): string | undefined {
  return propagation.getBaggage(from)?.getEntry(CORRELATION_KEY)?.value;
}

/** `from` with this correlation ID, and nothing else, in its baggage. */
export function withCorrelationId(correlationId: string, from: Context = context.active()): Context {
  return propagation.setBaggage(from, propagation.createBaggage({ [CORRELATION_KEY]: { value: correlationId } }));
}

export function currentSpanContext(from: Context = context.active()): SpanContext | undefined {
  const found = trace.getSpanContext(from);
  return found !== undefined && isSpanContextValid(found) ? found : undefined;
}

export type LogContext = { readonly traceId?: string; readonly spanId?: string; readonly correlationId?: string };

/** For kernel/log.ts's `mixin`: the ids that are current where the line is written. */
export function logContext(): LogContext {
  const span = currentSpanContext();
  const correlationId = correlationIdOf();
  return {
    ...(span === undefined ? {} : { traceId: span.traceId, spanId: span.spanId }),
    ...(correlationId === undefined ? {} : { correlationId }),
  };
}
