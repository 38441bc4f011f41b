/** A document's way so far: what happened to it, and what vendors were asked. One statement, since whoever waits asks again and again. */
import type { Queryable } from '#kernel/database.ts';
import type { TimelineRow } from './documents.ts';
import type { CallRow } from './vendor-calls.ts';

export type Way = { readonly timeline: readonly TimelineRow[]; readonly calls: readonly CallRow[] };

/** Inside JSON a moment would be text. */
const ms = (column: string): string => `round(extract(epoch from ${column}) * 1000)`;
const WAY = `select
   (select coalesce(jsonb_agg(jsonb_build_object('at', ${ms('at')}, 'from', from_status, 'to', to_status,
      'attempt', attempt, 'because', because) order by seq), '[]')
    from worker.timeline where document_id = $1) as timeline,
   (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'step', step, 'vendor', vendor, 'operation', operation,
      'startedAt', ${ms('started_at')}, 'endedAt', ${ms('ended_at')}, 'outcome', outcome, 'httpStatus', http_status,
      'credits', credits, 'tokens', tokens, 'costUsd', cost_usd, 'wasted', wasted) order by started_at, id), '[]')
    from worker.vendor_calls where document_id = $1) as calls`;

/** @returns both in order; of a document that is not there, nothing. */
export async function readWay(q: Queryable, documentId: string): Promise<Way> {
  const [way] = await q.query<Way>(WAY, [documentId]);
  return way ?? { timeline: [], calls: [] };
}
