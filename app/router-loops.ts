/** What a router does all the time, beside answering: each loop on its own, so that none waits for another. */
import { stayAlive } from '#alerting/alive.ts';
import type { Notify } from '#alerting/delivery.ts';
import { makeHeartbeats } from '#alerting/heartbeats.ts';
import { keepHouse } from '#alerting/housekeeping.ts';
import type { Overrides } from '#alerting/overrides.ts';
import type { Router } from '#alerting/router.ts';
import { countOverdue } from '#alerting/rows/overdue.ts';
import type { Setup } from '#alerting/setup.ts';
import type { Watch } from '#alerting/watch.ts';
import { makeWatchdog } from '#alerting/watchdog.ts';
import type { Telemetry } from '#collector/telemetry.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import { describe } from '#kernel/errors.ts';
import { http } from '#kernel/http.ts';
import type { Log } from '#kernel/log.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';

export type LoopParts = {
  readonly db: Db;
  readonly clock: Clock;
  readonly now: () => Milliseconds;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly newId: () => string;
  readonly notify: Notify;
  readonly router: Router;
  readonly watch: Watch | undefined;
  readonly setup: () => Setup;
  readonly overrides: Overrides;
  /** What a reload still owes. */
  readonly catchUp: () => Promise<void>;
};

const CATCH_UP_EVERY = milliseconds(5_000);

export async function runLoops(parts: LoopParts, stop: AbortSignal): Promise<void> {
  const { db, clock, now, log, router, watch } = parts;
  const heartbeats = makeHeartbeats({ ...parts, receive: router.receive });
  const watchdog = makeWatchdog({
    ...parts,
    http,
    wentRound: router.wentRound,
    overdue: (before) => countOverdue(db.foreground(), before),
  });
  await Promise.all([
    router.run(stop),
    watch?.run(stop),
    stayAlive(db, clock, now, log, stop),
    heartbeats.run(stop),
    watchdog.run(stop),
    keepHouse(parts, stop),
    keepUp(parts, stop),
    parts.overrides.run(stop),
  ]);
}

async function keepUp({ clock, catchUp, log }: LoopParts, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    await clock.sleep(CATCH_UP_EVERY, stop).catch(() => {});
    if (stop.aborted) return;
    await catchUp().catch((error: unknown) => log.warn({ reason: describe(error) }, 'cannot follow the new files yet'));
  }
}
