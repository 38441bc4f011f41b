/**
 * The project's own sample documents: for the demo, the load tests, and tests in a clone without other documents.
 * `make.ts` writes them; this list says what must become of each.
 */
import type { RejectionCode } from '#worker/parsers/rejections.ts';
