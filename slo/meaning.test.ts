/** The times that validate tells, held against what a replay of such an outage says. */
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { hours, minutes, type Seconds, seconds } from '#kernel/units.ts';
import { objectiveOf } from '#test/kit/objectives-by-hand.ts';
import { backtest } from './backtest.ts';
import { makeMeaning, RATES, SHARES } from './meaning.ts';
import type { Objective } from './objective.ts';
import type { Row } from './replay.ts';
import type { RuleName } from './verdict.ts';
import { suppose, type WhatIf } from './what-if.ts';

const PAIRS = ['page-fast', 'page-slow', 'ticket-fast', 'ticket-slow'] as const;
const TICKETS = PAIRS.filter((name) => name.startsWith('ticket'));
/** A bucket of the ledger at the age of the pair's long window: an edge moves by up to one. */
const TICKS = {
  'page-fast': seconds(5),
  'page-slow': minutes(1),
  'ticket-fast': minutes(1),
  'ticket-slow': minutes(15),
} as const satisfies Record<(typeof PAIRS)[number], Seconds>;

const meaningOf = makeMeaning();

type Outage = { readonly share: number; readonly rate: number; readonly tick: Seconds; readonly health: Seconds };

/** How long a steady outage after steady health goes on until somebody is told; null: not within its length. */
function replayed(objective: Objective, whatIf: WhatIf, length: Seconds, outage: Outage): Seconds | null {
  const { share, rate, tick, health } = outage;
  const supposed = suppose(objective, whatIf);
  assert(supposed.kind === 'supposed');
  const events = rate * tick;
  const rows = Array.from({ length: Math.ceil((health + length) / tick) }, (_, i): Row => {
    const at = seconds((i + 1) * tick);
    const bad = at > health ? events * share : 0;
    return { at, good: events - bad, bad };
  });
  let told: Seconds | null = null;
  backtest(supposed.judged, { rows, pace: tick }, tick, ({ at, to, severity }) => {
    if (to === 'burning' && severity !== 'info') told ??= seconds(at - health);
  });
  return told;
}

const alone = (rule: (typeof PAIRS)[number]): WhatIf => ({
  evidence: false,
  withoutRules: PAIRS.filter((one) => one !== rule),
});
const timeOf = (
  objective: Objective,
  name: RuleName,
  share: (typeof SHARES)[number],
  rate: number | null = null,
): Seconds | null => {
  const found = meaningOf(objective).rules.find(
    ({ rule, eventsPerSecond }) => rule === name && eventsPerSecond === rate,
  );
  assert(found, `${name} is among the rules`);
  return found.timeToFire[SHARES.indexOf(share)] ?? null;
};

describe('the time until somebody is told, as validate has it, is that of a replay', () => {
  for (const goal of [0.98, 0.95, 0.999]) {
    const objective = objectiveOf({ goal });
    for (const rule of PAIRS) {
      test(`${rule} at ${goal}`, () => {
        const tick = TICKS[rule];
        const long = meaningOf(objective).rules.find((one) => one.rule === rule)?.long ?? seconds(0);
        for (const share of SHARES) {
          const told = timeOf(objective, rule, share);
          const length = seconds(Math.min(long, (told ?? long) + 4 * tick));
          const found = replayed(objective, alone(rule), length, { share, rate: 100, tick, health: long });
          const both = `${share}: validate says ${told}, the replay ${found}`;
          if (told === null) assert.equal(found, null, both);
          else assert(found !== null && Math.abs(found - told) <= 2 * tick, both);
        }
      });
    }
    test(`whatever pages first at ${goal}`, () => {
      const tick = seconds(5);
      for (const share of SHARES) {
        const times = meaningOf(objective)
          .rules.filter(({ severity, eventsPerSecond }) => severity === 'critical' && (eventsPerSecond ?? 1) === 1)
          .map(({ timeToFire }) => timeToFire[SHARES.indexOf(share)] ?? Number.POSITIVE_INFINITY);
        const told = Math.min(...times);
        if (told === Number.POSITIVE_INFINITY) continue;
        const outage = { share, rate: 1, tick, health: hours(6) };
        const found = replayed(objective, { withoutRules: TICKETS }, seconds(told + 60), outage);
        assert(found !== null && Math.abs(found - told) <= 60, `${share}: validate says ${told}, the replay ${found}`);
      }
    });
    for (const rate of RATES) {
      test(`the detector at ${goal} and ${rate < 1 ? 'one event a minute' : 'one event a second'}`, () => {
        const tick = seconds(5);
        for (const share of SHARES) {
          const told = timeOf(objective, 'evidence', share, rate);
          const length = told === null ? hours(3) : seconds(told + 4 * tick);
          const whatIf = { withoutRules: PAIRS };
          const found = replayed(objective, whatIf, length, { share, rate, tick, health: hours(1) });
          const both = `${share}: validate says ${told}, the replay ${found}`;
          if (told === null) assert.equal(found, null, both);
          else assert(found !== null && Math.abs(found - told) <= 2 * tick, both);
        }
      });
    }
  }
});

test('a pair tells how long a total outage takes to bring enough failures, busy and quiet, and that it never does', () => {
  const { rules } = makeMeaning()(objectiveOf());
  for (const { rule, leastBad, long, waits } of rules) {
    if (rule === 'evidence') assert.deepEqual(waits, []);
    else assert.deepEqual(waits, [leastBad, leastBad * 60 <= (long ?? 0) ? leastBad * 60 : null], rule);
  }
  const short = makeMeaning()(objectiveOf({ window: { kind: 'rolling', period: hours(60) } }));
  assert.equal(short.rules.find(({ rule }) => rule === 'page-fast')?.waits[1], null);
});
