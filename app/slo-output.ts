/** How the slo commands tell what they read: for people, and as JSON for programs. Pure. */
import { styleText } from 'node:util';
import { seconds } from '#kernel/units.ts';
import { indicatorText } from '#slo/indicator-text.ts';
import { type Meaning, makeMeaning, RATES, type RuleMeaning, SHARES } from '#slo/meaning.ts';
import type { Indicator, Method, Objective, Query, Window } from '#slo/objective.ts';
import type { ObjectivesRead } from '#slo/openslo/read.ts';
import type { Finding } from '#slo/openslo/report.ts';
import { duration, exactPercent, round } from '#slo/verdict.ts';

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
  readonly meaning: Meaning;
};

export type ValidateView = {
  readonly ok: boolean;
  readonly faults: readonly Finding[];
  readonly warnings: readonly Finding[];
  readonly leftOut: ObjectivesRead['leftOut'];
  readonly objectives: readonly ObjectiveView[];
};

export function validateView(read: Omit<ObjectivesRead, 'documents'>): ValidateView {
  const { objectives, faults, warnings, leftOut } = read;
  const meaningOf = makeMeaning();
  const views = objectives.map((objective) => objectiveView(objective, meaningOf(objective)));
  return { ok: faults.length === 0, faults, warnings, leftOut, objectives: views };
}

export function objectiveView(objective: Objective, meaning: Meaning): ObjectiveView {
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
    meaning,
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

/** Rows of an objective, and what the rules mean for it. */
function objectiveBlock(objective: ObjectiveView): string {
  const rows: readonly [label: string, value: string][] = [
    ['target', `${exactPercent(objective.target)} (${exactPercent(objective.budget)} may fail)`],
    ['window', windowText(objective.window)],
    ['method', methodText(objective.method)],
    ['indicator', objective.indicator],
    ['judged by', objective.eyes],
    ['written at', objective.source],
  ];
  const facts = rows.map(([label, value]) => `  ${label.padEnd(10)}  ${value}\n`).join('');
  return `${facts}${meaningBlock(objective.meaning)}`;
}

const RULE = 56;
const CELL = 9;

function meaningBlock({ rules, smallestPaging }: Meaning): string {
  const cells = (values: readonly string[]) => values.map((value) => value.padStart(CELL)).join('');
  const head = `  ${'fires after, when this share fails'.padEnd(RULE + 2)}${cells(SHARES.map(exactPercent))}\n`;
  const lines = rules.map((rule) => {
    const times = rule.timeToFire.map((time) => (time === null ? 'never' : duration(time)));
    return `    ${ruleText(rule).padEnd(RULE)}${cells(times)}\n`;
  });
  const smallest =
    smallestPaging === null
      ? 'nothing pages'
      : `${exactPercent(Number(smallestPaging.toPrecision(2)))} at one event a second`;
  const single = rules.flatMap(({ rule, singleFailureBelow, long, leastBad, waits }) =>
    singleFailureBelow === null || long === null
      ? []
      : `    ${rule}: one failure among fewer than ${singleFailureBelow} events in ${duration(long)}; so it waits for ${leastBad} failures, of a total outage ${waitText(waits)}\n`,
  );
  return `${head}${lines.join('')}  smallest share that ever pages: ${smallest}\n  too little evidence by itself:\n${single.join('')}`;
}

const rateText = (perSecond: number): string =>
  perSecond >= 1 ? `${perSecond}/s` : `${Math.round(perSecond * 60)}/min`;

const waitText = (waits: readonly (number | null)[]): string =>
  RATES.map((rate, i) => {
    const wait = waits[i];
    return `${wait === null || wait === undefined ? 'never' : duration(seconds(wait))} at ${rateText(rate)}`;
  }).join(', ');

function ruleText({ rule, severity, factor, long, short, eventsPerSecond }: RuleMeaning): string {
  if (eventsPerSecond !== null) return `${rule}, ${rateText(eventsPerSecond)} (${severity})`;
  const windows = long === null || short === null ? '' : ` over ${duration(long)} and ${duration(short)}`;
  return `${rule} ${round(factor ?? 0)} ×${windows} (${severity})`;
}

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

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
      return `slices of ${spanText(method.slice)}, good with ${exactPercent(method.sliceTarget)} good`;
    case 'ratio-timeslices':
      return `mean over slices of ${spanText(method.slice)}`;
    default:
      return method satisfies never;
  }
}

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
