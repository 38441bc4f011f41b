/** What several commands print: columns, ages, colour where somebody looks. */
import { styleText } from 'node:util';
import { seconds } from '#kernel/units.ts';
import { duration } from '#slo/verdict.ts';

type Colour = 'red' | 'yellow' | 'green' | 'bold' | 'dim';

/** Plain where the stream is no terminal. */
export const paint = (colour: Colour, text: string, stream: NodeJS.WriteStream = process.stdout): string =>
  styleText(colour, text, { stream });

/** Each column as wide as its widest cell; the last one as it is. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  return rows
    .map((row) => row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** Columns under a head that is quieter than they are. */
export function headed(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const [first = '', ...rest] = columns([head, ...rows]).split('\n');
  return [paint('dim', first), ...rest].join('\n');
}

/** `2026-11-25 22:49:01Z` */
export const stamp = (text: string): string => text.replace('T', ' ').replace(/\.\d+Z$/, 'Z');

export const span = (ms: number): string => duration(seconds(Math.max(0, Math.round(ms / 100) / 10)));

/** What others wrote cannot move the cursor or hide a line. */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ');
