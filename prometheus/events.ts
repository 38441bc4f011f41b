/**
 * From an objective's queries to its events: how many there were in the last minute, and how many of them were bad. All
 * windows are sums of these, so that an hour with a thousand events weighs a thousand times an hour with one.
 *
 * The counters are read series by series, this minute's last value less that of the minute before, because that tiles:
 * every increment is counted once, whatever the interval of scrapes. PromQL's increase() over a minute sees three of four
 * increments of a counter scraped every 15 s and guesses the fourth, and of a new series it loses the first.
 *
 * Pure.
 */
import { minutes, type Seconds, seconds } from '#kernel/units.ts';
import { identity } from '#slo/alert-names.ts';
import type { Indicator, Method, Objective, Query, Selector } from '#slo/objective.ts';
import { EVENTS_BAD, EVENTS_TOTAL, SLICED_BAD, SLICED_TOTAL, STEP, series } from './names.ts';
import { asksForWindow, durationText, instantText, numberText, selectorText } from './text.ts';
import type { RecordRule } from './yaml.ts';

/** How an objective's error ratio over a window is had. */
export type Shape =
  /** Events are counted into records of this `sloth_id`. */
  | { readonly kind: 'counted'; readonly id: string }
  /** The query says a ratio and hides its traffic: each window must ask it. */
  | { readonly kind: 'asked'; readonly ratio: (window: Seconds) => string }
  /** The weighted mean of its parts' ratios: what the whole promises is the weighted mean of what they promise. */
  | { readonly kind: 'mixed'; readonly parts: readonly MixedPart[] };
export type MixedPart = { readonly share: number; readonly shape: Shape };

export type Events =
  | { readonly kind: 'events'; readonly shape: Shape; readonly rules: readonly RecordRule[] }
  | { readonly kind: 'unjudgeable'; readonly because: string };

/** A gauge is looked at this often; the subqueries' marks stand on whole multiples of it, so that they tile too. */
const SAMPLE = seconds(15);
/** A scrape is stored some time after its stamp; what is younger than this may still be missing, and would be lost. */
const SETTLE = seconds(5);
/** How far back a counter's last value is looked for: some scrapes may fail, and some come once a minute. */
const LOOKBACK = minutes(3);
/** A process that started this lately has told nobody anything before. */
const FRESH = minutes(2);
/** Queries in a person's own PromQL are asked over two steps: each increment is then in two windows, and none in none. */
const ASKED_WINDOW = minutes(2);
const PARTS_MAX = 50;
const DEPTH_MAX = 5;

/** @param id under which the events are recorded: the objective's own, or that of a part of a composite. */
export function eventsOf(objective: Objective, id: string = objective.id, depth = 0): Events {
  const { indicator, method } = objective;
  switch (indicator.kind) {
    case 'composite':
      return composite(objective, indicator.parts, id, depth);
    case 'raw':
      if (method.kind !== 'occurrences') return sliced(objective, id, method);
      return asksForWindow(textOf(indicator.query)) ? asked(indicator) : sampled(objective, id);
    case 'threshold':
      return method.kind === 'occurrences' ? sampled(objective, id) : sliced(objective, id, method);
    case 'ratio':
      return method.kind === 'occurrences'
        ? counted(id, ratioRules(objective, indicator, id, EVENTS_TOTAL, EVENTS_BAD))
        : slicedRatio(objective, indicator, id, method);
    default:
      return indicator satisfies never;
  }
}

type Ratio = Extract<Indicator, { kind: 'ratio' }>;
type Raw = Extract<Indicator, { kind: 'raw' }>;
type Sliced = Exclude<Method, { kind: 'occurrences' }>;

const textOf = (query: Query): string => (query.kind === 'promql' ? query.text : selectorText(query.selector));
const counted = (id: string, rules: readonly RecordRule[]): Events => ({
  kind: 'events',
  shape: { kind: 'counted', id },
  rules,
});

function record(objective: Objective, id: string, name: string, expr: string): RecordRule {
  return { kind: 'record', record: name, expr, labels: { ...identity(objective), sloth_id: id } };
}

