/**
 * From the counters of one target, scrape after scrape, to how much each grew. PromQL's `increase()` guesses at the edges
 * of its windows and loses the first increments of a new series; a ledger sees every scrape and can be exact:
 *
 * - a value that fell, or a created timestamp that moved on, began anew: all of it is growth;
 * - a series that its target did not have at the scrape before counts from 0: it began since;
 * - on the first scrape of a target nothing is known of before, so values are where counting begins, unless its process
 *   started after the ledger last knew everything: then they count from 0 too;
 * - a series that comes back goes on from its last value. A restart alone is no reset: counters may outlive a process
 *   (`documents_finished_total` is kept in a database);
 * - growth across a gap (two scrapes missing) is known as a sum. It is whole unless a counter began anew in between.
 *
 * No I/O; the state is changed in place.
 */
import { type Seconds, seconds } from '#kernel/units.ts';
import { type Series, seriesOf } from '#slo/exposition/series.ts';
import { type Plan, PROCESS_START, type Use, usesOf } from './plan.ts';

const CREATED = '_created';
/** Created timestamps and process starts are computed from two clocks by some exporters, and tremble. */
const TREMBLE = seconds(1);
/** More series than this for the ledger's few names is a label without bounds: the newest are not counted. */
export const SERIES_MAX = 200_000;
/** How long a series that is gone is remembered. Coming back after that it counts from 0. */
export const REMEMBERED = seconds(86_400);

export type Value = { readonly series: string; readonly name: string; readonly value: number };

export type Counter = {
  readonly series: Series;
  value: number;
  created: number | undefined;
  /** When the series was last there. */
  at: Seconds;
  /** What the series is to which objective, and by which plan that was found. */
  uses: readonly Use[];
  plan: Plan;
  /** Is its growth counted for anybody? Of a gauge the value is judged, and its falls are no resets. */
  counts: boolean;
};

export type Target = {
  readonly id: string;
  /** When the last scrape that could be read came. */
  at: Seconds | undefined;
  processStart: number | undefined;
  /** What was asked for in that scrape: the absence of other names says nothing. */
  asked: ReadonlySet<string>;
  readonly counters: Map<string, Counter>;
  /** Created timestamps by family and labels. */
  readonly created: Map<string, number>;
};

export const newTarget = (id: string): Target => ({
  id,
  at: undefined,
  processStart: undefined,
  asked: new Set(),
  counters: new Map(),
  created: new Map(),
});

export type Scrape = {
  readonly at: Seconds;
  readonly interval: Seconds;
  readonly values: readonly Value[];
  readonly plan: Plan;
  /** Everything before this is in the ledger, or is not wanted: its beginning, or the checkpoint it was restored from. */
  readonly knownUntil: Seconds;
  /** Values are sums over series that come and go (a PromQL server's answer to `sum(…)`): a fall says nothing of growth. */
  readonly summed?: boolean;
  /** The names that were asked for, where not all are: what was not asked for is not absent. */
  readonly asked?: ReadonlySet<string>;
};

export type Step = {
  /** From when on growth is known: the scrape before, or of a new process its start. */
  readonly since: Seconds | undefined;
  /** The target's first scrape, and all that its process counted is growth. */
  readonly fresh: boolean;
  /** Growth across the gap since `since` is all there was. */
  readonly whole: boolean;
  readonly resets: number;
  /** Values that are no numbers, and series that stand in the scrape again: the first one counts, as in Prometheus. */
  readonly refused: number;
  /** Series beyond the limit. */
  readonly overflow: number;
};

