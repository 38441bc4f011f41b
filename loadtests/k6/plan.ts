/** What a run of k6 is told: made by the Node side (`scenarios.ts`), read by the scripts here as one JSON file. */
import type { Options } from 'k6/options';

export type Plan = {
  readonly scenario: string;
  /** Of this run alone: the correlation ID of its uploads, and the beginning of their idempotency keys. */
  readonly run: string;
  readonly documents: readonly PlannedDocument[];
  /** In order, without gaps. */
  readonly phases: readonly Phase[];
  /** From the objectives; in milliseconds. */
  readonly onTimeMs: number;
  readonly fastMs: number;
  /** How long k6 follows a document before it leaves it to the settlement; in milliseconds. */
  readonly patienceMs: number;
  /** How long an upload is tried again; in milliseconds. */
  readonly uploadMs: number;
  /** Each of so many documents has one that must be rejected; 0: none. */
  readonly everyBad: number;
  /** After each of so many documents, a search. */
  readonly everySearch: number;
  readonly options: Options;
};

export type PlannedDocument = {
  /** Absolute, or from the folder of the scripts. */
  readonly path: string;
  readonly name: string;
  readonly type: string;
  readonly bytes: number;
  readonly expected: Expected;
  /** What to search for; empty: nothing. */
  readonly words: string;
};

/** `any`: a document of somebody's own, which may be rejected by right. */
export type Expected = 'completed' | 'any' | `rejected ${string}`;

export type Phase = {
  readonly name: string;
  /** From the beginning of the scenario, in milliseconds. */
  readonly from: number;
  readonly to: number;
  /** Documents a second; of a ramp, the mean. */
  readonly rate: number;
  /** Do the objectives judge what is sent in it? */
  readonly judged: boolean;
};
