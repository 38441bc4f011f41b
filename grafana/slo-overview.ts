/** All objectives at one look: who keeps their promise, who spends, and how long that can go on. */
import { hours, minutes } from '#kernel/units.ts';
import { dashboard, line, section } from './dashboard.ts';
import { lines, number, rows, states } from './panel.ts';
import {
  attained,
  BUDGET,
  BURN,
  budgetLeft,
  burn,
  burnAlerts,
  exhaustedIn,
  INCIDENTS,
  STATES,
  state,
  target,
} from './slo-words.ts';
import { choice } from './variable.ts';

const WHICH = 'sloth_service=~"$service"';
const FIRING = 'alertstate="firing",sloth_service=~"$service"';
const DETAIL = {
  title: 'Detail',
  url: '/d/burnline-slo-detail?var-objective=${__value.raw}&${datasource:queryparam}',
};
const LINE_DETAIL = {
  title: 'Detail',
  url: '/d/burnline-slo-detail?var-objective=${__field.labels.sloth_id}&${datasource:queryparam}',
};

export const sloOverview = dashboard({
  uid: 'burnline-slo-overview',
  title: 'Burnline / SLO overview',
  description: 'All objectives that rules are compiled of: target, attained, budget left, burn, state and exhaustion.',
  from: 'now-7d',
  choices: [choice({ name: 'service', label: 'Service', of: 'slo:objective:ratio', by: 'sloth_service' })],
  marks: [burnAlerts(`${WHICH},sloth_id!=""`), INCIDENTS],
  sections: [
    section(
      'Now',
      line(
        4,
        number({
          title: 'Objectives',
          description: 'How many objectives are judged.',
          unit: 'none',
          queries: [{ expr: `count(slo:objective:ratio{${WHICH}})` }],
        }),
        number({
          title: 'Paging',
          description:
            'Objectives of which a critical alert fires: they spend their budget too fast, or nobody sees them.',
          unit: 'none',
          queries: [
            { expr: `count(count by (sloth_id) (ALERTS{${FIRING},severity="critical",sloth_id!=""})) or vector(0)` },
          ],
          thresholds: ['green', [1, 'red']],
        }),
        number({
          title: 'Tickets',
          description: 'Objectives of which a warning fires.',
          unit: 'none',
          queries: [
            { expr: `count(count by (sloth_id) (ALERTS{${FIRING},severity="warning",sloth_id!=""})) or vector(0)` },
          ],
          thresholds: ['green', [1, 'yellow']],
        }),
        number({
          title: 'Budgets spent',
          description: 'Objectives that have nothing left of their budget: they break their promise.',
          unit: 'none',
          queries: [{ expr: `count(slo:period_error_budget_remaining:ratio{${WHICH}} <= 0) or vector(0)` }],
          thresholds: ['green', [1, 'red']],
        }),
        number({
          title: 'Blind',
          description: 'Objectives whose series are gone. What is not seen is not good.',
          unit: 'none',
          queries: [{ expr: `count(count by (sloth_id) (ALERTS{${FIRING},alertname="ObjectiveBlind"})) or vector(0)` }],
          thresholds: ['green', [1, 'purple']],
        }),
        number({
          title: 'Incidents',
          description: 'Incidents that are not resolved, of all services.',
          unit: 'none',
          queries: [{ expr: 'sum(max by (severity, state) (incidents_unresolved))' }],
          thresholds: ['green', [1, 'orange']],
          links: [{ title: 'Paging', url: '/d/burnline-paging?${datasource:queryparam}' }],
        }),
      ),
      line(
        9,
        rows({
          title: 'Objectives',
          description:
            'Attained and budget left are of each objective’s own period; exhaustion is at the pace of the last hour, and empty where nothing burns.',
          joinBy: 'sloth_id',
          queries: [
            { ref: 'target', expr: target(WHICH) },
            { ref: 'attained', expr: attained(WHICH) },
            { ref: 'left', expr: budgetLeft(WHICH) },
            { ref: 'now', expr: burn(WHICH, minutes(5)) },
            { ref: 'hour', expr: burn(WHICH, hours(1)) },
            { ref: 'state', expr: state(WHICH) },
            { ref: 'exhausted', expr: exhaustedIn(WHICH) },
          ],
          columns: [
            { field: 'sloth_service', title: 'Service' },
            { field: 'sloth_slo', title: 'Objective' },
            { field: 'Value #state', title: 'State', mappings: STATES },
            { field: 'Value #target', title: 'Target', unit: 'percentunit' },
            { field: 'Value #attained', title: 'Attained', unit: 'percentunit' },
            { field: 'Value #left', title: 'Budget left', unit: 'percentunit', thresholds: BUDGET },
            { field: 'Value #now', title: 'Burn, 5 min', unit: 'none', thresholds: BURN },
            { field: 'Value #hour', title: 'Burn, 1 h', unit: 'none', thresholds: BURN },
            { field: 'Value #exhausted', title: 'Exhausted in', unit: 'dtdurations' },
            { field: 'sloth_id', title: 'Id', links: [DETAIL] },
          ],
        }),
      ),
    ),
    section(
      'Over time',
      line(
        8,
        states({
          title: 'State',
          description: 'What Prometheus’ alerts said of each objective.',
          unit: 'none',
          queries: [{ expr: state(WHICH), legend: '{{sloth_id}}' }],
          mappings: STATES,
        }),
      ),
      line(
        9,
        lines({
          title: 'Budget left',
          description: 'Share of the period’s error budget that is left. Below 0 the promise is broken.',
          unit: 'percentunit',
          queries: [{ expr: budgetLeft(WHICH), legend: '{{sloth_id}}' }],
          thresholds: BUDGET,
          max: 1,
          below: true,
          links: [LINE_DETAIL],
        }),
        lines({
          title: 'Burn rate over an hour',
          description:
            'How many times faster than its period each objective spends its budget; at 1 it is spent exactly at the end.',
          unit: 'none',
          queries: [{ expr: burn(WHICH, hours(1)), legend: '{{sloth_id}}' }],
          thresholds: BURN,
          limit: true,
          links: [LINE_DETAIL],
        }),
      ),
    ),
  ],
});
