/**
 * The life of one parse job, pure.
 *
 * PENDING: accepted, its bytes are on disk; a restart finds it and runs it. RUNNING: being parsed; a restart runs it
 * again from the start, as nothing was told yet. COMPLETED, FAILED, CANCELLED: over, the bytes are gone.
 */
import type { Milliseconds } from '#kernel/units.ts';
import type { RejectionCode } from '#worker/parsers/rejections.ts';

export const STATUSES = ['PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED'] as const;
export type Status = (typeof STATUSES)[number];
export const isStatus = (name: string): name is Status => (STATUSES as readonly string[]).includes(name);

const MOVES = {
  PENDING: ['RUNNING', 'FAILED', 'CANCELLED'],
  RUNNING: ['COMPLETED', 'FAILED', 'CANCELLED'],
  COMPLETED: [],
  FAILED: [],
  CANCELLED: [],
} as const satisfies Record<Status, readonly Status[]>;
export const isOver = (status: Status): boolean => MOVES[status].length === 0;

/** Credits a page. https://developers.llamaindex.ai/llamaparse/general/pricing/ */
export const CREDITS_PER_PAGE = { fast: 1, cost_effective: 3, agentic: 10, agentic_plus: 45 } as const;
export type Tier = keyof typeof CREDITS_PER_PAGE;

export type Webhook = {
  readonly url: string;
  /** Undefined: all of them. */
  readonly events: readonly string[] | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly asObject: boolean;
  readonly signingSecret: string | undefined;
};

export type Job = {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly tier: Tier;
  readonly version: string;
  readonly userMetadata: Readonly<Record<string, string>> | undefined;
  readonly sha256: string;
  readonly bytes: number;
  readonly webhooks: readonly Webhook[];
  readonly createdAt: Milliseconds;
  readonly updatedAt: Milliseconds;
  readonly status: Status;
  readonly errorMessage: string | undefined;
  readonly pages: number;
  readonly credits: number;
};

/** What a parser said of a file, as far as a job cares. */
export type Parsed =
  | { readonly kind: 'parsed'; readonly pages: readonly string[] }
  | { readonly kind: 'rejected'; readonly code: RejectionCode; readonly because: string }
  | { readonly kind: 'crashed'; readonly because: string };

/** The vendor's own error codes: https://developers.llamaindex.ai/llamaparse/general/troubleshooting/ */
const ERROR_OF = {
  empty: 'NO_DATA_FOUND_IN_FILE: No data found in file.',
  unsupported: 'UNSUPPORTED_FILE_TYPE: Unsupported file type.',
  encrypted: 'PDF_IS_PROTECTED: Could not open PDF, as it seems to be protected.',
  damaged: 'PDF_IS_BROKEN: Could not open the document, as it seems to be corrupted.',
  too_large: 'DOCUMENT_TOO_LARGE: The document exceeds the size limits.',
} as const satisfies Record<Exclude<RejectionCode, 'no_text'>, string>;
const CRASHED = 'ERROR_DURING_PROCESSING: An unknown error occurred during processing.';

/** What the result will hold. A file without text is a scan to this vendor: OCR completes it, here with nothing. */
export function pagesOf(parsed: Parsed): readonly string[] | undefined {
  if (parsed.kind === 'parsed') return parsed.pages;
  return parsed.kind === 'rejected' && parsed.code === 'no_text' ? [''] : undefined;
}

/** A failed job bills nothing. */
export function finish(job: Job, parsed: Parsed, now: Milliseconds): Job {
  const pages = pagesOf(parsed)?.length;
  if (pages !== undefined) {
    return { ...moved(job, 'COMPLETED', now), pages, credits: pages * CREDITS_PER_PAGE[job.tier] };
  }
  const known = parsed.kind === 'rejected' && parsed.code !== 'no_text';
  return { ...moved(job, 'FAILED', now), errorMessage: known ? ERROR_OF[parsed.code] : CRASHED };
}

/** @throws {RangeError} for a move that the table does not hold. */
export function moved(job: Job, status: Status, now: Milliseconds): Job {
  const allowed: readonly Status[] = MOVES[job.status];
  if (!allowed.includes(status)) throw new RangeError(`Cannot move job ${job.id} from ${job.status} to ${status}`);
  return { ...job, status, updatedAt: now };
}

/** `parse.*`, undefined where the vendor has no event. */
export function eventOf(status: Status): string {
  const names = {
    PENDING: 'pending',
    RUNNING: 'running',
    COMPLETED: 'success',
    FAILED: 'error',
    CANCELLED: 'cancelled',
  };
  return `parse.${names[status]}`;
}
