/**
 * From what the SLO engine says to alerts, with the names and labels that the compiled rules use, so that both eyes meet
 * in one incident. Pure.
 */
import type { Milliseconds } from '#kernel/units.ts';
import { toMilliseconds } from '#kernel/units.ts';
import { BLIND_ALERT, blindLabels, burnAlertOf, burnLabels, titleOf } from '#slo/alert-names.ts';
import { blindnessOf, type Engine, type Watched } from '#slo/engine.ts';
import type { Objective } from '#slo/objective.ts';
import { duration, percent, round, type Verdict } from '#slo/verdict.ts';
import type { Alert } from './alert.ts';
import { fingerprint, type Labels } from './labels.ts';

export const EYE = 'router' as const;
/** Two missed scrapes are blindness; this much of it wakes somebody. */
const BLIND_FOR = 30_000 as Milliseconds;

export type Said = { readonly labels: Labels; readonly annotations: Labels; readonly since: Milliseconds };

/** What is to be said of an objective now; undefined: nothing is wrong with it. */
export function saidOf(engine: Engine, watched: Watched, now: Milliseconds): Said | undefined {
  const { objective, verdict, since } = watched;
  if (verdict === undefined) return undefined;
  const at = toMilliseconds(since);
  switch (verdict.kind) {
    case 'ok':
      return undefined;
    case 'burning':
      return burning(objective, verdict, at);
    case 'unknown':
      return blind(engine, watched, verdict.because, now);
    default:
      return verdict satisfies never;
  }
}

function burning(objective: Objective, verdict: Extract<Verdict, { kind: 'burning' }>, since: Milliseconds): Said {
  const { severity, rule, burnRate, budgetSpent, budgetLasts, because } = verdict;
  return {
    labels: { alertname: burnAlertOf(objective), ...burnLabels(objective, EYE, severity, rule) },
    annotations: {
      summary: `${titleOf(objective)} spends its error budget ${round(burnRate)} times as fast as it may`,
      description: because,
      budget_spent: percent(budgetSpent),
      budget_lasts: duration(budgetLasts),
      burn_rate: round(burnRate),
      ...runbook(objective),
    },
    since,
  };
}

function blind(engine: Engine, { objective, unjudged }: Watched, because: string, now: Milliseconds): Said | undefined {
  // What this eye cannot judge at all is Prometheus' to judge; it was said when the objectives were read.
  if (unjudged !== undefined) return undefined;
  const sight = blindnessOf(engine, objective.id);
  if (sight === undefined) return undefined;
  const since = toMilliseconds(sight.since);
  // One that was never seen has had its minute before it is called blind.
  if (sight.target !== undefined && now - since < BLIND_FOR) return undefined;
  return {
    labels: { alertname: BLIND_ALERT, ...blindLabels(objective, EYE) },
    annotations: {
      summary: `${titleOf(objective)} cannot be judged: ${unseen(sight.target, objective)}`,
      description: because,
      ...runbook(objective),
    },
    since,
  };
}

/** One of several that is away is not all of them. */
const unseen = (target: string | undefined, { service }: Objective): string =>
  target === undefined ? `nothing is seen of ${service}` : `${target} of ${service} is not seen`;

const runbook = ({ alerting }: Objective): Labels =>
  alerting.runbookUrl === undefined ? {} : { runbook_url: alerting.runbookUrl };

/** Renewed each minute; if the watch dies it is taken for ended as late as another's would be. */
const LIVES_FOR = 300_000;

export function alertOf({ labels, annotations, since }: Said, now: Milliseconds): Alert {
  return {
    fingerprint: fingerprint(labels),
    labels,
    annotations,
    generatorUrl: '',
    startsAt: since < now ? since : now,
    endsAt: (now + LIVES_FOR) as Milliseconds,
    timeout: true,
    updatedAt: now,
  };
}

export function endOf(alert: Alert, now: Milliseconds): Alert {
  return {
    ...alert,
    startsAt: alert.startsAt < now ? alert.startsAt : now,
    endsAt: now,
    timeout: false,
    updatedAt: now,
  };
}
