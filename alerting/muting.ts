/** Why an alert is not told of, true at the moment of asking: for a group that is looked at, and for whoever lists alerts. */
import type { Milliseconds } from '#kernel/units.ts';
import type { Alert } from './alert.ts';
import { targetsOf } from './inhibit.ts';
import type { Setup } from './setup.ts';
import { silences } from './silence.ts';
import type { Tx } from './store.ts';

export type Suppression = {
  /** Ids of silences. */
  readonly silencedBy: readonly string[];
  /** Fingerprints of alerts. */
  readonly inhibitedBy: readonly string[];
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
    const silencedBy = active.filter((silence) => silences(silence, labels)).map(({ id }) => id);
    const all = (targets.get(fingerprint) ?? []).flatMap((key) => sources.get(key) ?? []);
    const inhibitedBy = [...new Set(all)].filter((source) => source !== fingerprint).slice(0, INHIBITORS_MOST);
    if (silencedBy.length + inhibitedBy.length > 0) found.set(fingerprint, { silencedBy, inhibitedBy });
  }
  return found;
}
