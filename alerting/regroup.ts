/**
 * Other files are in force: what fires is put into the groups that they make of it, and inhibits by their rules. Groups
 * whose route is gone are left by `flushOne`. What the same route has told already stays told.
 */
import type { Milliseconds } from '#kernel/units.ts';
import { sourcesOf } from './inhibit.ts';
import { joinsOf } from './intake.ts';
import type { Setup } from './setup.ts';
import type { Store } from './store.ts';

/** In one transaction: a crash goes on with the next. */
const BATCH = 500;

/** @returns how many alerts were looked at. */
export async function regroup(store: Store, setup: Setup, now: Milliseconds): Promise<number> {
  let looked = 0;
  for (let after = ''; ; ) {
    const { count, last } = await store.tx(async (tx) => {
      const alerts = await tx.lockOutdated(setup.version, now, after, BATCH);
      await tx.putAlerts(
        [],
        alerts.map((alert) => ({
          ...alert,
          config: setup.version,
          inhibits: sourcesOf(setup.config.inhibitRules, alert.labels),
        })),
      );
      const joins = alerts.map((alert) => ({ alert, joins: joinsOf(setup, alert, now) }));
      await tx.keepMembers(
        joins.map(({ alert, joins: mine }) => ({
          fingerprint: alert.fingerprint,
          groupIds: mine.map(({ group }) => group.id),
        })),
      );
      await tx.join(
        joins.flatMap(({ joins: mine }) => mine),
        now,
      );
      return { count: alerts.length, last: alerts.at(-1)?.fingerprint };
    });
    looked += count;
    if (count < BATCH || last === undefined) return looked;
    after = last;
  }
}
