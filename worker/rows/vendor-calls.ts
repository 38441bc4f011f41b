/**
 * The ledger: a row for every call that a vendor may bill, written before the call so that a kill in the middle leaves a
 * trace, and ended after it. The same transaction asks the quota that all workers share.
 */
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds, Usd } from '#kernel/units.ts';

export type CallStart = {
  readonly id: string;
  readonly documentId: string | null;
  readonly tenant: string;
  readonly step: string;
  readonly vendor: string;
  readonly operation: string;
  readonly at: Milliseconds;
  /** What the call will cost if nobody learns better: it stays when the call's end is never seen. */
  readonly expectedCost: Usd;
};

/**
 * A document has one call at a time at each step. So one that is open still was cut off without a takeover: by a stop that
 * handed the job back, or by the step's time limit.
 */
export async function startCall(q: Queryable, call: CallStart): Promise<void> {
  await q.query(
    `with cut_off as (
       update worker.vendor_calls set outcome = 'interrupted', wasted = true, ended_at = $7
       where document_id = $2 and step = $4 and outcome = 'started'
     )
     insert into worker.vendor_calls
       (id, document_id, tenant, step, vendor, operation, started_at, outcome, cost_usd)
     values ($1, $2, $3, $4, $5, $6, $7, 'started', $8)`,
    [
      call.id,
      call.documentId,
      call.tenant,
      call.step,
      call.vendor,
      call.operation,
      instant(call.at),
      call.expectedCost,
    ],
  );
}

export type CallEnd = {
  readonly at: Milliseconds;
  readonly outcome: 'completed' | 'failed';
  readonly httpStatus?: number | undefined;
  readonly vendorJob?: string | undefined;
  readonly credits?: number;
  readonly tokens?: number;
  readonly cost: Usd;
  readonly wasted?: boolean;
};

export async function endCall(q: Queryable, id: string, end: CallEnd): Promise<void> {
  await q.query(
    `update worker.vendor_calls set ended_at = $2, outcome = $3, http_status = $4, vendor_job = $5, credits = $6,
       tokens = $7, cost_usd = $8, wasted = $9
     where id = $1`,
    [
      id,
      instant(end.at),
      end.outcome,
      end.httpStatus,
      end.vendorJob,
      end.credits ?? 0,
      end.tokens ?? 0,
      end.cost,
      end.wasted ?? false,
    ],
  );
}

/** Calls are found by their document: the job alone would be looked for among those of all. */
export type VendorJob = { readonly documentId: string; readonly vendorJob: string };

/** What a job that was billed later turned out to cost: LlamaParse tells the credits with the result. */
export async function settleCall(
  q: Queryable,
  { documentId, vendorJob }: VendorJob,
  bill: { readonly credits: number; readonly cost: Usd },
): Promise<void> {
  await q.query(
    'update worker.vendor_calls set credits = $3, cost_usd = $4 where document_id = $1 and vendor_job = $2',
    [documentId, vendorJob, bill.credits, bill.cost],
  );
}

export type Wasted = { readonly vendor: string; readonly cost: Usd };

/** The vendor no longer knows this job: what it cost was for nothing. @returns what that was. */
export async function wasteCall(q: Queryable, { documentId, vendorJob }: VendorJob): Promise<Wasted[]> {
  return await q.query<Wasted>(
    `update worker.vendor_calls set wasted = true where document_id = $1 and vendor_job = $2 and not wasted
     returning vendor, cost_usd as cost`,
    [documentId, vendorJob],
  );
}

/** Calls of this document and step whose end nobody saw: their worker died. @returns what they may have cost. */
export async function closeInterrupted(
  q: Queryable,
  documentId: string,
  step: string,
  at: Milliseconds,
): Promise<Wasted[]> {
  return await q.query<Wasted>(
    `update worker.vendor_calls set outcome = 'interrupted', wasted = true, ended_at = $3
     where document_id = $1 and step = $2 and outcome = 'started' returning vendor, cost_usd as cost`,
    [documentId, step, instant(at)],
  );
}

/** Calls of no document (searches) whose process ended in the middle: nobody takes those over. */
export async function closeAbandoned(q: Queryable, before: Milliseconds): Promise<void> {
  await q.query(
    `update worker.vendor_calls set outcome = 'interrupted', wasted = true, ended_at = $1
     where document_id is null and outcome = 'started' and started_at < $1`,
    [instant(before)],
  );
}

/** Adds up the ledger into the document, which is at its end: no call of it can be open any more. */
export async function chargeDocument(q: Queryable, documentId: string, at: Milliseconds): Promise<void> {
  await q.query(
    `with cut_off as (
       update worker.vendor_calls set outcome = 'interrupted', wasted = true, ended_at = $2
       where document_id = $1 and outcome = 'started'
     )
     update worker.documents set
       cost_usd = (select coalesce(sum(cost_usd), 0) from worker.vendor_calls where document_id = $1)
     where id = $1`,
    [documentId, instant(at)],
  );
}

export type CallRow = {
  readonly id: string;
  readonly step: string;
  readonly vendor: string;
  readonly operation: string;
  readonly startedAt: Milliseconds;
  readonly endedAt: Milliseconds | null;
  readonly outcome: 'started' | 'completed' | 'failed' | 'interrupted';
  readonly httpStatus: number | null;
  readonly credits: number;
  readonly tokens: number;
  readonly costUsd: number;
  readonly wasted: boolean;
};

/** The vendor's job of an upload that was paid and whose result is not here; for the payload of a parse job. */
export async function uploadedJob(q: Queryable, documentId: string): Promise<object> {
  const rows = await q.query<{ vendorJob: string; submittedAt: Milliseconds }>(
    `select vendor_job as "vendorJob", started_at as "submittedAt" from worker.vendor_calls
     where document_id = $1 and operation = 'upload' and outcome = 'completed' and not wasted and vendor_job is not null
       and not exists (select 1 from worker.parses where document_id = $1)
     order by started_at desc limit 1`,
    [documentId],
  );
  return rows[0] ?? {};
}
