/**
 * An objective's error ratio over a window: bad events among all events that window saw. Where there was no event, none
 * was bad (0, not NaN); where nothing was seen at all there is no value, which is not the same. Pure.
 */
import type { Seconds } from '#kernel/units.ts';
import { hidesTraffic, idMatcher, leafIds, type Shape } from './events.ts';
import {
  BLOCKS_BAD,
  BLOCKS_FROM,
  BLOCKS_TO,
  BLOCKS_TOTAL,
  EVENTS_BAD,
  EVENTS_TOTAL,
  HOURS_BAD,
  HOURS_TOTAL,
  series,
  TAIL_BAD,
  TAIL_TOTAL,
} from './names.ts';
import { durationText, numberText } from './text.ts';

export function ratioOver(shape: Shape, window: Seconds): string {
  switch (shape.kind) {
    case 'counted':
      // Without events there is no bad one either: 0 by something, which is 0.
      return `${sumOver('bad', shape.id, window)} / clamp_min(${sumOver('total', shape.id, window)}, ${TINY})`;
    case 'asked':
      return shape.ratio(window);
    case 'mixed':
      return shape.parts
        .map(({ share, budget, shape: part }) => {
          const weight = numberText((share * shape.budget) / budget);
          return `${weight} * sum(\n${ratioOver(part, window)}\n)`;
        })
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
function sumOver(which: Which, id: string, window: Seconds): string {
  const range = `[${durationText(window)}]`;
  if (window <= BLOCKS_TO) return `sum_over_time(${series(fine(which, window), id)}${range})`;
  const whole = `sum_over_time(${series(HOURS[which], id)}${range})`;
  const tail = series(TAILS[which], id);
  // In the first hour there is no full one; after a restart, with the target gone, there is no tail.
  return `(${whole} + ${tail} or ${tail} or ${whole})`;
}

const fine = (which: Which, window: Seconds): string => (window < BLOCKS_FROM ? STEPS : BLOCKS)[which];

/** How many bad events the window saw, of those of a rule; nothing where the traffic is hidden. */
export function badOver(shape: Shape, window: Seconds): string | undefined {
  if (hidesTraffic(shape)) return undefined;
  return `sum(sum_over_time(${fine('bad', window)}{${idMatcher(leafIds(shape))}}[${durationText(window)}]))`;
}
