/** When to try again. Pure: the caller waits, or writes the time down. */
import type { Random } from './random.ts';
import type { Milliseconds } from './units.ts';

export type Backoff = { readonly first: Milliseconds; readonly most: Milliseconds };

/**
 * Exponential backoff with equal jitter: half of the doubled span is kept, half is chance, so that a herd spreads out
 * and nobody comes back at once. Source: Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 *
 * @param attempt 1 after the first failure.
 * @param wish the other side's Retry-After; never undercut.
 */
export function backoffDelay(policy: Backoff, attempt: number, random: Random, wish = 0 as Milliseconds): Milliseconds {
  const span = Math.min(policy.most, policy.first * 2 ** Math.max(0, attempt - 1));
  const jittered = span / 2 + (span / 2) * random.next();
  return Math.max(jittered, wish) as Milliseconds;
}

/**
 * Retry-After as RFC 9110 §10.2.3 has it: seconds or an HTTP date. Undefined when absent or unreadable.
 *
 * @param most whoever asks for more patience is asked again after this: some send a date as if it were a span.
 */
export function parseRetryAfter(
  value: string | null | undefined,
  now: Milliseconds,
  most = Number.POSITIVE_INFINITY as Milliseconds,
): Milliseconds | undefined {
  const wish = readRetryAfter(value, now);
  return wish === undefined ? undefined : (Math.min(wish, most) as Milliseconds);
}

function readRetryAfter(value: string | null | undefined, now: Milliseconds): Milliseconds | undefined {
  if (value === null || value === undefined || value.trim() === '') return undefined;
  const span = Number(value);
  if (Number.isFinite(span)) return span >= 0 ? ((span * 1000) as Milliseconds) : undefined;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : (Math.max(0, date - now) as Milliseconds);
}
