/**
 * A vendor's quota, shared by all workers: requests and tokens a minute as one row of two token buckets, and how many
 * calls are open at once, counted from the ledger. The row's lock makes the count exact; all workers stand in line for it, so
 * that whoever has it asks as little as can be, and what can be is sent together.
 */
import { instant, type Queryable } from '#kernel/database.ts';
import { fullBucket, type Rate, take } from '#kernel/token-bucket.ts';
import type { Milliseconds } from '#kernel/units.ts';

export type Quota = {
  readonly requestsPerMinute: number;
  readonly tokensPerMinute: number;
  readonly concurrency: number;
};

export type Admission =
  | { readonly kind: 'granted' }
  | { readonly kind: 'wait'; readonly wait: Milliseconds; readonly because: string };

type LimitRow = {
  readonly requests: number;
  readonly tokens: number;
  readonly requestsPerMinute: number;
  readonly tokensPerMinute: number;
  readonly at: Milliseconds;
  readonly blockedUntil: Milliseconds | null;
};

/** How soon to look again when all places are taken: nobody tells us when one falls free. */
const PLACE_WAIT = 250 as Milliseconds;

/** A started call without an end is counted as open for this long: its worker may have died. */
export const OPEN_CALL_LIMIT = 60_000 as Milliseconds;

const perMinute = (n: number): Rate => ({ perSecond: n / 60, burst: n });

export type Wish = {
  readonly vendor: string;
  readonly quota: Quota;
  readonly tokens: number;
  readonly now: Milliseconds;
};

/** Call it in a transaction. @param start writes the call down, if it is granted: in the same transaction, or nobody counts it. */
export async function admit(
  q: Queryable,
  { vendor, quota, tokens, now }: Wish,
  start: () => Promise<void>,
): Promise<Admission> {
  const [row, open] = await lockLimits(q, vendor, quota, now);
  if (row.blockedUntil !== null && row.blockedUntil > now) {
    const wait = (row.blockedUntil - now) as Milliseconds;
    return { kind: 'wait', wait, because: `${vendor} asked to wait` };
  }
  if (open >= quota.concurrency) {
    return { kind: 'wait', wait: PLACE_WAIT, because: `${open} calls to ${vendor} are open, the most allowed` };
  }
  const requestRate = perMinute(row.requestsPerMinute);
  const tokenRate = perMinute(row.tokensPerMinute);
  const request = take({ level: row.requests, at: row.at }, requestRate, 1, now);
  const token = take({ level: row.tokens, at: row.at }, tokenRate, tokens, now);
  if (request.kind === 'refused') return { kind: 'wait', wait: request.wait, because: `${vendor}: requests a minute` };
  if (token.kind === 'refused') return { kind: 'wait', wait: token.wait, because: `${vendor}: tokens a minute` };
  const left = [request.bucket.level, token.bucket.level] as const;
  await Promise.all([
    q.query('update worker.vendor_limits set requests = $2, tokens = $3, at = $4 where vendor = $1', [
      vendor,
      ...left,
      instant(now),
    ]),
    start(),
  ]);
  return { kind: 'granted' };
}

type Locked = readonly [row: LimitRow, open: number];

async function lockLimits(q: Queryable, vendor: string, quota: Quota, now: Milliseconds): Promise<Locked> {
  // Two statements: one alone would count what was there before it waited for the lock.
  const read = async (): Promise<Locked | undefined> => {
    const [rows, open] = await Promise.all([lockRow(q, vendor), countOpen(q, vendor, now)]);
    return rows[0] && [rows[0], open];
  };
  const found = await read();
  if (found) return found;
  await configureLimits(q, vendor, quota, now);
  const made = await read();
  if (!made) throw new RangeError(`Cannot read the limits of ${vendor}: the row just made is gone`);
  return made;
}

const lockRow = (q: Queryable, vendor: string): Promise<LimitRow[]> =>
  q.query<LimitRow>(
    `select requests, tokens, requests_per_minute as "requestsPerMinute", tokens_per_minute as "tokensPerMinute", at,
       blocked_until as "blockedUntil" from worker.vendor_limits where vendor = $1 for update`,
    [vendor],
  );

/** Writes the configured quota down; the level that is left stays, as far as the new limit allows. */
export async function configureLimits(q: Queryable, vendor: string, quota: Quota, now: Milliseconds): Promise<void> {
  const requests = fullBucket(perMinute(quota.requestsPerMinute), now);
  const tokens = fullBucket(perMinute(quota.tokensPerMinute), now);
  await q.query(
    `insert into worker.vendor_limits as l (vendor, requests, tokens, requests_per_minute, tokens_per_minute, at)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (vendor) do update set requests = least(l.requests, excluded.requests),
       tokens = least(l.tokens, excluded.tokens), requests_per_minute = excluded.requests_per_minute,
       tokens_per_minute = excluded.tokens_per_minute`,
    [vendor, requests.level, tokens.level, quota.requestsPerMinute, quota.tokensPerMinute, instant(now)],
  );
}

async function countOpen(q: Queryable, vendor: string, now: Milliseconds): Promise<number> {
  const rows = await q.query<{ n: number }>(
    `select count(*) as n from worker.vendor_calls where vendor = $1 and outcome = 'started' and started_at > $2`,
    [vendor, instant((now - OPEN_CALL_LIMIT) as Milliseconds)],
  );
  return rows[0]?.n ?? 0;
}

/** What a vendor's headers say of our account. */
export type Observed = {
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
  readonly remainingRequests?: number | undefined;
  readonly remainingTokens?: number | undefined;
  /** From a 429's Retry-After: nobody calls before. */
  readonly blockedFor?: Milliseconds | undefined;
};

/**
 * Believes the vendor: its limits replace ours, and we never think that more is left than it says. Where it says nothing new,
 * as it mostly does, the row is not touched, and nobody waits for it.
 */
export async function observe(q: Queryable, vendor: string, seen: Observed, now: Milliseconds): Promise<void> {
  await q.query(
    `update worker.vendor_limits set
       requests_per_minute = coalesce($2, requests_per_minute), tokens_per_minute = coalesce($3, tokens_per_minute),
       requests = least(requests, coalesce($4, requests)), tokens = least(tokens, coalesce($5, tokens)),
       blocked_until = greatest(blocked_until, $6)
     where vendor = $1 and (requests_per_minute <> $2 or tokens_per_minute <> $3 or requests > $4 or tokens > $5
       or $6 > coalesce(blocked_until, '-infinity'))`,
    [
      vendor,
      seen.requestsPerMinute,
      seen.tokensPerMinute,
      seen.remainingRequests,
      seen.remainingTokens,
      seen.blockedFor === undefined ? null : instant((now + seen.blockedFor) as Milliseconds),
    ],
  );
}
