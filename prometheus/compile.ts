/**
 * From objectives to rule files: one file a service, two groups an objective, and one group a file for blindness. Written
 * piece by piece: of 5,000 objectives, one is in memory at a time.
 *
 * Every minute the events are counted and the windows up to six hours summed, from which pages come. Every two minutes
 * the windows of days are summed, from blocks of five minutes, and the period, from hours: tickets and budgets.
 *
 * What PromQL cannot judge is left out, and said. Pure.
 */

import { minutes, type Seconds, seconds } from '#kernel/units.ts';
import { nominalPeriod } from '#slo/calendar.ts';
import type { Objective } from '#slo/objective.ts';
import { blindAlert, burnAlerts, type Links } from './alerts.ts';
import { eventsOf, hidesTraffic, leafIds, type Shape } from './events.ts';
import {
  BLOCK,
  BLOCKS_BAD,
  BLOCKS_FROM,
  BLOCKS_TOTAL,
  EVENTS_BAD,
  EVENTS_TOTAL,
  fileOf,
  HOUR,
  HOURS_BAD,
  HOURS_TOTAL,
  identity,
  ownLabels,
  ratioName,
  SHORT_WINDOWS,
  STEP,
  series,
  TAIL_BAD,
  TAIL_TOTAL,
} from './names.ts';
import { durationText, numberText } from './text.ts';
import { ratioOver } from './windows.ts';
import { fileHead, type Group, groupHead, groupText, type Labels, type RecordRule, ruleText } from './yaml.ts';

export type LeftOut = {
  readonly id: string;
  /** `objective`: nothing of it is judged. */
  readonly what: 'objective' | 'period' | 'evidence' | 'alert';
  readonly because: string;
};
export type Piece =
  /** To be appended to this file. */
  | { readonly kind: 'text'; readonly file: string; readonly text: string }
  | { readonly kind: 'left out'; readonly leftOut: LeftOut };
export type Compiled = { readonly files: ReadonlyMap<string, string>; readonly leftOut: readonly LeftOut[] };

/** Half of the time for which a sample is visible, so that one missed evaluation leaves no hole. */
const SLOW = minutes(2);
const WATCH = seconds(15);
/** How every compiled file begins, and by which it is known again. */
export const HEAD = fileHead('Compiled by `burnline slo compile`; edit the objectives, not this file.');
const VERSION = 'burnline';

/** @param objectives in the order in which they shall stand; those of one service should stand together. */
export function* compileRules(objectives: Iterable<Objective>, links: Links = {}): Generator<Piece> {
  /** Per file, its blindness alerts: the only part that grows, by some hundred bytes an objective. */
  const watched = new Map<string, string[]>();
  for (const objective of objectives) {
    const file = fileOf(objective);
    const events = eventsOf(objective);
    if (events.kind === 'unjudgeable') {
      yield { kind: 'left out', leftOut: { id: objective.id, what: 'objective', because: events.because } };
      continue;
    }
    if (!watched.has(file)) yield { kind: 'text', file, text: HEAD };
    const { groups, leftOut } = groupsOf(objective, events.shape, events.rules, links);
    for (const one of leftOut) yield { kind: 'left out', leftOut: one };
    yield { kind: 'text', file, text: groups.map(groupText).join('') };
    const blind = blindAlert(objective, links);
    const alerts = watched.get(file) ?? [];
    if (blind !== undefined) alerts.push(ruleText(blind));
    watched.set(file, alerts);
  }
  for (const [file, rules] of watched) {
    if (rules.length === 0) continue;
    yield { kind: 'text', file, text: groupHead(`burnline-slo-blind-${file}`, WATCH) };
    for (const text of rules) yield { kind: 'text', file, text };
  }
}

/** All of it at once, for few objectives. */
export function compileFiles(objectives: Iterable<Objective>, links: Links = {}): Compiled {
  const files = new Map<string, string>();
  const leftOut: LeftOut[] = [];
  for (const piece of compileRules(objectives, links)) {
    if (piece.kind === 'left out') leftOut.push(piece.leftOut);
    else files.set(piece.file, `${files.get(piece.file) ?? ''}${piece.text}`);
  }
  return { files, leftOut };
}

