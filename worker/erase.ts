/** Erasure: content, text, vectors and names go; the row, its times, its costs and the audit trail stay. */
import { type AuditEntry, audit } from '#access/audit.ts';
import type { Db } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { dropJobs } from './queue.ts';
import { dropContent } from './rows/contents.ts';
import { addTimeline, blankDocument, blankTimeline, lockDocument, readDocument } from './rows/documents.ts';
import { dropResults } from './rows/results.ts';
import { chargeDocument } from './rows/vendor-calls.ts';

/** @returns false when there is no such document of this tenant. Erasing again changes nothing and is no error. */
export async function eraseDocument(db: Db, id: string, entry: AuditEntry, at: Milliseconds): Promise<boolean> {
  return await db.tx(async (q) => {
    if ((await readDocument(q, id))?.tenant !== entry.tenant) return false;
    // The job goes first: transitions take the job's row and then the document's, and so must this.
    await dropJobs(q, id);
    const document = await lockDocument(q, id);
    if (!document) return false;
    if (document.status === 'erased') return true;
    // Erased in the middle of a call: nobody will see the end of it.
    await chargeDocument(q, id, at);
    await dropContent(q, id);
    await dropResults(q, id);
    await blankTimeline(q, id);
    await blankDocument(q, id, at);
    await addTimeline(q, id, { at, from: document.status, to: 'erased', attempt: 0, because: 'erased on request' });
    await audit(q, entry);
    return true;
  });
}
