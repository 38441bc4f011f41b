/** What everything that works on documents takes from the process around it. */
import type { Telemetry } from '#collector/telemetry.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import type { Log } from '#kernel/log.ts';
import type { Random } from '#kernel/random.ts';
import type { SharedClock } from '#kernel/shared-clock.ts';

export type Surroundings = {
  readonly db: Db;
  readonly clock: Clock;
  readonly shared: SharedClock;
  readonly random: Random;
  readonly log: Log;
  readonly telemetry: Telemetry;
};
