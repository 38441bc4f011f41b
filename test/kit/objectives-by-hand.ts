/** Objectives made by hand, one for each kind, so that what judges them is tested without the files that declare them. */
import { days, minutes, type Ratio, ratio, seconds } from '#kernel/units.ts';
import { DEFAULT_ALERTING, type Indicator, type MatchOp, type Objective, type Query } from '#slo/objective.ts';

/** @param text `name{label="value"}` without escapes. */
export function selector(text: string): Query {
  const name = text.replace(/\{.*/s, '');
  const matchers = [...text.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)].map(([, label = '', op, value = '']) => ({
    label,
    op: op as MatchOp,
    value,
  }));
  return { kind: 'selector', selector: { name, matchers }, source: undefined };
}

export const promql = (text: string): Query => ({ kind: 'promql', text, source: undefined });

const budgetOf = (target: number): Ratio => ratio(Number((1 - target).toPrecision(12)));

export function objective(
  name: string,
  indicator: Indicator,
  more: Partial<Objective> & { readonly service?: string } = {},
): Objective {
  const target = more.target ?? ratio(0.98);
  const service = more.service ?? 'documents';
  return {
    id: `${service}-${name}`,
    service,
    name,
    displayName: '',
    description: '',
    target,
    budget: budgetOf(target),
    window: { kind: 'rolling', period: days(28) },
    method: { kind: 'occurrences' },
    indicator,
    labels: {},
    annotations: {},
    alerting: DEFAULT_ALERTING,
    source: { file: 'by-hand.yaml', line: 1, column: 1 },
    ...more,
  };
}

export const errorsOf = (job: string): Indicator => ({
  kind: 'ratio',
  bad: selector(`errors_total{job="${job}"}`),
  total: selector(`requests_total{job="${job}"}`),
});

const good: Indicator = {
  kind: 'ratio',
  good: selector('request_seconds_bucket{job="app",le="0.2"}'),
  total: selector('request_seconds_count{job="app"}'),
};
const age: Indicator = { kind: 'threshold', query: selector('oldest_age_seconds'), op: 'lt', limit: 120 };

/** Each of them under the service `kinds`. */
export const KINDS: readonly Objective[] = [
  objective('bad-of-total', errorsOf('app'), {
    displayName: 'Requests {{answered}}',
    labels: { 'team.name': 'core', severity: 'x' },
  }),
  objective('good-of-total', good, { target: ratio(0.95), window: { kind: 'rolling', period: days(30) } }),
  objective('own-promql', {
    kind: 'ratio',
    bad: promql('sum(rate(errors_total[{{.window}}]))'),
    total: promql('sum(rate(requests_total[{{ .window }}]))'),
  }),
  objective('raw-windowed', {
    kind: 'raw',
    rawType: 'failure',
    query: promql('sum(rate(errors_total[{{.window}}])) / sum(rate(requests_total[{{.window}}]))'),
  }),
  objective('raw-gauge', { kind: 'raw', rawType: 'success', query: selector('success_ratio') }),
  objective('threshold', age, { target: ratio(0.99) }),
  objective('stuck', age, {
    target: ratio(0.99),
    method: { kind: 'timeslices', slice: seconds(15), sliceTarget: ratio(1) },
  }),
  objective('slices', errorsOf('app'), { method: { kind: 'timeslices', slice: minutes(5), sliceTarget: ratio(0.95) } }),
  objective('slice-means', errorsOf('app'), { method: { kind: 'ratio-timeslices', slice: minutes(1) } }),
  objective('whole', {
    kind: 'composite',
    parts: [
      { weight: 3, objective: objective('first', errorsOf('app')) },
      { weight: 1, objective: objective('second', errorsOf('other'), { target: ratio(0.9) }) },
    ],
  }),
  objective('month', errorsOf('app'), {
    window: { kind: 'calendar', count: 1, unit: 'month', start: '2026-01-01 00:00:00', timeZone: 'Europe/Berlin' },
  }),
  objective('lax', errorsOf('app'), { target: ratio(0.9), alerting: { ...DEFAULT_ALERTING, ticket: false } }),
  objective('short-slices', errorsOf('app'), {
    method: { kind: 'timeslices', slice: seconds(15), sliceTarget: ratio(0.95) },
  }),
].map((one) => ({ ...one, service: 'kinds', id: `kinds-${one.name}` }));

/** One more for what judges: its target by hand, and the rest as it comes. */
export function objectiveOf({ goal = 0.98, ...rest }: Partial<Objective> & { readonly goal?: number } = {}): Objective {
  return objective('by-hand', errorsOf('app'), { target: ratio(goal), ...rest });
}
