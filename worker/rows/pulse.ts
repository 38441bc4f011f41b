/** How it goes just now, as counts of the last minutes. One statement each. */
import { instant, type Queryable } from '#kernel/database.ts';
import { uuidv7From } from '#kernel/random.ts';
import type { Milliseconds, Usd } from '#kernel/units.ts';

export type Finished = { readonly outcome: 'completed' | 'rejected' | 'failed'; readonly count: number };

export async function countFinished(q: Queryable, tenant: string, since: Milliseconds): Promise<Finished[]> {
  return await q.query<Finished>(
    `select status as outcome, count(*)::float8 as count from worker.documents
     where tenant = $1 and finished_at >= $2 and status in ('completed', 'rejected', 'failed') and not canary
     group by status`,
    [tenant, instant(since)],
  );
}

export type VendorPulse = {
  readonly vendor: string;
  readonly calls: number;
  readonly failed: number;
  readonly costUsd: Usd;
  /** Of calls that ended. */
  readonly p95: Milliseconds | null;
};

/** Calls that began since then. Their ids are of that time, and so the primary key finds them. */
export async function vendorPulses(q: Queryable, tenant: string, since: Milliseconds): Promise<VendorPulse[]> {
  return await q.query<VendorPulse>(
    `select vendor, count(*)::float8 as calls, count(*) filter (where outcome = 'failed')::float8 as failed,
       sum(cost_usd)::float8 as "costUsd",
       1000 * percentile_cont(0.95) within group (order by extract(epoch from ended_at - started_at)) as p95
     from worker.vendor_calls where id >= ($2 || '-0000-0000-000000000000')::uuid and tenant = $1 group by vendor order by vendor`,
    [tenant, uuidv7From(since)],
  );
}
