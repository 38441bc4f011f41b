/** LlamaParse and OpenAI: down, slow, rate-limited, hanging, answering nonsense. */
import { milliseconds } from '#kernel/units.ts';
import type { Scenario } from './scenario.ts';
import type { Holds } from './verdict.ts';

/** The circuit's rest, the longest backoff, and a batch that has waited for both. */
const RECOVER_WITHIN = milliseconds(120_000);

type Fault = {
  readonly name: string;
  readonly words: string;
  readonly plan: Readonly<Record<string, unknown>>;
  /** So much is broken that somebody must be told; otherwise the retries must be enough. */
  readonly paged: boolean;
};

const FAULTS: readonly Fault[] = [
  { name: 'down', words: 'answers 500 to everything', plan: { errorRate: 1, status: 500 }, paged: true },
  { name: 'slow', words: 'takes 4 to 8 s longer', plan: { latencyMs: 6_000, jitterMs: 2_000 }, paged: false },
  {
    name: 'rate-limited',
    words: 'answers 429 to six in ten, Retry-After 3 s',
    plan: { errorRate: 0.6, status: 429, retryAfterSeconds: 3 },
    paged: false,
  },
  { name: 'hanging', words: 'takes requests and never answers', plan: { hang: true }, paged: false },
  { name: 'nonsense', words: 'answers 200 with nonsense', plan: { garble: true }, paged: true },
];

const VENDORS = [
  ['llamaparse', 'LlamaParse'],
  ['openai', 'OpenAI'],
] as const;

export const VENDOR_SCENARIOS: readonly Scenario[] = VENDORS.flatMap(([vendor, called]) =>
  FAULTS.map(({ name, words, plan, paged }): Scenario => {
    const holds: Holds = { recoverWithin: RECOVER_WITHIN, paged, neighbour: 'nothing lost', kept: false };
    return {
      name: `${vendor}-${name}`,
      faults: `${called} ${words}, 40 s`,
      databases: ['embedded', 'postgres'],
      ...{ warm: 20, lasts: 40, after: 15, holds },
      begin: (stage) => stage.put(vendor, plan),
      end: (stage) => stage.heal(),
    };
  }),
);
