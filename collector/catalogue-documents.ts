/** The instruments of a document's life: what the objectives are judged by, and what explains them. */
import type { Instrument } from './catalogue.ts';

/** In the order of a document's life. */
export const DOCUMENT_STATUSES = [
  'queued',
  'parsing',
  'chunking',
  'embedding',
  'storing',
  'completed',
  'rejected',
  'failed',
  'erased',
] as const;
export const UNFINISHED_STATUSES = ['queued', 'parsing', 'chunking', 'embedding', 'storing'] as const;
export const FINISHED_OUTCOMES = ['completed', 'rejected', 'failed'] as const;
export const STEPS = ['parse', 'chunk', 'embed', 'store'] as const;
/** `deferred`: it waited for a quota and did nothing; no failure of anybody. */
export const STEP_OUTCOMES = ['completed', 'rejected', 'failed', 'deferred'] as const;
export const VENDORS = ['llamaparse', 'openai', 'local'] as const;
export const VENDOR_OUTCOMES = [
  'ok',
  'client_error',
  'rate_limited',
  'out_of_credit',
  'server_error',
  'timeout',
  'unreachable',
  'malformed',
  'aborted',
] as const;

/** 30 s is the objective `documents-on-time`. */
const DOCUMENT_SECONDS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 45, 60, 120, 300, 900] as const;
const STEP_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120] as const;
/** 10 s is the limit of one attempt at a vendor. */
const VENDOR_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30] as const;
const WAIT_SECONDS = [0.01, 0.05, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 900] as const;

const WORKERS = ['worker', 'service'] as const;
/** Vendors are asked by the steps, and by a search for its query's embedding. */
const CALLERS = ['api', 'worker', 'service'] as const;
/** One answer for the whole database: given by the role that is there once. */
const DATABASE_WIDE = ['api', 'service'] as const;

