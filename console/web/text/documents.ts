/** A document's way in words and lengths. Pure. */

import type { DocumentDetail } from '#console/web/data/wire.ts';
import { isUnfinished, type Status } from '#worker/document.ts';

export const DOCUMENT_TONES: Readonly<Record<Status, 'ok' | 'critical' | 'unknown' | 'warning' | 'info'>> = {
  queued: 'info',
  parsing: 'info',
  chunking: 'info',
  embedding: 'info',
  storing: 'info',
  completed: 'ok',
  rejected: 'unknown',
  failed: 'critical',
  erased: 'info',
};

export type Stage = {
  readonly status: Status;
  readonly from: string;
  /** Milliseconds that it was in this status. */
  readonly length: number;
  readonly isNow: boolean;
  readonly attempt: number;
  readonly because: string;
};

/**
 * How long it was in each status, in the order in which it went through them.
 * @param now milliseconds; of a document at its end the last stage has no length: it stays there
 */
export function stagesOf({ timeline }: Pick<DocumentDetail, 'timeline'>, now: number): Stage[] {
  return timeline.map(({ at, to, attempt, because }, i) => {
    const next = timeline[i + 1];
    const end = next === undefined ? (isUnfinished(to) ? now : Date.parse(at)) : Date.parse(next.at);
    return {
      status: to,
      from: at,
      length: Math.max(0, end - Date.parse(at)),
      isNow: next === undefined && isUnfinished(to),
      attempt,
      because,
    };
  });
}
