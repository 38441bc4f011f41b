/**
 * HTML to Markdown: headings, paragraphs, lists, tables, code and links to elsewhere stay; what is not content (programs,
 * navigation, controls, hidden parts) goes, and so does emphasis, which no search asks for. Nothing is escaped, so that
 * `snake_case` is found as it was written.
 *
 * Linear in the size of the page and without recursion, so that neither a long page nor a deep one is a problem.
 * Measured: node-html-markdown copies its whole output at every tag, and needs 25 s for a page of 1.6 MB.
 */
import { makeElementStack } from './html-elements.ts';
import { htmlTokens } from './html-tokens.ts';
import { addText, enterElement, finish, makeWriter, writeSingle } from './html-writer.ts';

/** Elements whose text is neither markup nor content. */
const RAW_NOT_CONTENT = new Set('iframe noembed noframes script style textarea title'.split(' '));

export type Page = { readonly title: string; readonly markdown: string };

export function htmlToMarkdown(html: string): Page {
  const writer = makeWriter();
  const stack = makeElementStack();
  let raw = '';
  let title = '';
  for (const token of htmlTokens(html)) {
    switch (token.kind) {
      case 'text':
        if (raw === 'title') title ||= token.text.replace(/\s+/g, ' ').trim();
        if (!RAW_NOT_CONTENT.has(raw)) addText(writer, token.text);
        break;
      case 'open': {
        const { tag, attributes } = token;
        raw = tag;
        if (RAW_NOT_CONTENT.has(tag) || writeSingle(writer, tag, attributes)) break;
        stack.open(tag, () => enterElement(writer, tag, attributes));
        break;
      }
      case 'close':
        raw = '';
        stack.close(token.tag);
        break;
      default:
        token satisfies never;
    }
  }
  stack.closeAll();
  return { title, markdown: finish(writer) };
}
