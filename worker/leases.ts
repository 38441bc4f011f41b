/**
 * The claims that this process holds, and whether it still holds them. A heartbeat extends all of them in one statement;
 * a claim that it can not extend, or whose lease ran out while the database was away, is lost: its work is told to stop,
 * and could write nothing anyway.
 *
 * Where one process has the database to itself (`sole`), nobody can take a claim away, so nothing is extended: a claim is
 * void only when its process is gone or its work has overrun its time and does not answer.
 */
import type { Clock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import { describe } from '#kernel/errors.ts';
import type { Log } from '#kernel/log.ts';
import type { SharedClock } from '#kernel/shared-clock.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { type Claim, extend, handBack, LEASE } from './queue.ts';
import { leaseLost } from './transition.ts';

const HEARTBEAT = milliseconds(600);

export type LeasesOptions = {
  readonly db: Db;
  readonly clock: Clock;
  readonly shared: SharedClock;
  readonly sole: boolean;
  readonly log: Log;
  readonly onLost: (count: number) => void;
};

type Entry = { readonly claim: Claim; readonly lost: AbortController; until: Milliseconds };
export type Lease = { readonly claim: Claim; readonly signal: AbortSignal };

export interface Leases {
  hold(claim: Claim): Lease;
  /** The work on it has ended, well or badly. */
  drop(claim: Claim): void;
  held(): number[];
  /** Runs until the signal aborts; then hands back what is still held. */
  keep(signal: AbortSignal): Promise<void>;
  handBackAll(): Promise<number>;
}

export function makeLeases(options: LeasesOptions): Leases {
  const { db, clock, shared, log } = options;
  const mine = new Map<number, Entry>();

  /** By the entry and not by the id: the same job may have been claimed anew meanwhile. */
  const forget = (entry: Entry) => {
    if (mine.get(entry.claim.id) === entry) mine.delete(entry.claim.id);
  };
  const lose = (entries: readonly Entry[]) => {
    for (const entry of entries) {
      entry.lost.abort(leaseLost());
      forget(entry);
    }
    if (entries.length > 0) {
      options.onLost(entries.length);
      log.warn({ count: entries.length }, 'claims were lost to another worker');
    }
  };

  const beat = async () => {
    const entries = [...mine.values()];
    if (entries.length === 0) return;
    const until = (shared.now() + LEASE) as Milliseconds;
    try {
      const kept = await extend(
        db.relaxed,
        entries.map((entry) => entry.claim),
        until,
      );
      lose(entries.filter((entry) => !kept.has(entry.claim.id) && mine.get(entry.claim.id) === entry));
      for (const entry of entries) entry.until = until;
    } catch (error) {
      log.warn({ reason: describe(error) }, 'heartbeat failed');
      const now = shared.now();
      lose(entries.filter((entry) => entry.until < now));
    }
  };

  return {
    hold: (claim) => {
      const lost = new AbortController();
      mine.set(claim.id, { claim, lost, until: (shared.now() + LEASE) as Milliseconds });
      return { claim, signal: lost.signal };
    },
    drop: (claim) => {
      const entry = mine.get(claim.id);
      if (entry?.claim === claim) forget(entry);
    },
    held: () => [...mine.keys()],
    keep: async (signal) => {
      while (!signal.aborted) {
        await clock.sleep(HEARTBEAT, signal).catch(() => {});
        if (!options.sole && !signal.aborted) await beat();
      }
    },
    handBackAll: async () => {
      const claims = [...mine.values()].map((entry) => entry.claim);
      for (const entry of mine.values()) entry.lost.abort(new Error('the worker stops'));
      mine.clear();
      return claims.length === 0 ? 0 : await handBack(db, claims, shared.now());
    },
  };
}
