/**
 * Attributes of the spans around our own work, by OpenTelemetry's semantic conventions for messaging and generative AI,
 * so that existing trace viewers know a queue and a model when they see one.
 *
 * Source: https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/,
 * https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ (embeddings).
 */
import type { SpanAttributes } from './attributes.ts';
import type { STEPS } from './catalogue-documents.ts';

export type Step = (typeof STEPS)[number];

const MESSAGING = { 'messaging.system': 'burnline', 'messaging.destination.name': 'documents' } as const;

/** Putting a document's next job into the queue. */
export function sendAttributes(job: { readonly id: string; readonly documentId: string }): SpanAttributes {
  return {
    ...MESSAGING,
    'messaging.operation.name': 'send',
    'messaging.operation.type': 'send',
    'messaging.message.id': job.id,
    'burnline.document.id': job.documentId,
  };
}

export type JobFacts = {
  readonly id: string;
  readonly documentId: string;
  readonly step: Step;
  readonly attempt: number;
  readonly workerId: string;
};

/** One attempt at a step: name the span `process <step>`, kind consumer, parent the document's stored context. */
export function processAttributes(job: JobFacts): SpanAttributes {
  return {
    ...MESSAGING,
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.message.id': job.id,
    'messaging.client.id': job.workerId,
    'burnline.document.id': job.documentId,
    'burnline.step': job.step,
    'burnline.job.attempt': job.attempt,
  };
}

export type EmbeddingFacts = {
  /** openai, or the host's name for a server that speaks its wire. */
  readonly provider: string;
  readonly model: string;
  readonly dimensions?: number;
};

/** One request for embeddings: name the span `embeddings <model>`, kind client. */
export function embeddingAttributes(facts: EmbeddingFacts): SpanAttributes {
  return {
    'gen_ai.operation.name': 'embeddings',
    'gen_ai.provider.name': facts.provider,
    'gen_ai.request.model': facts.model,
    'gen_ai.embeddings.dimension.count': facts.dimensions,
  };
}

/** What the answer says, to be set when it has come. */
export function embeddingUsage(usage: { readonly inputTokens: number; readonly model?: string }): SpanAttributes {
  return { 'gen_ai.usage.input_tokens': usage.inputTokens, 'gen_ai.response.model': usage.model };
}
