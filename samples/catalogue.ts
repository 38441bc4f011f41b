/**
 * The project's own sample documents: for the demo, the load tests, and tests in a clone without other documents.
 * `make.ts` writes them into `documents/`; this list says what must become of each.
 */

export type GoodSample = {
  readonly file: string;
  readonly language: string;
  /** A search for this must find the document. */
  readonly words: string;
};

export type BadSample = {
  readonly file: string;
  /** A rejection code of the worker; spelled here because samples stand above it. */
  readonly code: 'empty' | 'unsupported' | 'encrypted' | 'damaged' | 'no_text';
};

export const GOOD_SAMPLES = [
  { file: 'invoice.pdf', language: 'en', words: 'Thermal labels 57 mm' },
  { file: 'discharge-instructions.pdf', language: 'en', words: 'The plaster cast is removed after five weeks' },
  { file: 'lease-summary.pdf', language: 'en', words: 'The oven may be used from 3 in the morning' },
  { file: 'travel-policy-restricted.pdf', language: 'en', words: 'lost umbrellas are not luggage' },
  { file: 'registration-form.pdf', language: 'en', words: 'Bookbinding for beginners' },
  { file: 'mietvertrag.pdf', language: 'de', words: 'Das Treppenhaus wird im wöchentlichen Wechsel gereinigt' },
  { file: 'proces-verbal.pdf', language: 'fr', words: 'La garantie décennale commence à courir' },
  { file: 'ficha-de-seguridad.pdf', language: 'es', words: 'enjuagar con abundante agua' },
  { file: 'minutes.docx', language: 'en', words: 'The mobile library visits the harbour district' },
  { file: 'arbeitsanweisung.docx', language: 'de', words: 'eine rissige Dichtung sofort ersetzen' },
  { file: 'symvasi.docx', language: 'el', words: 'Καθαρισμός των προβολέων' },
  { file: 'protokol.docx', language: 'ru', words: 'Закупить двадцать новых микроскопов' },
  { file: 'aqd-ijar.docx', language: 'ar', words: 'يتحمل المستأجر فواتير الماء والكهرباء' },
  { file: 'runbook.md', language: 'en', words: 'Two primaries are worse than none' },
  { file: 'release-notes.md', language: 'ja', words: 'バーコードを連続して読み取れます' },
  { file: 'notice.md', language: 'zh', words: '检修人员须佩戴安全帽和手套' },
  { file: 'product-page.html', language: 'en', words: 'vinegar attacks the gasket' },
  { file: 'horaires.html', language: 'fr', words: 'elle est gratuite pour les élèves' },
  { file: 'warranty.html', language: 'ja', words: '分解したときの故障' },
  { file: 'shift-handover.txt', language: 'en', words: 'Forklift 6 pulls to the left' },
  { file: 'wartung.txt', language: 'de', words: 'Türschließer nachgestellt' },
  { file: 'notas-cocina.txt', language: 'es', words: 'Postre de la casa: arroz con leche' },
  { file: 'obyavlenie.txt', language: 'ru', words: 'не будет горячей воды' },
  { file: 'inventory.txt', language: 'ko', words: '파손된 상자는 따로 모아' },
] as const satisfies readonly GoodSample[];

export const BAD_SAMPLES = [
  { file: 'empty.pdf', code: 'empty' },
  { file: 'password-protected.pdf', code: 'encrypted' },
  { file: 'truncated.pdf', code: 'damaged' },
  { file: 'truncated.docx', code: 'damaged' },
  { file: 'drawing-only.pdf', code: 'no_text' },
  { file: 'firmware.bin', code: 'unsupported' },
  { file: 'workbook-named.pdf', code: 'unsupported' },
] as const satisfies readonly BadSample[];

/** The folder of the documents, as a URL that ends with a slash: `good/` and `bad/` are below it. */
export const SAMPLES_FOLDER = new URL('./documents/', import.meta.url);
