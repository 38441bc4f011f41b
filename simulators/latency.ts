/** How long each vendor takes when it is well. Pure: the caller draws the chance and waits. */
import type { Random } from '#kernel/random.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';

export type LatencyProfile = 'zero' | 'realistic';

/** Milliseconds, lowest and highest; observed orders of magnitude, not a vendor's promise. */
const RANGES = {
  upload: [150, 400],
  status: [30, 90],
  models: [60, 150],
  slack: [80, 200],
  pagerduty: [60, 180],
  smtp: [20, 80],
} as const satisfies Record<string, readonly [number, number]>;
export type Waited = keyof typeof RANGES;

const PARSE_BASE = 500;
const PARSE_PER_PAGE = 150;
const EMBED_BASE = 80;
const EMBED_SPREAD = 120;
const EMBED_PER_1000_TOKENS = 12;

export function answerTime(profile: LatencyProfile, what: Waited, random: Random): Milliseconds {
  if (profile === 'zero') return milliseconds(0);
  const [low, high] = RANGES[what];
  return milliseconds(low + (high - low) * random.next());
}

export function parseTime(profile: LatencyProfile, pages: number): Milliseconds {
  return milliseconds(profile === 'zero' ? 0 : PARSE_BASE + PARSE_PER_PAGE * pages);
}

export function embedTime(profile: LatencyProfile, tokens: number, random: Random): Milliseconds {
  if (profile === 'zero') return milliseconds(0);
  return milliseconds(EMBED_BASE + EMBED_SPREAD * random.next() + (EMBED_PER_1000_TOKENS * tokens) / 1000);
}
