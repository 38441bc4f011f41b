/** From an alert to a person: how many incidents, how soon somebody answers, what is delivered, and who was woken. */
import { dashboard, line, section } from './dashboard.ts';
import { EXPLORE_ROUTER_LOGS } from './explore.ts';
import { bars, lines, number, rows } from './panel.ts';
import { INCIDENTS } from './slo-words.ts';
import { choice, loki } from './variable.ts';

/** The mean of a histogram in the chosen range; nothing where there was none. */
const mean = (histogram: string): string =>
  `sum(increase(${histogram}_sum[$__range])) / (sum(increase(${histogram}_count[$__range])) > 0)`;
const quantile = (q: number, histogram: string): string =>
  `histogram_quantile(${q}, sum by (le) (increase(${histogram}_bucket[$__range])))`;

export const paging = dashboard({
  uid: 'burnline-paging',
  title: 'Burnline / Paging',
  description:
    'Incidents, how long people and incidents take (MTTA, MTTR), deliveries and retries, escalations, and who was woken.',
  from: 'now-7d',
  choices: [loki(), choice({ name: 'channel', label: 'Channel', of: 'notifications_total', by: 'channel' })],
  marks: [INCIDENTS],
  links: [EXPLORE_ROUTER_LOGS],
  sections: [
    section(
      'Now',
      line(
        4,
        number({
          title: 'Incidents not resolved',
          description: 'Of any severity and state.',
          unit: 'none',
          queries: [{ expr: 'sum(max by (severity, state) (incidents_unresolved))' }],
          thresholds: ['green', [1, 'orange']],
        }),
        number({
          title: 'Nobody is on it',
          description: 'Critical incidents that nobody has answered.',
          unit: 'none',
          queries: [{ expr: 'max(incidents_unresolved{severity="critical",state="open"})' }],
          thresholds: ['green', [1, 'red']],
        }),
        number({
          title: 'MTTA',
          description:
            'Mean time from the opening of a critical incident to the first answer of a person, in the chosen range; drills apart.',
          unit: 's',
          queries: [{ expr: mean('incident_time_to_acknowledge_seconds') }],
          thresholds: ['green', [300, 'yellow'], [900, 'red']],
        }),
        number({
          title: 'MTTR',
          description:
            'Mean time from the opening of a critical incident to its end, in the chosen range; drills apart.',
          unit: 's',
          queries: [{ expr: mean('incident_time_to_resolve_seconds') }],
        }),
        number({
          title: 'Pages in time',
          description:
            'Share of critical pages handed to a channel within 60 s, in the chosen range. pages-delivered promises 99.9 %.',
          unit: 'percentunit',
          decimals: 2,
          queries: [
            {
              expr: 'sum(increase(pages_total{outcome="in_time"}[$__range])) / (sum(increase(pages_total[$__range])) > 0)',
            },
          ],
          thresholds: ['red', [0.99, 'yellow'], [0.999, 'green']],
        }),
        number({
          title: 'Oldest message',
          description: 'Age of the oldest message that is not delivered yet.',
          unit: 's',
          queries: [{ expr: 'max(notification_oldest_waiting_age_seconds)' }],
          thresholds: ['green', [60, 'yellow'], [300, 'red']],
        }),
        number({
          title: 'Overdue',
          description: 'What the router should have done a minute ago and has not.',
          unit: 'none',
          queries: [{ expr: 'sum(max by (what) (watchdog_overdue))' }],
          thresholds: ['green', [1, 'red']],
        }),
      ),
    ),
    section(
      'Incidents',
      line(
        8,
        lines({
          title: 'Not resolved',
          description: 'By severity and by whether somebody is on it.',
          unit: 'none',
          queries: [{ expr: 'max by (severity, state) (incidents_unresolved)', legend: '{{severity}} {{state}}' }],
          stack: true,
        }),
        lines({
          title: 'Opened, answered, ended',
          description: 'In the hour before each moment, by severity.',
          unit: 'none',
          queries: [
            {
              expr: 'sum by (severity, event) (increase(incident_events_total{event=~"opened|acknowledged|snoozed|reopened|resolved"}[1h]))',
              legend: '{{severity}} {{event}}',
            },
          ],
        }),
        bars({
          title: 'How long it took',
          description:
            'Half and nine tenths of the critical incidents of the chosen range were answered, or over, sooner; drills apart.',
          unit: 's',
          queries: [
            { expr: quantile(0.5, 'incident_time_to_acknowledge_seconds'), legend: 'acknowledged, half' },
            { expr: quantile(0.9, 'incident_time_to_acknowledge_seconds'), legend: 'acknowledged, 90 %' },
            { expr: quantile(0.5, 'incident_time_to_resolve_seconds'), legend: 'resolved, half' },
            { expr: quantile(0.9, 'incident_time_to_resolve_seconds'), legend: 'resolved, 90 %' },
          ],
        }),
      ),
      line(
        8,
        rows({
          title: 'What fires now',
          description:
            'Alerts of Prometheus’ own rules. The router’s own watch raises the same, and others may send it more: its page has all.',
          queries: [
            {
              ref: 'alerts',
              expr: 'max by (alertname, severity, sloth_service, sloth_slo, tier) (ALERTS{alertstate="firing"})',
            },
          ],
          columns: [
            { field: 'severity', title: 'Severity' },
            { field: 'alertname', title: 'Alert' },
            { field: 'sloth_service', title: 'Service' },
            { field: 'sloth_slo', title: 'Objective' },
            { field: 'tier', title: 'Tier' },
          ],
        }),
        lines({
          title: 'Escalations',
          description:
            'Steps taken in the hour before each moment: the first one pages, later ones escalate, and one that tells nobody is unreached.',
          unit: 'none',
          queries: [
            {
              expr: 'sum by (event) (increase(incident_events_total{event=~"paged|escalated|unreached"}[1h]))',
              legend: '{{event}}',
            },
          ],
        }),
        bars({
          title: 'Who was woken',
          description:
            'Critical pages that arrived in the chosen range, drills too, by person or receiver as the router’s files name them.',
          unit: 'none',
          queries: [
            {
              expr: 'sort_desc(sum by (to, name) (increase(pages_arrived_total[$__range])))',
              legend: '{{name}} ({{to}})',
            },
          ],
        }),
      ),
    ),
    section(
      'Messages',
      line(
        8,
        lines({
          title: 'By outcome',
          description: 'Done with in the hour before each moment. superseded: something newer was said instead.',
          unit: 'none',
          queries: [
            { expr: 'burnline:notifications:increase1h{channel=~"$channel"}', legend: '{{channel}} {{outcome}}' },
          ],
        }),
        lines({
          title: 'Tried again',
          description: 'Attempts that did not arrive and are made again, in the hour before each moment.',
          unit: 'none',
          queries: [
            {
              expr: 'sum by (channel) (increase(notification_retries_total{channel=~"$channel"}[1h]))',
              legend: '{{channel}}',
            },
          ],
        }),
        lines({
          title: 'Waiting',
          description: 'Messages that are not delivered yet, and the age of the oldest.',
          unit: 'none',
          queries: [
            { expr: 'max(notifications_waiting)', legend: 'messages' },
            { expr: 'max(notification_oldest_waiting_age_seconds)', legend: 'oldest, s' },
          ],
        }),
        lines({
          title: 'Pages',
          description: 'Critical pages in the hour before each moment: handed over within 60 s, or not.',
          unit: 'none',
          queries: [{ expr: 'max by (outcome) (increase(pages_total[1h]))', legend: '{{outcome}}' }],
        }),
      ),
    ),
    section(
      'The router itself',
      line(
        8,
        lines({
          title: 'Alerts in',
          description: 'Taken and refused, a second.',
          unit: 'ops',
          queries: [
            { expr: 'sum by (outcome) (rate(alerts_received_total[$__rate_interval]))', legend: '{{outcome}}' },
          ],
        }),
        lines({
          title: 'Its own watch',
          description: 'Looks at targets, a second: read, or nothing came.',
          unit: 'ops',
          queries: [{ expr: 'sum by (outcome) (rate(watch_scrapes_total[$__rate_interval]))', legend: '{{outcome}}' }],
          stack: true,
        }),
        lines({
          title: 'Overdue',
          description: 'What was due a minute ago and is not done, by kind.',
          unit: 'none',
          queries: [{ expr: 'max by (what) (watchdog_overdue)', legend: '{{what}}' }],
        }),
        lines({
          title: 'Watchdog',
          description:
            'Alarms that the router does not get its work done, and beats that told somebody outside that it works; in five minutes.',
          unit: 'none',
          queries: [
            { expr: 'sum by (outcome) (increase(watchdog_alarms_total[5m]))', legend: 'alarm {{outcome}}' },
            { expr: 'sum by (outcome) (increase(watchdog_beats_total[5m]))', legend: 'beat {{outcome}}' },
          ],
        }),
      ),
    ),
  ],
});
