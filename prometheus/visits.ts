/**
 * What a PromQL server remembers of an objective's counters, as visits: for each step and each target, all that the target
 * showed. One target is one job and instance, as Prometheus has it.
 */
import { type Seconds, seconds, toMilliseconds } from '#kernel/units.ts';
import type { CounterVisit } from '#slo/feed-counters.ts';
import type { Value } from '#slo/ledger/counting.ts';
import { PROCESS_START } from '#slo/ledger/plan.ts';
import type { Objective } from '#slo/objective.ts';
import { type Ask, type Asked, PARTS, type Reading, readBack, readingQuery, slicesOf } from './query.ts';
import { PLAIN_LABEL, PLAIN_NAME } from './text.ts';

/** Some 300 MB. A month of a step a minute of 90 series. */
export const VALUES_MAX = 4_000_000;

export type VisitsRead =
  | { readonly kind: 'visits'; readonly visits: readonly CounterVisit[]; readonly warnings: readonly string[] }
  | { readonly kind: 'fault'; readonly reason: string };

export type StepSpan = { readonly from: Seconds; readonly to: Seconds; readonly step: Seconds };

/** @throws {Fault} what the server's adapter throws. */
export async function readVisits(
  server: Ask,
  objective: Objective,
  { from, to, step }: StepSpan,
  signal?: AbortSignal,
): Promise<VisitsRead> {
  const query = readingQuery(objective);
  if (query === undefined) {
    const why =
      objective.indicator.kind === 'composite' ? 'it is a composite' : 'it has a query that is no plain selector';
    return { kind: 'fault', reason: `cannot be read from a PromQL server as counters: ${why}` };
  }
  const visits: CounterVisit[] = [];
  const warnings = new Set<string>();
  const span = { from: toMilliseconds(from), to: toMilliseconds(to), step };
  let count = 0;
  // When a process began says that its counters began with it: the first look at a new one counts from 0.
  const starts = `${PROCESS_START} and on (job, instance) (${query})`;
  const slices = slicesOf(span).values();
  for await (const reading of readBack(server, objective, span, signal)) {
    const slice = slices.next().value;
    const began = slice === undefined ? undefined : await server.range(starts, { ...slice, step }, signal);
    for (const warning of [...reading.warnings, ...(began?.warnings ?? [])]) warnings.add(warning);
    for (const visit of visitsOf(reading, began?.series)) {
      visits.push(visit);
      count += visit.values.length;
    }
    if (count > VALUES_MAX) return { kind: 'fault', reason: `more than ${VALUES_MAX} values: choose a longer step` };
  }
  return { kind: 'visits', visits, warnings: [...warnings] };
}

/** In the order of their times. A series that answers two queries (all, and the failed ones of all) is one value. */
export function visitsOf(reading: Reading, starts: Asked['series'] = []): CounterVisit[] {
  const moments = new Map<number, Map<string, Map<string, Value>>>();
  for (const { labels, points } of [...PARTS.flatMap((part) => reading[part]), ...starts]) {
    const { __name__: name = '' } = labels;
    const series = seriesText(name, labels);
    const target = targetOf(labels);
    for (const { at, value } of points) {
      const targets = moments.get(at) ?? new Map<string, Map<string, Value>>();
      moments.set(at, targets);
      const values = targets.get(target) ?? new Map<string, Value>();
      targets.set(target, values);
      values.set(series, { series, name, value });
    }
  }
  return [...moments]
    .sort(([a], [b]) => a - b)
    .flatMap(([at, targets]) =>
      [...targets].map(([target, values]) => ({ at: seconds(at / 1000), target, values: [...values.values()] })),
    );
}

export const targetOf = ({ job = '', instance = '' }: Readonly<Record<string, string>>): string => `${job} ${instance}`;

/** As a scrape writes it, always in the same order: the ledger goes by this text. */
function seriesText(name: string, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels)
    .filter(([label]) => label !== '__name__')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, value]) => `${PLAIN_LABEL.test(label) ? label : written(label)}=${written(value)}`);
  if (PLAIN_NAME.test(name)) return `${name}{${pairs.join(',')}}`;
  return `{${[written(name), ...pairs].join(',')}}`;
}

/** With the three escapes that the format has. */
const written = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`;
