/** One document, from its upload to its end, told as it goes. */
import { sleep } from 'k6';
import http, { type FileData } from 'k6/http';
import { type Client, field, isPassing, waitBefore, wishOf } from './client.ts';
import * as metrics from './metrics.ts';
import type { Plan, PlannedDocument } from './plan.ts';
import { tell } from './record.ts';

export type Sending = {
  readonly plan: Plan;
  readonly client: Client;
  readonly document: PlannedDocument;
  readonly bytes: ArrayBuffer;
  /** The idempotency key; the database keeps it as metadata, so that a document without an answer is known by it. */
  readonly key: string;
  readonly phase: string;
};

const ENDED = ['completed', 'rejected', 'failed'];
/** Seconds between two looks: what is quick is seen soon, what is slow is not asked for too often. */
const FIRST_LOOK = 0.25;
const LOOKS_GROW = 1.5;
const LOOKS_MOST = 2;
/** A 404 that is only a replica's lag has this many looks to go. */
const ABSENT_MOST = 3;

/** @returns its id, or undefined when it was not taken. */
export function upload({ plan, client, document, bytes, key, phase }: Sending): string | undefined {
  tell({ kind: 'sent', key, at: Date.now(), file: document.name, expected: document.expected, phase });
  metrics.sent.add(1);
  const file: FileData = http.file(bytes, document.name, document.type);
  const body = { metadata: JSON.stringify({ upload: key }), file };
  // The same bytes each time: without no-cache only the first would be parsed.
  const headers = { 'Idempotency-Key': key, 'X-Correlation-ID': plan.run, 'Cache-Control': 'no-cache' };
  const begun = Date.now();
  for (let tries = 1; ; tries++) {
    const answer = client.upload(body, headers);
    const id = answer.status === 202 ? field(answer, 'id') : '';
    if (id !== '') {
      tell({ kind: 'accepted', key, at: Date.now(), id, tries });
      metrics.accepted.add(1);
      return id;
    }
    const wait = waitBefore(answer, tries - 1);
    if (isPassing(answer) && Date.now() - begun + wait * 1_000 < plan.uploadMs) {
      metrics.retried.add(1);
      sleep(wait);
      continue;
    }
    const { status } = answer;
    // Whoever answers 4xx has not taken it; of the rest nobody knows.
    if (status >= 400 && status < 500) {
      tell({ kind: 'refused', key, at: Date.now(), status, code: field(answer, 'code') });
      metrics.refused.add(1);
    } else {
      tell({ kind: 'unanswered', key, at: Date.now(), status });
      metrics.unanswered.add(1);
    }
    return undefined;
  }
}

/** Looks until it has ended, is not there, or the patience is over. @returns was it completed? */
export function follow(sending: Sending, id: string, begun: number): boolean {
  const { plan, client, key } = sending;
  let [look, absent, status] = [FIRST_LOOK, 0, 'accepted'];
  for (let failures = 0; ; ) {
    sleep(look);
    const answer = client.read(id);
    if (answer.status === 200) {
      [failures, absent, status] = [0, 0, field(answer, 'status')];
      if (ENDED.includes(status)) {
        note(sending, status, field(answer, 'error.code'), Date.now() - begun);
        return status === 'completed';
      }
      look = Math.max(Math.min(look * LOOKS_GROW, LOOKS_MOST), wishOf(answer));
    } else if (answer.status === 404 && ++absent >= ABSENT_MOST) {
      tell({ kind: 'missing', key, at: Date.now() });
      metrics.missing.add(1);
      metrics.processed.add(false);
      return false;
    } else look = waitBefore(answer, failures++);
    if (Date.now() - begun > plan.patienceMs) {
      tell({ kind: 'left', key, at: Date.now(), status });
      metrics.onTime.add(false);
      return false;
    }
  }
}

/** `rejected` is the document's own fault and counts for neither objective. */
function note({ plan, key, document }: Sending, status: string, code: string, ms: number): void {
  tell({ kind: 'ended', key, at: Date.now(), status, code, ms });
  if (status === 'rejected') metrics.rejected.add(1);
  else metrics.processed.add(status === 'completed');
  if (status === 'failed') metrics.failed.add(1);
  if (status === 'completed') {
    metrics.completed.add(1);
    metrics.onTime.add(ms <= plan.onTimeMs);
    metrics.duration.add(ms);
  }
  // What failed is ours, and not a wrong opinion of the document.
  if (status === 'failed' || document.expected === 'any') return;
  metrics.asExpected.add(
    status === 'rejected' ? document.expected === `rejected ${code}` : document.expected === status,
  );
}
