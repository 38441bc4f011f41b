/**
 * Which series are what to which objective: compiled once from the objectives, asked once for each series.
 *
 * Only selectors can be counted here; an objective with any other query is for a PromQL server, and `planOf` says so.
 */

import { days } from '#kernel/units.ts';
import { type Wanted, wantedNames } from '#slo/exposition/read-samples.ts';
import { type CompiledSelector, compileSelector, selects } from '#slo/exposition/selector.ts';
import type { Series } from '#slo/exposition/series.ts';
import type { Objective, Query } from '#slo/objective.ts';
import { longestPeriod } from './account.ts';
import { KEPT_MAX } from './ring.ts';

export const PROCESS_START = 'process_start_time_seconds';

/** `value`: a sample that is judged itself, of a threshold or a ready share. */
export type Role = 'good' | 'bad' | 'total' | 'value';
/** @field objective its place in the plan. */
export type Use = { readonly objective: number; readonly role: Role };

export type Plan = {
  readonly objectives: readonly Objective[];
  readonly wanted: Wanted;
  readonly byName: ReadonlyMap<string, Shelf>;
  /** The metric whose presence says that a target serves the objective; by place. */
  readonly leading: readonly string[];
};

type Candidate = Use & { readonly selector: CompiledSelector };

/**
 * All selectors of one metric. A thousand tenants make two thousand of them on one name: each is found by one label that it
 * demands (`tenant="t7"`), the one that fewest others demand, and only those that demand none are tried on every series.
 */
export type Shelf = {
  readonly byLabel: ReadonlyMap<string, ReadonlyMap<string, readonly Candidate[]>>;
  readonly rest: readonly Candidate[];
};

export type Unplanned = { readonly objective: Objective; readonly reason: string };

/** A composite is counted by its parts, each an objective of its own; a part of two composites is counted once. */
function leaves(objectives: readonly Objective[]): readonly Objective[] {
  const found = new Map<string, Objective>();
  const visit = (objective: Objective) => {
    const { indicator } = objective;
    if (indicator.kind === 'composite') for (const part of indicator.parts) visit(part.objective);
    else if (!found.has(objective.id)) found.set(objective.id, objective);
  };
  for (const objective of objectives) visit(objective);
  return [...found.values()];
}

/** Objectives that cannot be counted from samples are told apart, with the reason, and the others are planned. */
export function planOf(objectives: readonly Objective[]): { readonly plan: Plan; readonly unplanned: Unplanned[] } {
  const planned: Objective[] = [];
  const leading: string[] = [];
  const unplanned: Unplanned[] = [];
  const byName = new Map<string, Candidate[]>();
  for (const objective of leaves(objectives)) {
    const found = candidates(objective, planned.length);
    if (typeof found === 'string') {
      unplanned.push({ objective, reason: found });
      continue;
    }
    for (const one of found) {
      const same = byName.get(one.selector.name);
      if (same === undefined) byName.set(one.selector.name, [one]);
      else same.push(one);
    }
    leading.push(found.find(({ role }) => role === 'total' || role === 'value')?.selector.name ?? '');
    planned.push(objective);
  }
  const shelves = new Map([...byName].map(([name, all]) => [name, shelfOf(all)]));
  return { plan: { objectives: planned, wanted: wantedBy(byName), byName: shelves, leading }, unplanned };
}

function shelfOf(all: readonly Candidate[]): Shelf {
  const keyOf = (label: string, value: string) => JSON.stringify([label, value]);
  const demands = new Map<string, number>();
  for (const { selector } of all) {
    for (const [label, value] of selector.demands) {
      const key = keyOf(label, value);
      demands.set(key, (demands.get(key) ?? 0) + 1);
    }
  }
  const byLabel = new Map<string, Map<string, Candidate[]>>();
  const rest: Candidate[] = [];
  for (const one of all) {
    let rarest: readonly [string, string] | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const demand of one.selector.demands) {
      const others = demands.get(keyOf(...demand)) ?? 0;
      if (others < fewest) [rarest, fewest] = [demand, others];
    }
    if (rarest === undefined) {
      rest.push(one);
      continue;
    }
    const values = byLabel.get(rarest[0]) ?? new Map<string, Candidate[]>();
    byLabel.set(rarest[0], values);
    const found = values.get(rarest[1]);
    if (found === undefined) values.set(rarest[1], [one]);
    else found.push(one);
  }
  return { byLabel, rest };
}

function candidates({ indicator, window }: Objective, objective: number): Candidate[] | string {
  if (longestPeriod(window) > KEPT_MAX)
    return `its period is longer than the ${KEPT_MAX / days(1)} days that a ledger keeps`;
  const queries: (readonly [Role, Query | undefined])[] =
    indicator.kind === 'ratio'
      ? [
          ['total', indicator.total],
          ['good', indicator.good],
          // Given twice, the bad ones are what is left of the total.
          ['bad', indicator.good === undefined ? indicator.bad : undefined],
        ]
      : indicator.kind === 'composite'
        ? []
        : [['value', indicator.query]];
  const found: Candidate[] = [];
  for (const [role, query] of queries) {
    if (query === undefined) continue;
    if (query.kind === 'promql') return `"${query.text}" is no plain selector: only a PromQL server can judge it`;
    const outcome = compileSelector(query.selector);
    if (outcome.kind === 'fault') return `${query.selector.name}: ${outcome.reason}`;
    found.push({ objective, role, selector: outcome.selector });
  }
  return found;
}

/** With what tells resets from growth: created timestamps and the process' start. */
function wantedBy(byName: ReadonlyMap<string, unknown>): Wanted {
  const created = [...byName.keys()].map((name) => `${name.replace(/_(?:total|bucket|count|sum)$/, '')}_created`);
  return wantedNames([...byName.keys(), ...created, PROCESS_START]);
}

export function usesOf({ byName }: Plan, series: Series): readonly Use[] {
  const shelf = byName.get(series.name);
  if (shelf === undefined) return [];
  const uses: Use[] = [];
  const tryAll = (candidates: readonly Candidate[]) => {
    for (const { objective, role, selector } of candidates) {
      if (selects(selector, series)) uses.push({ objective, role });
    }
  };
  tryAll(shelf.rest);
  for (const [label, values] of shelf.byLabel) tryAll(values.get(series.labels.get(label) ?? '') ?? []);
  return uses;
}
