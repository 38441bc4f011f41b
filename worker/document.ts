/**
 * A document's life: the states it can be in, and which may follow which.
 *
 * Enters as `queued` (its bytes, row and job committed together). Leaves as `completed`, as `rejected` (the document's
 * fault: the user is told what to do, no error budget is spent) or as `failed` (ours or a vendor's, after the last
 * attempt: budget is spent, and it can be tried again). `erased` keeps the row and its history, and nothing of the content.
 *
 * A crash costs, by state: queued, nothing; parsing, at most one repeated upload (the vendor's job id is stored before the
 * first poll); chunking, a repeat of pure computation; embedding, at most one batch (each is stored as it comes);
 * storing, nothing (the same rows are written again). Terminal states have no job.
 */
import { DOCUMENT_STATUSES, type STEPS } from '#collector/catalogue-documents.ts';

export const STATUSES = DOCUMENT_STATUSES;
export type Status = (typeof STATUSES)[number];
export type Step = (typeof STEPS)[number];

export const MOVES = {
  queued: ['parsing', 'failed', 'erased'],
  parsing: ['chunking', 'rejected', 'failed', 'erased'],
  chunking: ['embedding', 'rejected', 'failed', 'erased'],
  embedding: ['storing', 'failed', 'erased'],
  storing: ['completed', 'failed', 'erased'],
  completed: ['erased'],
  rejected: ['erased'],
  failed: ['queued', 'erased'],
  erased: [],
} as const satisfies Record<Status, readonly Status[]>;

export function mayMove(from: Status, to: Status): boolean {
  return (MOVES[from] as readonly Status[]).includes(to);
}

/** Unfinished documents are owed an end; each has exactly one live job, for the step named here. */
export const STEP_OF = {
  queued: 'parse',
  parsing: 'parse',
  chunking: 'chunk',
  embedding: 'embed',
  storing: 'store',
} as const satisfies Partial<Record<Status, Step>>;
export type UnfinishedStatus = keyof typeof STEP_OF;

export function isUnfinished(status: Status): status is UnfinishedStatus {
  return status in STEP_OF;
}

/** What a document becomes when this step has succeeded. */
export const AFTER = {
  parse: 'chunking',
  chunk: 'embedding',
  embed: 'storing',
  store: 'completed',
} as const satisfies Record<Step, Status>;

/** One live job a document: the key is unique while the job lives. */
export const documentKey = (documentId: string): string => `document/${documentId}`;
export const webhookKey = (documentId: string): string => `webhook/${documentId}`;
