/** What each HTML element does to the Markdown that is being written, and what is undone where it ends. */
import {
  addBlock,
  addInline,
  addLineBreak,
  endBlock,
  enterHeading,
  enterItem,
  enterLink,
  enterList,
  enterQuote,
  joinBlocks,
  type MarkdownBlocks,
  makeBlocks,
} from './markdown-blocks.ts';
import { isLayout, plainTable, type Row, renderTable } from './markdown-table.ts';

type Attributes = ReadonlyMap<string, string>;
type Leave = () => void;

export type Writer = {
  /** The page, or the table's cell that is open. */
  out: MarkdownBlocks;
  /** Of the table that is open, the innermost one. */
  rows: Row[] | undefined;
  /** Of the `pre` element that is open. */
  code: string | undefined;
  /** How many open elements hide what is in them. */
  hidden: number;
};

const NOT_CONTENT = new Set(
  'audio button canvas datalist map nav noscript object select svg template video'.split(' '),
);
const NOT_CONTENT_ROLES = new Set('menu menubar navigation search toolbar'.split(' '));
const BLOCKS = new Set(
  (
    'address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure ' +
    'footer form header hgroup html legend li main menu ol p pre section summary table td th tr ul'
  ).split(' '),
);
const SINGLE = new Set('area base br col embed hr img input link meta param source track wbr'.split(' '));
const ELSEWHERE = /^(?:https?:\/\/|mailto:)\S+$/i;

const nothing: Leave = () => {};

export const makeWriter = (): Writer => ({ out: makeBlocks(), rows: undefined, code: undefined, hidden: 0 });

export function finish(writer: Writer): string {
  endBlock(writer.out);
  return joinBlocks(writer.out.blocks);
}

export function addText(writer: Writer, text: string): void {
  if (writer.hidden > 0) return;
  if (writer.code === undefined) addInline(writer.out, text);
  else writer.code += text;
}

/** Elements that have no content and no end. @returns whether it was one. */
export function writeSingle(writer: Writer, tag: string, attributes: Attributes): boolean {
  if (!SINGLE.has(tag)) return false;
  if (writer.code !== undefined) writer.code += tag === 'br' ? '\n' : '';
  else if (writer.hidden === 0) {
    if (tag === 'br') addLineBreak(writer.out);
    if (tag === 'hr') addBlock(writer.out, '---', '');
    if (tag === 'img') addInline(writer.out, ` ${attributes.get('alt') ?? ''} `);
  }
  return true;
}

export function enterElement(writer: Writer, tag: string, attributes: Attributes): Leave {
  if (writer.hidden > 0) return nothing;
  if (isHidden(tag, attributes)) return hide(writer);
  if (writer.code !== undefined) return nothing;
  if (BLOCKS.has(tag)) return enterBlock(writer, tag, attributes);
  const level = /^h([1-6])$/.exec(tag)?.[1];
  if (level) return enterHeading(writer.out, Number(level));
  const href = tag === 'a' ? (attributes.get('href') ?? '') : '';
  if (ELSEWHERE.test(href)) return enterLink(writer.out, href);
  return tag === 'code' ? enterInlineCode(writer.out) : nothing;
}

function isHidden(tag: string, attributes: Attributes): boolean {
  return (
    NOT_CONTENT.has(tag) ||
    attributes.has('hidden') ||
    attributes.get('aria-hidden') === 'true' ||
    NOT_CONTENT_ROLES.has(attributes.get('role') ?? '') ||
    (tag === 'dialog' && !attributes.has('open')) ||
    /display\s*:\s*none/i.test(attributes.get('style') ?? '')
  );
}

function enterBlock(writer: Writer, tag: string, attributes: Attributes): Leave {
  const { out } = writer;
  switch (tag) {
    case 'ul':
    case 'menu':
      return enterList(out, false, 1);
    case 'ol':
      return enterList(out, true, Number.parseInt(attributes.get('start') ?? '1', 10) || 1);
    case 'li':
      return enterItem(out);
    case 'blockquote':
      return enterQuote(out);
    case 'pre':
      return enterCode(writer);
    case 'table':
      return enterTable(writer, /^(?:presentation|none)$/.test(attributes.get('role') ?? ''));
    case 'tr':
      writer.rows?.push([]);
      return nothing;
    case 'td':
    case 'th':
      return enterCell(writer);
    default:
      return asBlock(writer.out);
  }
}

function asBlock(out: MarkdownBlocks): Leave {
  endBlock(out);
  return () => endBlock(out);
}

function hide(writer: Writer): Leave {
  writer.hidden++;
  return () => {
    writer.hidden--;
  };
}

function enterInlineCode(out: MarkdownBlocks): Leave {
  addInline(out, '`');
  return () => addInline(out, '`');
}

function enterCode(writer: Writer): Leave {
  endBlock(writer.out);
  writer.code = '';
  return () => {
    const text = (writer.code ?? '').replace(/^\n/, '').trimEnd();
    writer.code = undefined;
    let fence = '```';
    for (const [run] of text.matchAll(/`{3,}/g)) if (run.length >= fence.length) fence = `${run}\``;
    if (text !== '') addBlock(writer.out, `${fence}\n${text}\n${fence}`, text.replace(/\s+/g, ' '));
  };
}

function enterTable(writer: Writer, forLayout: boolean): Leave {
  const { out, rows: outer } = writer;
  endBlock(out);
  const mine: Row[] = [];
  writer.rows = mine;
  return () => {
    writer.rows = outer;
    const rows = mine.filter((row) => row.some((cell) => cell.length > 0));
    if (rows.length === 0) return;
    if (forLayout || isLayout(rows)) for (const block of rows.flat(2)) addBlock(out, block.text, block.plain);
    else addBlock(out, renderTable(rows), plainTable(rows));
  };
}

/** A cell is written on its own, because only the whole table tells whether it is one. */
function enterCell(writer: Writer): Leave {
  const { out: outer, rows } = writer;
  if (!rows) return asBlock(writer.out);
  if (rows.length === 0) rows.push([]);
  const row = rows.at(-1);
  const cell = makeBlocks();
  writer.out = cell;
  return () => {
    endBlock(cell);
    row?.push(cell.blocks);
    writer.out = outer;
  };
}
