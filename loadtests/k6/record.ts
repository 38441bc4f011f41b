/**
 * What k6 writes down of each document, a line of JSON each, at the moment it knows it: a run that is broken off has told
 * everything up to there. Read by `book.ts`.
 */
export type DocumentRecord =
  /** Before the upload: whatever becomes of it, it was sent. */
  | (Said<'sent'> & { readonly file: string; readonly expected: string; readonly phase: string })
  /** 202, after `tries` uploads. */
  | (Said<'accepted'> & { readonly id: string; readonly tries: number })
  /** Not taken, and the service said so. */
  | (Said<'refused'> & { readonly status: number; readonly code: string })
  /** No answer, or one of a fault: nobody but the database knows whether it was taken. */
  | (Said<'unanswered'> & { readonly status: number })
  | (Said<'ended'> & { readonly status: string; readonly code: string; readonly ms: number })
  /** Accepted, and then the service knew nothing of it. */
  | Said<'missing'>
  /** Still on its way when k6's patience was over. */
  | (Said<'left'> & { readonly status: string });

type Said<Kind extends string> = {
  readonly kind: Kind;
  /** The idempotency key. */
  readonly key: string;
  /** Wall time, in milliseconds. */
  readonly at: number;
};

export function tell(record: DocumentRecord): void {
  console.log(JSON.stringify(record));
}
