/**
 * embed: drafts → vectors, in batches that fit the vendor's limits. Each batch is stored as it comes, with the end of its
 * ledger row, so that a crash or a failure in the middle pays for one batch again, at most.
 */
import type { Telemetry } from '#collector/telemetry.ts';
import type { Db, Queryable } from '#kernel/database.ts';
import type { SharedClock } from '#kernel/shared-clock.ts';
import type { Usd } from '#kernel/units.ts';
import { copyEmbeddings, putEmbeddings, readUnembedded, type Unembedded } from '#worker/rows/results.ts';
import { observe } from '#worker/rows/vendor-limits.ts';
import type { Gateway } from '#worker/vendors/gateway.ts';
import type { Embedder } from '#worker/vendors/openai.ts';
import { counted } from '#worker/words.ts';
import { refused, type StepHandler, type StepInput, type StepResult } from './step.ts';

export type EmbedOptions = {
  readonly db: Db;
  readonly gateway: Gateway;
  readonly embedder: Embedder;
  readonly price: (tokens: number) => Usd;
  readonly shared: SharedClock;
  readonly telemetry: Telemetry;
};

/** Far below OpenAI's 2,048 inputs and 300,000 tokens: a smaller batch is less to pay twice. */
const BATCH_INPUTS = 128;
const BATCH_TOKENS = 60_000;

export function makeEmbedStep(options: EmbedOptions): StepHandler {
  return async (input) => {
    const { document, claim, save } = input;
    const { sameAs } = claim.payload as { sameAs?: string };
    const copied =
      sameAs === undefined
        ? 0
        : await save((q) => copyEmbeddings(q, document.id, sameAs, options.embedder.fingerprint));
    if (copied > 0) options.telemetry.count('step_cache_total', { step: 'embed', result: 'hit' });
    const batches = toBatches(await readUnembedded(options.db, document.id));
    let write: ((q: Queryable) => Promise<void>) | undefined;
    for (const batch of batches) {
      if (write) await save(write);
      const result = await embedBatch(options, input, batch);
      if (!('store' in result)) return result;
      write = result.store;
    }
    const count = document.chunks ?? 0;
    const because = `${counted(count, 'chunk')} embedded by ${options.embedder.model}`;
    const outcome = {
      kind: 'done',
      because: copied > 0 ? `${because}, ${copied} taken from the cache` : because,
    } as const;
    return { outcome, payload: {}, ...(write ? { write } : {}) };
  };
}

export function toBatches(drafts: readonly Unembedded[]): Unembedded[][] {
  const batches: Unembedded[][] = [];
  let tokens = 0;
  for (const draft of drafts) {
    const open = batches.at(-1);
    if (!open || open.length >= BATCH_INPUTS || tokens + draft.tokens > BATCH_TOKENS) {
      batches.push([draft]);
      tokens = draft.tokens;
    } else {
      open.push(draft);
      tokens += draft.tokens;
    }
  }
  return batches;
}

async function embedBatch(
  options: EmbedOptions,
  { document, save, signal }: StepInput,
  batch: readonly Unembedded[],
): Promise<StepResult | { readonly store: (q: Queryable) => Promise<void> }> {
  const { gateway, embedder, price, shared, telemetry } = options;
  const tokens = batch.reduce((sum, draft) => sum + draft.tokens, 0);
  const spend = {
    documentId: document.id,
    tenant: document.tenant,
    step: 'embed',
    operation: 'embeddings',
    tokens,
    expectedCost: price(tokens),
  };
  const texts = batch.map((draft) => draft.text);
  const called = await gateway.spend(spend, save, signal, (limit) => embedder.embed(texts, limit));
  if (called.kind === 'refused') return refused(called);
  const { vectors, tokens: billed, observed } = called.value;
  telemetry.count('vendor_tokens_total', { vendor: 'openai', kind: 'input' }, billed);
  telemetry.count('document_cost_usd_total', { vendor: 'openai' }, price(billed));
  const rows = batch.flatMap(({ ordinal }, i) => {
    const vector = vectors[i];
    return vector === undefined ? [] : [{ ordinal, vector }];
  });
  return {
    store: async (q) => {
      await called.record(q, { tokens: billed, cost: price(billed) });
      await putEmbeddings(q, document.id, rows, embedder.fingerprint);
      // The row that all workers share is locked last, and so for the shortest time.
      await observe(q, gateway.vendor, observed, shared.now());
    },
  };
}
