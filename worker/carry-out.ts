/**
 * One run of one job of a document: look at the document, run the step, decide, commit. Everything that can go wrong ends
 * as an outcome, so that it is decided, written down and seen; only a lost claim and a stop end without a word, since
 * then the job belongs to somebody else.
 */

import type { Traceparent } from '#collector/context.ts';
import type { ActiveSpan } from '#collector/tracing.ts';
import { describe, Fault } from '#kernel/errors.ts';
import { type Milliseconds, milliseconds, type Seconds, seconds } from '#kernel/units.ts';
import {
  type Decision,
  decide,
  decideInterrupted,
  type Outcome,
  outcomeOfFault,
  type Policy,
  type Situation,
} from './decide.ts';
import { isUnfinished, STEP_OF, type Step } from './document.ts';
import { type Claim, finish } from './queue.ts';
import { addTimeline, type DocumentRow, readDocument } from './rows/documents.ts';
import { closeInterrupted } from './rows/vendor-calls.ts';
import type { Reserve } from './runner.ts';
import type { StepHandler, StepResult } from './steps/step.ts';
import type { Surroundings } from './surroundings.ts';
import { apply, begin, fenced, isLeaseLost, isPassing } from './transition.ts';
import type { Vendor } from './vendors/faults.ts';
import { countWaste } from './vendors/gateway.ts';
import { counted } from './words.ts';

export type CarryOutOptions = Surroundings & {
  readonly workerId: string;
  readonly policy: Policy;
  readonly steps: Readonly<Record<Step, StepHandler>>;
};

/** A result that was computed and paid for is not thrown away because the database stumbled. */
const COMMIT_TRIES = 5;
const COMMIT_PAUSE = milliseconds(200);
/** Weight of the newest document in the mean. */
const SERVICE_WEIGHT = 0.05;
/** The first documents of a process wait for its compiler: judged by them alone, a fresh worker would look overloaded. */
const MEASURED_FROM = 10;

export interface CarryOut {
  /** @returns the claim for the next step, when a place for it was free here. */
  run(step: Step, claim: Claim, signal: AbortSignal, reserve: Reserve): Promise<Claim | undefined>;
  /** How long a place of each step is busy with one document, as measured: for the estimate of the wait. */
  busySeconds(): ReadonlyMap<Step, Seconds>;
}

export function makeCarryOut(options: CarryOutOptions): CarryOut {
  // A document may need several runs of a step, so time and ends are averaged apart, and then divided.
  const sums = new Map<Step, { spent: number; ends: number }>();
  const learn = (step: Step, spent: number, ended: boolean) => {
    const known = sums.get(step) ?? { spent: 0, ends: 0 };
    const kept = ended ? 1 - SERVICE_WEIGHT : 1;
    sums.set(step, { spent: known.spent * kept + spent, ends: known.ends * kept + (ended ? 1 : 0) });
  };
  return {
    busySeconds: () =>
      new Map(
        [...sums]
          .filter(([, { ends }]) => ends >= MEASURED_FROM)
          .map(([step, { spent, ends }]) => [step, seconds(spent / ends)]),
      ),
    run: async (step, claim, signal, reserve) => {
      const { db, shared, telemetry } = options;
      const found = claim.documentId === null ? undefined : await readDocument(db, claim.documentId);
      if (!found || !isUnfinished(found.status) || STEP_OF[found.status] !== step) {
        // Erased or moved on meanwhile: the job is a leftover.
        await finish(db, [claim], shared.now());
        return undefined;
      }
      const spanOptions = spanOf(step, claim, found, shared.now());
      return await telemetry.withCorrelation(found.correlationId, () =>
        telemetry.inSpan(`process ${step}`, spanOptions, async (span) => {
          const log = options.log.child({ documentId: found.id, step, attempt: claim.attempts + 1 });
          const run: Run = { step, claim, document: found, signal, span, learn, reserve };
          return await runStep({ ...options, log }, run).catch((error: unknown) => {
            const stopped = signal.aborted && !isTimeout(signal.reason);
            if (!isLeaseLost(error) && !stopped) throw error;
            // Found out by a write that was refused, before a heartbeat could.
            if (!signal.aborted) telemetry.count('lease_lost_total', {});
            span.set({ 'burnline.outcome': 'lost' });
            return undefined;
          });
        }),
      );
    },
  };
}

type Run = {
  readonly step: Step;
  readonly claim: Claim;
  readonly document: DocumentRow;
  readonly signal: AbortSignal;
  readonly span: ActiveSpan;
  readonly learn: (step: Step, spent: number, ended: boolean) => void;
  readonly reserve: Reserve;
};

async function runStep(options: CarryOutOptions, run: Run): Promise<Claim | undefined> {
  const { db, clock, shared } = options;
  const { step, claim } = run;
  if (claim.takenOver) await noteInterruption(options, run);
  const document = run.document.status === 'queued' ? await begin(db, claim, run.document, shared.now()) : run.document;
  const situation = situationOf(document, claim, shared.now());
  const tooOften = decideInterrupted(situation, options.policy);
  if (tooOften) return await commit(options, { ...run, document }, tooOften, { outcome: INTERRUPTED });

  const started = clock.steady();
  const result = await attempt(options, { ...run, document });
  const decision = decide(situation, result.outcome, options.policy, options.random);
  const spent = (clock.steady() - started) / 1000;
  if (decision.counts !== undefined && !document.canary) {
    options.telemetry.record('document_step_duration_seconds', { step, outcome: decision.counts }, spent);
  }
  // What failed or waited says nothing about the speed when nothing hinders.
  if (decision.counts === 'completed' || decision.counts === undefined) {
    run.learn(step, spent, decision.counts === 'completed');
  }
  return await commit(options, { ...run, document }, decision, result);
}

