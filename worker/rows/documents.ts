/** Statements on documents and their timelines. One function each; transactions belong to the caller. */
import { instant, type Queryable, queryWithValues } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';
import type { Status, UnfinishedStatus } from '#worker/document.ts';

export type NewDocument = {
  readonly id: string;
  readonly tenant: string;
  readonly filename: string;
  readonly contentType: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly metadata: object;
  readonly correlationId: string;
  readonly traceparent: string;
  readonly idempotencyKey: string | null;
  readonly requestHash: string;
  readonly webhookUrl: string | null;
  readonly noCache: boolean;
  readonly canary: boolean;
  readonly at: Milliseconds;
};

export type DocumentRow = {
  readonly id: string;
  readonly tenant: string;
  readonly filename: string;
  readonly contentType: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly status: Status;
  readonly attempts: number;
  readonly pages: number | null;
  readonly chunks: number | null;
  readonly tokens: number | null;
  readonly costUsd: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly correlationId: string;
  readonly traceparent: string;
  readonly requestHash: string;
  readonly webhookUrl: string | null;
  readonly noCache: boolean;
  readonly canary: boolean;
  readonly settings: string;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly acceptedAt: Milliseconds;
  readonly updatedAt: Milliseconds;
  readonly finishedAt: Milliseconds | null;
};

export type TimelineRow = {
  readonly at: Milliseconds;
  readonly from: Status | null;
  readonly to: Status;
  readonly attempt: number;
  readonly because: string;
};

export const COLUMNS = `id, tenant, filename, content_type as "contentType", bytes, sha256, status, attempts, pages, chunks,
  tokens, cost_usd as "costUsd", metadata, correlation_id as "correlationId", traceparent,
  request_hash as "requestHash", webhook_url as "webhookUrl", no_cache as "noCache", canary, settings,
  error_code as "errorCode", error_message as "errorMessage", accepted_at as "acceptedAt", updated_at as "updatedAt",
  finished_at as "finishedAt"`;

/** @throws a Fault `duplicate` when the tenant has used the idempotency key. */
export async function insertDocument(q: Queryable, d: NewDocument): Promise<DocumentRow> {
  const [row] = await q.query<DocumentRow>(
    `insert into worker.documents (id, tenant, filename, content_type, bytes, sha256, status, metadata, correlation_id,
       traceparent, idempotency_key, request_hash, webhook_url, no_cache, canary, accepted_at, queued_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, 'queued', $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, $15)
     returning ${COLUMNS}`,
    [
      d.id,
      d.tenant,
      d.filename,
      d.contentType,
      d.bytes,
      d.sha256,
      d.metadata,
      d.correlationId,
      d.traceparent,
      d.idempotencyKey,
      d.requestHash,
      d.webhookUrl,
      d.noCache,
      d.canary,
      instant(d.at),
    ],
  );
  if (!row) throw new RangeError('Cannot read the document just inserted');
  return row;
}

export async function readDocument(q: Queryable, id: string): Promise<DocumentRow | undefined> {
  const rows = await q.query<DocumentRow>(`select ${COLUMNS} from worker.documents where id = $1`, [id]);
  return rows[0];
}

/** Locks the row: whoever moves a document holds it until the transaction ends. */
export async function lockDocument(q: Queryable, id: string): Promise<DocumentRow | undefined> {
  const rows = await q.query<DocumentRow>(`select ${COLUMNS} from worker.documents where id = $1 for update`, [id]);
  return rows[0];
}

export async function findByIdempotencyKey(
  q: Queryable,
  tenant: string,
  key: string,
): Promise<DocumentRow | undefined> {
  const rows = await q.query<DocumentRow>(
    `select ${COLUMNS} from worker.documents where tenant = $1 and idempotency_key = $2`,
    [tenant, key],
  );
  return rows[0];
}

export type Filter = {
  readonly tenant: string;
  readonly status?: Status | undefined;
  readonly correlationId?: string | undefined;
  readonly before?: string | undefined;
  readonly limit: number;
};

/**
 * Newest first, in a transaction. The id is time-ordered, so it is the cursor as well. Canaries are nobody's documents. A
 * filter that is not asked for is not in the text, so that the plan can use the index of one that is; which one finds the
 * fewest hangs on the values.
 */
export async function listDocuments(q: Queryable, filter: Filter): Promise<DocumentRow[]> {
  const { tenant, status, correlationId, before, limit } = filter;
  const params: unknown[] = [tenant, limit];
  const wanted = [
    { value: status, test: 'status = ' },
    { value: correlationId, test: 'correlation_id = ' },
    { value: before, test: 'id < ' },
  ].flatMap(({ value, test }) => (value === undefined ? [] : [`and ${test}$${params.push(value)}`]));
  return await queryWithValues<DocumentRow>(
    q,
    `select ${COLUMNS} from worker.documents where tenant = $1 and not canary ${wanted.join(' ')} order by id desc limit $2`,
    params,
  );
}

export type Change = {
  readonly from: Status;
  readonly to: Status;
  readonly attempts: number;
  readonly at: Milliseconds;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly finished: boolean;
  readonly pages?: number | undefined;
  readonly chunks?: number | undefined;
  readonly tokens?: number | undefined;
  readonly settings?: string | undefined;
};

