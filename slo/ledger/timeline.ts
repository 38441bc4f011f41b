/**
 * The ledger's own time: seconds since the epoch that never run backwards, made of the wall clock, which steps, and the
 * steady one, which means nothing outside the process. What clocks do, and what follows:
 *
 * - they drift apart a little (NTP slews): followed, at no more than a twentieth of the time that passes;
 * - the wall jumps forward by up to an hour, as after a suspended machine's sleep: followed at once. Nobody scraped then,
 *   so it is a gap and not a flood of missing seconds that look watched;
 * - forward by more (a wrong date): only when it is still so a minute later, since the rings forget what is a period old;
 * - backward: not followed by a step. The ledger goes on at the steady clock's pace a twentieth slower until the wall has
 *   caught up; events are counted all the while.
 */
import { type Seconds, seconds } from '#kernel/units.ts';

export type Timeline = {
  /** Ledger time and steady time of the last reading. */
  at: Seconds;
  steady: Seconds;
  /** Since when, by the steady clock, the wall has been far ahead. */
  farSince: Seconds | undefined;
};

/** Twice a second's worth of what two clocks may differ by without anything having happened. */
const STEP = seconds(2);
const FAR = seconds(3_600);
const PERSISTS = seconds(60);
const SLEW = 0.05;

/** @param newest the newest time in a restored ledger, which may be ahead of a wall clock that was set back meanwhile. */
export function newTimeline(wall: Seconds, steady: Seconds, newest: Seconds = seconds(0)): Timeline {
  return { at: seconds(Math.max(wall, newest)), steady, farSince: undefined };
}

/** The ledger's time now. */
export function tell(timeline: Timeline, wall: Seconds, steady: Seconds): Seconds {
  const passed = Math.max(0, steady - timeline.steady);
  const expected = timeline.at + passed;
  const ahead = wall - expected;
  if (ahead <= FAR) timeline.farSince = undefined;
  else timeline.farSince ??= steady;
  const persists = timeline.farSince !== undefined && steady - timeline.farSince >= PERSISTS;
  const follows = ahead > STEP && (ahead <= FAR || persists);
  const slew = Math.min(Math.max(ahead > FAR ? 0 : ahead, -SLEW * passed), SLEW * passed);
  timeline.at = seconds(follows ? wall : expected + slew);
  timeline.steady = seconds(Math.max(steady, timeline.steady));
  if (follows) timeline.farSince = undefined;
  return timeline.at;
}

/** How far the ledger's time is ahead of the wall clock: for a metric, and for whoever set the clock. */
export const aheadOfWall = ({ at }: Timeline, wall: Seconds): Seconds => seconds(Math.max(0, at - wall));
