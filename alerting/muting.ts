/** Why an alert is not told of, true at the moment of asking: for a group that is looked at, and for whoever lists alerts. */
import type { Milliseconds } from '#kernel/units.ts';
import type { Alert } from './alert.ts';
import { targetsOf } from './inhibit.ts';
import type { Labels } from './labels.ts';
import { routesOf } from './route.ts';
import type { Setup } from './setup.ts';
import { silences } from './silence.ts';
import type { Tx } from './store.ts';
import { muteReason } from './time-interval.ts';

export type Suppression = {
  /** Ids of silences. */
  readonly silencedBy: readonly string[];
  /** Fingerprints of alerts. */
  readonly inhibitedBy: readonly string[];
  /** When the last of these silences came into force; undefined: there is none. */
  readonly silencedAt: Milliseconds | undefined;
};

/** More are not named: one is enough to know why, and a storm's sources are thousands. */
const INHIBITORS_MOST = 5;

/** @returns those that are suppressed, by fingerprint. */
export async function suppressionsOf(
  tx: Pick<Tx, 'silences' | 'inhibitors'>,
  setup: Setup,
  alerts: readonly Pick<Alert, 'fingerprint' | 'labels'>[],
  now: Milliseconds,
): Promise<Map<string, Suppression>> {
  const active = await tx.silences(now);
  const rules = setup.config.inhibitRules;
  const targets = new Map(alerts.map(({ fingerprint, labels }) => [fingerprint, targetsOf(rules, labels)]));
  const sources = await tx.inhibitors([...new Set([...targets.values()].flat())], now);
  const found = new Map<string, Suppression>();
  for (const { fingerprint, labels } of alerts) {
    const hit = active.filter((silence) => silences(silence, labels));
    const silencedBy = hit.map(({ id }) => id);
    const silencedAt = hit.reduce<Milliseconds | undefined>(
      (last, { startsAt, updatedAt }) => Math.max(last ?? 0, startsAt, updatedAt) as Milliseconds,
      undefined,
    );
    const all = (targets.get(fingerprint) ?? []).flatMap((key) => sources.get(key) ?? []);
    const inhibitedBy = [...new Set(all)].filter((source) => source !== fingerprint).slice(0, INHIBITORS_MOST);
    if (silencedBy.length + inhibitedBy.length > 0) found.set(fingerprint, { silencedBy, inhibitedBy, silencedAt });
  }
  return found;
}

/** The intervals by which an alert's routes are muted; none unless every one of them is. */
export function mutedBy({ config }: Setup, now: Milliseconds, labels: Labels): readonly string[] {
  if (config.timeIntervals.size === 0) return [];
  const reasons = routesOf(config.root, labels).map((route) => muteReason(route, config.timeIntervals, now));
  return reasons.every((reason) => reason !== undefined)
    ? [...new Set(reasons.flatMap((reason) => reason?.names ?? []))]
    : [];
}
