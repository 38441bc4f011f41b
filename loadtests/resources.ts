/**
 * What a stack took while it was tested: processor, memory, descriptors of each of its processes, and what its stores have
 * grown to. Only for a stack that runs on this machine: of a target elsewhere its own metrics tell.
 *
 * Pure.
 */
import { type Milliseconds, mebibytes, milliseconds, toSeconds } from '#kernel/units.ts';
import type { Phase } from './k6/plan.ts';
import { quantile } from './phases.ts';
import { type Point, type Trend, trendOf } from './trend.ts';

/** Of a process with its children, at one moment. */
export type Use = {
  /** Since it began. */
  readonly cpuSeconds: number;
  /** Its own memory: neither files nor what processes share, of which each backend of Postgres would count the whole. */
  readonly privateBytes: number;
  /** The same, just after it was made to collect its garbage: what it needs. */
  readonly settledBytes?: number;
  readonly descriptors: number;
  /** It and its children. */
  readonly processes: number;
};
export type Sample = {
  /** Since the first was sent. */
  readonly at: Milliseconds;
  readonly uses: Readonly<Record<string, Use>>;
};
/** Bytes of each store and table. */
export type Sizes = Readonly<Record<string, number>>;

/** Whoever can see the processes of what is tested. */
export type Watch = {
  /** From now on: the first document goes. */
  begin(): Promise<void>;
  /** What was seen until now. */
  end(): Promise<Observed>;
};
export type Observed = { readonly samples: readonly Sample[]; readonly before: Sizes; readonly after: Sizes };

export type ProcessUse = {
  readonly name: string;
  /** Mean while documents were sent: 1 is one core, busy all the time. */
  readonly cores: number;
  readonly cpuMsPerDocument: number | null;
  readonly privateBytes: Span;
  readonly descriptors: Span;
  /** Of those moments at which its garbage was collected. */
  readonly settledBytes: Span | null;
  /** It and its children, at the end. */
  readonly processes: number;
  /** Of what is settled, where that is known. Bytes, and descriptors, an hour; null: it was watched too briefly to say. */
  readonly memoryTrend: Trend | null;
  readonly descriptorTrend: Trend | null;
  /** Medians of each, from the first on: whether what grows levels off. */
  readonly minutes: readonly Minute[];
};
export type Minute = {
  /** Since the first was sent. */
  readonly at: Milliseconds;
  readonly privateBytes: number;
  readonly descriptors: number;
};
export type Span = { readonly first: number; readonly last: number; readonly most: number };
export type Resources = {
  readonly processes: readonly ProcessUse[];
  readonly stores: readonly { readonly name: string; readonly before: number; readonly after: number }[];
  /** Cores that each process had in each phase. */
  readonly phases: readonly { readonly phase: string; readonly cores: Readonly<Record<string, number>> }[];
};

/** While the compiler learns the way and pools fill, memory grows by right. */
const WARM_SHARE = 0.25;
const BLOCK_MS = 60_000;
const HOUR_MS = 3_600_000;
const TREND_LEAST_MS = 20 * 60_000;

/** @param documents how many came to an end. */
export function resourcesOf(
  { samples, before, after }: Observed,
  phases: readonly Phase[],
  documents: number,
): Resources {
  const length = phases.at(-1)?.to ?? 0;
  const names = [...new Set(samples.flatMap(({ uses }) => Object.keys(uses)))];
  return {
    processes: names.map((name) => processUse(name, seriesOf(samples, name), length, documents)),
    stores: Object.keys(after).map((name) => ({ name, before: before[name] ?? 0, after: after[name] ?? 0 })),
    phases: phases.map(({ name: phase, from, to }) => ({
      phase,
      cores: Object.fromEntries(names.map((name) => [name, coresIn(seriesOf(samples, name), from, to)])),
    })),
  };
}

type Series = readonly (Use & { readonly at: Milliseconds })[];
const seriesOf = (samples: readonly Sample[], name: string): Series =>
  samples.flatMap(({ at, uses }) => {
    const use = uses[name];
    return use === undefined ? [] : [{ at, ...use }];
  });

