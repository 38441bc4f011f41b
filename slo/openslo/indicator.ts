/**
 * What is measured: from an SLI's metrics to queries of which it is known which eye can judge them.
 *
 * A selector can be judged by both eyes, any PromQL with {{.window}} by Prometheus alone. `sum(rate(name[{{.window}}]))`
 * over and under the same total is the ratio of the same increments as two selectors, so it is read as these: that is
 * how Sloth's users write nearly all of theirs, and it gives them both eyes.
 */
import type { Indicator, Query, ThresholdOp } from '#slo/objective.ts';
import { type Form, type Promql, readPromql } from '#slo/promql.ts';
import { type Located, part, told } from './document.ts';
import type { Report } from './report.ts';
import type { Metric, RatioMetric, Shape, SliSpec, SloObjective } from './shapes.ts';
import { find, keyPlace, place, placeInside, type Tree } from './tree.ts';

/** How a reading ends: with a value, with a reason why neither eye can judge it, or with a fault that has been said. */
export type Reading<T> =
  | { readonly kind: 'read'; readonly value: T }
  | { readonly kind: 'unjudged'; readonly because: string; readonly tree: Tree }
  | { readonly kind: 'wrong' };

export type Sources = {
  readonly dataSources: ReadonlyMap<string, Located<Shape<'DataSource'>>>;
  /** Are references held to what the files define? */
  readonly references: boolean;
};

type Good = Extract<Promql, { kind: 'query' }>;
type Asked = { readonly text: string; readonly tree: Tree; readonly promql: Good; readonly source: string | undefined };

/** Types of source that answer PromQL. */
const PROMQL_TYPES: ReadonlySet<string> = new Set(['prometheus', 'mimir', 'cortex', 'thanos', 'victoriametrics']);
/** Of all files. Prometheus' grammar takes some 20 ms to give up on the longest nonsense. */
const BROKEN_QUERIES_MAX = 100;
const WRONG = { kind: 'wrong' } as const;

export function readIndicator(
  sli: Located<SliSpec>,
  objective: Located<SloObjective>,
  sources: Sources,
  report: Report,
): Reading<Indicator> {
  const threshold = part(sli, 'thresholdMetric');
  if (threshold) return readThreshold(threshold, objective, sources, report);
  for (const key of ['op', 'value'] as const) {
    if (objective.value[key] === undefined) continue;
    report.strictly(
      keyPlace(objective.tree, [key]),
      `${key} is not read: it belongs to a thresholdMetric, and this is a ratio`,
    );
  }
  const ratio = part(sli, 'ratioMetric');
  if (ratio === undefined) return WRONG;
  const raw = part(ratio, 'raw');
  return raw ? readRaw(raw, ratio.value.rawType, sources, report) : readRatio(ratio, sources, report);
}

function readThreshold(
  metric: Located<Metric>,
  { value, tree }: Located<SloObjective>,
  sources: Sources,
  report: Report,
): Reading<Indicator> {
  const asked = ask(metric, sources, report);
  for (const key of ['op', 'value'] as const) {
    if (value[key] === undefined)
      report.fault(place(tree), `${key} is missing: a thresholdMetric is held against op and value`);
  }
  if (asked.kind !== 'read') return asked;
  if (value.op === undefined || value.value === undefined) return WRONG;
  const op: ThresholdOp = value.op;
  // A sum is one value, where the series of a selector must each hold: it stays PromQL.
  return read({ kind: 'threshold', query: queryOf(asked.value, ['plain']), op, limit: value.value });
}

function readRaw(
  metric: Located<Metric>,
  rawType: RatioMetric['rawType'],
  sources: Sources,
  report: Report,
): Reading<Indicator> {
  const asked = ask(metric, sources, report);
  if (asked.kind !== 'read') return asked;
  return rawType === undefined ? WRONG : read({ kind: 'raw', rawType, query: queryOf(asked.value, ['plain']) });
}

function readRatio(ratio: Located<RatioMetric>, sources: Sources, report: Report): Reading<Indicator> {
  const bad = part(ratio, 'bad');
  const numerator = bad ?? part(ratio, 'good');
  const denominator = part(ratio, 'total');
  if (numerator === undefined || denominator === undefined) return WRONG;
  const first = ask(numerator, sources, report);
  const second = ask(denominator, sources, report);
  if (first.kind === 'wrong' || second.kind === 'wrong') return WRONG;
  if (first.kind === 'unjudged') return first;
  if (second.kind === 'unjudged') return second;
  return pair(bad ? 'bad' : 'good', first.value, second.value, ratio.value.counter, report);
}

/** Sloth's error and total query, which are texts. */
export function readEvents(error: Tree, total: Tree, report: Report): Reading<Indicator> {
  const first = askText(error, undefined, report);
  const second = askText(total, undefined, report);
  return first && second ? pair('bad', first, second, true, report) : WRONG;
}

