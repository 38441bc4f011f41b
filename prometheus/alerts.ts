/**
 * The alerts of one objective: the workbook's four pairs, each an alert of its own, so that whoever is woken sees which
 * one fired. The tier is a label by which nothing is grouped: all tiers of an objective are one incident, and the critical
 * one inhibits the others (docs/rules.md).
 *
 * There is no `for:`. The long window says already that enough was lost; waiting on top only loses more.
 * Source: https://sre.google/workbook/alerting-on-slos/ ("we do not recommend using a duration").
 *
 * Pure.
 */

import { minutes, type Seconds, seconds } from '#kernel/units.ts';
import { BLIND_ALERT, BURN_ALERT, blindLabels, burnAlertOf, burnLabels, titleOf } from '#slo/alert-names.ts';
import { type BurnRule, type JudgedRule, rulesOf, WATCHED_LEAST } from '#slo/burn-rate.ts';
import { nominalPeriod } from '#slo/calendar.ts';
import type { Objective } from '#slo/objective.ts';
import { whyOmitted } from '#slo/verdict.ts';
import type { Shape } from './events.ts';
import { BURNING, BURNING_THINLY, ratioName, series, WATCHED } from './names.ts';
import { isWatched, type Judged, unscrapedFor, watchedEnough } from './shared.ts';
import { durationText, instantText, numberText, quoted } from './text.ts';
import { badOver } from './windows.ts';
import type { AlertRule, Labels } from './yaml.ts';

export type Links = {
  /** Of a page that shows one objective; its id is appended. */
  readonly dashboard?: string;
  /** `{alert}` in it stands for the alert's name, unless the objective's file gives it another: then for ours. */
  readonly runbook?: string;
};

export type Alerts = {
  readonly pages: readonly AlertRule[];
  /** Tickets, and pairs with too little evidence: they wake nobody, and may come two minutes later. */
  readonly slow: readonly AlertRule[];
  /** Rules that are not there, each with the reason. */
  readonly without: readonly { readonly rule: BurnRule['name']; readonly because: string }[];
};

/** A target that is gone for this long is said so: one failed scrape is not. */
const BLIND_FOR = seconds(30);

/** @param together records of its service say which objectives burn. */
export function burnAlerts({ objective, shape }: Judged, together: boolean, links: Links): Alerts {
  const pages: AlertRule[] = [];
  const slow: AlertRule[] = [];
  const without: { rule: BurnRule['name']; because: string }[] = [];
  const period = nominalPeriod(objective.window);
  const judged = rulesOf(objective, period);
  for (const one of judged.rules) {
    const { alert, thin } = tier(one, tierText(one, objective, shape, together), objective, links);
    (one.rule.severity === 'critical' ? pages : slow).push(alert);
    if (thin !== undefined) slow.push(thin);
  }
  for (const omitted of judged.without)
    without.push({ rule: omitted.rule.name, because: whyOmitted(omitted, objective.budget, period) });
  return { pages, slow, without };
}

/** One pair as two alerts: believed with enough bad events in its long window, written down as info with fewer. */
function tier(
  { rule, factor, least }: JudgedRule,
  asked: TierText,
  objective: Objective,
  links: Links,
): { readonly alert: AlertRule; readonly thin?: AlertRule } {
  const labels = burnLabels(objective, 'prometheus', rule.severity, rule.name);
  const annotations = burnNotes(rule, numberText(factor), objective, links);
  const alert: AlertRule = { kind: 'alert', alert: burnAlertOf(objective), expr: asked.believed, labels, annotations };
  if (asked.thin === undefined) return { alert };
  const thin: AlertRule = {
    kind: 'alert',
    alert: burnAlertOf(objective),
    expr: asked.thin,
    labels: burnLabels(objective, 'prometheus', 'info', rule.name),
    annotations: {
      ...annotations,
      summary: `${annotations['summary']}, by too few events to wake anybody`,
      evidence:
        rule.severity === 'critical'
          ? `fewer than ${least} bad events in ${durationText(rule.long)}`
          : `fewer than ${least} bad events in ${durationText(rule.long)}, or watched for less than ${durationText(WATCHED_LEAST)}`,
    },
  };
  return { alert, thin };
}

type TierText = { readonly believed: string; readonly thin?: string };

