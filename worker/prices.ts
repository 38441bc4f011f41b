/**
 * What vendors charge, with the day it was read. A price that is not here is an error, not zero: a cost report that
 * leaves out what it does not know is worse than none.
 *
 * Sources: LlamaIndex, LlamaParse pricing ($1.25 for 1,000 credits; credits a page by tier); OpenAI, API pricing,
 * embeddings (USD for a million tokens). Read on 2026-11-20.
 */
import { Fault } from '#kernel/errors.ts';
import { type Usd, usd } from '#kernel/units.ts';

export const PRICES_READ_ON = '2026-11-20';

const USD_PER_CREDIT = 1.25 / 1000;

export const CREDITS_PER_PAGE = { fast: 1, cost_effective: 3, agentic: 10, agentic_plus: 45 } as const;
export type Tier = keyof typeof CREDITS_PER_PAGE;

const EMBEDDING_USD_PER_MILLION: Readonly<Record<string, number>> = {
  'text-embedding-3-small': 0.02,
  'text-embedding-3-large': 0.13,
  'text-embedding-ada-002': 0.1,
};

export const creditsCost = (credits: number): Usd => usd(credits * USD_PER_CREDIT);

/** @param override USD for a million tokens, for a compatible server with prices of its own. @throws {Fault} */
export function embeddingPrice(model: string, override: number | undefined): (tokens: number) => Usd {
  const perMillion = override ?? EMBEDDING_USD_PER_MILLION[model];
  if (perMillion === undefined) {
    throw new Fault('price_unknown', `Cannot price embeddings by "${model}": set EMBEDDING_USD_PER_MILLION_TOKENS`);
  }
  return (tokens) => usd((tokens * perMillion) / 1_000_000);
}
