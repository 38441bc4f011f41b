/**
 * Error ratios over windows: bad events among all events that a window saw. Where there was no event, none was bad (0, not
 * NaN); where nothing was seen at all there is no value, which is not the same.
 *
 * All objectives of a service whose events are counted are asked for at once: what a Prometheus spends on a rule is mostly
 * the rule, not its series. Pure.
 */
import { type Seconds, seconds } from '#kernel/units.ts';
import { hidesTraffic, leafIds, type Shape } from './events.ts';
import {
  BLOCK,
  BLOCKS_BAD,
  BLOCKS_FROM,
  BLOCKS_TO,
  BLOCKS_TOTAL,
  EVENTS_BAD,
  EVENTS_TOTAL,
  HOUR,
  HOURS_BAD,
  HOURS_TOTAL,
  STEP,
  seriesOf,
  TAIL_BAD,
  TAIL_TOTAL,
} from './names.ts';
import { durationText, numberText } from './text.ts';

/** Of counted objectives. Without events there is no bad one either: 0 by something, which is 0. */
export const countedRatio = (ids: readonly string[], window: Seconds): string =>
  `${sumOver('bad', ids, window)}\n/ clamp_min(${sumOver('total', ids, window)}, ${TINY})`;

/** Of one objective, whatever its shape. */
export function ratioOver(shape: Shape, window: Seconds): string {
  switch (shape.kind) {
    case 'counted':
      return countedRatio([shape.id], window);
    case 'asked':
      return shape.ratio(window);
    case 'mixed':
      return shape.parts
        .map(({ share, shape: part }) => `${numberText(share)} * sum(\n${ratioOver(part, window)}\n)`)
        .join('\n+ ');
    default:
      return shape satisfies never;
  }
}

type Which = 'bad' | 'total';
const TINY = '1e-9';
const STEPS: Readonly<Record<Which, string>> = { bad: EVENTS_BAD, total: EVENTS_TOTAL };
const BLOCKS: Readonly<Record<Which, string>> = { bad: BLOCKS_BAD, total: BLOCKS_TOTAL };
const HOURS: Readonly<Record<Which, string>> = { bad: HOURS_BAD, total: HOURS_TOTAL };
const TAILS: Readonly<Record<Which, string>> = { bad: TAIL_BAD, total: TAIL_TOTAL };

/** In brackets of its own. */
function sumOver(which: Which, ids: readonly string[], window: Seconds): string {
  const range = `[${durationText(window)}]`;
  if (window <= BLOCKS_TO) return `sum_over_time(${seriesOf(fine(which, window), ids)}${range})`;
  const whole = `sum_over_time(${seriesOf(HOURS[which], ids)}${range})`;
  // It comes as often as a block, so one of them may be missing.
  const tail = `last_over_time(${seriesOf(TAILS[which], ids)}[${durationText(seconds(2 * BLOCK + STEP))}])`;
  // In the first hour there is no full one; an hour after its target is gone there is no tail.
  return `(${whole} + ${tail} or ${tail} or ${whole})`;
}

const fine = (which: Which, window: Seconds): string => (window < BLOCKS_FROM ? STEPS : BLOCKS)[which];

/** How many bad events the window saw, of each counted objective. */
export const countedBad = (ids: readonly string[], window: Seconds): string =>
  `sum_over_time(${seriesOf(fine('bad', window), ids)}[${durationText(window)}])`;

/** How many bad events the window saw, of those of a rule; nothing where the traffic is hidden. */
export const badOver = (shape: Shape, window: Seconds): string | undefined =>
  hidesTraffic(shape) ? undefined : `sum(${countedBad(leafIds(shape), window)})`;

export type Recorded = { readonly record: string; readonly expr: string };

/** So many blocks' evaluations in a row may be missed: the next block holds their steps too. */
const CAUGHT_UP = 2;
/** A tail older than this is given up. */
const REMEMBERED = HOUR;

/**
 * Samples that stand for five minutes, and for an hour, and what was counted since the last hour. By a group of their own
 * every five minutes, so that a block holds the five steps since the one before, or ten or fifteen if that was missed: no
 * step is in two blocks or in none. Steps are told by time, so evaluated more often than that it records no more.
 *
 * Whether an hour is due, both its rules and that of the tail ask of the same sample, the last but that of now.
 */
export function blockRules(ids: readonly string[]): readonly Recorded[] {
  const both = ['bad', 'total'] as const;
  const early = recorded(HOURS.total, ids, seconds(HOUR - STEP));
  return [
    ...both.map((which) => ({ record: BLOCKS[which], expr: blockOf(which, ids) })),
    ...both.map((which) => ({ record: HOURS[which], expr: `${pending(which, ids)}\nunless ${early}` })),
    ...both.map((which) => ({
      record: TAILS[which],
      expr: `${pending(which, ids)}\nand ${early}\nor 0 * (${before(which, ids)})`,
    })),
  ];
}

/** Is there a sample of these within so long, but for that of now? */
function recorded(name: string, ids: readonly string[], within: Seconds): string {
  const half = seconds(STEP / 2);
  return `on (sloth_id) count_over_time(${seriesOf(name, ids)}[${durationText(within)}] offset ${durationText(half)})`;
}

function blockOf(which: Which, ids: readonly string[]): string {
  const series = seriesOf(STEPS[which], ids);
  // Of a minute ago: a step is stored under the moment at which its group began, however long it took.
  const steps = (length: Seconds) => `sum_over_time(${series}[${durationText(length)}] offset ${durationText(STEP)})`;
  // Half a block more, so that a group that moves within its five minutes is not taken for one that missed some.
  const caught = Array.from({ length: CAUGHT_UP }, (_, missed) => {
    const since = seconds((missed + 1) * BLOCK);
    return `${steps(since)} and ${recorded(BLOCKS.total, ids, seconds(since + BLOCK / 2))}`;
  });
  const all = [...caught, steps(seconds((CAUGHT_UP + 1) * BLOCK))];
  const early = recorded(BLOCKS.total, ids, seconds(BLOCK - STEP));
  return `(${all.join('\n  or ')})\nunless ${early}`;
}

/** What the next sample of an hour holds so far: the tail before, and this block. */
const pending = (which: Which, ids: readonly string[]): string =>
  `sum without (part) (\n${blockOf(which, ids)}\nor label_replace(${before(which, ids)}, "part", "tail", "", "")\n)`;

/** A tail of nothing ends: nothing seen is not the same as nothing happened. */
const before = (which: Which, ids: readonly string[]): string =>
  `last_over_time(${seriesOf(TAILS[which], ids)}[${durationText(REMEMBERED)}]) > 0`;