function processUse(name: string, series: Series, length: number, documents: number): ProcessUse {
  const minutes = minutesOf(series.filter(({ at }) => at <= length));
  const settled = series.flatMap(({ at, settledBytes: value }) => (value === undefined ? [] : [{ at, value }]));
  const memory = settled.length > 0 ? settled : minutes.map(({ at, privateBytes: value }) => ({ at, value }));
  const open = minutes.map(({ at, descriptors: value }) => ({ at, value }));
  return {
    name,
    cores: coresIn(series, 0, length),
    cpuMsPerDocument: documents === 0 ? null : (spentIn(series) * 1_000) / documents,
    privateBytes: spanOf(series.map((one) => one.privateBytes)),
    descriptors: spanOf(series.map((one) => one.descriptors)),
    settledBytes: settled.length > 0 ? spanOf(settled.map(({ value }) => value)) : null,
    processes: series.at(-1)?.processes ?? 0,
    memoryTrend: hourly(memory, length),
    descriptorTrend: hourly(open, length),
    minutes,
  };
}

const spanOf = (values: readonly number[]): Span => ({
  first: values[0] ?? 0,
  last: values.at(-1) ?? 0,
  most: values.reduce((most, one) => Math.max(most, one), 0),
});

/** Seconds. A process that was started anew, or is gone, begins at 0 again: only what grows counts. */
const spentIn = (series: Series): number =>
  series.slice(1).reduce((sum, one, i) => sum + Math.max(0, one.cpuSeconds - (series[i]?.cpuSeconds ?? 0)), 0);

function coresIn(series: Series, from: number, to: number): number {
  const inside = series.filter(({ at }) => at >= from && at <= to);
  const [first, last] = [inside[0], inside.at(-1)];
  if (first === undefined || last === undefined || last.at === first.at) return 0;
  return spentIn(inside) / toSeconds((last.at - first.at) as Milliseconds);
}

function minutesOf(series: Series): readonly Minute[] {
  const blocks = Map.groupBy(series, ({ at }) => Math.floor(at / BLOCK_MS));
  return [...blocks].map(([block, uses]) => {
    const median = (value: (use: Use) => number) => quantile(uses.map(value), 0.5) ?? 0;
    return {
      at: milliseconds(block * BLOCK_MS),
      privateBytes: median((use) => use.privateBytes),
      descriptors: median((use) => use.descriptors),
    };
  });
}

/** Without the first quarter. */
function hourly(points: readonly Point[], length: number): Trend | null {
  if (length < TREND_LEAST_MS) return null;
  const steady = points.filter(({ at }) => at >= WARM_SHARE * length && at <= length);
  return trendOf(steady.map(({ at, value }) => ({ at: at / HOUR_MS, value }))) ?? null;
}

/** What a soak test holds against a stack: growth that is certain, and more than so much of what there is, an hour. */
export const GROWTH_MOST = 0.02;

/** Not what is tested: whoever sends keeps every figure until its end, and whoever plays the vendors its last messages. */
const BESIDE: readonly string[] = ['k6', 'simulators'];

/**
 * A connection's process of Postgres keeps what it learnt of tables and plans; by the second hour it has some 6 MB (measured). As
 * long as all have less than this, they are still learning.
 */
const BACKEND_LEARNS = mebibytes(8);
const POSTGRES = 'postgres';

type Growth = { readonly name: string; readonly what: 'memory' | 'descriptors' };

/** Each process that grows, in words for `name`. */
export function growing({ processes }: Resources): Growth[] {
  const grows = (trend: Trend | null, { last }: Span) => trend !== null && trend.low > GROWTH_MOST * last;
  const learns = ({ name, privateBytes, processes: all }: ProcessUse) =>
    name === POSTGRES && privateBytes.last < all * BACKEND_LEARNS;
  const tested = processes.filter(({ name }) => !BESIDE.includes(name));
  return tested.flatMap((one) => [
    ...(!learns(one) && grows(one.memoryTrend, one.settledBytes ?? one.privateBytes)
      ? [{ name: one.name, what: 'memory' as const }]
      : []),
    ...(grows(one.descriptorTrend, one.descriptors) ? [{ name: one.name, what: 'descriptors' as const }] : []),
  ]);
}
