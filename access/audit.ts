/**
 * The audit trail: who did what to what, and what came of it. Rows are added, never changed; there is no other statement
 * about them than the two here. A row may hold ids and codes, never a document's name or text, and no credential.
 */
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';

export type AuditOutcome = 'done' | 'refused' | 'failed';
export type AuditEntry = {
  readonly at: Milliseconds;
  readonly tenant: string;
  /** A principal's subject. */
  readonly subject: string;
  /** An action of access/roles.ts, or a finer word for it. */
  readonly action: string;
  /** The id of what it was done to. */
  readonly target: string;
  readonly outcome: AuditOutcome;
  readonly correlationId?: string | undefined;
};
export type AuditRow = AuditEntry & { readonly id: number };

/** Longer than any id of ours: a field is cut there, so that nobody fills the trail with one request. */
const FIELD_CHARS_MAX = 200;
const PAGE_MAX = 500;

/** In the caller's transaction, so that the deed and its record stand or fall together. */
export async function audit(q: Queryable, entry: AuditEntry): Promise<void> {
  await q.query(
    `insert into access.audit (at, tenant, subject, action, target, outcome, correlation_id)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      instant(entry.at),
      cut(entry.tenant),
      cut(entry.subject),
      cut(entry.action),
      cut(entry.target),
      entry.outcome,
      entry.correlationId === undefined ? null : cut(entry.correlationId),
    ],
  );
}

/** A tenant's trail, newest first. @param before the id of the last row of the page before. */
export async function auditTrail(
  q: Queryable,
  tenant: string,
  { limit, before }: { readonly limit: number; readonly before?: number },
): Promise<AuditRow[]> {
  const rows = await q.query<Omit<AuditRow, 'correlationId'> & { correlation_id: string | null }>(
    `select id, at, tenant, subject, action, target, outcome, correlation_id from access.audit
     where tenant = $1 and ($2::bigint is null or id < $2::bigint) order by id desc limit $3`,
    [tenant, before ?? null, Math.max(1, Math.min(limit, PAGE_MAX))],
  );
  return rows.map(({ correlation_id, ...row }) => ({ ...row, correlationId: correlation_id ?? undefined }));
}

const cut = (text: string): string => text.slice(0, FIELD_CHARS_MAX);
