/** What the embeddings endpoint refuses, and how fast it may be asked. Pure: counts and buckets in, a verdict out. */
import { type Bucket, fullBucket, type Rate, take } from '#kernel/token-bucket.ts';
import type { Milliseconds } from '#kernel/units.ts';
import type { LatencyProfile } from './latency.ts';

/** https://platform.openai.com/docs/api-reference/embeddings/create */
export const MOST_INPUTS = 2048;
export const MOST_TOKENS_PER_INPUT = 8192;
export const MOST_TOKENS_PER_REQUEST = 300_000;

/** Full size, and whether `dimensions` may shorten it. */
export const MODELS = {
  'text-embedding-3-small': { dimensions: 1536, shortens: true },
  'text-embedding-3-large': { dimensions: 3072, shortens: true },
  'text-embedding-ada-002': { dimensions: 1536, shortens: false },
} as const;
export type Model = keyof typeof MODELS;
export const isModel = (name: string): name is Model => Object.hasOwn(MODELS, name);

export type PerMinute = { readonly requests: number; readonly tokens: number };

/** The vendor's upper tiers when it plays a vendor; out of the way when the test is about something else. */
export const DEFAULT_LIMITS = {
  realistic: { requests: 10_000, tokens: 10_000_000 },
  zero: { requests: 1_000_000_000, tokens: 1_000_000_000 },
} as const satisfies Record<LatencyProfile, PerMinute>;

export type Budget = { readonly limits: PerMinute; readonly requests: Bucket; readonly tokens: Bucket };

const rateOf = (perMinute: number): Rate => ({ perSecond: perMinute / 60, burst: perMinute });

export function freshBudget(limits: PerMinute, now: Milliseconds): Budget {
  return {
    limits,
    requests: fullBucket(rateOf(limits.requests), now),
    tokens: fullBucket(rateOf(limits.tokens), now),
  };
}

export type Spent =
  | { readonly kind: 'granted'; readonly budget: Budget }
  | {
      readonly kind: 'limited';
      readonly budget: Budget;
      readonly by: 'requests' | 'tokens';
      readonly wait: Milliseconds;
    };

/** A refused request takes nothing, neither its request nor its tokens. */
export function spend(budget: Budget, tokens: number, now: Milliseconds): Spent {
  const request = take(budget.requests, rateOf(budget.limits.requests), 1, now);
  const volume = take(budget.tokens, rateOf(budget.limits.tokens), tokens, now);
  if (request.kind === 'granted' && volume.kind === 'granted') {
    return { kind: 'granted', budget: { ...budget, requests: request.bucket, tokens: volume.bucket } };
  }
  const waits = {
    requests: request.kind === 'refused' ? request.wait : 0,
    tokens: volume.kind === 'refused' ? volume.wait : 0,
  };
  const by = waits.requests >= waits.tokens ? 'requests' : 'tokens';
  return { kind: 'limited', budget, by, wait: waits[by] as Milliseconds };
}

/** `x-ratelimit-*`, with the resets in the vendor's spelling. */
export function limitHeaders(budget: Budget, now: Milliseconds): Record<string, string> {
  const level = (bucket: Bucket, perMinute: number) =>
    Math.min(perMinute, bucket.level + ((now - bucket.at) / 60_000) * perMinute);
  const requests = level(budget.requests, budget.limits.requests);
  const tokens = level(budget.tokens, budget.limits.tokens);
  const reset = (left: number, perMinute: number) => span(((perMinute - left) / perMinute) * 60_000);
  return {
    'x-ratelimit-limit-requests': String(budget.limits.requests),
    'x-ratelimit-remaining-requests': String(Math.max(0, Math.floor(requests))),
    'x-ratelimit-reset-requests': reset(requests, budget.limits.requests),
    'x-ratelimit-limit-tokens': String(budget.limits.tokens),
    'x-ratelimit-remaining-tokens': String(Math.max(0, Math.floor(tokens))),
    'x-ratelimit-reset-tokens': reset(tokens, budget.limits.tokens),
  };
}

/** As Go prints a duration: 8.64s, 120ms, 1m30s. */
export function span(milliseconds: number): string {
  const whole = Math.max(0, Math.round(milliseconds));
  if (whole < 1000) return `${whole}ms`;
  const minutes = Math.floor(whole / 60_000);
  const rest = `${Number(((whole - minutes * 60_000) / 1000).toFixed(3))}s`;
  return minutes > 0 ? `${minutes}m${rest}` : rest;
}
