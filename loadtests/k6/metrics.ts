/** k6's own counts. `accounts.ts` compares them with the records, the database and the ledger. */
import { Counter, Rate, Trend } from 'k6/metrics';

export const sent = new Counter('documents_sent');
export const accepted = new Counter('documents_accepted');
export const refused = new Counter('documents_refused');
export const unanswered = new Counter('documents_unanswered');
export const completed = new Counter('documents_completed');
export const rejected = new Counter('documents_rejected');
export const failed = new Counter('documents_failed');
export const missing = new Counter('documents_missing');
/** 429 and its like: uploads that were tried again. */
export const retried = new Counter('uploads_retried');

/** As the objectives count: what is good among what counts. */
export const processed = new Rate('document_processed');
export const onTime = new Rate('document_on_time');
export const available = new Rate('api_available');
export const fast = new Rate('api_fast');
/** 429 without Retry-After. */
export const unadvised = new Counter('api_unadvised');
/** Rejected for the right reason, or completed where that was right. */
export const asExpected = new Rate('document_as_expected');

/** From the first byte of the upload until somebody who asks sees it completed. */
export const duration = new Trend('document_duration', true);
