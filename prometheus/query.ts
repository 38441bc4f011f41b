/**
 * Reads an objective's counters from a PromQL server as a scrape would have seen them: the cumulative value of each series
 * at one moment. So the ledger counts by its own rules for resets and new series, whichever way the numbers came; a sum
 * of counters would hide both, and increase() guesses. One question an objective, since a service may have a thousand.
 *
 * Pure but for `ask`, which the caller gives.
 */
import { type Milliseconds, milliseconds, type Seconds, seconds, toMilliseconds } from '#kernel/units.ts';
import type { Objective, Query, Selector } from '#slo/objective.ts';
import { selectorText } from './text.ts';

/** Which of the objective's queries a series answers. */
export const PARTS = ['good', 'bad', 'total', 'value'] as const;
export type PartName = (typeof PARTS)[number];

type Labels = Readonly<Record<string, string>>;
type Point = { readonly at: Milliseconds; readonly value: number };
type Series = { readonly labels: Labels; readonly points: readonly Point[] };
export type Asked = { readonly series: readonly Series[]; readonly warnings: readonly string[] };
export type Ask = {
  instant(query: string, at: Milliseconds, signal?: AbortSignal): Promise<Asked>;
  range(query: string, span: Span & { readonly step: Seconds }, signal?: AbortSignal): Promise<Asked>;
};
export type Span = { readonly from: Milliseconds; readonly to: Milliseconds };

/** A part's series; a part without any is an empty list. */
export type Reading = Readonly<Record<PartName, readonly Series[]>> & { readonly warnings: readonly string[] };

/** By which the parts are told apart: two counters of one process have the same labels but for their names. */
const MARK = 'burnline_part';
/** What Prometheus answers at most, 11,000 points a series, with some left. */
const POINTS_MOST = 10_000;
const SLICES_MOST = 1_000;

/** Undefined where the objective has a query that is no plain selector: only the server itself can judge that. */
export function readingQuery(objective: Objective): string | undefined {
  const texts: string[] = [];
  for (const { name, query } of partsOf(objective)) {
    if (query.kind !== 'selector') return undefined;
    texts.push(`label_replace(${selectorText(query.selector)}, "${MARK}", "${name}", "", "")`);
  }
  return texts.length === 0 ? undefined : texts.join(' or ');
}

export const selectorsOf = (objective: Objective): Selector[] =>
  partsOf(objective).flatMap(({ query }) => (query.kind === 'selector' ? [query.selector] : []));

function partsOf({ indicator }: Objective): { readonly name: PartName; readonly query: Query }[] {
  if (indicator.kind === 'composite') return [];
  if (indicator.kind !== 'ratio') return [{ name: 'value', query: indicator.query }];
  const named = (['good', 'bad', 'total'] as const).map((name) => ({ name, query: indicator[name] }));
  return named.flatMap(({ name, query }) => (query === undefined ? [] : [{ name, query }]));
}

/** Every counter of the objective at `at`. Undefined as with `readingQuery`. */
export async function readAt(
  server: Ask,
  objective: Objective,
  at: Milliseconds,
  signal?: AbortSignal,
): Promise<Reading | undefined> {
  const query = readingQuery(objective);
  return query === undefined ? undefined : sorted(await server.instant(query, at, signal));
}

/** For a time when nobody looked: what `readAt` would have answered at each `step`, oldest first, in bearable pieces. */
export async function* readBack(
  server: Ask,
  objective: Objective,
  span: Span & { readonly step: Seconds },
  signal?: AbortSignal,
): AsyncGenerator<Reading> {
  const query = readingQuery(objective);
  if (query === undefined) return;
  for (const slice of slicesOf(span)) yield sorted(await server.range(query, { ...slice, step: span.step }, signal));
}

/** Both ends of a slice are points of it, so the next begins one step later. Of too long a span, the latest part. */
export function slicesOf({ from, to, step }: Span & { readonly step: Seconds }): Span[] {
  const length = toMilliseconds(step);
  if (!(length > 0) || to < from) return [];
  const reach = POINTS_MOST * SLICES_MOST * length;
  const first = Math.max(from, to - Math.floor((reach - 1) / length) * length);
  const slices: Span[] = [];
  for (let start = first; start <= to; start += POINTS_MOST * length) {
    const end = Math.min(to, start + (POINTS_MOST - 1) * length);
    slices.push({ from: milliseconds(start), to: milliseconds(end) });
  }
  return slices;
}

function sorted({ series, warnings }: Asked): Reading {
  const parts: Record<PartName, Series[]> = { good: [], bad: [], total: [], value: [] };
  for (const { labels, points } of series) {
    const { [MARK]: mark, ...own } = labels;
    const name = PARTS.find((one) => one === mark);
    if (name !== undefined) parts[name].push({ labels: own, points });
  }
  return { ...parts, warnings };
}

/** Younger than this, a scrape may not be stored yet: ask for a moment that has settled. */
export const SETTLED = seconds(5);
