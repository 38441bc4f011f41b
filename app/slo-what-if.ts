/** The options of `slo backtest` that suppose another promise or other rules, and what they come to. */
import { type Command, InvalidArgumentError } from 'commander';
import { type Seconds, seconds } from '#kernel/units.ts';
import { BURN_RULES } from '#slo/burn-rate.ts';
import { ALERTING_LIMITS } from '#slo/objective.ts';
import type { Pair, PairName, WhatIf } from '#slo/what-if.ts';

export type WhatIfOptions = {
  readonly target?: number;
  readonly falsePages?: number;
  readonly smallestBurn?: number;
  readonly rule?: readonly Pair[];
  readonly withoutRule?: readonly PairName[];
  readonly withoutEvidence?: boolean;
};

const PAIRS = BURN_RULES.map(({ name }) => name);
const NAMES = PAIRS.join(', ');
const FORM = 'NAME=LONG/SHORT/FACTOR (long window, short window, burn rate), such as page-fast=1h/5m/14.4';
/** The finest that a ledger tells apart. */
const SHORTEST = seconds(5);

export const addWhatIfOptions = (command: Command): Command =>
  command
    .option('--target <share>', 'what if: another target, such as 0.99', parseShare)
    .option(
      '--rule <rule>',
      `what if: other windows and burn rate of a pair: ${FORM}; one of ${NAMES}; again for another pair`,
      parseRule,
    )
    .option('--without-rule <name>', `what if: without a pair: one of ${NAMES}; again for another pair`, parseName)
    .option('--without-evidence', 'what if: without the evidence detector, by the pairs alone')
    .option(
      '--false-pages <number>',
      'what if: another number of tolerable false pages a year',
      numberOf('falsePagesPerYear'),
    )
    .option(
      '--smallest-burn <rate>',
      'what if: another smallest burn rate that is worth a page',
      numberOf('smallestBurn'),
    );

/** What is wrong with the options together; undefined: nothing. */
export function wrongWhatIf({ rule = [], withoutRule = [], withoutEvidence, smallestBurn }: WhatIfOptions) {
  const both = rule.find((one) => withoutRule.includes(one.rule))?.rule;
  if (both !== undefined) return `--rule ${both}=… and --without-rule ${both}: expected one of them`;
  if (withoutEvidence && smallestBurn !== undefined)
    return "--smallest-burn is the evidence detector's, which --without-evidence leaves out: expected one of them";
  if (withoutEvidence && PAIRS.every((name) => withoutRule.includes(name)))
    return '--without-evidence and --without-rule for each pair leave nothing that judges: expected fewer of them';
  return undefined;
}

/** Undefined: all is as the files say. */
export function whatIfOf(options: WhatIfOptions): WhatIf | undefined {
  const { target, falsePages, smallestBurn, rule, withoutRule, withoutEvidence } = options;
  const whatIf: WhatIf = {
    ...(target === undefined ? {} : { target }),
    ...(falsePages === undefined ? {} : { falsePagesPerYear: falsePages }),
    ...(smallestBurn === undefined ? {} : { smallestBurn }),
    ...(rule === undefined ? {} : { rules: rule }),
    ...(withoutRule === undefined ? {} : { withoutRules: withoutRule }),
    ...(withoutEvidence === true ? { evidence: false } : {}),
  };
  return Object.keys(whatIf).length === 0 ? undefined : whatIf;
}

function parseRule(text: string, before: readonly Pair[] = []): readonly Pair[] {
  const [, name = '', ...parts] = /^([^=]*)=([^/]*)\/([^/]*)\/([^/]*)$/.exec(text) ?? [];
  const [longText, shortText, factorText] = parts;
  if (longText === undefined || shortText === undefined || factorText === undefined) wrong(`expected ${FORM}`);
  const rule = pairName(name);
  if (before.some((one) => one.rule === rule)) wrong(`expected ${rule} once`);
  const [long, short] = [windowOf('long', longText), windowOf('short', shortText)];
  if (short >= long) wrong(`its short window is ${shortText}: expected less than the long one, ${longText}`);
  const factor = Number(factorText);
  if (factorText.trim() === '' || !(factor > 0 && Number.isFinite(factor)))
    wrong(`its burn rate is "${factorText}": expected a number above 0, such as 14.4`);
  return [...before, { rule, long, short, factor }];
}

const parseName = (text: string, before: readonly PairName[] = []): readonly PairName[] => [
  ...new Set([...before, pairName(text)]),
];

const pairName = (text: string): PairName =>
  PAIRS.find((name) => name === text) ?? wrong(`there is no rule "${text}": expected one of ${NAMES}`);

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };

function windowOf(which: string, text: string): Seconds {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([smhdw])$/.exec(text) ?? [];
  const value = Number(number) * (UNITS[unit] ?? 0);
  if (value >= SHORTEST) return seconds(value);
  return wrong(`its ${which} window is "${text}": expected a duration of ${SHORTEST}s or more, such as 5m, 1h or 3d`);
}

function wrong(what: string): never {
  throw new InvalidArgumentError(what);
}

function parseShare(text: string): number {
  const value = Number(text);
  return value > 0 && value < 1 ? value : wrong('expected a share between 0 and 1, such as 0.98');
}

/** Within what the annotation of an objective may say. */
function numberOf(setting: keyof typeof ALERTING_LIMITS): (text: string) => number {
  const [least, most] = ALERTING_LIMITS[setting];
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    return value >= least && value <= most ? value : wrong(`expected a number from ${least} to ${most}`);
  };
}
