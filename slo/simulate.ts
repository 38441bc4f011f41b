/**
 * A service that fails on purpose, step by step: traffic by chance around a daily shape, failures one by one or in clumps,
 * and outages. For the operating curves, the tests and `what if`; a seed makes it repeatable.
 */
import type { Random } from '#kernel/random.ts';
import { type Seconds, seconds } from '#kernel/units.ts';
import { STEP } from './evidence-model.ts';
import type { Row } from './replay.ts';

/** Clumps that come by chance, so many a day, each of this length, in which this share fails. */
export type Clumps = { readonly perDay: number; readonly length: Seconds; readonly share: number };
/** So many a day, each of so many events that fail at one moment. */
export type Batches = { readonly perDay: number; readonly least: number; readonly most: number };
export type Outage = { readonly from: Seconds; readonly to: Seconds; readonly share: number };

export type Service = {
  /** Events a second, on average. */
  readonly rate: number;
  /** Traffic swings by this share around its average over a day. */
  readonly diurnal: number;
  /** Share that fails by itself. */
  readonly failing: number;
  readonly clumps: Clumps | undefined;
  readonly batches: Batches | undefined;
  readonly outage: Outage | undefined;
};

export const HEALTHY: Service = {
  rate: 1,
  diurnal: 0,
  failing: 0,
  clumps: undefined,
  batches: undefined,
  outage: undefined,
};

/** Clumps of 30 s at 40 %, as many as make this share of all events fail. */
export function clumpsOf(share: number): Clumps {
  const clump = { length: seconds(30), share: 0.4 };
  return { ...clump, perDay: (share * 86_400) / (clump.length * clump.share) };
}

/** Rows of one step each, from 0 to `length`. */
export function* simulate(service: Service, length: Seconds, random: Random): Generator<Row> {
  const { clumps, batches, outage } = service;
  const clumpComes = arrivals(clumps?.perDay ?? 0, random);
  const batchComes = arrivals(batches?.perDay ?? 0, random);
  let clumpsOver: number[] = [];
  for (let from = 0; from < length; from += STEP) {
    const to = from + STEP;
    for (const at of clumpComes(to)) clumpsOver.push(at + (clumps?.length ?? 0));
    if (clumpsOver.length > 0) clumpsOver = clumpsOver.filter((over) => over > from);
    const swing = 1 + service.diurnal * Math.sin((2 * Math.PI * from) / 86_400);
    const events = poisson(service.rate * STEP * swing, random);
    let bad = 0;
    const touched = clumpsOver.length > 0 || (outage !== undefined && to > outage.from && from < outage.to);
    if (touched) {
      for (let n = 0; n < events; n++)
        if (random.next() >= survives(service, clumpsOver, from + random.next() * STEP)) bad++;
    } else bad = binomial(events, service.failing, random);
    let heap = 0;
    for (const _ of batchComes(to)) {
      heap += Math.floor((batches?.least ?? 0) + random.next() * ((batches?.most ?? 0) - (batches?.least ?? 0) + 1));
    }
    yield { at: seconds(to), good: events - bad, bad: bad + heap };
  }
}

/** Probability that an event at this moment does not fail. */
function survives({ failing, clumps, outage }: Service, clumpsOver: readonly number[], at: number): number {
  let good = 1 - failing;
  for (const over of clumpsOver) if (at < over && at >= over - (clumps?.length ?? 0)) good *= 1 - (clumps?.share ?? 0);
  if (outage !== undefined && at >= outage.from && at < outage.to) good *= 1 - outage.share;
  return good;
}

/** A Poisson process: the answer gives the arrivals up to a moment, each once. */
function arrivals(perDay: number, random: Random): (until: number) => number[] {
  const span = () => (perDay === 0 ? Number.POSITIVE_INFINITY : (-Math.log(1 - random.next()) * 86_400) / perDay);
  let next = span();
  return (until) => {
    const came: number[] = [];
    for (; next < until; next += span()) came.push(next);
    return came;
  };
}

const NORMAL_FROM = 30;

/** Knuth, TAOCP vol. 2, §3.4.1, and the normal approximation where that would be slow. */
function poisson(mean: number, random: Random): number {
  if (mean > NORMAL_FROM) {
    const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal));
  }
  const least = Math.exp(-mean);
  let count = 0;
  for (let product = random.next(); product > least; product *= random.next()) count++;
  return count;
}

/** By the gaps between failures, so that rare ones cost little. Devroye, Non-Uniform Random Variate Generation, §X.4.3. */
function binomial(events: number, share: number, random: Random): number {
  if (share <= 0 || events === 0) return 0;
  const log = Math.log1p(-Math.min(share, 1 - 1e-12));
  let count = 0;
  for (let at = 0; ; count++) {
    at += Math.floor(Math.log(1 - random.next()) / log) + 1;
    if (at > events) return count;
  }
}
