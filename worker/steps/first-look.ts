/**
 * When to look first whether a vendor's job is done: when half of its jobs have been done lately. Looking from the start, ever
 * further apart, takes some four looks for a job of a second and twenty for one of a minute, each of them a request of the
 * vendor's limit and a transaction of ours.
 *
 * A staircase finds the median: a first look that finds the job done makes the next one a little sooner, one that does not,
 * a little later. Source: Robbins and Monro, "A Stochastic Approximation Method" (1951), in steps that stay the same size,
 * so that it follows a vendor whose pace changes.
 */
import { type Milliseconds, milliseconds } from '#kernel/units.ts';

export interface FirstLook {
  /** From the upload on. */
  wait(): Milliseconds;
  /** @param seen what the first look at a job found that was to be looked at after `planned`, and was after `taken`. */
  learn(seen: { readonly planned: Milliseconds; readonly taken: Milliseconds; readonly isOver: boolean }): void;
}

const STEP = 1.05;
/** A job that is found done so many times later than planned, because much waits here, says nothing of the vendor. */
const TOO_LATE = 2;

export function makeFirstLook({
  least,
  most,
}: {
  readonly least: Milliseconds;
  readonly most: Milliseconds;
}): FirstLook {
  let wait = least;
  return {
    wait: () => wait,
    learn: ({ planned, taken, isOver }) => {
      if (isOver && taken > TOO_LATE * planned) return;
      const moved = isOver ? wait / STEP : wait * STEP;
      wait = milliseconds(Math.min(most, Math.max(least, moved)));
    },
  };
}
