import assert from 'node:assert/strict';
import test from 'node:test';
import { ROOT_CONTEXT, type SpanContext, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { emptyResource } from '@opentelemetry/resources';
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace';
import { withCorrelationId } from './context.ts';
import { redacted, redacting } from './redact.ts';

const own: SpanContext = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 };
const TEXT = 'the text of salaries.pdf';
const span: ReadableSpan = {
  name: 'GET',
  kind: SpanKind.CLIENT,
  spanContext: () => own,
  startTime: [1, 0],
  endTime: [2, 0],
  duration: [1, 0],
  ended: true,
  status: { code: SpanStatusCode.ERROR, message: TEXT },
  attributes: { 'http.response.status_code': 500, body: TEXT },
  links: [{ context: own, attributes: { note: TEXT } }],
  events: [
    {
      name: 'exception',
      time: [1, 5],
      attributes: { 'exception.type': 'TypeError', 'exception.message': TEXT, 'exception.stacktrace': TEXT },
    },
  ],
  resource: emptyResource(),
  instrumentationScope: { name: 'any library' },
  droppedAttributesCount: 0,
  droppedEventsCount: 0,
  droppedLinksCount: 0,
};

test('redacted() keeps of an error what kind it was, and neither its message nor its stack', () => {
  const counts: number[] = [];
  const clean = redacted(span, (count) => counts.push(count));
  assert.deepEqual(clean.status, { code: SpanStatusCode.ERROR });
  assert.deepEqual(clean.attributes, { 'http.response.status_code': 500 });
  assert.deepEqual(clean.events, [{ name: 'exception', time: [1, 5], attributes: { 'exception.type': 'TypeError' } }]);
  assert.deepEqual(clean.links, [{ context: own, attributes: {} }]);
  assert.deepEqual(counts, [4]);
});

test('redacted() changes nothing else, and not the span itself', () => {
  const clean = redacted(span, () => {});
  assert.deepEqual(
    [clean.name, clean.kind, clean.spanContext(), clean.duration, clean.instrumentationScope],
    [span.name, span.kind, own, span.duration, span.instrumentationScope],
  );
  assert.equal(span.status.message, TEXT);
});

test('redacting() hands every exporter the clean span, and starts each with the correlation ID', async () => {
  const seen: unknown[] = [];
  const exporter = (name: string): SpanProcessor => ({
    onStart: () => seen.push(`${name} started`),
    onEnd: (ended) => seen.push(`${name} ${ended.status.message}`),
    forceFlush: async () => void seen.push(`${name} flushed`),
    shutdown: async () => void seen.push(`${name} stopped`),
  });
  const gate = redacting([exporter('a'), exporter('b')], () => {});
  const started = { setAttribute: (...given: unknown[]) => seen.push(given) } as never;
  gate.onStart(started, withCorrelationId('order-7', ROOT_CONTEXT));
  gate.onEnd(span);
  await gate.forceFlush();
  await gate.shutdown();
  assert.deepEqual(seen, [
    ['burnline.correlation_id', 'order-7'],
    'a started',
    'b started',
    'a undefined',
    'b undefined',
    'a flushed',
    'b flushed',
    'a stopped',
    'b stopped',
  ]);
});
