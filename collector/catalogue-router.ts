/** The router's own instruments. */
import type { Instrument } from './catalogue.ts';

const ROUTER = ['router'] as const;

export const METRICS_OF_ROUTER = {
  pages_total: {
    kind: 'observable counter',
    unit: '{page}',
    help: 'Critical pages by what became of them: handed to a channel within 60 s, or not.',
    attributes: { outcome: ['in_time', 'late'] },
    roles: ROUTER,
    shown: 'rest',
  },
  notifications_total: {
    kind: 'observable counter',
    unit: '{notification}',
    help: 'Messages that are done with, by channel.',
    attributes: {
      channel: ['slack', 'email', 'pagerduty', 'webhook'],
      outcome: ['delivered', 'refused', 'superseded'],
    },
    roles: ROUTER,
    shown: 'rest',
  },
  notifications_waiting: {
    kind: 'gauge',
    unit: '{notification}',
    help: 'Messages that are not delivered yet.',
    attributes: {},
    roles: ROUTER,
    shown: 'rest',
  },
  notification_oldest_waiting_age_seconds: {
    kind: 'gauge',
    unit: 's',
    help: 'Age of the oldest message that is not delivered yet; 0: none waits.',
    attributes: {},
    roles: ROUTER,
    shown: 'rest',
  },
  incidents_unresolved: {
    kind: 'gauge',
    unit: '{incident}',
    help: 'Incidents that are not resolved.',
    attributes: { severity: ['critical', 'warning'], state: ['open', 'acknowledged', 'snoozed'] },
    roles: ROUTER,
    shown: 'rest',
  },
  alerts_received_total: {
    kind: 'counter',
    unit: '{alert}',
    help: 'Alerts that were taken or refused, as they came.',
    attributes: { outcome: ['taken', 'refused'] },
    roles: ROUTER,
    shown: 'rest',
  },
  watch_scrapes_total: {
    kind: 'counter',
    unit: '{scrape}',
    help: 'Looks of the router’s own watch at its targets.',
    attributes: { outcome: ['read', 'missing'] },
    roles: ROUTER,
    shown: 'rest',
  },
  watchdog_overdue: {
    kind: 'gauge',
    unit: '{item}',
    help: 'What was due over 60 s ago and is not done: groups to look at, incidents to escalate, critical pages to deliver; unreached: critical incidents of which a step told nobody.',
    attributes: { what: ['groups', 'incidents', 'pages', 'unreached'] },
    roles: ROUTER,
    shown: 'rest',
  },
  watchdog_alarms_total: {
    kind: 'counter',
    unit: '{message}',
    help: 'Messages by which the watchdog said that the router does not get its work done.',
    attributes: { outcome: ['delivered', 'failed'] },
    roles: ROUTER,
    shown: 'rest',
  },
  watchdog_beats_total: {
    kind: 'counter',
    unit: '{beat}',
    help: 'Calls that told somebody outside that the router works.',
    attributes: { outcome: ['sent', 'failed'] },
    roles: ROUTER,
    shown: 'rest',
  },
} as const satisfies Record<string, Instrument>;
