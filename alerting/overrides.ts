/** Brings the overrides that the store holds into force: at once where they are made, within seconds in other routers. */
import type { Clock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import { describe } from '#kernel/errors.ts';
import type { Log } from '#kernel/log.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { StoredOverride } from './oncall/override.ts';
import { overridesFrom } from './rows/overrides.ts';

export type OverridesOptions = {
  readonly db: Db;
  readonly clock: Clock;
  readonly now: () => Milliseconds;
  readonly log: Log;
  /** They are in force from now on, and no others. */
  readonly apply: (overrides: readonly StoredOverride[]) => void;
};
export interface Overrides {
  /** Reads them. @throws when the store does not answer: those before stay in force. */
  refresh(): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
}

const EVERY = milliseconds(2_000);

export function makeOverrides({ db, clock, now, log, apply }: OverridesOptions): Overrides {
  let known = '[]';
  const read = async () => {
    const found = await overridesFrom(db, now());
    const text = JSON.stringify(found);
    if (text === known) return;
    known = text;
    apply(found);
  };
  let reading = Promise.resolve();
  // One after the other: what was read before somebody's change must not be applied after it.
  const refresh = async () => {
    const next = reading.then(read);
    reading = next.catch(() => {});
    await next;
  };
  return {
    refresh,
    run: async (signal) => {
      let isFailing = false;
      while (!signal.aborted) {
        await clock.sleep(EVERY, signal).catch(() => {});
        if (signal.aborted) return;
        try {
          await refresh();
          isFailing = false;
        } catch (error) {
          if (!isFailing)
            log.warn({ reason: describe(error) }, 'cannot read the overrides; those before stay in force');
          isFailing = true;
        }
      }
    },
  };
}
