/** What every parser answers. A document's own faults are an answer, not an error. */
import type { RejectionCode } from './rejections.ts';

export type Rejected = { readonly kind: 'rejected'; readonly code: RejectionCode; readonly because: string };

export type LocalParse =
  /** One entry per page, empty ones kept so that numbers stay true; formats without pages have one. Markdown. */
  { readonly kind: 'parsed'; readonly pages: readonly string[] } | Rejected;

export const parsed = (pages: readonly string[]): LocalParse => ({ kind: 'parsed', pages });
export const reject = (code: RejectionCode, because: string): Rejected => ({ kind: 'rejected', code, because });
