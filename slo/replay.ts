/**
 * What happened, as rows of a CSV: `time,good,bad`, in seconds and counts since the row before. Rows at an even pace are
 * samples, and a hole in the pace is a gap of which nothing is known; rows at an uneven pace are events as they came, and
 * between them nothing happened.
 */
import { type Seconds, seconds } from '#kernel/units.ts';
import type { Counts } from './objective.ts';

export type Row = Counts & { readonly at: Seconds };
export type Rows =
  | { readonly kind: 'rows'; readonly rows: readonly Row[]; readonly pace: Seconds | undefined }
  | { readonly kind: 'fault'; readonly line: number; readonly reason: string };

/** Ten years of a row a minute. */
export const ROWS_MAX = 5_300_000;
/** The end of the year 9999. */
const TIME_MAX = 253_402_300_799;
/** A pace is even when so many of the first spans are as long as their median. */
const PACE_ROWS = 500;
const EVEN = 0.9;
/** Two missed samples, and half a one for their lateness. */
const MISSED = 2.5;

export function readRows(text: string): Rows {
  const rows: Row[] = [];
  let line = 0;
  let from = 0;
  const fault = (reason: string): Rows => ({ kind: 'fault', line, reason });
  while (from < text.length) {
    const end = text.indexOf('\n', from);
    const to = end < 0 ? text.length : end;
    const row = text.slice(from, to).trim();
    from = to + 1;
    line++;
    if (row === '' || row.startsWith('#') || (rows.length === 0 && /^[a-z_"]/i.test(row))) continue;
    const cells = row.split(',');
    if (cells.length !== 3) return fault(`expected time,good,bad, found ${cells.length} columns`);
    const [at = Number.NaN, good = Number.NaN, bad = Number.NaN] = cells.map((cell) =>
      cell.trim() === '' ? Number.NaN : Number(cell),
    );
    if (![at, good, bad].every(Number.isFinite)) return fault(`expected three numbers, found "${row.slice(0, 60)}"`);
    if (at < 0 || at > TIME_MAX) return fault(`time ${at} is no second since the epoch; are these milliseconds?`);
    if (good < 0 || bad < 0) return fault(`counts cannot be negative: good ${good}, bad ${bad}`);
    const before = rows.at(-1)?.at;
    if (before !== undefined && at < before)
      return fault(`time goes back from ${before} to ${at}: rows must be in order`);
    if (rows.length >= ROWS_MAX) return fault(`more than ${ROWS_MAX} rows`);
    rows.push({ at: seconds(at), good, bad });
  }
  if (rows.length === 0) return { kind: 'fault', line, reason: 'there are no rows' };
  return { kind: 'rows', rows, pace: paceOf(rows) };
}

/** The usual span between two rows, where there is one. */
export function paceOf(rows: readonly Row[]): Seconds | undefined {
  const spans = rows.slice(1, PACE_ROWS).map(({ at }, i) => at - (rows[i]?.at ?? at));
  const median = spans.toSorted((a, b) => a - b)[Math.floor(spans.length / 2)];
  if (median === undefined || median <= 0) return undefined;
  const even = spans.filter((span) => Math.abs(span - median) <= 0.1 * median).length;
  return even >= EVEN * spans.length ? seconds(median) : undefined;
}

/** Is a row this long after the one before it the end of a gap? */
export const isHole = (span: number, pace: Seconds | undefined): boolean => pace !== undefined && span > MISSED * pace;
