/** What every simulator stands on. */
import type { Clock } from '#kernel/clock.ts';
import type { Http } from '#kernel/http.ts';
import type { Log } from '#kernel/log.ts';
import type { Random } from '#kernel/random.ts';
import type { Milliseconds } from '#kernel/units.ts';
import type { FaultBoard } from './fault-board.ts';
import type { Inbox } from './inbox.ts';
import type { LatencyProfile } from './latency.ts';
import type { Stats } from './stats.ts';

export type Stage = {
  readonly clock: Clock;
  /** For ids. */
  readonly random: Random;
  /** For answer times, apart from the faults' chance: a slower vendor must not change who is hit. */
  readonly weather: Random;
  readonly log: Log;
  readonly http: Http;
  readonly latency: LatencyProfile;
  readonly faults: FaultBoard;
  readonly stats: Stats;
  readonly inbox: Inbox;
  /** Aborts when the simulators close; everything that waits listens to it. */
  readonly closing: AbortSignal;
};

/** A wait of nothing is no wait: no timer, no turn of the loop. */
export async function pause(stage: Stage, span: Milliseconds): Promise<void> {
  if (span > 0) await stage.clock.sleep(span, stage.closing);
}
