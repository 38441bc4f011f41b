/** What one document may hold. Each limit has a reason; the overflow is the rejection `too_large`. */
import { type Bytes, mebibytes } from '#kernel/units.ts';

export type ParseLimits = {
  /** Text of all pages together, as UTF-8. War and Peace has 3.3 MB. */
  readonly output: Bytes;
  /** Pages of a PDF: far above any report, far below the 2^31 a forged page count can claim. */
  readonly pages: number;
  /** All parts of a docx together, as its directory declares them; pictures dominate honest files. */
  readonly unpacked: Bytes;
  /** Of these, the XML that is read. A thousand pages of Word have some 4 MB. */
  readonly markup: Bytes;
};

export const PARSE_LIMITS: ParseLimits = {
  output: mebibytes(16),
  pages: 5_000,
  unpacked: mebibytes(128),
  markup: mebibytes(8),
};

/** Memory that mammoth takes for each byte of XML: measured 130 at 3 MB, 92 at 13 MB. */
export const MEMORY_PER_MARKUP = 100;
