/** The router's own instruments. */
import type { Instrument } from './catalogue.ts';

const ROUTER = ['router'] as const;
/** What happens to an incident, in the words of its timeline. */
export const INCIDENT_EVENTS = [
  'opened',
  'paged',
  'escalated',
  'unreached',
  'acknowledged',
  'snoozed',
  'reopened',
  'resolved',
] as const;

/** A minute, a quarter, an hour: what policies and people count in. */
const ACKNOWLEDGE_SECONDS = [5, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400] as const;
const RESOLVE_SECONDS = [60, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400, 259_200] as const;

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
  incident_events_total: {
    kind: 'counter',
    unit: '{event}',
    help: 'What happened to incidents, drills too: a step that told somebody is paged or escalated, one that told nobody unreached.',
    attributes: { severity: ['critical', 'warning'], event: INCIDENT_EVENTS },
    roles: ROUTER,
    shown: 'rest',
  },
  incident_time_to_acknowledge_seconds: {
    kind: 'histogram',
    unit: 's',
    help: 'From the opening of a critical incident to the first answer of a person; without drills.',
    attributes: {},
    buckets: ACKNOWLEDGE_SECONDS,
    roles: ROUTER,
    shown: 'rest',
  },
  incident_time_to_resolve_seconds: {
    kind: 'histogram',
    unit: 's',
    help: 'From the opening of a critical incident that somebody was told of to its end; without drills.',
    attributes: {},
    buckets: RESOLVE_SECONDS,
    roles: ROUTER,
    shown: 'rest',
  },
  notification_retries_total: {
    kind: 'counter',
    unit: '{attempt}',
    help: 'Attempts at a message that did not arrive and are made again.',
    attributes: { channel: ['slack', 'email', 'pagerduty', 'webhook'] },
    roles: ROUTER,
    shown: 'rest',
  },
  pages_arrived_total: {
    kind: 'counter',
    unit: '{page}',
    help: 'Critical pages that arrived, drills too, by whom they woke: a person or a receiver, as the router’s files name them.',
    attributes: { to: ['person', 'receiver'], name: 'bounded' },
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
