/** A failed document is taken up again, by a person's wish. Steps whose results are stored are not done, or paid, again. */
import type { Db } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { checkMove } from './decide.ts';
import { documentKey, type Status } from './document.ts';
import { enqueue, hint } from './queue.ts';
import { addTimeline, lockDocument, moveDocument } from './rows/documents.ts';
import { uploadedJob } from './rows/vendor-calls.ts';

export type Retried = { readonly kind: 'queued' } | { readonly kind: 'refused'; readonly status: Status };

export async function retryDocument(db: Db, id: string, subject: string, at: Milliseconds): Promise<Retried> {
  return await db.tx(async (q) => {
    const document = await lockDocument(q, id);
    if (document?.status !== 'failed') return { kind: 'refused', status: document?.status ?? 'erased' };
    checkMove(document.status, 'queued');
    await moveDocument(q, id, { from: 'failed', to: 'queued', attempts: 0, at, error: null, finished: false });
    await addTimeline(q, id, { at, from: 'failed', to: 'queued', attempt: 0, because: `tried again by ${subject}` });
    // An upload whose result was never fetched is still the vendor's job: asked for again, not paid for again.
    const payload = await uploadedJob(q, id);
    await enqueue(q, [{ queue: 'parse', key: documentKey(id), documentId: id, payload, availableAt: at }], at);
    await hint(q);
    return { kind: 'queued' };
  });
}
