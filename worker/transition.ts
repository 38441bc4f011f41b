/**
 * Carries out a decision: row, timeline, next job, counters and the step's own result in one transaction, or nothing.
 * Every write in a claim's name passes `fenced`, so a worker that lost its claim can change nothing any more.
 */
import { type Db, isDatabaseFault, type Queryable } from '#kernel/database.ts';
import { Fault } from '#kernel/errors.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { checkMove, type Decision } from './decide.ts';
import { webhookKey } from './document.ts';
import { type Claim, enqueue, finish, hint, LEASE, type Priority, priorityOf, requeue, stillHeld } from './queue.ts';
import { type Increment, increment } from './rows/counters.ts';
import { addTimeline, beginDocument, type DocumentRow, moveDocument } from './rows/documents.ts';
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
  /** There is a place for the next step here: the claim stays, and its owner goes straight on. */
  readonly keep: boolean;
  readonly facts: Facts;
  /** The step's result, the ledger's end: whatever must be true exactly when the transition is. */
  readonly write: (q: Queryable) => Promise<void>;
};

const BEGUN: Priority = 0;

export const leaseLost = (): Fault => new Fault('lease_lost', 'The claim on this job was lost to another worker');

/** Runs `write` in a transaction that holds the claim. @throws {Fault} `lease_lost`; nothing is written then. */
export async function fenced<T>(db: Db, claim: Claim, write: (q: Queryable) => Promise<T>): Promise<T> {
  return await db.tx(async (q) => {
    // Sent together with what `write` asks first: were the claim lost, all of it is rolled back.
    const held = stillHeld(q, claim);
    held.catch(() => {});
    const written = await write(q).catch(async (error: unknown) => {
      if (!(await held)) throw leaseLost();
      throw error;
    });
    if (!(await held)) throw leaseLost();
    return written;
  });
}

/** @throws {Fault} `lease_lost`; nothing is written then. */
export async function apply(db: Db, transition: Transition): Promise<void> {
  const { document, claim, decision, now } = transition;
  checkMove(document.status, decision.to);
  const finished = decision.job.kind === 'finished';
  const attempt = decision.job.kind === 'again' ? decision.job.attempts : claim.attempts + 1;
  await db.tx(async (q) => {
    // The job's row first, as everywhere: whoever has it, has the document. The statements are sent together and judged
    // together; an engine of one connection would otherwise stand idle between them.
    const held = moveJob(q, transition);
    const moved = moveDocument(q, document.id, {
      from: document.status,
      to: decision.to,
      attempts: attempt,
      at: now,
      error: decision.error ?? null,
      finished,
      ...transition.facts,
    });
    const row = { at: now, from: document.status, to: decision.to, attempt, because: decision.because };
    const told = isWorthTelling(transition) ? addTimeline(q, document.id, row) : undefined;
    const results = await Promise.all([held, moved, told]);
    if (!results[0] || !results[1]) throw leaseLost();
    await transition.write(q);
    if (finished) await endDocument(q, transition);
    // Last: all documents of this worker move the same few rows, and wait for each other while they are locked.
    await increment(q, transition.workerId, countsOf(transition));
  });
}

/** A look at a pending job and a wait for a quota happen often and say nothing new. */
function isWorthTelling({ decision }: Transition): boolean {
  return decision.job.kind !== 'again' || decision.counts === 'failed';
}

async function moveJob(q: Queryable, transition: Transition): Promise<boolean> {
  const { document, claim, decision, now, payload } = transition;
  const { job } = decision;
  switch (job.kind) {
    case 'finished':
      return (await finish(q, [claim], now)).size === 1;
    case 'again': {
      const availableAt = (now + job.wait) as Milliseconds;
      const { attempts } = job;
      const priority = job.begun ? BEGUN : undefined;
      return await requeue(q, claim, { queue: claim.queue, availableAt, attempts, payload, priority, keep: false });
    }
    case 'next': {
      const keep = transition.keep;
      const availableAt = (keep ? now + LEASE : now) as Milliseconds;
      // In its next line it is one of many again.
      const priority = priorityOf(document);
      const [moved] = await Promise.all([
        requeue(q, claim, { queue: job.step, availableAt, attempts: 0, payload, priority, keep }),
        keep ? undefined : hint(q),
      ]);
      return moved;
    }
    default:
      return job satisfies never;
  }
}

async function endDocument(q: Queryable, { document, now }: Transition): Promise<void> {
  await chargeDocument(q, document.id, now);
  if (document.webhookUrl === null) return;
  const job = { queue: 'webhook', key: webhookKey(document.id), documentId: document.id, availableAt: now };
  await Promise.all([enqueue(q, [job], now), hint(q)]);
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

/** queued → parsing, when the first claim is made. @throws {Fault} `lease_lost` */
export async function begin(db: Db, claim: Claim, document: DocumentRow, at: Milliseconds): Promise<DocumentRow> {
  checkMove(document.status, 'parsing');
  const because = `claimed by worker ${claim.owner}`;
  if (!(await beginDocument(db, document.id, { job: claim, at, because }))) throw leaseLost();
  return { ...document, status: 'parsing' };
}

export function isLeaseLost(error: unknown): boolean {
  return error instanceof Fault && error.code === 'lease_lost';
}

/** Is it worth another try to commit, since nothing about the work itself was wrong? */
export function isPassing(error: unknown): boolean {
  return (['unavailable', 'timeout', 'conflict'] as const).some((code) => isDatabaseFault(error, code));
}