/** @returns false when the document is no longer in the state it is moved from: then nothing was changed. */
export async function moveDocument(q: Queryable, id: string, change: Change): Promise<boolean> {
  const rows = await q.query(
    `update worker.documents set status = $2, attempts = $3, updated_at = $4::timestamptz, error_code = $5, error_message = $6,
       finished_at = case when $7::boolean then $4::timestamptz end,
       queued_at = case when $2 = 'queued' then $4::timestamptz else queued_at end, pages = coalesce($8, pages), chunks = coalesce($9, chunks),
       tokens = coalesce($10, tokens), settings = coalesce($11, settings)
     where id = $1 and status = $12 returning id`,
    [
      id,
      change.to,
      change.attempts,
      instant(change.at),
      change.error?.code,
      change.error?.message,
      change.finished,
      change.pages,
      change.chunks,
      change.tokens,
      change.settings,
      change.from,
    ],
  );
  return rows.length === 1;
}

export type Beginning = {
  readonly job: { readonly id: number; readonly fence: number; readonly owner: string };
  readonly at: Milliseconds;
  readonly because: string;
};

/** queued → parsing, with its line in the timeline, if the claim is still held: one statement, so it is atomic. */
export async function beginDocument(q: Queryable, id: string, { job, at, because }: Beginning): Promise<boolean> {
  const rows = await q.query(
    `with held as (
       select 1 from worker.jobs where id = $2 and fence = $3 and owner = $6 for update
     ), moved as (
       update worker.documents set status = 'parsing', attempts = 0, updated_at = $4::timestamptz
       where id = $1 and status = 'queued' and exists (select 1 from held) returning id
     )
     insert into worker.timeline (document_id, seq, at, from_status, to_status, attempt, because)
     select id, (select coalesce(max(seq), 0) + 1 from worker.timeline where document_id = $1), $4::timestamptz,
       'queued', 'parsing', 1, $5 from moved
     returning seq`,
    [id, job.id, job.fence, instant(at), because, job.owner],
  );
  return rows.length === 1;
}

export async function addTimeline(q: Queryable, documentId: string, row: TimelineRow): Promise<void> {
  await q.query(
    `insert into worker.timeline (document_id, seq, at, from_status, to_status, attempt, because)
     select $1, coalesce(max(seq), 0) + 1, $2, $3, $4, $5, $6 from worker.timeline where document_id = $1`,
    [documentId, instant(row.at), row.from, row.to, row.attempt, row.because],
  );
}

/** What a vendor or a receiver said may quote the document, its name or its owner's address; our own words do not. */
export async function blankTimeline(q: Queryable, documentId: string): Promise<void> {
  await q.query(
    `update worker.timeline set because = 'erased'
     where document_id = $1 and (from_status = to_status or to_status = 'failed')`,
    [documentId],
  );
}

/** Takes away all that says what the document was; the row, its times and its costs stay. */
export async function blankDocument(q: Queryable, id: string, at: Milliseconds): Promise<void> {
  await q.query(
    `update worker.documents set status = 'erased', filename = '', metadata = '{}', webhook_url = null, settings = '',
       error_message = null, idempotency_key = null, request_hash = '', updated_at = $2, finished_at = coalesce(finished_at, $2)
     where id = $1`,
    [id, instant(at)],
  );
}

/**
 * A completed document of the same tenant with the same bytes, parsed in the same way. In a transaction: where thousands
 * have the same bytes these are best found from the newest on, and other bytes never so.
 */
export async function findSame(q: Queryable, of: DocumentRow, settings: string): Promise<string | undefined> {
  const rows = await queryWithValues<{ id: string }>(
    q,
    `select id from worker.documents
     where tenant = $1 and sha256 = $2 and settings = $3 and status = 'completed' and id <> $4
     order by id desc limit 1`,
    [of.tenant, of.sha256, settings, of.id],
  );
  return rows[0]?.id;
}

export type Unfinished = { readonly status: UnfinishedStatus; readonly count: number; readonly oldest: Milliseconds };

/** Since when the one waits that has waited longest. */
export const oldestOf = (unfinished: readonly Unfinished[]): Milliseconds | undefined =>
  unfinished.map(({ oldest }) => oldest).sort((a, b) => a - b)[0];

export async function countUnfinished(q: Queryable): Promise<Unfinished[]> {
  return await q.query<Unfinished>(
    `select status, count(*) as count, min(queued_at) as oldest from worker.documents
     where status in ('queued', 'parsing', 'chunking', 'embedding', 'storing') and not canary group by status`,
  );
}

/** Removes a canary and its traces from everywhere but the ledger. */
export async function dropDocument(q: Queryable, id: string): Promise<void> {
  await q.query('delete from worker.timeline where document_id = $1', [id]);
  await q.query('delete from worker.documents where id = $1', [id]);
}

/** Unfinished documents that no job will ever carry on. There should be none; the reaper looks. */
export async function findForgotten(q: Queryable, quietSince: Milliseconds, limit: number): Promise<DocumentRow[]> {
  return await q.query<DocumentRow>(
    `select ${COLUMNS} from worker.documents d
     where status in ('queued', 'parsing', 'chunking', 'embedding', 'storing') and updated_at < $1
       and not exists (select 1 from worker.jobs j where j.document_id = d.id and j.queue <> 'webhook')
     order by queued_at limit $2`,
    [instant(quietSince), limit],
  );
}
