/** Collects running text into Markdown blocks, inside whatever lists and quotes are open at the time. */

export type Block = {
  readonly text: string;
  /** On one line and without marks, for a table's cell. */
  readonly plain: string;
  /** Neighbours in a list stand close together. */
  readonly inList: boolean;
};

type Container =
  | { readonly kind: 'quote' }
  | { readonly kind: 'list'; readonly ordered: boolean; next: number }
  | { readonly kind: 'item'; readonly marker: string; used: boolean };

export type MarkdownBlocks = {
  readonly blocks: Block[];
  readonly containers: Container[];
  /** The running text of the block that has not ended yet. */
  pieces: string[];
  /** The level of the heading that is open, or 0. */
  heading: number;
};

type Leave = () => void;

/** Deeper lists and quotes are not indented any further: else depth times length could grow without bound. */
const INDENTED_MAX = 8;

export const makeBlocks = (): MarkdownBlocks => ({ blocks: [], containers: [], pieces: [], heading: 0 });

/** White space is one space, as HTML has it; a line break is `addLineBreak`. */
export function addInline(out: MarkdownBlocks, text: string): void {
  out.pieces.push(text.replace(/[ \t\n\r\f\u00a0]+/g, ' '));
}

export function addLineBreak(out: MarkdownBlocks): void {
  out.pieces.push('\n');
}

export function endBlock(out: MarkdownBlocks): void {
  const text = out.pieces
    .join('')
    .replace(/ +/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .trim();
  out.pieces = [];
  if (text === '') return;
  const plain = text.replace(/\s+/g, ' ');
  if (out.heading > 0) push(out, `${'#'.repeat(out.heading)} ${plain}`, plain);
  else push(out, text, plain);
}

/** A block whose lines stay as they are: code, a table. */
export function addBlock(out: MarkdownBlocks, text: string, plain: string): void {
  endBlock(out);
  push(out, text, plain);
}

function push(out: MarkdownBlocks, text: string, plain: string): void {
  const { first, others } = takePrefix(out.containers);
  const inList = out.containers.some(({ kind }) => kind === 'list');
  out.blocks.push({ text: first + text.replaceAll('\n', `\n${others}`), plain, inList });
}

/** What stands before the first line of the next block, and before its other lines. */
function takePrefix(containers: readonly Container[]): { first: string; others: string } {
  let first = '';
  let others = '';
  for (const container of containers.filter(({ kind }) => kind !== 'list').slice(0, INDENTED_MAX)) {
    if (container.kind === 'quote') {
      first += '> ';
      others += '> ';
    } else if (container.kind === 'item') {
      first += container.used ? ' '.repeat(container.marker.length) : container.marker;
      others += ' '.repeat(container.marker.length);
      container.used = true;
    }
  }
  return { first, others };
}

/** What ends a block from now on is a heading. */
export function enterHeading(out: MarkdownBlocks, level: number): Leave {
  endBlock(out);
  out.heading = level;
  return () => {
    endBlock(out);
    out.heading = 0;
  };
}

export const enterQuote = (out: MarkdownBlocks): Leave => enter(out, { kind: 'quote' });

export const enterList = (out: MarkdownBlocks, ordered: boolean, start: number): Leave =>
  enter(out, { kind: 'list', ordered, next: start });

export function enterItem(out: MarkdownBlocks): Leave {
  const list = out.containers.findLast((container) => container.kind === 'list');
  return enter(out, { kind: 'item', marker: list?.ordered ? `${list.next++}. ` : '- ', used: false });
}

function enter(out: MarkdownBlocks, container: Container): Leave {
  endBlock(out);
  out.containers.push(container);
  return () => {
    endBlock(out);
    out.containers.splice(out.containers.lastIndexOf(container), 1);
  };
}

/** Makes a link of what is written until it is left, unless a block ends in between. */
export function enterLink(out: MarkdownBlocks, href: string): Leave {
  const mark = { block: out.blocks.length, piece: out.pieces.length };
  return () => {
    if (mark.block !== out.blocks.length || mark.piece >= out.pieces.length) return;
    const text = out.pieces.splice(mark.piece).join('');
    const name = text.trim();
    const shown = name === '' || name === href ? name : `[${name.replaceAll('\n', ' ')}](${href})`;
    out.pieces.push(text.replace(name, () => shown));
  };
}

export function joinBlocks(blocks: readonly Block[]): string {
  let text = '';
  let last: Block | undefined;
  for (const block of blocks) {
    if (last) text += last.inList && block.inList ? '\n' : '\n\n';
    text += block.text;
    last = block;
  }
  return text;
}
