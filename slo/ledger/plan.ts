/**
 * Which series are what to which objective: compiled once from the objectives, asked once for each series.
 *
 * Only selectors can be counted here; an objective with any other query is for a PromQL server, and `planOf` says so.
 */

import { type Wanted, wantedNames } from '#slo/exposition/read-samples.ts';
import { type CompiledSelector, compileSelector, selects } from '#slo/exposition/selector.ts';
import type { Series } from '#slo/exposition/series.ts';
import type { Objective, Query } from '#slo/objective.ts';

export const PROCESS_START = 'process_start_time_seconds';

/** `value`: a sample that is judged itself, of a threshold or a ready share. */
export type Role = 'good' | 'bad' | 'total' | 'value';
/** @field objective its place in the plan. */
export type Use = { readonly objective: number; readonly role: Role };

export type Plan = {
  readonly objectives: readonly Objective[];
  readonly wanted: Wanted;
  readonly byName: ReadonlyMap<string, readonly Candidate[]>;
  /** The metric whose presence says that a target serves the objective; by place. */
  readonly leading: readonly string[];
};

type Candidate = Use & { readonly selector: CompiledSelector };

export type Unplanned = { readonly objective: Objective; readonly reason: string };

/** Objectives that cannot be counted from samples are told apart, with the reason, and the others are planned. */
export function planOf(objectives: readonly Objective[]): { readonly plan: Plan; readonly unplanned: Unplanned[] } {
  const planned: Objective[] = [];
  const leading: string[] = [];
  const unplanned: Unplanned[] = [];
  const byName = new Map<string, Candidate[]>();
  for (const objective of objectives) {
    const found = candidates(objective, planned.length);
    if (typeof found === 'string') {
      unplanned.push({ objective, reason: found });
      continue;
    }
    for (const one of found) byName.set(one.selector.name, [...(byName.get(one.selector.name) ?? []), one]);
    leading.push(found.find(({ role }) => role === 'total' || role === 'value')?.selector.name ?? '');
    planned.push(objective);
  }
  return { plan: { objectives: planned, wanted: wantedBy(byName), byName, leading }, unplanned };
}

function candidates({ indicator }: Objective, objective: number): Candidate[] | string {
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
  if (queries.length === 0) return 'a composite is counted by its parts, each an objective of its own';
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
  const found = byName.get(series.name)?.filter(({ selector }) => selects(selector, series)) ?? [];
  return found.map(({ objective, role }) => ({ objective, role }));
}