function tierText(
  { rule, factor, least }: JudgedRule,
  { id, budget }: Objective,
  shape: Shape,
  together: boolean,
): TierText {
  if (together && shape.kind === 'counted') {
    const of = (record: string) => `${record}{sloth_id=${quoted(id)},tier=${quoted(rule.name)}}`;
    return { believed: of(BURNING), thin: of(BURNING_THINLY) };
  }
  const limit = numberText(factor * budget);
  const over = (length: Seconds): string => `${series(ratioName(length), id)} >= ${limit}`;
  const both = `sum without (sloth_window) (${over(rule.long)})\nand on (sloth_id) ${over(rule.short)}`;
  const bad = badOver(shape, rule.long);
  const watched = watchedEnough(rule, ratioName(rule.short), [id]);
  // A query that hides its traffic offers no evidence to weigh. Better one page too many than none.
  const evidence = [...(bad === undefined ? [] : [`${bad} >= ${least}`]), ...(watched === undefined ? [] : [watched])];
  if (evidence.length === 0) return { believed: both };
  const enough = `(${evidence.join(' and on () ')})`;
  return { believed: `${both}\nand on () ${enough}`, thin: `${both}\nunless on () ${enough}` };
}

function burnNotes(rule: BurnRule, factor: string, objective: Objective, links: Links): Labels {
  const { id, budget, window } = objective;
  const period = nominalPeriod(window);
  const long = durationText(rule.long);
  const short = durationText(rule.short);
  const left = series('slo:period_error_budget_remaining:ratio', id);
  const lasts = `clamp_min(sum(${left}), 0) * ${numberText(period * budget)} / sum(${series(ratioName(rule.long), id)})`;
  return {
    summary: `${inert(titleOf(objective))} spends its error budget at ${factor} times its pace or faster, over ${long} and ${short}`,
    long_window: `{{ $value | humanizePercentage }} bad over ${long}`,
    short_window: `${asked(series(ratioName(rule.short), id), 'humanizePercentage')} bad over ${short}`,
    budget_left: asked(left, 'humanizePercentage'),
    exhausted_in: asked(lasts, 'humanizeDuration'),
    ...linkNotes(objective, links, BURN_ALERT),
  };
}

/** The answer of a query, written by Prometheus into the annotation; `unknown` where there is none. */
const asked = (expr: string, format: string): string =>
  `{{ with query ${JSON.stringify(expr)} }}{{ . | first | value | ${format} }}{{ else }}unknown{{ end }}`;

/** A person's own text must not be read as a template. */
const inert = (text: string): string => text.replaceAll('{{', '{ {');

function linkNotes(objective: Objective, links: Links, alert: string): Labels {
  const runbook = objective.alerting.runbookUrl ?? links.runbook?.replaceAll('{alert}', alert);
  const { dashboard } = links;
  return {
    ...(runbook === undefined ? {} : { runbook_url: inert(runbook) }),
    ...(dashboard === undefined ? {} : { dashboard_url: `${inert(dashboard)}${encodeURIComponent(objective.id)}` }),
  };
}

/** What is watched (shared.ts) and shows no series. Without a total to look for (a raw ratio) the ratio itself is looked for. */
export function blindAlert(objective: Objective, links: Links): AlertRule | undefined {
  const { indicator, id, service } = objective;
  if (indicator.kind === 'composite' || !isWatched(objective)) return undefined;
  const query = indicator.kind === 'ratio' ? indicator.total : indicator.query;
  const seen = series(WATCHED, id);
  // Twice the time for one that never was there: a first scrape may be due only a minute after the start.
  const never = unscrapedFor(objective, BLIND_FOR);
  return {
    kind: 'alert',
    alert: BLIND_ALERT,
    expr: `${never === undefined ? seen : `(${seen} or on () ${never})`} unless on () ${instantText(query, minutes(5))}`,
    for: BLIND_FOR,
    labels: blindLabels(objective, 'prometheus'),
    annotations: {
      summary: `${inert(titleOf(objective))} cannot be judged: ${inert(service)} shows no metrics`,
      description: 'Its series are gone, or were never there. Whether documents are processed is not known.',
      ...linkNotes(objective, links, BLIND_ALERT),
    },
  };
}