/** @param grew told for each counter in the scrape, with 0 too. */
export function count(target: Target, scrape: Scrape, grew: (counter: Counter, growth: number) => void): Step {
  const { at, values, plan } = scrape;
  const { asked = plan.wanted.names } = scrape;
  const since = target.at;
  const restarted = noteProcess(target, values);
  const fresh = since === undefined && (target.processStart ?? Number.NEGATIVE_INFINITY) > scrape.knownUntil;
  if (values.some(({ name }) => name.endsWith(CREATED))) noteCreated(target, values);
  let [resets, refused, overflow] = [0, 0, 0];
  for (const { series, name, value } of values) {
    if (!plan.byName.has(name)) continue;
    const known = target.counters.get(series);
    if (Number.isNaN(value) || known?.at === at) refused++;
    else if (known !== undefined) {
      if (known.plan !== plan) assign(known, plan);
      const growth = grow(target, known, value, at, scrape.summed === true);
      if (growth === undefined) resets++;
      grew(known, growth ?? (scrape.summed ? 0 : Math.max(0, value)));
    } else if (target.counters.size >= SERIES_MAX) overflow++;
    else {
      const counter = newCounter(target, series, value, at, plan);
      target.counters.set(detached(series), counter);
      // A series says itself when it began, if it can: a process may have its counters from an earlier one.
      const isOlder = fresh && counter.created !== undefined && counter.created <= scrape.knownUntil;
      const isNew = (fresh && !isOlder) || (since !== undefined && target.asked.has(name));
      grew(counter, isNew && Number.isFinite(value) ? Math.max(0, value) : 0);
    }
  }
  target.at = at;
  target.asked = asked;
  forgetGone(target, values.length);
  const begin = fresh ? seconds(Math.min(at, target.processStart ?? at)) : since;
  return { since: begin, fresh, whole: resets === 0 && !restarted, resets, refused, overflow };
}

/** Takes a new value. @returns by how much it grew; undefined when the counter began anew */
function grow(target: Target, known: Counter, value: number, at: Seconds, summed: boolean): number | undefined {
  const before = known.value;
  const created = target.created.size === 0 ? undefined : target.created.get(createdKey(known.series));
  const moved = !summed && movedOn(known.created, created);
  known.at = at;
  if (!known.counts) {
    known.value = value;
    return 0;
  }
  if (!Number.isFinite(value)) return 0;
  known.value = value;
  known.created = created ?? known.created;
  return value < before || moved ? undefined : value - before;
}

function assign(counter: Counter, plan: Plan): void {
  counter.plan = plan;
  counter.uses = usesOf(plan, counter.series);
  counter.counts = counter.uses.some(({ role }) => role !== 'value');
}

function newCounter({ created }: Target, text: string, value: number, at: Seconds, plan: Plan): Counter {
  const series = seriesOf(detached(text));
  const first = Number.isFinite(value) ? value : 0;
  const counter = { series, value: first, created: created.get(createdKey(series)), at, uses: [], counts: false, plan };
  assign(counter, plan);
  return counter;
}

/** A cut of a scrape's text keeps the whole text alive; this one is its own. */
const detached = (text: string): string => ` ${text}`.slice(1);

/** @returns whether the process is another than before. */
function noteProcess(target: Target, values: readonly Value[]): boolean {
  const found = values.filter(({ name }) => name === PROCESS_START);
  // Of several processes behind one address nothing follows for any one series.
  const start = found.length === 1 ? found[0]?.value : undefined;
  const before = target.processStart;
  if (start === undefined || !Number.isFinite(start)) return false;
  target.processStart = start;
  return movedOn(before, start);
}

function movedOn(before: number | undefined, after: number | undefined): boolean {
  return before !== undefined && after !== undefined && after > before + TREMBLE;
}

/** `x_created{…}` belongs to `x_total{…}`, and to all of `x_bucket{…,le="…"}`, `x_count{…}` and `x_sum{…}`. */
function noteCreated(target: Target, values: readonly Value[]): void {
  target.created.clear();
  for (const { series, name, value } of values) {
    if (name.endsWith(CREATED) && Number.isFinite(value)) target.created.set(createdKey(seriesOf(series)), value);
  }
}

function createdKey({ name, labels }: Series): string {
  const own = [...labels].filter(([label]) => label !== 'le' && label !== 'quantile').sort();
  return JSON.stringify([name.replace(/_(?:total|bucket|count|sum|created)$/, ''), own]);
}

/** Looked for only when there is much to forget. */
function forgetGone({ counters, at }: Target, seen: number): void {
  if (counters.size <= 2 * seen + 1_000) return;
  for (const [series, counter] of counters) {
    if ((at ?? 0) - counter.at > REMEMBERED) counters.delete(series);
  }
}
