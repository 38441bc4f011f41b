/**
 * What happens to a document when something happened to its job. Pure: it answers with the next state, what becomes of
 * the job, what is counted, and why, in words that go to the timeline, the log and the span.
 */

import { isDatabaseFault } from '#kernel/database.ts';
import type { Fault } from '#kernel/errors.ts';
import type { Random } from '#kernel/random.ts';
import { type Backoff, backoffDelay } from '#kernel/retry.ts';
import { days, type Milliseconds, milliseconds, toMilliseconds } from '#kernel/units.ts';
import { AFTER, mayMove, STEP_OF, type Status, type Step, type UnfinishedStatus } from './document.ts';
import { describeSpan } from './words.ts';

export type Policy = {
  readonly attempts: number;
  readonly interruptions: number;
  readonly backoff: Backoff;
  /** No document waits longer than this for a vendor: it ends `failed`, and a person is told. */
  readonly deadline: Milliseconds;
  /** How long a job rests when the vendor's circuit is open. One bad event is counted for each rest. */
  readonly circuitRest: Milliseconds;
  /** And when our own database stumbled. */
  readonly databaseRest: Milliseconds;
};

export const POLICY: Policy = {
  attempts: 5,
  interruptions: 20,
  backoff: { first: milliseconds(1_000), most: milliseconds(60_000) },
  deadline: toMilliseconds(days(1)),
  circuitRest: milliseconds(10_000),
  databaseRest: milliseconds(2_000),
};

/** What a job's run came to. */
export type Outcome =
  | { readonly kind: 'done'; readonly because: string }
  /** The vendor works on it: look again later. Not an attempt, and counted nowhere. */
  | { readonly kind: 'pending'; readonly wait: Milliseconds }
  /** A quota or a limit of concurrency has to be waited for. No attempt is spent. */
  | { readonly kind: 'deferred'; readonly wait: Milliseconds; readonly because: string }
  /** The vendor's circuit is open: nothing was tried, yet the outage must show. */
  | { readonly kind: 'blocked'; readonly because: string }
  /** Our own database could not just now: bad, and no fault of the document, so that none is given up for a disk that is full. */
  | { readonly kind: 'stumbled'; readonly because: string }
  | { readonly kind: 'rejected'; readonly code: string; readonly message: string }
  | {
      readonly kind: 'fault';
      readonly code: string;
      readonly message: string;
      readonly retryable: boolean;
      readonly retryAfter?: Milliseconds | undefined;
    };

export type Situation = {
  readonly status: UnfinishedStatus;
  /** Attempts at this step that failed before this run. */
  readonly attempts: number;
  /** Leases lost to dead workers. */
  readonly interruptions: number;
  readonly age: Milliseconds;
};

export type AttemptOutcome = 'completed' | 'rejected' | 'failed' | 'deferred';
export type JobFate =
  | { readonly kind: 'finished' }
  | { readonly kind: 'next'; readonly step: Step }
  | {
      readonly kind: 'again';
      readonly wait: Milliseconds;
      readonly attempts: number;
      /** A vendor is at it: it goes before those that have not begun. */
      readonly begun: boolean;
    };

export type Decision = {
  readonly to: Status;
  readonly job: JobFate;
  /** What the step's attempt counts as; undefined when there was none. */
  readonly counts: AttemptOutcome | undefined;
  readonly because: string;
  readonly error: { readonly code: string; readonly message: string } | undefined;
};

/** What a fault comes to, by whoever it was thrown. */
export function outcomeOfFault(error: Fault): Outcome {
  // Not a statement that came too late: one that is too heavy would be tried for a day.
  if (isDatabaseFault(error, 'unavailable') || isDatabaseFault(error, 'conflict')) {
    return { kind: 'stumbled', because: error.message };
  }
  const { code, message, retryable, retryAfter } = error;
  return { kind: 'fault', code, message, retryable, retryAfter };
}

export function decide(situation: Situation, outcome: Outcome, policy: Policy, random: Random): Decision {
  const { status, attempts } = situation;
  const step = STEP_OF[status];
  const stay = (wait: Milliseconds, counts: AttemptOutcome | undefined, because: string, spent: number): Decision => ({
    to: status,
    job: { kind: 'again', wait, attempts: spent, begun: outcome.kind === 'pending' },
    counts,
    because,
    error: undefined,
  });
  const overdue = situation.age > policy.deadline;
  switch (outcome.kind) {
    case 'done': {
      const to = AFTER[step];
      const job: JobFate = to === 'completed' ? { kind: 'finished' } : { kind: 'next', step: STEP_OF[to] };
      return { to, job, counts: 'completed', because: outcome.because, error: undefined };
    }
    case 'rejected': {
      const error = { code: outcome.code, message: outcome.message };
      return { to: 'rejected', job: { kind: 'finished' }, counts: 'rejected', because: outcome.message, error };
    }
    case 'pending':
      if (overdue) return failed('vendor_too_slow', `not finished within ${describeSpan(policy.deadline)}`);
      return stay(outcome.wait, undefined, 'the vendor is still at it', attempts);
    case 'deferred':
      if (overdue) return failed('quota_exhausted', `${outcome.because}, for ${describeSpan(policy.deadline)}`);
      return stay(outcome.wait, 'deferred', outcome.because, attempts);
    case 'blocked':
      if (overdue) return failed('circuit_open', `${outcome.because}, for ${describeSpan(policy.deadline)}`);
      return stay(policy.circuitRest, 'failed', outcome.because, attempts);
    case 'stumbled':
      if (overdue) return failed('database_unavailable', `${outcome.because}, for ${describeSpan(policy.deadline)}`);
      return stay(policy.databaseRest, 'failed', outcome.because, attempts);
    case 'fault': {
      const tries = attempts + 1;
      if (!outcome.retryable) return failed(outcome.code, outcome.message);
      if (tries >= policy.attempts) return failed(outcome.code, `${outcome.message} (attempt ${tries}, the last)`);
      const wait = backoffDelay(policy.backoff, tries, random, outcome.retryAfter);
      const again = `attempt ${tries} of ${policy.attempts} failed: ${outcome.message}; again in ${describeSpan(wait)}`;
      return stay(wait, 'failed', again, tries);
    }
    default:
      return outcome satisfies never;
  }
}

/** A claim that was taken over from dead workers too often: something in the document kills them. */
export function decideInterrupted(situation: Situation, policy: Policy): Decision | undefined {
  if (situation.interruptions <= policy.interruptions) return undefined;
  return failed('interrupted', `${situation.interruptions} workers ended while they had this document`);
}

export function failed(code: string, message: string): Decision {
  return { to: 'failed', job: { kind: 'finished' }, counts: 'failed', because: message, error: { code, message } };
}

/** @throws {RangeError} when the table of moves forbids it: a bug, never an input. */
export function checkMove(from: Status, to: Status): void {
  if (from === to || mayMove(from, to)) return;
  throw new RangeError(`Cannot move a document from ${from} to ${to}`);
}
