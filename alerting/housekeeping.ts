/** What nobody will ask for any more goes, a little at a time. Every router does it; none waits for another. */
import type { Clock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import { describe } from '#kernel/errors.ts';
import type { Log } from '#kernel/log.ts';
import { days, hours, type Milliseconds, milliseconds, toMilliseconds } from '#kernel/units.ts';
import { countFinished } from './rows/counts.ts';
import {
  forgetAlerts,
  forgetChanges,
  forgetInbound,
  forgetIncidents,
  forgetNotifications,
  forgetOverrides,
  forgetSilences,
  forgetTimeline,
  vacuumTables,
} from './rows/forget.ts';

export type House = {
  readonly db: Db;
  readonly clock: Clock;
  readonly now: () => Milliseconds;
  readonly log: Log;
};

/** How long each is kept after its end. */
export const KEPT = {
  alerts: toMilliseconds(hours(1)),
  /** As Alertmanager keeps them. */
  silences: toMilliseconds(days(5)),
  /** A year, and the month in which somebody compares. */
  records: toMilliseconds(days(400)),
} as const;

const EVERY = milliseconds(300_000);
/** A batch holds the one connection of the embedded engine for some ten milliseconds. */
const BATCH = 500;
/** Alerts that are looked at together; most stay. */
const LOOKED = 2_000;
/** In a round and of a kind; the rest waits for the next. */
const BATCHES_MOST = 40;
/** A transaction that ends a notification lasts half a minute at most: what ended before then is all there. */
const SETTLED = milliseconds(300_000);
/** Between batches others have their turn. */
const PAUSE = milliseconds(100);

export type Forgotten = Readonly<
  Record<
    'alerts' | 'silences' | 'notifications' | 'incidents' | 'timeline' | 'inbound' | 'changes' | 'overrides',
    number
  >
>;

export async function keepHouse(house: House, signal: AbortSignal): Promise<void> {
  const { db, clock, log } = house;
  const tell = (what: string) => (error: unknown) => {
    log.warn({ reason: describe(error) }, what);
    return undefined;
  };
  while (!signal.aborted) {
    await clock.sleep(EVERY, signal).catch(() => {});
    if (signal.aborted) return;
    const forgotten = await forget(house, signal).catch(tell('cannot forget what is old'));
    if (forgotten !== undefined && db.engine === 'pglite') await vacuumTables(db).catch(tell('cannot vacuum'));
    if (forgotten !== undefined && Object.values(forgotten).some((count) => count > 0)) {
      log.debug({ ...forgotten }, 'what is old was forgotten');
    }
  }
}

/** One round. Of an incident its notifications go first, then it, then its timeline: a crash between leaves the rest for later. */
export async function forget({ db, clock, now }: House, signal: AbortSignal): Promise<Forgotten> {
  const before = (kept: Milliseconds): Milliseconds => milliseconds(now() - kept);
  const all = async (batch: () => Promise<number>): Promise<number> => {
    let total = 0;
    for (let i = 0; i < BATCHES_MOST && !signal.aborted; i++) {
      const count = await batch();
      total += count;
      if (count < BATCH) break;
      await clock.sleep(PAUSE, signal).catch(() => {});
    }
    return total;
  };
  /** All of them are looked at, since most of those that are there have not ended. */
  const forgetAllAlerts = async (): Promise<number> => {
    let total = 0;
    for (let after: string | undefined = ''; after !== undefined && !signal.aborted; ) {
      const { gone, last } = await forgetAlerts(db, before(KEPT.alerts), after, LOOKED);
      total += gone;
      after = last;
      if (after !== undefined) await clock.sleep(PAUSE, signal).catch(() => {});
    }
    return total;
  };
  await db.tx((q) => countFinished(q, before(SETTLED), now()));
  return {
    alerts: await forgetAllAlerts(),
    silences: await all(() => forgetSilences(db, before(KEPT.silences), BATCH)),
    notifications: await all(() => forgetNotifications(db, before(KEPT.records), BATCH)),
    incidents: await all(() => forgetIncidents(db, before(KEPT.records), BATCH)),
    changes: await all(() => forgetChanges(db, before(KEPT.records), BATCH)),
    overrides: await all(() => forgetOverrides(db, before(KEPT.records), BATCH)),
    inbound: await all(() => forgetInbound(db, before(KEPT.records), BATCH)),
    timeline: await all(() => forgetTimeline(db, before(KEPT.records), BATCH)),
  };
}
