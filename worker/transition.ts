/**
 * Carries out a decision: row, timeline, next job, counters and the step's own result in one transaction, or nothing.
 * Every write in a claim's name passes `fenced`, so a worker that lost its claim can change nothing any more.
 */
import { type Db, isDatabaseFault, type Queryable } from '#kernel/database.ts';
import { Fault } from '#kernel/errors.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { checkMove, type Decision } from './decide.ts';
import { documentKey, webhookKey } from './document.ts';
import { type Claim, enqueue, finish, hint, requeue, stillHeld } from './queue.ts';
import { type Increment, increment } from './rows/counters.ts';
import { addTimeline, type DocumentRow, lockDocument, updateDocument } from './rows/documents.ts';
import { chargeDocument } from './rows/vendor-calls.ts';

export type Facts = {
  readonly pages?: number;
  readonly chunks?: number;
  readonly tokens?: number;
  readonly settings?: string;
};

export type Transition = {
  readonly document: DocumentRow;
  readonly claim: Claim;
  readonly decision: Decision;
  readonly now: Milliseconds;
  readonly workerId: string;
  /** For the job's next run. */
  readonly payload: object;
  readonly facts: Facts;
  /** The step's result, the ledger's end: whatever must be true exactly when the transition is. */
  readonly write: (q: Queryable) => Promise<void>;
};

export const leaseLost = (): Fault => new Fault('lease_lost', 'The claim on this job was lost to another worker');

/** Runs `write` in a transaction that holds the claim. @throws {Fault} `lease_lost`; nothing is written then. */
export async function fenced<T>(db: Db, claim: Claim, write: (q: Queryable) => Promise<T>): Promise<T> {
  return await db.tx(async (q) => {
    if (!(await stillHeld(q, claim))) throw leaseLost();
    return await write(q);
  });
}

export async function apply(db: Db, transition: Transition): Promise<void> {
  const { document, claim, decision, now } = transition;
  checkMove(document.status, decision.to);
  await db.tx(async (q) => {
    await moveJob(q, transition);
    // An erasure takes the job away first, so a claim that is still held means a document that is still there.
    const current = await lockDocument(q, document.id);
    if (current?.status !== document.status) throw leaseLost();
    await transition.write(q);
    const finished = decision.job.kind === 'finished';
    const attempt = decision.job.kind === 'again' ? decision.job.attempts : claim.attempts + 1;
    await updateDocument(q, document.id, {
      to: decision.to,
      attempts: attempt,
      at: now,
      error: decision.error ?? null,
      finished,
      ...transition.facts,
    });
    if (isWorthTelling(transition)) {
      const row = { at: now, from: document.status, to: decision.to, attempt, because: decision.because };
      await addTimeline(q, document.id, row);
    }
    if (finished) await endDocument(q, transition);
    await increment(q, transition.workerId, countsOf(transition));
  });
}

/** A look at a pending job and a wait for a quota happen often and say nothing new. */
function isWorthTelling({ decision }: Transition): boolean {
  return decision.job.kind !== 'again' || decision.counts === 'failed';
}

async function moveJob(q: Queryable, { claim, decision, document, now, payload }: Transition): Promise<void> {
  const { job } = decision;
  if (job.kind === 'again') {
    const availableAt = (now + job.wait) as Milliseconds;
    if (!(await requeue(q, claim, { availableAt, attempts: job.attempts, payload }))) throw leaseLost();
    return;
  }
  if ((await finish(q, [claim], now)).size === 0) throw leaseLost();
  if (job.kind !== 'next') return;
  const next = {
    queue: job.step,
    key: documentKey(document.id),
    documentId: document.id,
    payload,
    priority: claim.priority,
    availableAt: now,
  };
  await enqueue(q, [next], now);
  await hint(q);
}

async function endDocument(q: Queryable, { document, now }: Transition): Promise<void> {
  await chargeDocument(q, document.id);
  if (document.webhookUrl === null) return;
  const job = { queue: 'webhook', key: webhookKey(document.id), documentId: document.id, availableAt: now };
  await enqueue(q, [job], now);
  await hint(q);
}

function countsOf({ document, claim, decision }: Transition): Increment[] {
  const counts: Increment[] = [];
  if (decision.job.kind === 'finished') {
    const name = document.canary ? 'canary_finished_total' : 'documents_finished_total';
    counts.push({ name, labels: { outcome: decision.to }, by: 1 });
  }
  if (decision.counts !== undefined && !document.canary) {
    counts.push({
      name: 'document_step_attempts_total',
      labels: { step: claim.queue, outcome: decision.counts },
      by: 1,
    });
  }
  return counts;
}

/** queued → parsing, when the first claim is made. */
export async function begin(db: Db, claim: Claim, document: DocumentRow, now: Milliseconds): Promise<DocumentRow> {
  checkMove(document.status, 'parsing');
  await fenced(db, claim, async (q) => {
    const current = await lockDocument(q, document.id);
    if (current?.status !== document.status) throw leaseLost();
    await updateDocument(q, document.id, { to: 'parsing', attempts: 0, at: now, error: null, finished: false });
    const because = `claimed by worker ${claim.owner}`;
    await addTimeline(q, document.id, { at: now, from: document.status, to: 'parsing', attempt: 1, because });
  });
  return { ...document, status: 'parsing' };
}

export function isLeaseLost(error: unknown): boolean {
  return error instanceof Fault && error.code === 'lease_lost';
}

/** Is it worth another try to commit, since nothing about the work itself was wrong? */
export function isPassing(error: unknown): boolean {
  return (['unavailable', 'timeout', 'conflict'] as const).some((code) => isDatabaseFault(error, code));
}
