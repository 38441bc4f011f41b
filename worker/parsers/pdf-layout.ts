/**
 * From the pieces of text on a page to paragraphs and headings. Pure.
 *
 * Pieces come in the order in which they were drawn, which is the order of reading in nearly all files, columns
 * included; sorting by position would mix columns. What a page does not say (rows of a table, say) is not guessed.
 */

export type TextPiece = {
  readonly text: string;
  /** From the left and from the bottom, in points: the start of the base line. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  /** Of the font; 0 for white space that the library inserts. */
  readonly height: number;
  readonly endsLine: boolean;
};

type Line = { text: string; y: number; height: number };

/** Superscripts and footnote marks stay on their line: they are raised by a third of the height. */
const SAME_LINE = 0.6;
/** Gaps above the page's usual distance between lines, times this, divide paragraphs. */
const PARAGRAPH_GAP = 1.3;
const TITLE_GAP = 1.6;
/** Sizes within this are one size: rounding, and small capitals. */
const SAME_SIZE = 1.12;
/** A larger font makes a heading of a short text; the factor is its level. */
const HEADINGS = [
  [1.7, '# '],
  [1.35, '## '],
  [1.12, '### '],
] as const;
const HEADING_LETTERS_MAX = 200;
const BULLET = /^[•▪◦‣●○■–]\s+/;

export function layOut(pieces: readonly TextPiece[]): string {
  const lines = toLines(pieces);
  const usual = usualHeight(lines);
  return toParagraphs(lines, usual)
    .map((paragraph) => {
      const mark = headingMark(paragraph, usual);
      return mark + joinLines(paragraph, mark === '' ? '\n' : ' ');
    })
    .join('\n\n');
}

function toLines(pieces: readonly TextPiece[]): Line[] {
  const lines: Line[] = [];
  let line: Line | undefined;
  for (const piece of pieces) {
    const moved =
      line && piece.text.trim() !== '' && Math.abs(piece.y - line.y) > SAME_LINE * Math.max(line.height, piece.height);
    if (line && moved) {
      lines.push(line);
      line = undefined;
    }
    line ??= { text: '', y: piece.y, height: piece.height };
    line.text += piece.text;
    if (piece.height > line.height) Object.assign(line, { y: piece.y, height: piece.height });
    if (!piece.endsLine) continue;
    lines.push(line);
    line = undefined;
  }
  if (line) lines.push(line);
  return lines.map((found) => ({ ...found, text: tidy(found.text) })).filter(({ text }) => text !== '');
}

/**
 * Symbol fonts have their bullets, and icon fonts everything, where Unicode has no letters. Arabic and ligatures come in
 * the shapes in which they are drawn, which no search would ask for.
 */
const tidy = (text: string): string =>
  text
    .replace(/[\uf0b7\uf0a7\uf076]/g, '•')
    .replace(/\p{Co}/gu, ' ')
    .replace(/[\ufb00-\ufdff\ufe70-\ufefc]+/g, (shapes) => shapes.normalize('NFKC'))
    .replace(/\s+/g, ' ')
    .trim();

/** The height in which most letters are set. */
function usualHeight(lines: readonly Line[]): number {
  return mostCommon(lines.map(({ height, text }) => [height, text.length]));
}

/** The distance from line to line within paragraphs: the most common one of lines that could belong together. */
function usualGap(lines: readonly Line[]): number {
  const gaps = lines.map((line, i): [number, number] => [(lines[i - 1]?.y ?? line.y) - line.y, line.height]);
  return mostCommon(gaps.filter(([gap, height]) => gap > 0 && gap < height * 3).map(([gap]) => [gap, 1]));
}

/** Counted in half points; of equals the smallest. 0 for none. */
function mostCommon(weighted: readonly (readonly [value: number, weight: number])[]): number {
  const counts = new Map<number, number>();
  for (const [value, weight] of weighted) {
    const rounded = Math.round(value * 2) / 2;
    counts.set(rounded, (counts.get(rounded) ?? 0) + weight);
  }
  return [...counts].sort(([a, m], [b, n]) => n - m || a - b)[0]?.[0] ?? 0;
}

function toParagraphs(lines: readonly Line[], height: number): Line[][] {
  const gap = usualGap(lines);
  const paragraphs: Line[][] = [];
  let last: Line | undefined;
  for (const line of lines) {
    // A title in a larger font has larger distances of its own.
    const limit = line.height > height * SAME_SIZE ? line.height * TITLE_GAP : gap * PARAGRAPH_GAP;
    if (last && !startsParagraph(last, line, limit)) paragraphs.at(-1)?.push(line);
    else paragraphs.push([line]);
    last = line;
  }
  return paragraphs;
}

function startsParagraph(last: Line, line: Line, limit: number): boolean {
  const gap = last.y - line.y;
  // Upwards is a new column, and a paragraph may go on there: only the end of a sentence divides.
  if (gap < 0) return /[.!?:。؟]["”’)]?$/.test(last.text) || !sameSize(last, line);
  return gap > limit || !sameSize(last, line);
}

const sameSize = (a: Line, b: Line): boolean =>
  Math.max(a.height, b.height) <= Math.min(a.height, b.height) * SAME_SIZE;

function headingMark(paragraph: readonly Line[], usual: number): string {
  const height = paragraph[0]?.height ?? 0;
  const text = paragraph.map((line) => line.text).join(' ');
  if (text.length > HEADING_LETTERS_MAX || !/\p{L}/u.test(text)) return '';
  return HEADINGS.find(([factor]) => height >= usual * factor)?.[1] ?? '';
}

/** Lines stay lines, except in a heading; a word divided at the end of one is mended. */
function joinLines(paragraph: readonly Line[], separator: '\n' | ' '): string {
  let text = '';
  for (const line of paragraph) {
    const next = line.text.replace(BULLET, '- ');
    if (text === '') text = next;
    else if (/\p{L}{2}[-\u00ad]$/u.test(text) && /^\p{Ll}/u.test(next)) text = text.slice(0, -1) + next;
    else text += separator + next;
  }
  return text;
}
