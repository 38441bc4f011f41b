/**
 * The one door: alerts from Prometheus, from the router's own watch, from heartbeats and people. A batch is stored, put
 * into its groups, and only then answered.
 */
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { type Alert, isResolved, merge } from './alert.ts';
import type { Route } from './config/config.ts';
import { beatsBy } from './heartbeat.ts';
import { sourcesOf } from './inhibit.ts';
import { groupOf, routesOf } from './route.ts';
import type { Setup } from './setup.ts';
import { severityOf } from './severity.ts';
import type { Join, Store, StoredAlert, Tx } from './store.ts';

/** Two routers may insert the same new alert at the same moment; the one that lost merges into it. */
const ROUNDS_MOST = 5;

/** @returns when the router has to look next because of it; undefined: it has to do nothing new. */
export async function receive(
  store: Store,
  setup: Setup,
  alerts: readonly Alert[],
  now: Milliseconds,
): Promise<Milliseconds | undefined> {
  const batch = mergedByFingerprint(alerts);
  if (batch.length === 0) return undefined;
  return await store.tx(async (tx) => {
    let left: readonly Alert[] = batch;
    const joins: Join[] = [];
    for (let round = 0; left.length > 0 && round < ROUNDS_MOST; round++) {
      const { joins: more, lost } = await enterRound(tx, setup, left, now);
      joins.push(...more);
      left = left.filter(({ fingerprint }) => lost.has(fingerprint));
    }
    await tx.join(joins, now);
    const beats = batch.flatMap((one) => (isResolved(one, now) ? [] : beatsBy(setup.oncall, one.labels)));
    if (beats.length > 0) await tx.beat([...new Set(beats)], now);
    return soonest(joins);
  });
}

function mergedByFingerprint(alerts: readonly Alert[]): Alert[] {
  const byFingerprint = new Map<string, Alert>();
  for (const alert of alerts) {
    const known = byFingerprint.get(alert.fingerprint);
    byFingerprint.set(alert.fingerprint, known === undefined ? alert : merge(known, alert));
  }
  return [...byFingerprint.values()];
}

async function enterRound(tx: Tx, setup: Setup, alerts: readonly Alert[], now: Milliseconds) {
  const known = new Map(
    (await tx.lockAlerts(alerts.map(({ fingerprint }) => fingerprint))).map((one) => [one.fingerprint, one]),
  );
  const fresh: StoredAlert[] = [];
  const changed: StoredAlert[] = [];
  const joins: Join[] = [];
  for (const alert of alerts) {
    const before = known.get(alert.fingerprint);
    const stored = enterOne(setup, before, alert, now);
    (before === undefined ? fresh : changed).push(stored);
    joins.push(...newJoins(setup, before, stored, now));
  }
  const lost = new Set(await tx.putAlerts(fresh, changed));
  return { joins: joins.filter(({ fingerprint }) => !lost.has(fingerprint)), lost };
}

function enterOne(setup: Setup, before: StoredAlert | undefined, coming: Alert, now: Milliseconds): StoredAlert {
  const merged = before === undefined ? coming : merge(before, coming);
  const again = before === undefined || (isResolved(before, now) && !isResolved(merged, now));
  const known = before !== undefined && before.config === setup.version;
  return {
    ...merged,
    receivedAt: again ? now : before.receivedAt,
    config: setup.version,
    inhibits: known ? before.inhibits : sourcesOf(setup.config.inhibitRules, merged.labels),
  };
}

/** It is in its groups already while it goes on firing; when it ends, those that wake people are to hurry. */
function newJoins(setup: Setup, before: StoredAlert | undefined, after: StoredAlert, now: Milliseconds): Join[] {
  const fired = before !== undefined && !isResolved(before, now);
  if (isResolved(after, now)) {
    return fired ? joinsOf(setup, after, now).filter(({ hurryTo }) => hurryTo !== undefined) : [];
  }
  return fired && before.config === setup.version ? [] : joinsOf(setup, after, now);
}

/** The groups that it belongs to: none where it only says that its sender is alive. */
export function joinsOf(setup: Setup, alert: StoredAlert, now: Milliseconds): Join[] {
  if (beatsBy(setup.oncall, alert.labels).length > 0) return [];
  return routesOf(setup.config.root, alert.labels).map((route) => {
    const { id, key, labels } = groupOf(route, alert.labels);
    const waited = alert.startsAt + route.groupWait < now;
    return {
      group: { id, routeId: route.id, receiver: route.receiver, key, labels },
      fingerprint: alert.fingerprint,
      // Who has fired for longer than the group would wait has waited enough.
      firstAt: waited ? now : ((now + route.groupWait) as Milliseconds),
      hurryTo: hurry(setup, route, alert, now),
    };
  });
}

/** A route that wakes people does not leave a critical alert, or its end, until the next round of its group. */
function hurry(setup: Setup, route: Route, alert: StoredAlert, now: Milliseconds): Milliseconds | undefined {
  if (!setup.oncall.policies.has(route.receiver) || severityOf(alert.labels) !== 'critical') return undefined;
  return (now + Math.min(route.groupWait, HURRY_MOST)) as Milliseconds;
}
const HURRY_MOST = milliseconds(5_000);

function soonest(joins: readonly Join[]): Milliseconds | undefined {
  const times = joins.flatMap(({ firstAt, hurryTo }) => (hurryTo === undefined ? [firstAt] : [firstAt, hurryTo]));
  return times.length === 0 ? undefined : times.reduce((a, b) => (a < b ? a : b));
}
