/** Embeddings by the OpenAI client; any compatible server serves, by its base URL. Its own retries are off: the queue has them. */
import OpenAI from 'openai';
import { embeddingAttributes, embeddingUsage } from '#collector/semantics.ts';
import type { Telemetry } from '#collector/telemetry.ts';
import { vendorFetch } from '#kernel/http.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Milliseconds } from '#kernel/units.ts';
import type { Observed } from '#worker/rows/vendor-limits.ts';
import { vendorFault } from './faults.ts';

/** The width of the table's vector column. */
export const DIMENSIONS = 1536;

export type EmbedderOptions = {
  readonly telemetry: Telemetry;
  readonly apiKey: Secret;
  readonly baseUrl: string;
  readonly model: string;
  readonly timeout: Milliseconds;
};

export type Embedded = {
  readonly vectors: readonly Float32Array[];
  readonly tokens: number;
  readonly observed: Observed;
};

export interface Embedder {
  readonly model: string;
  /** Model and server: vectors with the same can be compared. */
  readonly fingerprint: string;
  embed(texts: readonly string[], signal: AbortSignal): Promise<Embedded>;
}

export function makeEmbedder(options: EmbedderOptions): Embedder {
  const { model } = options;
  const client = new OpenAI({
    apiKey: options.apiKey.reveal(),
    baseURL: options.baseUrl,
    maxRetries: 0,
    timeout: options.timeout,
    fetch: vendorFetch,
    logLevel: 'off',
  });
  // ada-002 has no choice of dimensions; the newer models are asked for the table's.
  const sized = model.includes('ada') ? {} : { dimensions: DIMENSIONS };
  const request = async (texts: readonly string[], signal: AbortSignal): Promise<Embedded> => {
    const { data, response } = await client.embeddings
      .create({ model, input: [...texts], ...sized }, { signal })
      .withResponse();
    return {
      vectors: checkVectors(data?.data, texts.length),
      tokens: checkTokens(data?.usage?.total_tokens),
      observed: observedLimits(response.headers),
    };
  };
  const attributes = embeddingAttributes({ provider: providerOf(options.baseUrl), model, dimensions: DIMENSIONS });
  return {
    model,
    fingerprint: `${model} at ${new URL(options.baseUrl).host}`,
    embed: (texts, signal) =>
      options.telemetry.inSpan(`embeddings ${model}`, { kind: 'client', attributes }, async (span) => {
        const embedded = await request(texts, signal);
        span.set(embeddingUsage({ inputTokens: embedded.tokens, model }));
        return embedded;
      }),
  };
}

const providerOf = (baseUrl: string): string => {
  const { hostname } = new URL(baseUrl);
  return hostname === 'api.openai.com' ? 'openai' : hostname;
};

/** A vector that is missing, of another width or not a number would be found by no search, without a word. */
function checkVectors(data: unknown, expected: number): Float32Array[] {
  const rows = Array.isArray(data) ? (data as { index?: number; embedding?: unknown }[]) : [];
  const vectors: (Float32Array | undefined)[] = Array.from({ length: expected });
  for (const { index, embedding } of rows) {
    if (typeof index !== 'number' || !Array.isArray(embedding) || embedding.length !== DIMENSIONS) continue;
    const vector = Float32Array.from(embedding as number[]);
    if (vector.every(Number.isFinite)) vectors[index] = vector;
  }
  const good = vectors.filter((vector) => vector !== undefined);
  if (good.length === expected && rows.length === expected) return good;
  throw vendorFault('openai', 'vendor_nonsense', `gave ${good.length} good vectors for ${expected} texts`);
}

function checkTokens(tokens: unknown): number {
  if (typeof tokens === 'number' && Number.isFinite(tokens) && tokens >= 0) return tokens;
  throw vendorFault('openai', 'vendor_nonsense', 'did not say how many tokens it billed');
}

/** Source: OpenAI, Rate limits, "Rate limits in headers". */
export function observedLimits(headers: Headers): Observed {
  const read = (name: string): number | undefined => {
    const text = headers.get(name);
    const value = text === null ? Number.NaN : Number(text);
    return Number.isFinite(value) && value >= 0 ? value : undefined;
  };
  const limit = (value: number | undefined) => (value === 0 ? undefined : value);
  return {
    requestsPerMinute: limit(read('x-ratelimit-limit-requests')),
    tokensPerMinute: limit(read('x-ratelimit-limit-tokens')),
    remainingRequests: read('x-ratelimit-remaining-requests'),
    remainingTokens: read('x-ratelimit-remaining-tokens'),
  };
}
