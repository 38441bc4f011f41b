/**
 * An objective's error ratio over a window: bad events among all events that window saw. Where there was no event, none
 * was bad (0, not NaN); where nothing was seen at all there is no value, which is not the same. Pure.
 */
import type { Seconds } from '#kernel/units.ts';
import { hidesTraffic, idMatcher, leafIds, type Shape } from './events.ts';
import { BLOCKS_BAD, BLOCKS_FROM, BLOCKS_TOTAL, EVENTS_BAD, EVENTS_TOTAL, series } from './names.ts';
import { durationText, numberText } from './text.ts';

export function ratioOver(shape: Shape, window: Seconds): string {
  switch (shape.kind) {
    case 'counted': {
      const range = `[${durationText(window)}]`;
      const bad = `sum_over_time(${series(badName(window), shape.id)}${range})`;
      const total = `sum_over_time(${series(window < BLOCKS_FROM ? EVENTS_TOTAL : BLOCKS_TOTAL, shape.id)}${range})`;
      return `${bad} / (${total} > 0)\nor 0 * ${total}`;
    }
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

/** How many bad events the window saw; nothing where the traffic is hidden. */
export function badOver(shape: Shape, window: Seconds): string | undefined {
  if (hidesTraffic(shape)) return undefined;
  return `sum(sum_over_time(${badName(window)}{${idMatcher(leafIds(shape))}}[${durationText(window)}]))`;
}

const badName = (window: Seconds): string => (window < BLOCKS_FROM ? EVENTS_BAD : BLOCKS_BAD);
