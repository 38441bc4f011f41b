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

/** A place in the running text, for what is known only at its end. */
export type Mark = { readonly block: number; readonly piece: number };

/** Deeper lists and quotes are not indented any further: else depth times length could grow without bound. */
const INDENTED_MAX = 8;

export type MarkdownBlocks = ReturnType<typeof makeMarkdownBlocks>;

export function makeMarkdownBlocks() {
  const blocks: Block[] = [];
  const containers: Container[] = [];
  let pieces: string[] = [];
  let heading = 0;

  const inList = () => containers.some(({ kind }) => kind === 'list');

  /** What stands before the first line of the next block, and before its other lines. */
  function takePrefix(): { first: string; others: string } {
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

  function add(text: string, plain: string): void {
    const { first, others } = takePrefix();
    blocks.push({ text: first + text.replaceAll('\n', `\n${others}`), plain, inList: inList() });
  }

  function endBlock(): void {
    const text = pieces
      .join('')
      .replace(/ +/g, ' ')
      .replace(/ ?\n ?/g, '\n')
      .trim();
    pieces = [];
    if (text === '') return;
    const plain = text.replace(/\s+/g, ' ');
    if (heading > 0) add(`${'#'.repeat(heading)} ${plain}`, plain);
    else add(text, plain);
  }

  return {
    blocks,
    endBlock,
    /** White space is one space, as HTML has it; a line break is `lineBreak`. */
    text: (text: string) => void pieces.push(text.replace(/[ \t\n\r\f\u00a0]+/g, ' ')),
    lineBreak: () => void pieces.push('\n'),
    /** A block whose lines stay as they are: code, a table. */
    addBlock(text: string, plain: string): void {
      endBlock();
      add(text, plain);
    },
    /** What ends a block from now on is a heading; 0 for ordinary text. */
    setHeading(level: number): void {
      endBlock();
      heading = level;
    },
    enterQuote: () => enter({ kind: 'quote' }),
    enterList: (ordered: boolean, start: number) => enter({ kind: 'list', ordered, next: start }),
    enterItem(): () => void {
      const list = containers.findLast((container) => container.kind === 'list');
      return enter({ kind: 'item', marker: list?.ordered ? `${list.next++}. ` : '- ', used: false });
    },
    mark: (): Mark => ({ block: blocks.length, piece: pieces.length }),
    /** Makes a link of what was written since, unless a block ended in between. */
    linkSince(mark: Mark, href: string): void {
      if (mark.block !== blocks.length || mark.piece >= pieces.length) return;
      const text = pieces.splice(mark.piece).join('');
      const name = text.trim();
      const shown = name === '' || name === href ? name : `[${name.replaceAll('\n', ' ')}](${href})`;
      pieces.push(text.replace(name, () => shown));
    },
  };

  /** Answers how to leave it again. */
  function enter(container: Container): () => void {
    endBlock();
    containers.push(container);
    return () => {
      endBlock();
      containers.splice(containers.lastIndexOf(container), 1);
    };
  }
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
