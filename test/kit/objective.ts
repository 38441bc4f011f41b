/** An objective by hand, for tests and benchmarks of what does not read files. */
import { days, ratio } from '#kernel/units.ts';
import { DEFAULT_ALERTING, type Objective } from '#slo/objective.ts';

export function objectiveOf(changes: Partial<Objective> & { readonly goal?: number } = {}): Objective {
  const { goal = 0.98, ...rest } = changes;
  return {
    id: 'test-objective',
    service: 'test',
    name: 'objective',
    displayName: 'Objective',
    description: '',
    target: ratio(goal),
    budget: ratio(Number((1 - goal).toPrecision(12))),
    window: { kind: 'rolling', period: days(28) },
    method: { kind: 'occurrences' },
    indicator: {
      kind: 'ratio',
      bad: { kind: 'selector', source: undefined, selector: { name: 'bad_total', matchers: [] } },
      total: { kind: 'selector', source: undefined, selector: { name: 'all_total', matchers: [] } },
    },
    labels: {},
    annotations: {},
    alerting: DEFAULT_ALERTING,
    source: { file: 'test.yaml', line: 1, column: 1 },
    ...rest,
  };
}
