/** One objective: how its budget was spent, how fast it burns against each pair of windows, and by which events. */
import { days, hours } from '#kernel/units.ts';
import { EVENTS_BAD, EVENTS_TOTAL, SHORT_WINDOWS } from '#prometheus/names.ts';
import { durationText } from '#prometheus/text.ts';
import { BURN_RULES, type BurnRule } from '#slo/burn-rate.ts';
import { dashboard, line, section } from './dashboard.ts';
import { lines, number, type Panel, states } from './panel.ts';
import {
  attained,
  BUDGET,
  BURN,
  budgetLeft,
  burn,
  burnAlerts,
  exhaustedIn,
  INCIDENTS,
  limit,
  STATES,
  state,
  target,
} from './slo-words.ts';
import { choice } from './variable.ts';

const WHICH = 'sloth_id="$objective"';

/** The long window says that enough is gone, the short one that it goes on; an alert fires while both are over the line. */
const pair = (rule: BurnRule): Panel =>
  lines({
    title: `${rule.name}: ${durationText(rule.long)} and ${durationText(rule.short)}`,
    description: `Fires (${rule.severity}) while both windows are over the dashed line: ${rule.spent * 100} % of the budget gone within ${durationText(rule.long)}. A page also wants its least number of bad events.`,
    unit: 'none',
    queries: [
      { expr: burn(WHICH, rule.long), legend: durationText(rule.long) },
      { expr: burn(WHICH, rule.short), legend: durationText(rule.short) },
      { expr: limit(WHICH, rule), legend: 'limit' },
    ],
    dashed: 'limit',
  });

export const sloDetail = dashboard({
  uid: 'burnline-slo-detail',
  title: 'Burnline / SLO detail',
  description:
    'One objective: the burn-down of its budget, its burn rates against the limits of each pair, its events, and the incidents of that time.',
  from: 'now-28d',
  choices: [
    choice({ name: 'service', label: 'Service', of: 'slo:objective:ratio', by: 'sloth_service' }),
    choice({
      name: 'objective',
      label: 'Objective',
      of: 'slo:objective:ratio{sloth_service=~"$service"}',
      by: 'sloth_id',
      one: true,
    }),
  ],
  marks: [burnAlerts(WHICH), INCIDENTS],
  links: [{ title: 'SLO overview', url: '/d/burnline-slo-overview?${datasource:queryparam}' }],
  sections: [
    section(
      'Now',
      line(
        4,
        number({
          title: 'State',
          description: 'What Prometheus’ alerts say of it.',
          unit: 'none',
          queries: [{ expr: state(WHICH) }],
          mappings: STATES,
          thresholds: ['green', [1, 'yellow'], [2, 'red'], [3, 'purple']],
        }),
        number({
          title: 'Target',
          description: 'The share of events that is promised to be good.',
          unit: 'percentunit',
          decimals: 2,
          queries: [{ expr: target(WHICH) }],
        }),
        number({
          title: 'Attained',
          description: 'The share that was good in its period.',
          unit: 'percentunit',
          decimals: 3,
          queries: [{ expr: attained(WHICH) }],
        }),
        number({
          title: 'Budget left',
          description: 'Share of the period’s error budget that is left.',
          unit: 'percentunit',
          decimals: 1,
          queries: [{ expr: budgetLeft(WHICH) }],
          thresholds: BUDGET,
        }),
        number({
          title: 'Burn, 1 h',
          description: 'How many times faster than its period it spends its budget.',
          unit: 'none',
          decimals: 2,
          queries: [{ expr: burn(WHICH, hours(1)) }],
          thresholds: BURN,
        }),
        number({
          title: 'Exhausted in',
          description: 'When nothing is left, at the pace of the last hour; empty where nothing burns.',
          unit: 'dtdurations',
          queries: [{ expr: exhaustedIn(WHICH) }],
        }),
        number({
          title: 'Bad events',
          description: 'In the chosen range.',
          unit: 'short',
          queries: [{ expr: `sum(sum_over_time(${EVENTS_BAD}{${WHICH}}[$__range]))` }],
        }),
        number({
          title: 'Events',
          description: 'In the chosen range; of an objective of time slices, slices.',
          unit: 'short',
          queries: [{ expr: `sum(sum_over_time(${EVENTS_TOTAL}{${WHICH}}[$__range]))` }],
        }),
      ),
    ),
    section(
      'Budget',
      line(
        9,
        lines({
          title: 'Burn-down',
          description:
            'What is left of the error budget of the period that ends at each moment. It grows again when bad events leave the period.',
          unit: 'percentunit',
          queries: [
            { expr: budgetLeft(WHICH), legend: 'left' },
            { expr: `0 * ${budgetLeft(WHICH)}`, legend: 'spent' },
          ],
          thresholds: BUDGET,
          max: 1,
          below: true,
          dashed: 'spent',
          width: 16,
        }),
        states({
          title: 'State',
          description: 'What Prometheus’ alerts said of it.',
          unit: 'none',
          queries: [{ expr: state(WHICH), legend: 'state' }],
          mappings: STATES,
        }),
      ),
    ),
    section(
      'Burn',
      line(8, ...BURN_RULES.filter(({ severity }) => severity === 'critical').map(pair)),
      line(8, ...BURN_RULES.filter(({ severity }) => severity === 'warning').map(pair)),
      line(
        8,
        lines({
          title: 'Burn rate of every window',
          description: 'The longer the window, the calmer: where short ones stand above long ones it gets worse.',
          unit: 'none',
          queries: [...SHORT_WINDOWS]
            .filter((window) => window <= days(3))
            .map((window) => ({ expr: burn(WHICH, window), legend: durationText(window) })),
        }),
      ),
    ),
    section(
      'Events',
      line(
        8,
        lines({
          title: 'Events a minute',
          description: 'Good and bad, as they were counted each minute.',
          unit: 'short',
          queries: [
            { expr: `sum(${EVENTS_TOTAL}{${WHICH}}) - sum(${EVENTS_BAD}{${WHICH}})`, legend: 'good' },
            { expr: `sum(${EVENTS_BAD}{${WHICH}})`, legend: 'bad' },
          ],
          stack: true,
        }),
        lines({
          title: 'Share of bad events',
          description: 'Over five minutes and an hour, beside what may be bad.',
          unit: 'percentunit',
          queries: [
            { expr: `max by (sloth_id) (slo:sli_error:ratio_rate5m{${WHICH}})`, legend: '5m' },
            { expr: `max by (sloth_id) (slo:sli_error:ratio_rate1h{${WHICH}})`, legend: '1h' },
            { expr: `max by (sloth_id) (slo:error_budget:ratio{${WHICH}})`, legend: 'budget' },
          ],
          dashed: 'budget',
        }),
      ),
    ),
  ],
});