/** A counter of failures that was never made, while the service is there, has counted none. */
function ratioRules(objective: Objective, indicator: Ratio, id: string, total: string, bad: string): RecordRule[] {
  const all = series(total, id);
  const { bad: badQuery, good: goodQuery } = indicator;
  const badExpr =
    badQuery !== undefined
      ? `${increment(badQuery)}\nor on () 0 * ${all}`
      : `clamp_min(${all} - on () (${goodQuery === undefined ? all : increment(goodQuery)}), 0)\nor on () ${all}`;
  return [record(objective, id, total, increment(indicator.total)), record(objective, id, bad, badExpr)];
}

/** How much a query's counters grew in the last step. */
function increment(query: Query): string {
  if (query.kind === 'selector') return growth(query.selector);
  const text = instantText(query, ASKED_WINDOW);
  if (!asksForWindow(query.text)) return `sum(${text})`;
  const scale = /\bi?rate\s*\(/.test(query.text) ? STEP : STEP / ASKED_WINDOW;
  return `${numberText(scale)} * sum(${text})`;
}

/**
 * Of each series: how far it rose above its last value of the minute before; if it is lower now, so was restarted, what it
 * has counted since as well; and of a new series everything, if its target was scraped before without it or its process has
 * only just started. Of any other new series nothing: it may have counted for years before this Prometheus first saw it.
 *
 * Few selectors, because each of them costs a Prometheus more than what it selects.
 */
function growth(selector: Selector): string {
  const text = selectorText(selector);
  const settled = durationText(SETTLE);
  const before = durationText(seconds(SETTLE + STEP));
  const target = { matchers: selector.matchers.filter(({ label }) => label === 'job' || label === 'instance') };
  const up = selectorText({ name: 'up', ...target });
  const started = selectorText({ name: 'process_start_time_seconds', ...target });
  const within = (what: 'max' | 'last') => `${what}_over_time(${text}[${durationText(STEP)}] offset ${settled})`;
  const previous = `last_over_time(${text}[${durationText(LOOKBACK)}] offset ${before})`;
  return [
    'sum(',
    `  clamp_min(${within('max')} - ${previous}, 0)`,
    `  or ${within('last')} and on (job, instance) (${up} offset ${before} == 1 or ${started} > time() - ${FRESH})`,
    `) + (sum(${within('last')} < ${previous}) or vector(0))`,
  ].join('\n');
}

/** One event a sample. A ratio without traffic (NaN) is a sample with nothing bad in it. */
function sampled(objective: Objective, id: string): Events {
  const share = shareOver(objective.indicator, SAMPLE);
  return slicesOf(objective, id, SAMPLE, share, share);
}

function sliced(objective: Objective, id: string, method: Sliced): Events {
  const share = shareOver(objective.indicator, method.slice);
  return slicesOf(objective, id, method.slice, share, verdict(share, method));
}

/** The slice's own bad share, or 1 when that is more than a good slice may have. */
const verdict = (share: string, method: Sliced): string =>
  method.kind === 'ratio-timeslices' ? share : `((${share}) > bool ${numberText(1 - method.sliceTarget)})`;

/** Of a ratio: its events are counted first, and the slices judge what was counted. */
function slicedRatio(objective: Objective, indicator: Ratio, id: string, method: Sliced): Events {
  const { slice } = method;
  if (slice % STEP !== 0) {
    const because = `slices of ${slice} s: Prometheus counts events once a minute, so a slice is a whole number of minutes`;
    return { kind: 'unjudgeable', because };
  }
  const range = `[${durationText(slice)}]`;
  const all = `sum_over_time(${series(SLICED_TOTAL, id)}${range})`;
  // A slice in which nothing happened has nothing bad in it.
  const share = `(sum_over_time(${series(SLICED_BAD, id)}${range}) / (${all} > 0) or 0 * ${all})`;
  const below = ratioRules(objective, indicator, id, SLICED_TOTAL, SLICED_BAD);
  const above = slicesOf(objective, id, slice, share, verdict(share, method), series(SLICED_TOTAL, id));
  return above.kind === 'events' ? { ...above, rules: [...below, ...above.rules] } : above;
}

/**
 * Slices as events. A subquery's marks stand on whole multiples of its step, so a slice belongs to exactly one minute; a
 * minute in which no slice ends has no event, which is not the same as a target that is gone.
 */
function slicesOf(
  objective: Objective,
  id: string,
  slice: Seconds,
  share: string,
  bad: string,
  present = `count(${shareOver(objective.indicator, slice)})`,
): Events {
  const range = `[${durationText(STEP)}:${durationText(slice)}]`;
  const idle = slice > STEP ? `\nor on () 0 * ${present}` : '';
  return counted(id, [
    record(objective, id, EVENTS_TOTAL, `count_over_time(${share}${range})${idle}`),
    record(objective, id, EVENTS_BAD, `sum_over_time(${bad}${range})${idle}`),
  ]);
}

/** The bad share of a slice, in brackets of its own. Of several series each must hold. */
function shareOver(indicator: Indicator, slice: Seconds): string {
  if (indicator.kind === 'raw') return rawShare(indicator, slice);
  if (indicator.kind !== 'threshold') return 'vector(NaN)';
  const broken = { lt: '>=', lte: '>', gt: '<=', gte: '<' }[indicator.op];
  const now = `max(${instantText(indicator.query, slice > STEP ? slice : STEP)} ${broken} bool ${numberText(indicator.limit)})`;
  return slice <= SAMPLE ? `(${now})` : `avg_over_time((${now})[${durationText(slice)}:${durationText(SAMPLE)}])`;
}

/** Where the query divides by no traffic at all, nothing was bad; where it answers nothing, nothing is known. */
function rawShare(indicator: Raw, window: Seconds): string {
  const text = instantText(indicator.query, window > STEP ? window : STEP);
  const share = indicator.rawType === 'failure' ? `max(${text})` : `max(1 - ${text})`;
  return `(clamp_min(${share}, 0) >= 0 or (${share} != bool ${share}) - 1)`;
}

const asked = (indicator: Raw): Events => ({
  kind: 'events',
  shape: { kind: 'asked', ratio: (window) => rawShare(indicator, window) },
  rules: [],
});

function composite(
  objective: Objective,
  parts: Extract<Indicator, { kind: 'composite' }>['parts'],
  id: string,
  depth: number,
): Events {
  if (depth >= DEPTH_MAX) return { kind: 'unjudgeable', because: `a composite more than ${DEPTH_MAX} deep` };
  if (parts.length === 0 || parts.length > PARTS_MAX) {
    return { kind: 'unjudgeable', because: `a composite of ${parts.length} parts; it may have 1 to ${PARTS_MAX}` };
  }
  const weights = parts.reduce((sum, { weight }) => sum + weight, 0);
  const rules: RecordRule[] = [];
  const mixed: MixedPart[] = [];
  for (const [i, part] of parts.entries()) {
    const events = eventsOf(part.objective, `${id}/${i}`, depth + 1);
    if (events.kind === 'unjudgeable') {
      return { kind: 'unjudgeable', because: `its part ${part.objective.id} cannot be judged: ${events.because}` };
    }
    rules.push(
      ...events.rules.map((rule) => ({
        ...rule,
        labels: { ...identity(objective), sloth_id: rule.labels['sloth_id'] ?? id },
      })),
    );
    mixed.push({ share: part.weight / weights, shape: events.shape });
  }
  return { kind: 'events', shape: { kind: 'mixed', parts: mixed }, rules };
}

/** Every `sloth_id` under which events of it are counted. */
export function leafIds(shape: Shape): readonly string[] {
  switch (shape.kind) {
    case 'counted':
      return [shape.id];
    case 'asked':
      return [];
    case 'mixed':
      return shape.parts.flatMap((part) => leafIds(part.shape));
    default:
      return shape satisfies never;
  }
}

/** Does any part of it hide its traffic? */
export const hidesTraffic = (shape: Shape): boolean =>
  shape.kind === 'asked' || (shape.kind === 'mixed' && shape.parts.some((part) => hidesTraffic(part.shape)));