const INTERRUPTED: Outcome = { kind: 'fault', code: 'interrupted', message: '', retryable: false };

function situationOf(document: DocumentRow, claim: Claim, now: Milliseconds): Situation {
  if (!isUnfinished(document.status)) throw new RangeError(`Cannot work on a document that is ${document.status}`);
  const { attempts, interruptions } = claim;
  return { status: document.status, attempts, interruptions, age: (now - claim.createdAt) as Milliseconds };
}

async function attempt(options: CarryOutOptions, run: Run): Promise<StepResult> {
  const { document, claim, signal } = run;
  const save = <T>(write: Parameters<typeof fenced<T>>[2]) => fenced(options.db, claim, write);
  try {
    return await options.steps[run.step]({ document, claim, signal, log: options.log, save });
  } catch (error) {
    if (isLeaseLost(error)) throw error;
    if (signal.aborted && !isTimeout(signal.reason)) throw error;
    return { outcome: outcomeOf(signal.aborted ? signal.reason : error) };
  }
}

const isTimeout = (reason: unknown): boolean => reason instanceof Error && reason.name === 'TimeoutError';

function outcomeOf(error: unknown): Outcome {
  if (isTimeout(error)) {
    return { kind: 'fault', code: 'step_timeout', message: 'the step took longer than its limit', retryable: true };
  }
  if (error instanceof Fault) return outcomeOfFault(error);
  return { kind: 'fault', code: 'internal', message: `internal error: ${describe(error)}`, retryable: true };
}

/** Commits, and again if the database only stumbled; a write that itself finds fault becomes the outcome. */
async function commit(
  options: CarryOutOptions,
  run: Run,
  decision: Decision,
  result: StepResult,
): Promise<Claim | undefined> {
  const { db, shared, clock, workerId } = options;
  const { document, claim, span } = run;
  const payload = result.payload ?? claim.payload;
  const keep = decision.job.kind === 'next' && run.reserve(decision.job.step);
  let verdict = decision;
  let write = result.write ?? (async () => {});
  for (let tries = 1; ; tries++) {
    try {
      const now = shared.now();
      const facts = result.facts ?? {};
      await apply(db, { document, claim, decision: verdict, now, workerId, payload, keep, facts, write });
      tell(options, run, verdict, now);
      return keep && verdict.job.kind === 'next' ? nextClaim(claim, verdict.job.step, payload, now) : undefined;
    } catch (error) {
      if (isLeaseLost(error) || tries >= COMMIT_TRIES) throw error;
      if (isPassing(error)) {
        await clock.sleep(COMMIT_PAUSE, run.signal);
        continue;
      }
      span.fail(error instanceof Fault ? error.code : 'internal');
      const situation = situationOf(document, claim, shared.now());
      verdict = decide(situation, outcomeOf(error), options.policy, options.random);
      write = async () => {};
    }
  }
}

/** The same claim, one step further: `requeue` has left it with its owner. */
function nextClaim(claim: Claim, step: Step, payload: object, dueAt: Milliseconds): Claim {
  return {
    ...claim,
    queue: step,
    payload: payload as Claim['payload'],
    attempts: 0,
    interruptions: 0,
    takenOver: false,
    dueAt,
  };
}

function tell(options: CarryOutOptions, { step, document, span }: Run, decision: Decision, now: Milliseconds): void {
  const { log, telemetry } = options;
  const fields = { from: document.status, to: decision.to, outcome: decision.counts ?? 'pending' };
  span.set({ 'burnline.outcome': fields.outcome, 'burnline.document.status': decision.to });
  if (decision.counts === 'failed') {
    span.fail(decision.error?.code ?? 'attempt_failed');
    log.warn({ ...fields, because: decision.because }, `${step} failed`);
  } else if (decision.counts !== undefined) {
    log.info({ ...fields, because: decision.because }, `${step} ${decision.counts}`);
  }
  if (decision.to === 'completed' && !document.canary) {
    telemetry.record('document_processing_duration_seconds', {}, (now - document.acceptedAt) / 1000);
  }
}

async function noteInterruption({ db, shared, log, telemetry }: CarryOutOptions, run: Run): Promise<void> {
  const { claim, document, step } = run;
  const at = shared.now();
  telemetry.count('jobs_reclaimed_total', { reason: 'lease_expired' });
  log.warn({ count: claim.interruptions }, 'the job was taken over: its worker had ended');
  const wasted = await fenced(db, claim, async (q) => {
    const cut = await closeInterrupted(q, document.id, step, at);
    const calls = cut.length > 0 ? `; ${counted(cut.length, 'call')} to a vendor cut off` : '';
    const because = `taken over by worker ${claim.owner}: the one before ended in the middle${calls}`;
    const row = { at, from: document.status, to: document.status, attempt: claim.attempts + 1, because };
    await addTimeline(q, document.id, row);
    return cut;
  });
  for (const { vendor, cost } of wasted) countWaste(telemetry, vendor as Vendor, cost);
}

function spanOf(step: Step, claim: Claim, document: DocumentRow, now: Milliseconds) {
  return {
    kind: 'consumer',
    parent: document.traceparent as Traceparent,
    attributes: {
      'messaging.system': 'burnline',
      'messaging.operation.type': 'process',
      'messaging.operation.name': 'process',
      'messaging.destination.name': claim.queue,
      'messaging.message.id': String(claim.id),
      'burnline.step': step,
      'burnline.document.id': document.id,
      'burnline.correlation_id': document.correlationId,
      'burnline.job.attempt': claim.attempts + 1,
      'burnline.job.waited_ms': Math.max(0, Math.round(now - claim.dueAt)),
    },
  } as const;
}
