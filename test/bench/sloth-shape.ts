/**
 * Rules in the shape that Sloth generates, to measure ours against: each window by rate() over the raw counters, the
 * period as the mean of the five-minute ratios, two alerts of two pairs each. Made from what Sloth publishes as its
 * examples, not by Sloth.
 */
import { days, hours, minutes, type Seconds } from '#kernel/units.ts';
import { ratioName, series } from '#prometheus/names.ts';
import { durationText, instantText, numberText } from '#prometheus/text.ts';
import { fileHead, groupText, type Labels, type Rule } from '#prometheus/yaml.ts';
import type { Objective } from '#slo/objective.ts';

const WINDOWS = [minutes(5), minutes(30), hours(1), hours(2), hours(6), days(1), days(3)];
const PAIRS: readonly (readonly [
  severity: string,
  pairs: readonly (readonly [short: Seconds, long: Seconds, factor: number])[],
])[] = [
  [
    'page',
    [
      [minutes(5), hours(1), 13.44],
      [minutes(30), hours(6), 5.6],
    ],
  ],
  [
    'ticket',
    [
      [hours(2), days(1), 2.8],
      [hours(6), days(3), 0.9333],
    ],
  ],
];

export function slothRules(objectives: readonly Objective[]): string {
  return fileHead('In the shape of Sloth') + objectives.map(groupsOf).join('');
}

function groupsOf(objective: Objective): string {
  const { id, service, name, indicator, window, budget, target } = objective;
  if (indicator.kind !== 'ratio' || indicator.bad === undefined || window.kind !== 'rolling') return '';
  const { bad, total } = indicator;
  const labels = { sloth_id: id, sloth_service: service, sloth_slo: name };
  const record = (to: string, expr: string, more: Labels = {}): Rule => ({
    kind: 'record',
    record: to,
    expr,
    labels: { ...labels, ...more },
  });
  const rate = (query: typeof total, over: Seconds) => `(sum(rate(${instantText(query)}[${durationText(over)}])))`;
  const five = series(ratioName(minutes(5)), id);
  const long = durationText(window.period);
  const budgetSeries = series('slo:error_budget:ratio', id);
  const over = (ratioOf: string) => `${ratioOf}\n/ on(sloth_id, sloth_slo, sloth_service) group_left\n${budgetSeries}`;
  const recordings = [
    ...WINDOWS.map((one) =>
      record(ratioName(one), `${rate(bad, one)}\n/\n${rate(total, one)}`, { sloth_window: durationText(one) }),
    ),
    record(
      ratioName(window.period),
      `sum_over_time(${five}[${long}])\n/ ignoring (sloth_window)\ncount_over_time(${five}[${long}])`,
      { sloth_window: long },
    ),
  ];
  const meta = [
    record('slo:objective:ratio', `vector(${target})`),
    record('slo:error_budget:ratio', `vector(1-${target})`),
    record('slo:time_period:days', `vector(${window.period / 86_400})`),
    record('slo:current_burn_rate:ratio', over(five)),
    record('slo:period_burn_rate:ratio', over(series(ratioName(window.period), id))),
    record('slo:period_error_budget_remaining:ratio', `1 - ${series('slo:period_burn_rate:ratio', id)}`),
    record('sloth_slo_info', 'vector(1)', {
      sloth_mode: 'cli-gen-prom',
      sloth_spec: 'prometheus/v1',
      sloth_version: 'v0.16.0',
    }),
  ];
  const alerts = PAIRS.map(([severity, pairs]): Rule => {
    const above = (one: Seconds, factor: number) =>
      `(${series(ratioName(one), id)} > (${factor} * ${numberText(budget)}))`;
    const texts = pairs.map(
      ([short, longer, factor]) =>
        `(\n${above(short, factor)}\nand ignoring (sloth_window)\n${above(longer, factor)}\n)`,
    );
    return {
      kind: 'alert',
      alert: 'Sloth',
      expr: texts.join('\nor ignoring (sloth_window)\n'),
      labels: { sloth_severity: severity },
      annotations: { summary: 'burns' },
    };
  });
  const groups = [
    ['sli-recordings', recordings],
    ['meta-recordings', meta],
    ['alerts', alerts],
  ] as const;
  return groups
    .map(([kind, rules]) => groupText({ name: `sloth-slo-${kind}-${id}`, interval: minutes(1), rules }))
    .join('');
}
