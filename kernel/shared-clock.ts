/**
 * A clock that all processes of one database share: the database's own time, carried by this process' steady clock.
 * Leases compare times that different machines wrote; a machine whose wall clock is wrong, or is stepped, must not take
 * or lose work by it.
 */
import type { Clock } from './clock.ts';
import type { Queryable } from './database.ts';
import type { Milliseconds } from './units.ts';

export interface SharedClock {
  now(): Milliseconds;
  /** Measures anew. The answer is off by at most half the round trip. */
  sync(): Promise<void>;
}

const ROUND_TRIP_MOST = 200;

export async function sharedClock(q: Queryable, clock: Clock): Promise<SharedClock> {
  let offset: number | undefined;
  const sync = async () => {
    const asked = clock.steady();
    const rows = await q.query<{ at: Milliseconds }>('select clock_timestamp() as at');
    const middle = (asked + clock.steady()) / 2;
    const at = rows[0]?.at;
    // A sample that had to wait says little: half of its round trip could be a whole lease.
    const spent = clock.steady() - asked;
    if (at !== undefined && (offset === undefined || spent <= ROUND_TRIP_MOST)) offset = at - middle;
  };
  await sync();
  return { now: () => (clock.steady() + (offset ?? 0)) as Milliseconds, sync };
}
