/** The uploaded bytes, in pieces, so that neither an upload nor a read holds more than it must. */
import { instant, type Queryable } from '#kernel/database.ts';
import { type Milliseconds, mebibytes } from '#kernel/units.ts';

export const PIECE_BYTES = mebibytes(1);

export type Piece = { readonly ordinal: number; readonly bytes: Uint8Array };

export async function putPiece(q: Queryable, documentId: string, piece: Piece, at: Milliseconds): Promise<void> {
  await q.query('insert into worker.contents (document_id, ordinal, at, bytes) values ($1, $2, $3, $4)', [
    documentId,
    piece.ordinal,
    instant(at),
    piece.bytes,
  ]);
}

/** @throws {RangeError} when pieces are missing: a document that was accepted has all of them. */
export async function readContent(
  q: Queryable,
  document: { readonly id: string; readonly bytes: number },
): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (let ordinal = 0; size < document.bytes; ordinal++) {
    const rows = await q.query<{ bytes: Uint8Array }>(
      'select bytes from worker.contents where document_id = $1 and ordinal = $2',
      [document.id, ordinal],
    );
    if (!rows[0])
      throw new RangeError(`Cannot read a document of ${document.bytes} bytes: piece ${ordinal} is missing`);
    pieces.push(rows[0].bytes);
    size += rows[0].bytes.byteLength;
  }
  return Buffer.concat(pieces);
}

export async function dropContent(q: Queryable, documentId: string): Promise<void> {
  await q.query('delete from worker.contents where document_id = $1', [documentId]);
}

/** Pieces of uploads that were never accepted: the client went away, or the process ended, in the middle. */
export async function sweepContents(q: Queryable, before: Milliseconds): Promise<number> {
  const rows = await q.query(
    `delete from worker.contents c where at < $1
       and not exists (select 1 from worker.documents d where d.id = c.document_id)
     returning ordinal`,
    [instant(before)],
  );
  return rows.length;
}
