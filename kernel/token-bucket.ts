/** A rate with a burst, as arithmetic on a record: the caller keeps the record, in memory or in a row. */
import type { Milliseconds } from './units.ts';

export type Rate = { readonly perSecond: number; readonly burst: number };
export type Bucket = { readonly level: number; readonly at: Milliseconds };

export const fullBucket = (rate: Rate, now: Milliseconds): Bucket => ({ level: rate.burst, at: now });

export type Taken =
  | { readonly kind: 'granted'; readonly bucket: Bucket }
  /** `wait`: until the bucket would hold `cost`, if nobody else takes from it. */
  | { readonly kind: 'refused'; readonly bucket: Bucket; readonly wait: Milliseconds };

/** A cost above the burst is granted by a full bucket and leaves a debt: else it could never pass. */
export function take(bucket: Bucket, rate: Rate, cost: number, now: Milliseconds): Taken {
  const passed = Math.max(0, now - bucket.at);
  const level = Math.min(rate.burst, bucket.level + (passed / 1000) * rate.perSecond);
  const needed = Math.min(cost, rate.burst);
  if (level + 1e-9 >= needed) return { kind: 'granted', bucket: { level: level - cost, at: now } };
  const wait = Math.ceil(((needed - level) / rate.perSecond) * 1000) as Milliseconds;
  return { kind: 'refused', bucket: { level, at: now }, wait };
}
