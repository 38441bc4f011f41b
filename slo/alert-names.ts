/** What the alerts of an objective are called, whichever eye raises them: so that they meet in one incident. Pure. */
import type { Objective } from './objective.ts';
import type { Severity } from './verdict.ts';

/** One alert for all tiers: the label `tier` says which rule fired. */
export const BURN_ALERT = 'ErrorBudgetBurn';
export const BLIND_ALERT = 'ObjectiveBlind';

/** Sloth's labels of an objective. */
export const identity = ({ id, service, name }: Objective): Readonly<Record<string, string>> => ({
  sloth_id: id,
  sloth_service: service,
  sloth_slo: name,
});

/** What an alert of it bears beside its identity. `sloth_severity` is what routes made for Sloth match. */
export const raisedBy = (eye: 'router' | 'prometheus', severity: Severity, tier: string) =>
  ({ severity, sloth_severity: severity === 'critical' ? 'page' : 'ticket', tier, eye }) as const;

/** What people know it by. */
export const titleOf = ({ displayName, service, name }: Objective): string =>
  `${displayName === '' ? name : displayName} (${service})`;