export const METRICS_OF_DOCUMENTS = {
  documents_finished_total: {
    kind: 'observable counter',
    unit: '{document}',
    help: 'Documents that reached an end, without canaries. Counted in the transaction that finished them.',
    attributes: { outcome: FINISHED_OUTCOMES },
    roles: WORKERS,
    shown: 'rest',
  },
  document_processing_duration_seconds: {
    kind: 'histogram',
    unit: 's',
    help: 'From the accepted upload to completed, without canaries.',
    attributes: {},
    buckets: DOCUMENT_SECONDS,
    roles: WORKERS,
    shown: 'rest',
  },
  document_step_attempts_total: {
    kind: 'observable counter',
    unit: '{attempt}',
    help: 'Attempts at a step; one HTTP call to a vendor is one attempt, a poll of a pending job is none.',
    attributes: { step: STEPS, outcome: STEP_OUTCOMES },
    roles: WORKERS,
    shown: 'rest',
  },
  document_step_duration_seconds: {
    kind: 'histogram',
    unit: 's',
    help: 'How long one attempt at a step took.',
    attributes: { step: STEPS, outcome: STEP_OUTCOMES },
    buckets: STEP_SECONDS,
    roles: WORKERS,
    shown: 'rest',
  },
  documents_unfinished: {
    kind: 'gauge',
    unit: '{document}',
    help: 'Documents accepted and not yet at an end, in the whole database, without canaries.',
    attributes: { status: UNFINISHED_STATUSES },
    roles: DATABASE_WIDE,
    shown: 'rest',
  },
  document_oldest_unfinished_age_seconds: {
    kind: 'gauge',
    unit: 's',
    help: 'Age of the oldest document that is accepted and not at an end; 0 when there is none.',
    attributes: {},
    roles: DATABASE_WIDE,
    shown: 'rest',
  },
  canary_finished_total: {
    kind: 'observable counter',
    unit: '{document}',
    help: 'Synthetic documents that reached an end; one that is overdue counts as failed.',
    attributes: { outcome: FINISHED_OUTCOMES },
    roles: WORKERS,
    shown: 'rest',
  },
  vendor_request_duration_seconds: {
    kind: 'histogram',
    unit: 's',
    help: 'One request to a vendor, from the call to the last byte of the answer or the failure.',
    attributes: { vendor: VENDORS, outcome: VENDOR_OUTCOMES },
    buckets: VENDOR_SECONDS,
    roles: CALLERS,
    shown: 'rest',
  },
  document_cost_usd_total: {
    kind: 'counter',
    unit: '{USD}',
    help: 'Money that calls to vendors cost, by our dated price table.',
    attributes: { vendor: VENDORS },
    roles: CALLERS,
    shown: 'rest',
  },
  document_cost_wasted_usd_total: {
    kind: 'counter',
    unit: '{USD}',
    help: 'The part of the cost whose result was lost and had to be bought again.',
    attributes: { vendor: VENDORS },
    roles: CALLERS,
    shown: 'rest',
  },
  vendor_tokens_total: {
    kind: 'counter',
    unit: '{token}',
    help: 'Tokens that a vendor billed.',
    attributes: { vendor: VENDORS, kind: ['input', 'output'] },
    roles: CALLERS,
    shown: 'rest',
  },
  vendor_pages_total: {
    kind: 'counter',
    unit: '{page}',
    help: 'Pages that a vendor parsed, or our own parsers.',
    attributes: { vendor: VENDORS },
    roles: CALLERS,
    shown: 'rest',
  },
  vendor_credits_total: {
    kind: 'counter',
    unit: '{credit}',
    help: 'Credits that a vendor billed.',
    attributes: { vendor: VENDORS },
    roles: CALLERS,
    shown: 'rest',
  },
  vendor_circuit_state: {
    kind: 'gauge',
    unit: '1',
    help: 'The circuit breaker before a vendor: 0 closed, 1 half open, 2 open.',
    attributes: { vendor: VENDORS },
    roles: CALLERS,
    shown: 'rest',
  },
  step_cache_total: {
    kind: 'counter',
    unit: '{lookup}',
    help: 'Results of a step looked up in the cache instead of bought again.',
    attributes: { step: ['parse', 'embed'], result: ['hit', 'miss'] },
    roles: WORKERS,
    shown: 'rest',
  },
  worker_last_seen_timestamp_seconds: {
    kind: 'gauge',
    unit: 's',
    help: 'When a worker last proved that it lives, in Unix time; the latest of all of them.',
    attributes: {},
    roles: CALLERS,
    shown: 'rest',
  },
  queue_jobs: {
    kind: 'gauge',
    unit: '{job}',
    help: 'Live jobs in the whole database: due now, due later, or in a worker’s hands.',
    attributes: { state: ['ready', 'delayed', 'claimed'] },
    roles: DATABASE_WIDE,
    shown: 'rest',
  },
  queue_oldest_ready_age_seconds: {
    kind: 'gauge',
    unit: 's',
    help: 'How long the oldest due job has been waiting for a worker; what to scale workers by.',
    attributes: {},
    roles: DATABASE_WIDE,
    shown: 'rest',
  },
  queue_estimated_wait_seconds: {
    kind: 'gauge',
    unit: 's',
    help: 'How long a document uploaded now would wait, a vendor’s outage not counted; uploads are refused by it.',
    attributes: {},
    roles: DATABASE_WIDE,
    shown: 'rest',
  },
  job_wait_duration_seconds: {
    kind: 'histogram',
    unit: 's',
    help: 'From the time a job was due to the time a worker claimed it.',
    attributes: {},
    buckets: WAIT_SECONDS,
    roles: WORKERS,
    shown: 'rest',
  },
  lease_lost_total: {
    kind: 'counter',
    unit: '{lease}',
    help: 'Jobs this worker held and found taken away: it was too slow, or cut off. Its result was thrown away.',
    attributes: {},
    roles: WORKERS,
    shown: 'rest',
  },
  jobs_reclaimed_total: {
    kind: 'counter',
    unit: '{job}',
    help: 'Jobs taken over from a worker that went silent, and documents found without a live job.',
    attributes: { reason: ['lease_expired', 'job_missing'] },
    roles: CALLERS,
    shown: 'rest',
  },
  uploads_refused_total: {
    kind: 'counter',
    unit: '{upload}',
    help: 'Uploads answered 429 or 413.',
    attributes: { reason: ['overloaded', 'rate_limited', 'too_large'] },
    roles: DATABASE_WIDE,
    shown: 'rest',
  },
  webhook_deliveries_total: {
    kind: 'counter',
    unit: '{delivery}',
    help: 'Attempts to tell a document’s owner that it is finished.',
    attributes: { outcome: ['delivered', 'failed', 'forbidden', 'given_up'] },
    roles: WORKERS,
    shown: 'rest',
  },
} as const satisfies Record<string, Instrument>;
