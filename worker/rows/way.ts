/** A document and its way so far: what happened to it, and what vendors were asked. One statement, since whoever waits asks again and again. */
import type { Queryable } from '#kernel/database.ts';
import { COLUMNS, type DocumentRow, type TimelineRow } from './documents.ts';
import type { CallRow } from './vendor-calls.ts';

export type Way = {
  /** Undefined: there is none of this id. */
  readonly document: DocumentRow | undefined;
  readonly timeline: readonly TimelineRow[];
  readonly calls: readonly CallRow[];
};

/** Inside JSON a moment would be text. */
const ms = (column: string): string => `round(extract(epoch from ${column}) * 1000)`;
const WAY = `select ${COLUMNS},
   (select coalesce(jsonb_agg(jsonb_build_object('at', ${ms('at')}, 'from', from_status, 'to', to_status,
      'attempt', attempt, 'because', because) order by seq), '[]')
    from worker.timeline where document_id = $1) as timeline,
   (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'step', step, 'vendor', vendor, 'operation', operation,
      'startedAt', ${ms('started_at')}, 'endedAt', ${ms('ended_at')}, 'outcome', outcome, 'httpStatus', http_status,
      'credits', credits, 'tokens', tokens, 'costUsd', cost_usd, 'wasted', wasted) order by started_at, id), '[]')
    from worker.vendor_calls where document_id = $1) as calls
 from worker.documents where id = $1`;

/** @returns timeline and calls in order. */
export async function readWay(q: Queryable, documentId: string): Promise<Way> {
  const [row] = await q.query<DocumentRow & Pick<Way, 'timeline' | 'calls'>>(WAY, [documentId]);
  if (row === undefined) return { document: undefined, timeline: [], calls: [] };
  const { timeline, calls, ...document } = row;
  return { document, timeline, calls };
}
