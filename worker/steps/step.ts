/** What every step is: a function from a claimed document to an outcome and what to write with it. */
import type { Queryable } from '#kernel/database.ts';
import type { Log } from '#kernel/log.ts';
import type { Outcome } from '#worker/decide.ts';
import type { Claim } from '#worker/queue.ts';
import type { DocumentRow } from '#worker/rows/documents.ts';
import type { Facts } from '#worker/transition.ts';
import type { Called, Save } from '#worker/vendors/gateway.ts';

export type StepInput = {
  readonly document: DocumentRow;
  readonly claim: Claim;
  /** Aborts when the claim is lost, the time is over or the worker stops; its reason says which. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Commits a part of the work in the claim's name, before the step ends. */
  readonly save: Save;
};

export type StepResult = {
  readonly outcome: Outcome;
  /** Runs in the transaction of the transition. */
  readonly write?: (q: Queryable) => Promise<void>;
  /** For the next run of this job, or for the next step's; without it the present one is kept. */
  readonly payload?: object;
  readonly facts?: Facts;
};

export type StepHandler = (input: StepInput) => Promise<StepResult>;

/** A call that did not come to an answer, as the step's result. */
export function refused(called: Extract<Called<unknown>, { kind: 'refused' }>, payload?: object): StepResult {
  return { outcome: called.outcome, write: (q) => called.record(q), ...(payload ? { payload } : {}) };
}
