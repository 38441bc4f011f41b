/**
 * Which series a selector means, as Prometheus reads it: all matchers must hold, a label that is absent is the empty text,
 * patterns match the whole value. One thing is Prometheus' own at scrape time: it writes `le` and `quantile` as floats
 * (`le="1"` is stored as `le="1.0"`), so here these two are compared as numbers and a selector works in either spelling.
 *
 * Source: https://prometheus.io/docs/prometheus/latest/querying/basics/#time-series-selectors
 */
import type { Matcher, Selector } from '#slo/objective.ts';
import { readNumber } from './number.ts';
import { compilePattern, matchesPattern, type Pattern } from './pattern.ts';
import type { Series } from './series.ts';

export type CompiledSelector = {
  readonly name: string;
  readonly tests: readonly Test[];
  /** Labels that must have one text and no other: what an index can find it by. */
  readonly demands: readonly (readonly [label: string, value: string])[];
};
type Test = { readonly label: string; readonly holds: (value: string) => boolean };

export type SelectorOutcome =
  | { readonly kind: 'selector'; readonly selector: CompiledSelector }
  | { readonly kind: 'fault'; readonly reason: string };

export function compileSelector({ name, matchers }: Selector): SelectorOutcome {
  const tests: Test[] = [];
  for (const matcher of matchers) {
    const test = compileMatcher(matcher);
    if (typeof test === 'string') return { kind: 'fault', reason: `label ${matcher.label}: ${test}` };
    tests.push(test);
  }
  const demands = matchers.filter(({ op, label }) => op === '=' && !isNumeric(label));
  const pairs = demands.map(({ label, value }) => [label, value] as const);
  return { kind: 'selector', selector: { name, tests, demands: pairs } };
}

function compileMatcher({ label, op, value }: Matcher): Test | string {
  if (op === '=' || op === '!=') {
    const holds = equals(label, value);
    return { label, holds: op === '=' ? holds : (found) => !holds(found) };
  }
  const outcome = compilePattern(value);
  if (outcome.kind === 'fault') return outcome.reason;
  const holds = remembering(outcome.pattern);
  return { label, holds: op === '=~' ? holds : (found) => !holds(found) };
}

function equals(label: string, value: string): (found: string) => boolean {
  const number = isNumeric(label) ? readNumber(value, 0, value.length) : undefined;
  if (number === undefined) return (found) => found === value;
  return (found) => found === value || readNumber(found, 0, found.length) === number;
}

const isNumeric = (label: string): boolean => label === 'le' || label === 'quantile';

/** Label values repeat from series to series; a pattern of a thousand names need not be run for each. */
function remembering(pattern: Pattern): (found: string) => boolean {
  let last: string | undefined;
  let matched = false;
  return (found) => {
    if (found === last) return matched;
    last = found;
    matched = matchesPattern(pattern, found);
    return matched;
  };
}

export function selects({ name, tests }: CompiledSelector, series: Series): boolean {
  return series.name === name && tests.every(({ label, holds }) => holds(series.labels.get(label) ?? ''));
}
