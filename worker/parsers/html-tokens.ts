/**
 * HTML as a stream of tags and texts, in one pass and in linear time, whatever the bytes are.
 * Source: WHATWG HTML, §13.2.5 Tokenization; shortened by what makes no difference for text.
 */
import { decodeHTML, decodeHTMLAttribute } from 'entities';

export type HtmlToken =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'open'; readonly tag: string; readonly attributes: ReadonlyMap<string, string> }
  | { readonly kind: 'close'; readonly tag: string };

/** Their content is text up to their own end tag. In the last two, character references count. */
const RAW = ['script', 'style', 'xmp', 'iframe', 'noembed', 'noframes', 'textarea', 'title'];
const REFERENCES_COUNT = ['textarea', 'title'];
/** A tag with more is not written by hand or by any program; the rest of its attributes is dropped. */
const ATTRIBUTES_MAX = 100;

const NAME = /[^\s/>]*/y;
const SPACE = /[\s/]*/y;
const ATTRIBUTE = /([^\s/>=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"'][^\s>]*)?))?/y;

export function* htmlTokens(html: string): Generator<HtmlToken> {
  let at = 0;
  while (at < html.length) {
    const start = nextMarkup(html, at);
    if (start > at) yield { kind: 'text', text: decodeHTML(html.slice(at, start)) };
    if (start >= html.length) return;
    if (html[start + 1] === '!' || html[start + 1] === '?') {
      at = afterDeclaration(html, start);
    } else if (html[start + 1] === '/') {
      yield { kind: 'close', tag: nameAt(html, start + 2) };
      at = after(html, '>', start + 2);
    } else {
      const { tag, attributes, end } = readTag(html, start + 1);
      yield { kind: 'open', tag, attributes };
      at = end;
      if (!RAW.includes(tag)) continue;
      const close = endOfRaw(html, tag, at);
      const text = html.slice(at, close);
      if (text !== '') yield { kind: 'text', text: REFERENCES_COUNT.includes(tag) ? decodeHTML(text) : text };
      at = close;
    }
  }
}

/** A "<" that begins a tag, a comment or a declaration; any other one is text. */
function nextMarkup(html: string, from: number): number {
  for (let at = html.indexOf('<', from); at >= 0; at = html.indexOf('<', at + 1)) {
    if (/^(?:\/?[a-zA-Z]|[!?])/.test(html.slice(at + 1, at + 3))) return at;
  }
  return html.length;
}

/** Comments, CDATA sections, document types, processing instructions. An unclosed one reaches to the end, as in browsers. */
function afterDeclaration(html: string, at: number): number {
  if (html.startsWith('<!-->', at)) return at + 5;
  if (html.startsWith('<!--', at)) return after(html, '-->', at + 4);
  if (html.startsWith('<![CDATA[', at)) return after(html, ']]>', at + 9);
  return after(html, '>', at + 2);
}

function readTag(html: string, from: number): { tag: string; attributes: Map<string, string>; end: number } {
  const attributes = new Map<string, string>();
  const tag = nameAt(html, from);
  let end = skipSpace(html, from + tag.length);
  while (html[end] !== '>' && end < html.length) {
    ATTRIBUTE.lastIndex = end;
    const found = ATTRIBUTE.exec(html);
    const name = found?.[1]?.toLowerCase() ?? '';
    if (found && attributes.size < ATTRIBUTES_MAX && !attributes.has(name)) {
      attributes.set(name, decodeHTMLAttribute(found[2] ?? found[3] ?? found[4] ?? ''));
    }
    end = skipSpace(html, found ? ATTRIBUTE.lastIndex : end + 1);
  }
  return { tag, attributes, end: end + 1 };
}

/** Apart from the attribute's pattern, which would look at a long run of spaces again from each of them. */
function skipSpace(html: string, from: number): number {
  SPACE.lastIndex = from;
  return from + (SPACE.exec(html)?.[0].length ?? 0);
}

function nameAt(html: string, from: number): string {
  NAME.lastIndex = from;
  return (NAME.exec(html)?.[0] ?? '').toLowerCase();
}

function endOfRaw(html: string, tag: string, from: number): number {
  const close = new RegExp(`</${tag}(?=[\\s/>])`, 'gi');
  close.lastIndex = from;
  return close.exec(html)?.index ?? html.length;
}

function after(html: string, what: string, from: number): number {
  const at = html.indexOf(what, from);
  return at < 0 ? html.length : at + what.length;
}
