/** What the two dashboards of objectives share: how budgets are asked for, and what states are called. */
import { days, hours, type Seconds } from '#kernel/units.ts';
import { ratioName } from '#prometheus/names.ts';
import { BURN_RULES, type BurnRule, burnFactor } from '#slo/burn-rate.ts';
import type { Mark } from './dashboard.ts';
import { named, type Thresholds } from './panel.ts';

/** @param which a selector's matchers. */
export const target = (which: string): string =>
  `max by (sloth_id, sloth_service, sloth_slo) (slo:objective:ratio{${which}})`;
export const budgetLeft = (which: string): string =>
  `max by (sloth_id) (slo:period_error_budget_remaining:ratio{${which}})`;

/** What the period's share of good events is: all of the budget less what is left of it, of what may be bad. */
export const attained = (which: string): string =>
  `max by (sloth_id) (1 - (1 - slo:period_error_budget_remaining:ratio{${which}}) * on (sloth_id) slo:error_budget:ratio{${which}})`;

export const burn = (which: string, window: Seconds): string =>
  `max by (sloth_id) (${ratioName(window)}{${which}} / on (sloth_id) slo:error_budget:ratio{${which}})`;

/** At the pace of the last hour; no value where nothing burns. */
export const exhaustedIn = (which: string): string =>
  `max by (sloth_id) (clamp_min(slo:period_error_budget_remaining:ratio{${which}}, 0) * on (sloth_id) slo:time_period:days{${which}}) * 86400 / (${burn(which, hours(1))} > 0)`;

/** The burn rate at which a pair fires: of a longer period it is a greater one. */
export const limit = (which: string, rule: BurnRule): string =>
  `max by (sloth_id) (slo:time_period:days{${which}}) * ${burnFactor(rule, days(1))}`;

/** 0 ok, 1 ticket, 2 page, 3 blind: what Prometheus' own alerts say, by their labels, whatever they are called. */
export const state = (which: string): string =>
  [
    'max by (sloth_id) (',
    `0 * slo:objective:ratio{${which}}`,
    `or 1 * ALERTS{${which},alertstate="firing",severity="warning"}`,
    `or 2 * ALERTS{${which},alertstate="firing",severity="critical",alertname!="ObjectiveBlind"}`,
    `or 3 * ALERTS{${which},alertstate="firing",alertname="ObjectiveBlind"}`,
    ')',
  ].join('\n');

export const STATES = [named([0, 'ok', 'green'], [1, 'ticket', 'yellow'], [2, 'page', 'red'], [3, 'blind', 'purple'])];
export const BUDGET: Thresholds = ['red', [0, 'orange'], [0.25, 'yellow'], [0.5, 'green']];
/** 1 spends the budget in exactly its period. */
export const BURN: Thresholds = [
  'green',
  [1, 'yellow'],
  [burnFactor(BURN_RULES[1], days(28)), 'orange'],
  [burnFactor(BURN_RULES[0], days(28)), 'red'],
];

// Grafana looks at the marks of a month every few minutes: each look takes in what was since the one before.
export const INCIDENTS: Mark = {
  name: 'Incidents',
  expr: 'sum by (severity) (increase(incident_events_total{event="opened"}[$__rate_interval])) > 0',
  color: 'purple',
  title: 'incident opened',
  text: '{{severity}}',
};
export const burnAlerts = (which: string): Mark => ({
  name: 'Alerts',
  expr: `max by (alertname, sloth_slo, severity, tier) (max_over_time(ALERTS{${which},alertstate="firing",severity=~"critical|warning"}[$__interval]))`,
  color: 'red',
  title: '{{alertname}} {{sloth_slo}}',
  text: '{{severity}} {{tier}}',
});
