/**
 * Why a document is refused for its own sake: a closed set, because each code is also a metric label and a promise to
 * the user that trying the same file again will not help. Our own faults and a vendor's are never in this table.
 */
export type RejectionCode = 'empty' | 'unsupported' | 'encrypted' | 'damaged' | 'no_text' | 'too_large';

export type Rejection = {
  /** What is wrong, in words a user understands. */
  readonly message: string;
  /** What the user can do about it. */
  readonly remedy: string;
};

export const REJECTIONS = {
  empty: {
    message: 'The file has no content.',
    remedy: 'Check that the file is complete on your side, then upload it again.',
  },
  unsupported: {
    message: 'This kind of file cannot be processed.',
    remedy: 'Upload a PDF, a Word document (.docx), an HTML page, Markdown or plain text.',
  },
  // Only a document that cannot be opened without a password. Printing or copying restrictions alone do not count.
  encrypted: {
    message: 'The document is protected by a password.',
    remedy: 'Remove the password and upload the document again.',
  },
  damaged: {
    message: 'The file is damaged or incomplete and cannot be read.',
    remedy: 'Open it in the program that made it, save or export it again, and upload the new file.',
  },
  no_text: {
    message: 'The document holds no text, only images or empty pages.',
    remedy: 'If it is a scan, run text recognition (OCR) on it and upload the result.',
  },
  // Not the upload limit, which the API answers at once: the file unpacks to more than a document can sensibly hold.
  too_large: {
    message: 'The document holds more pages, text or packed data than can be processed.',
    remedy: 'Split it into smaller documents and upload those.',
  },
} as const satisfies Record<RejectionCode, Rejection>;

export const REJECTION_CODES = Object.keys(REJECTIONS) as readonly RejectionCode[];

/** For text that came over a wire: a vendor's answer, a stored row. */
export function isRejectionCode(value: string): value is RejectionCode {
  return Object.hasOwn(REJECTIONS, value);
}
