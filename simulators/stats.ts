/** What was asked of each vendor and how it ended, so that a test can count the calls that cost money. */
import type { Vendor } from './faults.ts';
import { VENDORS } from './faults.ts';

/** `answered` 2xx, `refused` 4xx and `broken` 5xx of the simulator's own judgement; `fault_*` by a fault plan. */
export const OUTCOMES = [
  'answered',
  'refused',
  'broken',
  'fault_error',
  'fault_hang',
  'fault_drop',
  'fault_garble',
  'fault_refuse',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Distinct documents and texts remembered; past it only the totals grow, and `forgotten` says so. */
const MOST_DISTINCT = 20_000;

type VendorStats = {
  requests: number;
  readonly outcomes: Partial<Record<Outcome, number>>;
  readonly statuses: Record<string, number>;
  readonly operations: Record<string, Partial<Record<Outcome, number>>>;
};

type Distinct = { readonly counts: Map<string, number>; total: number; forgotten: number };

export type Stats = {
  count(vendor: Vendor, operation: string, outcome: Outcome, status?: number): void;
  /** A file that LlamaParse accepted, also when its answer was lost. */
  countUpload(sha256: string): void;
  countCredits(credits: number): void;
  /** A text that OpenAI embedded, by hash. */
  countEmbedding(hash: string, tokens: number): void;
  snapshot(): unknown;
  reset(): void;
};

export function makeStats(): Stats {
  let state = emptyState();
  return {
    count: (vendor, operation, outcome, status) => {
      const mine = state.vendors[vendor];
      mine.requests++;
      mine.outcomes[outcome] = (mine.outcomes[outcome] ?? 0) + 1;
      if (status !== undefined) mine.statuses[status] = (mine.statuses[status] ?? 0) + 1;
      const op = mine.operations[operation] ?? {};
      mine.operations[operation] = { ...op, [outcome]: (op[outcome] ?? 0) + 1 };
    },
    countUpload: (sha256) => countDistinct(state.uploads, sha256),
    countCredits: (credits) => {
      state.credits += credits;
    },
    countEmbedding: (hash, tokens) => {
      countDistinct(state.embeddings, hash);
      state.tokens += tokens;
    },
    snapshot: () => ({
      vendors: state.vendors,
      llamaparse: {
        uploads: state.uploads.total,
        distinctDocuments: state.uploads.counts.size,
        uploadsBySha256: Object.fromEntries(state.uploads.counts),
        forgotten: state.uploads.forgotten,
        creditsBilled: state.credits,
      },
      openai: {
        inputs: state.embeddings.total,
        distinctInputs: state.embeddings.counts.size,
        forgotten: state.embeddings.forgotten,
        tokensBilled: state.tokens,
      },
    }),
    reset: () => {
      state = emptyState();
    },
  };
}

function emptyState() {
  const vendors = Object.fromEntries(
    VENDORS.map((vendor): [Vendor, VendorStats] => [
      vendor,
      { requests: 0, outcomes: {}, statuses: {}, operations: {} },
    ]),
  ) as Record<Vendor, VendorStats>;
  const distinct = (): Distinct => ({ counts: new Map(), total: 0, forgotten: 0 });
  return { vendors, uploads: distinct(), embeddings: distinct(), credits: 0, tokens: 0 };
}

function countDistinct(distinct: Distinct, key: string): void {
  distinct.total++;
  const before = distinct.counts.get(key);
  if (before === undefined && distinct.counts.size >= MOST_DISTINCT) distinct.forgotten++;
  else distinct.counts.set(key, (before ?? 0) + 1);
}
