/** From an SLO, with all it refers to, to the objectives that everything else works on. */
import { type Ratio, ratio } from '#kernel/units.ts';
import type { Indicator, Objective, Part, Place } from '#slo/objective.ts';
import { dangling, otherAnnotations, type Policies, readAlerting } from './alerting.ts';
import { items, type Located, part, textsAt } from './document.ts';
import { type Reading, readIndicator, type Sources } from './indicator.ts';
import type { Report } from './report.ts';
import type { Shape, SliSpec, SloObjective } from './shapes.ts';
import { readTarget } from './target.ts';
import { place } from './tree.ts';
import { readMethod, readWindow } from './window.ts';

/** An objective that the files hold and that neither eye can judge. */
export type LeftOut = Place & { readonly id: string; readonly because: string };

/** All documents by what they are referred to by. */
export type Index = Sources &
  Policies & {
    readonly indicators: ReadonlyMap<string, Located<Shape<'SLI'>>>;
    readonly services: ReadonlyMap<string, unknown>;
  };

/** More objectives in one SLO than anybody can keep apart. */
export const OBJECTIVES_MAX = 100;

type Shared = Pick<Objective, 'service' | 'description' | 'window' | 'labels' | 'annotations' | 'alerting'>;
type Slo = Located<Shape<'SLO'>>;

export function resolveSlo(slo: Slo, index: Index, report: Report): { objectives: Objective[]; leftOut: LeftOut[] } {
  const nothing = { objectives: [], leftOut: [] };
  const { metadata, spec } = slo.value;
  const located = part(slo, 'spec');
  const list = located && part(located, 'objectives');
  if (located === undefined || list === undefined) return nothing;
  if (index.references && !index.services.has(spec.service)) {
    report.strictly(
      place(slo.tree, ['spec', 'service']),
      `refers to the Service ${spec.service}, which none of the files defines`,
    );
  }
  if (list.value.length === 0 || list.value.length > OBJECTIVES_MAX) {
    report.fault(place(list.tree), `has ${list.value.length} objectives: expected 1 to ${OBJECTIVES_MAX}`);
    return nothing;
  }
  const window = readWindow(located, report);
  const shared = {
    service: spec.service,
    description: spec.description ?? '',
    labels: textsAt(slo.tree, ['metadata', 'labels']),
    annotations: otherAnnotations(textsAt(slo.tree, ['metadata', 'annotations'])),
    alerting: readAlerting(slo, index, report),
  };
  const composite = list.value.some(({ indicator, indicatorRef }) => indicator || indicatorRef !== undefined);
  const own = spec.indicator !== undefined || spec.indicatorRef !== undefined;
  if (own && composite) {
    report.fault(
      place(located.tree, ['objectives']),
      'has an indicator for the whole and for its objectives: expected one or the other',
    );
    return nothing;
  }
  const readings = readAll(slo, composite, index, report);
  if (window === undefined) return nothing;
  const whole: Shared = { ...shared, window };
  const several = readings.length > 1;
  const names = readings.map(({ objective }, i) =>
    several ? `${metadata.name}-${slug(objective, i)}` : metadata.name,
  );
  return composite ? composed(slo, readings, names, whole) : separate(slo, readings, names, whole);
}

type Read = {
  readonly objective: Located<SloObjective>;
  readonly reading: Reading<Omit<Objective, keyof Shared | 'id' | 'name'>>;
};

function readAll(slo: Slo, composite: boolean, index: Index, report: Report): Read[] {
  const spec = part(slo, 'spec');
  if (spec === undefined) return [];
  const shared = composite ? undefined : indicatorOf(spec, 'spec', index, report);
  return items(part(spec, 'objectives')).map((objective) => {
    const sli = composite ? indicatorOf(objective, 'objective', index, report) : shared;
    const target = readTarget(objective, report);
    const method = readMethod(spec, objective, report);
    weightOf(objective, composite, report);
    if (sli?.kind !== 'read') return { objective, reading: sli ?? { kind: 'wrong' } };
    const indicator = readIndicator(sli.value, objective, index, report);
    if (indicator.kind !== 'read') return { objective, reading: indicator };
    if (target === undefined || method === undefined) return { objective, reading: { kind: 'wrong' } };
    const displayName = objective.value.displayName ?? slo.value.metadata.displayName ?? slo.value.metadata.name;
    const value = { ...target, method, indicator: indicator.value, displayName, source: place(objective.tree) };
    return { objective, reading: { kind: 'read', value } };
  });
}

