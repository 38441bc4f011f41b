/**
 * Rules that no outage can fire, since even a total one burns too slowly: 14.4 times the budget at a target of 90 %. Such a
 * rule looks like protection and is none, so it is a fault of the file, wherever that is read.
 */
import { rulesOf } from '#slo/burn-rate.ts';
import { nominalPeriod } from '#slo/calendar.ts';
import type { Objective } from '#slo/objective.ts';
import { exactPercent } from '#slo/verdict.ts';
import type { Report } from './report.ts';

/** Of the objective as a whole: no pair judges a part of a composite by itself. */
export function checkFiring(objective: Objective, report: Report): void {
  const { id, budget, window, source } = objective;
  for (const { rule, factor, why } of rulesOf(objective, nominalPeriod(window)).without) {
    if (why !== 'can never fire') continue;
    const target = Number((1 - 1 / factor).toPrecision(4));
    report.fault(
      source,
      `rule "${rule.name}" of ${id} can never fire: it needs a burn rate of ${factor}, and with ` +
        `${exactPercent(budget)} that may fail even a total outage burns ${Number((1 / budget).toPrecision(4))} times; set a target above ` +
        `${exactPercent(target)}, or a shorter window, or switch its alerts off (annotation ` +
        `burnline/${rule.severity === 'critical' ? 'page' : 'ticket'}: "false")`,
    );
  }
}