function groupsOf(
  objective: Objective,
  shape: Shape,
  events: readonly RecordRule[],
  links: Links,
): { readonly groups: readonly Group[]; readonly leftOut: readonly LeftOut[] } {
  const { id, window } = objective;
  const { pages, tickets, without } = burnAlerts(objective, shape, links);
  const leftOut: LeftOut[] = without.map(({ rule, because }) => ({
    id,
    what: 'alert',
    because: `${rule}: ${because}`,
  }));
  if (window.kind === 'calendar') leftOut.push({ id, what: 'period', because: NO_CALENDAR });
  if (hidesTraffic(shape)) leftOut.push({ id, what: 'evidence', because: NO_EVIDENCE });
  const period = window.kind === 'rolling' ? [window.period] : [];
  const all = [...new Set<Seconds>([...SHORT_WINDOWS, ...period])];
  const fast = [
    ...events,
    ...leafIds(shape).flatMap((leaf) => blocks(objective, leaf)),
    ...all.filter((one) => one < BLOCKS_FROM).map((one) => ratioRule(objective, shape, one)),
    currentBurn(objective),
    ...pages,
  ];
  const slow = [
    ...all.filter((one) => one >= BLOCKS_FROM).map((one) => ratioRule(objective, shape, one)),
    ...period.flatMap((one) => periodRules(objective, one)),
    ...facts(objective),
    ...tickets,
  ];
  return {
    groups: [
      { name: `burnline-slo-${id}`, interval: STEP, rules: fast },
      { name: `burnline-slo-${id}-long`, interval: SLOW, rules: slow },
    ],
    leftOut,
  };
}

const NO_CALENDAR =
  'a calendar period: PromQL has no window that begins on a date, so budget and period are for the router alone; alerts by the usual length of the period';
const NO_EVIDENCE = 'a raw ratio hides how many events it stands for, so a single failure may page';

/**
 * The last five minutes, and the last hour, as one sample, once in five minutes and once an hour: a rule that answers
 * nothing in between leaves nothing in between. In the same group as the steps, so that no step is missed or counted
 * twice. And what was counted since the full hour, each time what it was a step ago and the new step.
 */
function blocks(objective: Objective, leaf: string): RecordRule[] {
  const rule = (record: string, expr: string): RecordRule => ({
    kind: 'record',
    record,
    expr,
    labels: { ...identity(objective), sloth_id: leaf },
  });
  const block = (name: string, steps: string, length: Seconds): RecordRule => {
    const once = `(vector(time()) % ${length} < ${STEP})`;
    return rule(name, `sum_over_time(${series(steps, leaf)}[${durationText(length)}])\nand on () ${once}`);
  };
  const tail = (name: string, steps: string): RecordRule => {
    const [step, before] = [series(steps, leaf), `${series(name, leaf)} offset ${durationText(STEP)}`];
    return rule(name, `(${step} + ${before} or ${before} or ${step})\n* (time() % ${HOUR} >= bool ${STEP})`);
  };
  return [
    block(BLOCKS_TOTAL, EVENTS_TOTAL, BLOCK),
    block(BLOCKS_BAD, EVENTS_BAD, BLOCK),
    block(HOURS_TOTAL, EVENTS_TOTAL, HOUR),
    block(HOURS_BAD, EVENTS_BAD, HOUR),
    tail(TAIL_TOTAL, EVENTS_TOTAL),
    tail(TAIL_BAD, EVENTS_BAD),
  ];
}

function ratioRule(objective: Objective, shape: Shape, window: Seconds): RecordRule {
  const labels = { ...labelsOf(objective), sloth_window: durationText(window) };
  return { kind: 'record', record: ratioName(window), expr: ratioOver(shape, window), labels };
}

const labelsOf = (objective: Objective): Labels => ({ ...ownLabels(objective), ...identity(objective) });

const meta = (objective: Objective, record: string, expr: string, more: Labels = {}): RecordRule => ({
  kind: 'record',
  record,
  expr,
  labels: { ...labelsOf(objective), ...more },
});

function currentBurn(objective: Objective): RecordRule {
  const now = series(ratioName(minutes(5)), objective.id);
  return meta(objective, 'slo:current_burn_rate:ratio', `${now} / ${numberText(objective.budget)}`);
}

function periodRules(objective: Objective, period: Seconds): RecordRule[] {
  const { id, budget } = objective;
  const burn = 'slo:period_burn_rate:ratio';
  return [
    meta(objective, burn, `${series(ratioName(period), id)} / ${numberText(budget)}`),
    meta(objective, 'slo:period_error_budget_remaining:ratio', `1 - ${series(burn, id)}`),
  ];
}

function facts(objective: Objective): RecordRule[] {
  const { target, budget, window } = objective;
  const info = {
    sloth_mode: 'cli-gen-prom',
    sloth_spec: 'openslo/v1',
    sloth_version: VERSION,
    sloth_objective: numberText(target * 100),
  };
  return [
    meta(objective, 'slo:objective:ratio', `vector(${numberText(target)})`),
    meta(objective, 'slo:error_budget:ratio', `vector(${numberText(budget)})`),
    meta(objective, 'slo:time_period:days', `vector(${numberText(nominalPeriod(window) / 86_400)})`),
    meta(objective, 'sloth_slo_info', 'vector(1)', info),
  ];
}
