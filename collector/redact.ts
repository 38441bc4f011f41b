/**
 * The gate before every span exporter: passes on a copy that holds only what `attributes.ts` allows. It stands behind
 * all instrumentations, so also what a library writes into a span (a full URL, an error's message and stack) stops here.
 */
import type { Attributes, Link, SpanStatus } from '@opentelemetry/api';
import type { ReadableSpan, SpanProcessor, TimedEvent } from '@opentelemetry/sdk-trace';
import { cleanAttributes, cleanText } from './attributes.ts';
import { correlationIdOf } from './context.ts';

export function redacting(next: readonly SpanProcessor[], dropped: (count: number) => void): SpanProcessor {
  const each = async (act: (processor: SpanProcessor) => Promise<void>) => {
    await Promise.all(next.map(act));
  };
  return {
    onStart: (span, parent) => {
      const correlationId = correlationIdOf(parent);
      if (correlationId !== undefined) span.setAttribute('burnline.correlation_id', correlationId);
      for (const processor of next) processor.onStart(span, parent);
    },
    onEnd: (span) => {
      if (next.length === 0) return;
      const clean = redacted(span, dropped);
      for (const processor of next) processor.onEnd(clean);
    },
    forceFlush: () => each((processor) => processor.forceFlush()),
    shutdown: () => each((processor) => processor.shutdown()),
  };
}

export function redacted(span: ReadableSpan, dropped: (count: number) => void): ReadableSpan {
  let count = 0;
  const keep = (attributes: object): Attributes => {
    const clean = cleanAttributes(attributes);
    count += clean.dropped;
    return clean.attributes as Attributes;
  };
  const { events, links } = span;
  const clean = {
    name: cleanText(span.name),
    attributes: keep(span.attributes),
    events: events.length === 0 ? events : events.map((event) => cleanEvent(event, keep)),
    links:
      links.length === 0 ? links : links.map((link): Link => ({ ...link, attributes: keep(link.attributes ?? {}) })),
    // A status message is an error's message: whatever a vendor or a file wrote. The code is in error.type.
    status: { code: span.status.code } satisfies SpanStatus,
  };
  if (count > 0) dropped(count);
  // In front of the span, not into it; and assigned, since defining properties costs more than all of the rest.
  return Object.assign(Object.create(span) as ReadableSpan, clean);
}

function cleanEvent(event: TimedEvent, keep: (attributes: object) => Attributes): TimedEvent {
  return { ...event, name: cleanText(event.name), attributes: keep(event.attributes ?? {}) };
}
