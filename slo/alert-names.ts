/**
 * What alerts are called and labelled, whichever eye raises them: the router's own watch, or the rules compiled for
 * Prometheus. They differ in the label `eye` alone, so that they meet in one incident, and so that whoever routes or
 * silences by a label means both. Pure.
 */
import type { Objective } from './objective.ts';
import type { Severity } from './verdict.ts';

/** One alert for all tiers: the label `tier` says which rule fired. */
export const BURN_ALERT = 'ErrorBudgetBurn';
export const BLIND_ALERT = 'ObjectiveBlind';
/** Documents wait and no worker is there. */
export const STALL_ALERT = 'WorkerGone';
/** Nothing of a service answers. */
export const DOWN_ALERT = 'ServiceDown';

export type Eye = 'router' | 'prometheus';
export type AlertLabels = Readonly<Record<string, string>>;

/** Sloth's labels of an objective. */
export const identity = ({ id, service, name }: Objective): AlertLabels => ({
  sloth_id: id,
  sloth_service: service,
  sloth_slo: name,
});

/** Labels of ours that an objective's own labels may not replace. */
const RESERVED = /^(?:sloth_|__|(?:alertname|eye|evidence|severity|tier|le|quantile)$)/;
const LABELS_MAX = 20;
const LABEL_VALUE_MAX = 1_024;

/** An objective's own labels, under names that every Prometheus accepts. */
export const ownLabels = ({ labels }: Objective): AlertLabels => accepted(labels);

function accepted(given: AlertLabels): AlertLabels {
  const named = Object.entries(given).map(
    ([name, value]) => [name.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d)/, '_'), value] as const,
  );
  const kept = named.filter(([name, value]) => !RESERVED.test(name) && value.length <= LABEL_VALUE_MAX);
  return Object.fromEntries(kept.slice(0, LABELS_MAX));
}

/** What its file calls the alert that its budget burns, or ours. */
export const burnAlertOf = ({ alerting: { named } }: Objective): string => named?.name ?? BURN_ALERT;

export const labelsOf = (objective: Objective): AlertLabels => ({ ...ownLabels(objective), ...identity(objective) });

/** `sloth_severity` is what routes made for Sloth match: only what is critical is a page, whichever pair it is of. */
const raisedBy = (eye: Eye, severity: Severity, tier: string): AlertLabels => ({
  severity,
  sloth_severity: severity === 'critical' ? 'page' : 'ticket',
  tier,
  eye,
});

/** @param tier the pair that fires, or the detector. What is only written down stands on too little evidence. */
export function burnLabels(objective: Objective, eye: Eye, severity: Severity, tier: string): AlertLabels {
  const { named } = objective.alerting;
  const given = severity === 'critical' ? named?.pageLabels : named?.ticketLabels;
  return {
    ...ownLabels(objective),
    ...accepted(given ?? {}),
    ...identity(objective),
    ...raisedBy(eye, severity, tier),
    ...(severity === 'info' ? { evidence: 'thin' } : {}),
  };
}

export const blindLabels = (objective: Objective, eye: Eye): AlertLabels => ({
  ...labelsOf(objective),
  ...raisedBy(eye, 'critical', 'blind'),
});

/** The service that processes documents, whose stall must never be silent. */
export const DOCUMENTS_SERVICE = 'burnline-documents';

export const stallLabels = (eye: Eye): AlertLabels => ({
  sloth_service: DOCUMENTS_SERVICE,
  ...raisedBy(eye, 'critical', 'stall'),
});

export const downLabels = (service: string, eye: Eye): AlertLabels => ({
  sloth_service: service,
  ...raisedBy(eye, 'critical', 'down'),
});

/** What people know it by. */
export const titleOf = ({ displayName, service, name }: Objective): string =>
  `${displayName === '' ? name : displayName} (${service})`;
