/** HTML pages: the encoding a page declares counts if its bytes are not UTF-8; the title becomes a heading. */
import { htmlToMarkdown } from './html-to-markdown.ts';
import { type LocalParse, parsed, reject } from './outcome.ts';
import { decodeText } from './text-decoding.ts';

/** The HTML standard asks for the declaration within 1024 bytes; pages in the wild are less tidy. */
const DECLARED_WITHIN = 4096;

export function parseHtml(bytes: Uint8Array): LocalParse {
  const decoded = decodeText(bytes, declaredEncoding(bytes));
  if (decoded.kind === 'binary') return reject('unsupported', `The file is not text: ${decoded.because}`);
  const { title, markdown } = htmlToMarkdown(decoded.text);
  return parsed([title === '' || /^# /m.test(markdown) ? markdown : `# ${title}\n\n${markdown}`]);
}

/** From `<meta charset=…>`, `<meta http-equiv … content="…; charset=…">` or `<?xml … encoding=…?>`. */
export function declaredEncoding(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, DECLARED_WITHIN)).toString('latin1');
  const meta = /<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]{1,40})/i.exec(head);
  return meta?.[1] ?? /^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9_:.-]{1,40})/i.exec(head)?.[1];
}
