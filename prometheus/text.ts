/**
 * Words of PromQL: durations, numbers, selectors. Pure.
 *
 * Sources: https://prometheus.io/docs/prometheus/latest/querying/basics/ and, for how a duration is named, the String
 * method of https://pkg.go.dev/github.com/prometheus/common/model#Duration, by which Sloth names its records.
 */
import { type Seconds, seconds } from '#kernel/units.ts';
import type { Matcher, Query, Selector } from '#slo/objective.ts';
import { selectorText as promqlText } from '#slo/promql.ts';

/** Years and weeks only where nothing is left over: 28 days are `4w`, 30 days are `30d`, 36 hours are `1d12h`. */
const UNITS = [
  { name: 'y', length: 365 * 86_400, exact: true },
  { name: 'w', length: 7 * 86_400, exact: true },
  { name: 'd', length: 86_400, exact: false },
  { name: 'h', length: 3_600, exact: false },
  { name: 'm', length: 60, exact: false },
  { name: 's', length: 1, exact: false },
] as const;

/** @param span whole seconds: PromQL's shortest sensible window is longer. */
export function durationText(span: Seconds): string {
  let left = Math.round(span);
  if (left === 0) return '0s';
  let text = '';
  for (const { name, length, exact } of UNITS) {
    if (exact && left % length !== 0) continue;
    const count = Math.floor(left / length);
    if (count > 0) text += `${count}${name}`;
    left -= count * length;
  }
  return text;
}

/** Twelve digits tell any two objectives apart and hide the noise of doubles: 0.001, not 0.0009999999999999432. */
export const numberText = (n: number): string => String(Number(n.toPrecision(12)));

export const PLAIN_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
export const PLAIN_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

/** JSON's escapes are a subset of those that PromQL, and Go, read. */
export const quoted = (text: string): string => JSON.stringify(text);

/** Prometheus 3 stores these two as floats whatever the target wrote: 30 is asked for, and found as 30.0. Before, it was as written. */
const FLOATS: readonly string[] = ['le', 'quantile'];
const WHOLE = /^-?\d+(?:\.0+)?$/;
const EITHER = { '=': '=~', '!=': '!~' } as const;

/** As a Prometheus is asked. */
export const selectorText = ({ name, matchers }: Selector): string =>
  promqlText({ name, matchers: matchers.map(inBothSpellings) });

function inBothSpellings(matcher: Matcher): Matcher {
  const { label, op, value } = matcher;
  if ((op !== '=' && op !== '!=') || !FLOATS.includes(label) || !WHOLE.test(value)) return matcher;
  return { label, op: EITHER[op], value: `${Math.trunc(Number(value))}(\\.0)?` };
}

const WINDOW = /\{\{\s*\.window\s*\}\}/g;

export const asksForWindow = (text: string): boolean => text.search(WINDOW) >= 0;
export const withWindow = (text: string, window: Seconds): string => text.replace(WINDOW, durationText(window));

/** The query as an instant vector over `window`, in brackets of its own. */
export function instantText(query: Query, window: Seconds = seconds(60)): string {
  return query.kind === 'selector' ? selectorText(query.selector) : `(${withWindow(query.text, window).trim()})`;
}

/** In a regular expression of RE2, as a matcher holds one. */
export const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