export function readErrorRatio(tree: Tree, report: Report): Reading<Indicator> {
  const asked = askText(tree, undefined, report);
  return asked ? read({ kind: 'raw', rawType: 'failure', query: queryOf(asked, ['plain']) }) : WRONG;
}

const COUNTED: readonly Form[] = ['plain', 'sum', 'increase'];

function pair(
  key: 'good' | 'bad',
  part: Asked,
  total: Asked,
  counter: boolean | undefined,
  report: Report,
): Reading<Indicator> {
  const forms = [part, total].map(({ promql }) => promql.selected?.form);
  const counted = forms.map((form) => form !== undefined && COUNTED.includes(form));
  if (forms.includes('rate') && counted.includes(true)) {
    const message = `${key} and total count differently, one by the second and one by the window: use rate or increase in both`;
    report.fault(place(total.tree), message);
    return WRONG;
  }
  for (const { promql, tree } of [part, total]) {
    const bare = promql.selected?.form === 'plain' || promql.selected?.form === 'sum';
    if (bare && counter === false) {
      const instead = 'write PromQL such as sum(sum_over_time(name[{{.window}}])), or counter: true if it is one';
      return { kind: 'unjudged', tree, because: `has counter: false, and a gauge has no events to count: ${instead}` };
    }
    if (!bare && !promql.windowed) {
      const instead = 'write a counter selector, or {{.window}} where the length of the window belongs';
      return { kind: 'unjudged', tree, because: `has no {{.window}} and is not a counter selector: ${instead}` };
    }
  }
  const same: readonly Form[] = counted.every(Boolean)
    ? COUNTED
    : forms.every((form) => form === 'rate')
      ? ['rate']
      : ['plain', 'sum'];
  const indicator = { kind: 'ratio', total: queryOf(total, same) } as const;
  return read(key === 'bad' ? { ...indicator, bad: queryOf(part, same) } : { ...indicator, good: queryOf(part, same) });
}

const read = (value: Indicator): Reading<Indicator> => ({ kind: 'read', value });

function queryOf({ text, promql, source }: Asked, asSelector: readonly Form[]): Query {
  const { selected } = promql;
  return selected && asSelector.includes(selected.form)
    ? { kind: 'selector', selector: selected.selector, source }
    : { kind: 'promql', text: text.trim(), source };
}

function ask(metric: Located<Metric>, sources: Sources, report: Report): Reading<Asked> {
  const { metricSourceRef, spec } = metric.value.metricSource;
  const tree = find(metric.tree, ['metricSource']) ?? metric.tree;
  const type = typeOf(metric.value, tree, sources, report);
  if (!PROMQL_TYPES.has(type.toLowerCase())) {
    const because = `is of a source of type ${type.slice(0, 40)}, and Burnline asks those that speak PromQL`;
    return { kind: 'unjudged', tree, because };
  }
  const key = spec['query'] === undefined && spec['promql'] !== undefined ? 'promql' : 'query';
  const query = find(tree, ['spec', key]);
  if (query === undefined || (query.kind === 'scalar' && query.value === null)) {
    report.fault(place(tree, ['spec']), 'spec.query is missing: expected a counter selector or PromQL');
    return WRONG;
  }
  const asked = askText(query, metricSourceRef, report);
  return asked ? { kind: 'read', value: asked } : WRONG;
}

function askText(tree: Tree, source: string | undefined, report: Report): Asked | undefined {
  if (tree.kind !== 'scalar' || typeof tree.value !== 'string') {
    report.fault(place(tree), `the query is ${told(tree)}: expected text`);
    return undefined;
  }
  if (report.queries.broken > BROKEN_QUERIES_MAX) {
    report.fault(place(tree), `the query is not read: ${BROKEN_QUERIES_MAX} others are broken, mend them first`);
    return undefined;
  }
  const promql = readPromql(tree.value);
  if (promql.kind === 'query') return { text: tree.value, tree, promql, source };
  report.queries.broken++;
  for (const { at, message } of promql.faults) report.fault(placeInside(tree, at), `the query ${message}`);
  return undefined;
}

function typeOf({ metricSource }: Metric, tree: Tree, { dataSources, references }: Sources, report: Report): string {
  const { metricSourceRef: ref, type } = metricSource;
  const defined = ref === undefined ? undefined : dataSources.get(ref)?.value.spec.type;
  if (ref !== undefined && defined === undefined && references) {
    report.strictly(
      place(tree, ['metricSourceRef']),
      `refers to the DataSource ${ref}, which none of the files defines`,
    );
  }
  if (ref === undefined && type === undefined) {
    report.strictly(place(tree), 'has neither type nor metricSourceRef: taken as Prometheus');
  }
  if (type !== undefined && defined !== undefined && type.toLowerCase() !== defined.toLowerCase()) {
    report.warn(place(tree, ['type']), `type is ${type}, and the DataSource ${ref} has ${defined}, which is taken`);
  }
  return defined ?? type ?? 'Prometheus';
}
