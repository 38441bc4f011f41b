/** How the slo commands tell what they read: for people, and as JSON for programs. Pure. */
import { styleText } from 'node:util';
import type { Indicator, Method, Objective, Query, Window } from '#slo/objective.ts';
import type { ObjectivesRead } from '#slo/openslo/read.ts';
import type { Finding } from '#slo/openslo/report.ts';
import { selectorText } from '#slo/promql.ts';

/** Who can judge an objective: the router's own ledger and Prometheus, or Prometheus alone. */
export type Eyes = 'router and prometheus' | 'prometheus';

export type ObjectiveView = {
  readonly id: string;
  readonly service: string;
  readonly name: string;
  readonly target: number;
  readonly budget: number;
  readonly window: Window;
  readonly method: Method;
  readonly indicator: string;
  readonly eyes: Eyes;
  readonly source: string;
};

export type ValidateView = {
  readonly ok: boolean;
  readonly faults: readonly Finding[];
  readonly warnings: readonly Finding[];
  readonly leftOut: ObjectivesRead['leftOut'];
  readonly objectives: readonly ObjectiveView[];
};

export function validateView({
  objectives,
  faults,
  warnings,
  leftOut,
}: Omit<ObjectivesRead, 'documents'>): ValidateView {
  return { ok: faults.length === 0, faults, warnings, leftOut, objectives: objectives.map(objectiveView) };
}

export function objectiveView(objective: Objective): ObjectiveView {
  const { id, service, name, target, budget, window, method, indicator, source } = objective;
  const where = `${source.file}:${source.line}:${source.column}`;
  return {
    id,
    service,
    name,
    target,
    budget,
    window,
    method,
    indicator: indicatorText(indicator),
    eyes: eyesOf(indicator),
    source: where,
  };
}

export function eyesOf(indicator: Indicator): Eyes {
  const both = queriesOf(indicator).every(({ kind }) => kind === 'selector');
  return both ? 'router and prometheus' : 'prometheus';
}

function queriesOf(indicator: Indicator): Query[] {
  switch (indicator.kind) {
    case 'ratio':
      return [indicator.good, indicator.bad, indicator.total].filter((query) => query !== undefined);
    case 'raw':
    case 'threshold':
      return [indicator.query];
    case 'composite':
      return indicator.parts.flatMap(({ objective }) => queriesOf(objective.indicator));
    default:
      return indicator satisfies never;
  }
}

/** One line for each finding, then one block for each objective, then what it comes to. */
export function validateText(view: ValidateView, stream: NodeJS.WriteStream): string {
  const paint = (colour: 'red' | 'yellow' | 'green' | 'bold', text: string): string =>
    styleText(colour, text, { stream });
  const line = ({ file, line: row, column, message }: Finding, word: string): string =>
    `${file}:${row}:${column}  ${word} ${message}\n`;
  const faults = view.faults.map((finding) => line(finding, paint('red', 'fault:')));
  const warnings = view.warnings.map((finding) => line(finding, paint('yellow', 'warning:')));
  const blocks = view.objectives.map((objective) => `\n${paint('bold', objective.id)}\n${objectiveBlock(objective)}`);
  const counts = `${count(view.objectives.length, 'objective')}, ${count(view.faults.length, 'fault')}, ${count(view.warnings.length, 'warning')}`;
  const verdict = view.ok ? paint('green', 'Right') : paint('red', 'Wrong');
  return [...faults, ...warnings, ...blocks, `\n${verdict}: ${counts}.\n`].join('');
}

/** Rows of an objective. What the rules mean for it goes behind these. */
function objectiveBlock(objective: ObjectiveView): string {
  const rows: readonly [label: string, value: string][] = [
    ['target', `${percentText(objective.target)} (${percentText(objective.budget)} may fail)`],
    ['window', windowText(objective.window)],
    ['method', methodText(objective.method)],
    ['indicator', objective.indicator],
    ['judged by', objective.eyes],
    ['written at', objective.source],
  ];
  return rows.map(([label, value]) => `  ${label.padEnd(10)}  ${value}\n`).join('');
}

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** Without the noise of a multiplication by 100. */
const percentText = (share: number): string => `${Number((share * 100).toPrecision(12))} %`;

export function windowText(window: Window): string {
  if (window.kind === 'rolling') return `${spanText(window.period)}, rolling`;
  const { count: times, unit, start, timeZone } = window;
  return `${times === 1 ? `each ${unit}` : `every ${times} ${unit}s`} from ${start}, ${timeZone}`;
}

function methodText(method: Method): string {
  switch (method.kind) {
    case 'occurrences':
      return 'occurrences';
    case 'timeslices':
      return `slices of ${spanText(method.slice)}, good with ${percentText(method.sliceTarget)} good`;
    case 'ratio-timeslices':
      return `mean over slices of ${spanText(method.slice)}`;
    default:
      return method satisfies never;
  }
}

function indicatorText(indicator: Indicator): string {
  switch (indicator.kind) {
    case 'ratio': {
      const [word, query] = indicator.bad ? ['bad', indicator.bad] : ['good', indicator.good];
      return `${word} ${query ? queryText(query) : ''} of ${queryText(indicator.total)}`;
    }
    case 'raw':
      return `${indicator.rawType} ratio ${queryText(indicator.query)}`;
    case 'threshold':
      return `${queryText(indicator.query)} ${indicator.op} ${indicator.limit}`;
    case 'composite':
      return `weighted: ${indicator.parts.map(({ weight, objective }) => `${weight} × ${objective.name}`).join(', ')}`;
    default:
      return indicator satisfies never;
  }
}

const queryText = (query: Query): string =>
  query.kind === 'selector' ? selectorText(query.selector) : query.text.replace(/\s+/g, ' ');

function spanText(span: number): string {
  for (const [length, unit] of [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'm'],
  ] as const) {
    if (span % length === 0) return `${span / length}${unit}`;
  }
  return `${span}s`;
}
