/**
 * The same past under another promise or other rules: what of an objective's judgement is supposed to be otherwise, and why it
 * cannot be, if so. A rule that would never speak is refused: a replay in which it says nothing would look like an answer.
 */
import { ratio, type Seconds } from '#kernel/units.ts';
import { BURN_RULES, type BurnRule, type OmittedRule, rulesOf } from './burn-rate.ts';
import { nominalPeriod } from './calendar.ts';
import { type Judged, makeJudged } from './judge.ts';
import type { Objective } from './objective.ts';
import { duration, exactPercent, round, whyOmitted } from './verdict.ts';

export type PairName = BurnRule['name'];
/** A pair as the SRE workbook's table has it. */
export type Pair = {
  readonly rule: PairName;
  readonly long: Seconds;
  readonly short: Seconds;
  /** The burn rate at which it fires. */
  readonly factor: number;
};

/** Only what is otherwise. */
export type WhatIf = {
  readonly target?: number;
  readonly falsePagesPerYear?: number;
  readonly smallestBurn?: number;
  readonly rules?: readonly Pair[];
  readonly withoutRules?: readonly PairName[];
  readonly evidence?: false;
};

export type LeftOut = { readonly rule: PairName; readonly because: string };

export type Supposed =
  /** @field leftOut pairs that would never speak under this promise, so that their silence is no answer. */
  | { readonly kind: 'supposed'; readonly judged: Judged; readonly leftOut: readonly LeftOut[] }
  | { readonly kind: 'refused'; readonly reason: string };

export function suppose(given: Objective, whatIf: WhatIf): Supposed {
  const { rules = [], withoutRules = [], evidence = true } = whatIf;
  const objective = otherwise(given, whatIf);
  const period = nominalPeriod(objective.window);
  const pairs: BurnRule[] = [];
  for (const usual of BURN_RULES) {
    if (withoutRules.includes(usual.name)) continue;
    const other = rules.find(({ rule }) => rule === usual.name);
    if (other === undefined) {
      pairs.push(usual);
      continue;
    }
    const reason = refusal(other, usual.severity, objective, period);
    if (reason !== undefined) return { kind: 'refused', reason: `rule ${other.rule} of ${objective.id}: ${reason}` };
    pairs.push(pairOf(other, usual, period));
  }
  const leftOut = rulesOf(objective, period, pairs).without.map((one) => ({
    rule: one.rule.name,
    because: whyOmitted(one, objective.budget, period),
  }));
  return { kind: 'supposed', judged: makeJudged(objective, { pairs, detects: evidence }), leftOut };
}

function otherwise(objective: Objective, { target, falsePagesPerYear, smallestBurn }: WhatIf): Objective {
  const { alerting } = objective;
  return {
    ...objective,
    ...(target === undefined ? {} : { target: ratio(target), budget: ratio(Number((1 - target).toPrecision(12))) }),
    alerting: {
      ...alerting,
      falsePagesPerYear: falsePagesPerYear ?? alerting.falsePagesPerYear,
      smallestBurn: smallestBurn ?? alerting.smallestBurn,
    },
  };
}

const pairOf = ({ long, short, factor }: Pair, usual: BurnRule, period: Seconds): BurnRule => ({
  ...usual,
  long,
  short,
  spent: ratio((factor * long) / period),
});

/** Why the pair would never speak; undefined: it can. */
function refusal(
  pair: Pair,
  severity: BurnRule['severity'],
  objective: Objective,
  period: Seconds,
): string | undefined {
  const { long, factor } = pair;
  const { budget, alerting } = objective;
  const kind = severity === 'critical' ? 'page' : 'ticket';
  if (!alerting[kind])
    return `its ${kind}s are switched off, so it would say nothing: expected burnline/${kind} "true"`;
  if (long < period && factor * long > period) {
    const most = round(period / long);
    return `a burn rate of ${factor} over ${duration(long)} is more than the whole budget of ${duration(period)}: expected at most ${most}`;
  }
  const usual = BURN_RULES.filter(({ name }) => name === pair.rule);
  const judged = usual.map((one) => (long < period ? pairOf(pair, one, period) : { ...one, long }));
  const [omitted] = rulesOf(objective, period, judged).without;
  return omitted === undefined ? undefined : omission(omitted, budget, period);
}

function omission({ rule, factor, why }: OmittedRule, budget: number, period: Seconds): string {
  switch (why) {
    case 'longer than the period':
      return `its long window is ${duration(rule.long)}: expected less than the period of ${duration(period)}`;
    case 'can never fire':
      return `with ${exactPercent(budget)} that may fail a burn rate of ${factor} is never reached: expected at most ${round(1 / budget)}`;
    case 'fires within the objective':
      return `a page at a burn rate of ${factor} would come within the objective: expected more than 1`;
    default:
      return why satisfies never;
  }
}
