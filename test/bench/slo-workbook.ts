/** The workbook's two paging pairs as Sloth compiles them, evaluated every 30 s: the peer in the detection table. */
import { days, type Seconds, seconds } from '#kernel/units.ts';
import { BURN_RULES, burnFactor, burnRate } from '#slo/burn-rate.ts';
import { add, newLedger, observe, windowCounts } from '#slo/ledger/ledger.ts';
import type { Objective } from '#slo/objective.ts';
import type { Row } from '#slo/replay.ts';

const EVERY = seconds(30);

/** @returns when pages began. */
export function workbookAlone(objective: Objective, rows: readonly Row[]): Seconds[] {
  const pairs = BURN_RULES.filter(({ severity }) => severity === 'critical').map((rule) => ({
    rule,
    factor: burnFactor(rule, days(28)),
  }));
  const ledger = newLedger(seconds(0), days(1));
  const began: Seconds[] = [];
  let fires = false;
  let seen = seconds(0);
  for (const row of rows) {
    observe(ledger, seen, row.at);
    add(ledger, row.at, row.good, row.bad);
    seen = row.at;
    if (row.at % EVERY !== 0) continue;
    const fired = pairs.some(
      ({ rule, factor }) =>
        burnRate(windowCounts(ledger, row.at, rule.short), objective.budget) > factor &&
        burnRate(windowCounts(ledger, row.at, rule.long), objective.budget) > factor,
    );
    if (fired && !fires) began.push(row.at);
    fires = fired;
  }
  return began;
}