type Holder = { indicator?: { spec: SliSpec } | undefined; indicatorRef?: string | undefined };

/** The SLI's specification, inline or referred to. */
function indicatorOf(holder: Located<Holder>, what: string, index: Index, report: Report): Reading<Located<SliSpec>> {
  const inline = part(holder, 'indicator');
  const ref = holder.value.indicatorRef;
  if (inline && ref !== undefined) {
    report.fault(place(holder.tree, ['indicatorRef']), 'has an indicator and an indicatorRef: expected one of them');
    return { kind: 'wrong' };
  }
  const found = inline ?? (ref === undefined ? undefined : index.indicators.get(ref));
  const spec = found && part(found as Located<{ spec: SliSpec }>, 'spec');
  if (spec) return { kind: 'read', value: spec };
  if (ref === undefined) {
    report.fault(place(holder.tree), `the ${what} has neither an indicator nor an indicatorRef: expected one of them`);
  } else if (index.references) dangling(holder.tree, 'indicatorRef', 'SLI', ref, report);
  else
    return {
      kind: 'unjudged',
      tree: holder.tree,
      because: `refers to the SLI ${ref}, which none of the files defines`,
    };
  return { kind: 'wrong' };
}

function separate(slo: Slo, readings: readonly Read[], names: readonly string[], shared: Shared) {
  const objectives: Objective[] = [];
  const leftOut: LeftOut[] = [];
  readings.forEach(({ reading }, i) => {
    const name = names[i] ?? slo.value.metadata.name;
    const id = `${shared.service}-${name}`;
    if (reading.kind === 'read') objectives.push({ id, name, ...shared, ...reading.value });
    else if (reading.kind === 'unjudged') leftOut.push({ ...place(reading.tree), id, because: reading.because });
  });
  return { objectives, leftOut };
}

/** One objective whose parts are objectives: it promises, and may burn, what they do in the weighted mean. */
function composed(slo: Slo, readings: readonly Read[], names: readonly string[], shared: Shared) {
  const { name, displayName } = slo.value.metadata;
  const id = `${shared.service}-${name}`;
  const parts: Part[] = [];
  for (const [i, { objective, reading }] of readings.entries()) {
    if (reading.kind === 'wrong') return { objectives: [], leftOut: [] };
    if (reading.kind === 'unjudged') {
      return { objectives: [], leftOut: [{ ...place(reading.tree), id, because: reading.because }] };
    }
    const own = names[i] ?? name;
    const full: Objective = { id: `${shared.service}-${own}`, name: own, ...shared, ...reading.value };
    parts.push({ weight: objective.value.compositeWeight ?? 1, objective: full });
  }
  const [first] = parts;
  if (first === undefined) return { objectives: [], leftOut: [] };
  const indicator: Indicator = { kind: 'composite', parts };
  const whole: Objective = {
    id,
    name,
    ...shared,
    displayName: displayName ?? name,
    target: weighted(parts, ({ target }) => target),
    budget: weighted(parts, ({ budget }) => budget),
    method: first.objective.method,
    indicator,
    source: place(slo.tree, ['metadata', 'name']),
  };
  return { objectives: [whole], leftOut: [] };
}

function weighted(parts: readonly Part[], of: (objective: Objective) => Ratio): Ratio {
  const all = parts.reduce((sum, { weight }) => sum + weight, 0);
  const mean = parts.reduce((sum, { weight, objective }) => sum + weight * of(objective), 0) / all;
  return ratio(Number(mean.toPrecision(12)));
}

function weightOf({ value, tree }: Located<SloObjective>, composite: boolean, report: Report): void {
  const { compositeWeight } = value;
  if (compositeWeight === undefined) return;
  if (!composite)
    report.warn(
      place(tree, ['compositeWeight']),
      'compositeWeight is not read: its objectives have no indicators of their own',
    );
  else if (!(compositeWeight > 0)) {
    report.fault(
      place(tree, ['compositeWeight']),
      `compositeWeight is the number ${compositeWeight}: expected more than 0`,
    );
  }
}

/** What tells an objective from its neighbours in an id. */
function slug({ value }: Located<SloObjective>, i: number): string {
  const words = (value.displayName ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return words.slice(0, 40).replace(/-+$/, '') || String(i + 1);
}
