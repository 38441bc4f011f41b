/**
 * A synthetic document that goes the whole way, at the start and on a schedule: proof that the way is open when nobody
 * uses it. One for all workers, since the job that starts it is unique while it lives. Its counts are its own.
 */
import { createHash } from 'node:crypto';
import type { Telemetry } from '#collector/telemetry.ts';
import type { Db, Queryable } from '#kernel/database.ts';
import type { Log } from '#kernel/log.ts';
import { type Random, uuidv7 } from '#kernel/random.ts';
import type { SharedClock } from '#kernel/shared-clock.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { CANARY_TEXT } from '#samples/canary.ts';
import { accept } from './accept.ts';
import { isUnfinished } from './document.ts';
import { type Claim, dropJob, dropJobs, enqueue, hasten, requeue } from './queue.ts';
import { dropContent } from './rows/contents.ts';
import { increment } from './rows/counters.ts';
import { dropDocument, readDocument } from './rows/documents.ts';
import { dropResults } from './rows/results.ts';
import { chargeDocument } from './rows/vendor-calls.ts';
import { leaseLost } from './transition.ts';

export const CANARY_TENANT = 'burnline-canary';
const KEY = 'canary';
/** How often the job looks whether its document is there yet. */
const LOOK = milliseconds(500);
/** A canary that is not there by then has failed. */
export const CANARY_LIMIT = milliseconds(60_000);

export type CanaryOptions = {
  readonly db: Db;
  readonly shared: SharedClock;
  readonly random: Random;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly workerId: string;
  readonly every: Milliseconds;
};

type Payload = { readonly documentId?: string; readonly since?: Milliseconds };

/** A start proves the way anew: a canary that was planned for later comes now. */
export async function planCanary(q: Queryable, now: Milliseconds): Promise<void> {
  await enqueue(q, [{ queue: 'canary', key: KEY, priority: 0, availableAt: now }], now);
  await hasten(q, KEY, now);
}

/** Where canaries are switched off: a job that nobody takes would look like a queue that does not move. */
export async function dropCanaryPlan(q: Queryable): Promise<void> {
  await dropJob(q, KEY);
}

/** One run of the canary's job: starts a document, or looks after the one on its way. */
export function makeCanary(options: CanaryOptions): (claim: Claim) => Promise<void> {
  const { db, shared } = options;
  const later = async (q: Queryable, claim: Claim, wait: Milliseconds, payload: Payload) => {
    const availableAt = (shared.now() + wait) as Milliseconds;
    const change = { queue: claim.queue, availableAt, attempts: 0, payload, keep: false };
    if (!(await requeue(q, claim, change))) throw leaseLost();
  };
  return async (claim) => {
    const { documentId, since } = claim.payload as Payload;
    const now = shared.now();
    if (documentId === undefined || since === undefined) {
      const id = uuidv7(now, options.random);
      // First the note of it, then the document: a crash between leaves a note that is overdue, never a lost canary.
      await later(db, claim, LOOK, { documentId: id, since: now });
      await options.telemetry.inSpan('canary', { kind: 'producer' }, async ({ traceparent }) => {
        await accept(db, { ...canaryDocument(id), traceparent }, now);
      });
      return;
    }
    const document = await readDocument(db, documentId);
    const overdue = now - since > CANARY_LIMIT;
    if ((!document || isUnfinished(document.status)) && !overdue) return await later(db, claim, LOOK, claim.payload);
    await db.tx(async (q) => {
      await later(q, claim, options.every, {});
      // One that reached an end was counted in that transaction.
      if (!document || isUnfinished(document.status)) {
        await increment(q, options.workerId, [{ name: 'canary_finished_total', labels: { outcome: 'failed' }, by: 1 }]);
      }
      await removeCanary(q, documentId, now);
    });
    const status = document?.status ?? 'missing';
    if (status === 'completed') options.log.info({ durationMs: now - since }, 'the canary went all the way');
    else options.log.error({ status, reason: document?.errorMessage }, 'the canary did not go all the way');
  };
}

async function removeCanary(q: Queryable, documentId: string, now: Milliseconds): Promise<void> {
  await dropJobs(q, documentId);
  // One that is overdue may be in the middle of a call: the ledger stays, and must not show it open for ever.
  await chargeDocument(q, documentId, now);
  await dropResults(q, documentId);
  await dropContent(q, documentId);
  await dropDocument(q, documentId);
}

function canaryDocument(id: string) {
  const bytes = Buffer.from(CANARY_TEXT, 'utf8');
  return {
    id,
    tenant: CANARY_TENANT,
    filename: 'canary.md',
    contentType: 'text/markdown',
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    metadata: {},
    webhookUrl: null,
    correlationId: `canary-${id}`,
    idempotencyKey: null,
    noCache: true,
    canary: true,
    pieces: [{ ordinal: 0, bytes }],
  } as const;
}
