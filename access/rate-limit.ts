/** A rate for each key, in memory: a limit on haste, not a quota. Several processes each grant their own. */
import type { Clock } from '#kernel/clock.ts';
import { type Bucket, fullBucket, type Rate, type Taken, take } from '#kernel/token-bucket.ts';
import type { Milliseconds } from '#kernel/units.ts';

export const DEFAULT_RATE: Rate = { perSecond: 50, burst: 200 };
/** Keys remembered; the one unused for longest goes first, and would by then be full again but for a flood of keys. */
export const LIMITED_KEYS_MAX = 10_000;

export type RateOutcome = { readonly kind: 'granted' } | { readonly kind: 'refused'; readonly wait: Milliseconds };
export interface RateLimiter {
  /** @param who a principal's `tenant/subject`, or an address. */
  take(who: string, cost?: number): RateOutcome;
  /** What `take` would say, without taking. */
  peek(who: string, cost?: number): RateOutcome;
  /** Keys remembered now. */
  size(): number;
}

export function makeRateLimiter(clock: Clock, rate: Rate = DEFAULT_RATE, most: number = LIMITED_KEYS_MAX): RateLimiter {
  const buckets = new Map<string, Bucket>();
  const outcome = (taken: Taken): RateOutcome =>
    taken.kind === 'granted' ? { kind: 'granted' } : { kind: 'refused', wait: taken.wait };
  const taken = (who: string, cost: number): Taken => {
    const now = clock.steady();
    return take(buckets.get(who) ?? fullBucket(rate, now), rate, cost, now);
  };
  return {
    take: (who, cost = 1) => {
      const result = taken(who, cost);
      // Deleted first, so that the Map's order is the order of use.
      buckets.delete(who);
      buckets.set(who, result.bucket);
      const [oldest] = buckets.keys();
      if (buckets.size > most && oldest !== undefined) buckets.delete(oldest);
      return outcome(result);
    },
    peek: (who, cost = 1) => outcome(taken(who, cost)),
    size: () => buckets.size,
  };
}
