/**
 * While no router was there nobody could say that an alert goes on, so none is taken for ended by that: whoever fired when
 * the last router went has some time to say so again. Without this a restart after a long pause would resolve everything,
 * and call every heartbeat missing.
 */
import type { Clock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import { describe } from '#kernel/errors.ts';
import type { Log } from '#kernel/log.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { lengthenAlerts } from './rows/alerts.ts';
import { putFact, readFact } from './rows/facts.ts';
import { excuseBeats } from './rows/heartbeats.ts';

const ALIVE = 'alive';
const BEAT = milliseconds(5_000);
/** A shorter pause than this has lost nobody's word. */
const PAUSE = milliseconds(15_000);
/** Prometheus repeats itself each minute; one of its batches may be lost on the way. */
const GRACE = milliseconds(150_000);

/** @returns how many alerts were given time. Before anything is decided. */
export async function comeBack(db: Db, now: Milliseconds, log: Log): Promise<number> {
  const last = await readFact<Milliseconds>(db, ALIVE);
  if (last === undefined || now - last < PAUSE) return 0;
  await excuseBeats(db, now);
  const count = await lengthenAlerts(db, last, (now + GRACE) as Milliseconds);
  log.info(
    { pauseMs: now - last, alerts: count },
    'no router was there for a while; its alerts have time to speak again',
  );
  return count;
}

export async function stayAlive(
  db: Db,
  clock: Clock,
  now: () => Milliseconds,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await putFact(db.relaxed, ALIVE, now(), now()).catch((error: unknown) =>
      log.warn({ reason: describe(error) }, 'cannot write that the router is there'),
    );
    await clock.sleep(BEAT, signal).catch(() => {});
  }
}
