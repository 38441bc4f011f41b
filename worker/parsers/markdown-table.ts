/** Tables, as GitHub's Markdown has them: one line per row, a rule behind the first. */
import type { Block } from './markdown-blocks.ts';

export type Row = (readonly Block[])[];

/** A cell with more letters is prose in a table made for layout. */
const CELL_LETTERS_MAX = 1000;

/** Whether a table arranges a page rather than data: never two cells side by side, or cells as long as an article. */
export function isLayout(rows: readonly Row[]): boolean {
  const letters = rows.map((row) => row.map((cell) => plainCell(cell).length));
  return (
    letters.every((row) => row.filter((n) => n > 0).length <= 1) || letters.flat().some((n) => n > CELL_LETTERS_MAX)
  );
}

export function renderTable(rows: readonly Row[]): string {
  const width = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const [first = [], ...others] = rows.map((row) => row.map((cell) => plainCell(cell).replaceAll('|', '\\|')));
  const rule = Array.from({ length: width }, () => '---');
  return [[...first, ...Array.from({ length: width - first.length }, () => '')], rule, ...others].map(line).join('\n');
}

/** For a table inside another one's cell. */
export const plainTable = (rows: readonly Row[]): string => rows.flat().map(plainCell).join(' ').trim();

const plainCell = (cell: readonly Block[]): string =>
  cell
    .map((block) => block.plain)
    .join(' ')
    .trim();
