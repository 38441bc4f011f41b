/**
 * A document enters: its bytes, row, timeline and first job are committed together. When this returns, the document is
 * durable and will reach an end; before, there is nothing of it that counts.
 */
import { createHash } from 'node:crypto';
import type { Traceparent } from '#collector/context.ts';
import { type Db, isDatabaseFault } from '#kernel/database.ts';
import { Fault } from '#kernel/errors.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { documentKey } from './document.ts';
import { enqueue, hint, priorityOf } from './queue.ts';
import { type Piece, putPiece } from './rows/contents.ts';
import { addTimeline, type DocumentRow, findByIdempotencyKey, insertDocument } from './rows/documents.ts';

export type Acceptance = {
  readonly id: string;
  readonly tenant: string;
  readonly filename: string;
  readonly contentType: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly metadata: object;
  readonly webhookUrl: string | null;
  readonly correlationId: string;
  readonly traceparent: Traceparent | undefined;
  readonly idempotencyKey: string | null;
  readonly noCache: boolean;
  readonly canary: boolean;
  /** The pieces that are not stored yet: the last one, or all of a small file. */
  readonly pieces: readonly Piece[];
};

export type Accepted = { readonly document: DocumentRow; readonly replayed: boolean };

/** @throws {Fault} `idempotency_conflict` when the key was used for another request. */
export async function accept(db: Db, acceptance: Acceptance, at: Milliseconds): Promise<Accepted> {
  const requestHash = hashRequest(acceptance);
  const { id, tenant, idempotencyKey, pieces } = acceptance;
  try {
    return await db.tx(async (q) => {
      const row = { ...acceptance, traceparent: acceptance.traceparent ?? '', requestHash, at };
      const job = {
        queue: 'parse',
        key: documentKey(id),
        documentId: id,
        priority: priorityOf(acceptance),
        availableAt: at,
      };
      // Sent together: the first that fails is the one that is thrown, and none of them needs another's answer.
      const [document] = await Promise.all([
        insertDocument(q, row),
        ...pieces.map((piece) => putPiece(q, id, piece, at)),
        addTimeline(q, id, { at, from: null, to: 'queued', attempt: 0, because: 'accepted' }),
        enqueue(q, [job], at),
        hint(q),
      ]);
      return { document, replayed: false };
    });
  } catch (error) {
    if (idempotencyKey === null || !isDatabaseFault(error, 'duplicate')) throw error;
    const first = await findByIdempotencyKey(db, tenant, idempotencyKey);
    if (!first) throw error;
    if (first.requestHash !== requestHash) {
      throw new Fault('idempotency_conflict', 'This Idempotency-Key was used for a different request');
    }
    return { document: first, replayed: true };
  }
}

/** What makes two requests the same: the bytes, the name, and what was asked for. */
export function hashRequest(of: Pick<Acceptance, 'sha256' | 'filename' | 'metadata' | 'webhookUrl'>): string {
  const text = JSON.stringify([of.sha256, of.filename, of.metadata, of.webhookUrl]);
  return createHash('sha256').update(text).digest('hex');
}
