/**
 * From objectives to rule files: one file a service, four groups a service. Written piece by piece: the objectives are
 * kept, their rules, a hundred times as long, are not.
 *
 * Every minute the events are counted and the windows up to six hours summed, from which pages come. Every two minutes
 * the windows of days are summed, from blocks of five minutes, and the period, from hours: tickets and budgets.
 *
 * What PromQL cannot judge is left out, and said. Pure.
 */

import { minutes, seconds } from '#kernel/units.ts';
import type { Objective } from '#slo/objective.ts';
import { blindAlert, burnAlerts, type Links } from './alerts.ts';
import { eventsOf, hidesTraffic } from './events.ts';
import { BLOCK, fileOf, STEP } from './names.ts';
import {
  burnTogether,
  fastRules,
  firstFact,
  fiveMinuteRules,
  isWatched,
  type Judged,
  slowRules,
  unscrapedRules,
} from './shared.ts';
import { fileHead, groupHead, ruleText } from './yaml.ts';

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

/** Rules of a service look at all of its objectives at once, so the objectives are kept, and their rules are not. */
export function* compileRules(objectives: Iterable<Objective>, links: Links = {}): Generator<Piece> {
  const services = new Map<string, Judged[]>();
  for (const objective of objectives) {
    const { id, service } = objective;
    const events = eventsOf(objective);
    if (events.kind === 'unjudgeable') {
      yield { kind: 'left out', leftOut: { id, what: 'objective', because: events.because } };
      continue;
    }
    const judged = { objective, shape: events.shape };
    for (const one of leftOutOf(judged, links)) yield { kind: 'left out', leftOut: one };
    const known = services.get(service);
    if (known === undefined) services.set(service, [judged]);
    else known.push(judged);
  }
  const begun = new Set<string>();
  for (const [service, all] of services) {
    const file = fileOf(service);
    const text = (words: string): Piece => ({ kind: 'text', file, text: words });
    if (!begun.has(file)) yield text(HEAD);
    begun.add(file);
    for (const words of serviceText(service, all, links)) yield text(words);
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

function leftOutOf(judged: Judged, links: Links): LeftOut[] {
  const { id, window } = judged.objective;
  const { without } = burnAlerts(judged, false, links);
  const leftOut: LeftOut[] = without.map(({ rule, because }) => ({
    id,
    what: 'alert',
    because: `${rule}: ${because}`,
  }));
  if (window.kind === 'calendar') leftOut.push({ id, what: 'period', because: NO_CALENDAR });
  if (hidesTraffic(judged.shape)) leftOut.push({ id, what: 'evidence', because: NO_EVIDENCE });
  return leftOut;
}

const NO_CALENDAR =
  'a calendar period: PromQL has no window that begins on a date, so budget and period are for the router alone; alerts by the usual length of the period';
const NO_EVIDENCE = 'a raw ratio hides how many events it stands for, so a single failure may page';

/** Events first, then what is made of them, then who is told: a group's rules see what those before them recorded. */
function* serviceText(service: string, all: readonly Judged[], links: Links): Generator<string> {
  const name = `burnline-slo-${service}`;
  const together = burnTogether(all);
  yield groupHead(name, STEP);
  for (const { objective } of all) {
    const events = eventsOf(objective);
    const rules = events.kind === 'events' ? events.rules : [];
    yield [...rules, firstFact(objective)].map(ruleText).join('');
  }
  for (const rule of fastRules(service, all)) yield ruleText(rule);
  for (const one of all) yield burnAlerts(one, together, links).pages.map(ruleText).join('');
  const blocks = fiveMinuteRules(service, all);
  if (blocks.length > 0) yield groupHead(`${name}-blocks`, BLOCK);
  for (const rule of blocks) yield ruleText(rule);
  yield groupHead(`${name}-long`, SLOW);
  for (const rule of slowRules(service, all)) yield ruleText(rule);
  for (const one of all) yield burnAlerts(one, together, links).slow.map(ruleText).join('');
  const blind = all.filter(({ objective }) => isWatched(objective));
  if (blind.length === 0) return;
  yield groupHead(`${name}-blind`, WATCH);
  for (const rule of unscrapedRules(service, all)) yield ruleText(rule);
  for (const { objective } of blind) {
    const rule = blindAlert(objective, links);
    if (rule !== undefined) yield ruleText(rule);
  }
}
