/** What became of an attempt to deliver. Every channel answers with one of these; the outbox decides what follows. */
import type { Milliseconds } from '#kernel/units.ts';

export type Outcome =
  | { readonly kind: 'delivered'; readonly reference: string | undefined }
  /** The other side will never take it: trying again is of no use, the next target is. */
  | { readonly kind: 'refused'; readonly because: string }
  /** It was surely not taken. `after`: the other side's Retry-After, honoured to the second. */
  | { readonly kind: 'retry'; readonly because: string; readonly after: Milliseconds | undefined }
  /** Nobody knows whether it was taken: the connection broke after it was written. Tried again, and marked. */
  | { readonly kind: 'ambiguous'; readonly because: string };
