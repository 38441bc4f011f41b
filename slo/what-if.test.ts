/** The same outages, played through other rules. */
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { days, hours, minutes, type Seconds, seconds } from '#kernel/units.ts';
import { objectiveOf } from '#test/kit/objectives-by-hand.ts';
import { backtest } from './backtest.ts';
import { DEFAULT_ALERTING, type Objective } from './objective.ts';
import type { Row } from './replay.ts';
import type { RuleName } from './verdict.ts';
import { type Pair, suppose, type WhatIf } from './what-if.ts';

const ALL = ['page-fast', 'page-slow', 'ticket-fast', 'ticket-slow'] as const;
const BEGUN = hours(8);
/** Ten events a second; from the ninth hour on, a share of them fails. */
const failing = (share: number): readonly Row[] =>
  Array.from({ length: days(1) / 30 }, (_, i) => {
    const at = seconds((i + 1) * 30);
    const bad = at > BEGUN ? 300 * share : 0;
    return { at, good: 300 - bad, bad };
  });

/** What is said of an outage first by each severity: after how many seconds, and by which rule. */
function said(share: number, whatIf: WhatIf, objective: Objective = objectiveOf()) {
  const supposed = suppose(objective, whatIf);
  assert(supposed.kind === 'supposed');
  const found: { critical?: [RuleName | null, number]; warning?: [RuleName | null, number] } = {};
  const replay = { rows: failing(share), pace: seconds(30) };
  const { pages } = backtest(supposed.judged, replay, seconds(30), ({ at, severity, rule }) => {
    if (severity === 'critical' || severity === 'warning') found[severity] ??= [rule, at - BEGUN];
  });
  return { ...found, pages: pages.length };
}

const pair = (rule: Pair['rule'], long: Seconds, short: Seconds, factor: number): Pair => ({
  rule,
  long,
  short,
  factor,
});

describe('what if', () => {
  test('the detector were off: the workbook pages when it would', () => {
    assert.equal(said(1, {}).critical?.[0], 'evidence');
    // 13.44 times 2 % of an hour, when all of it fails: 968 s.
    assert.deepEqual(said(1, { evidence: false }).critical, ['page-fast', 990]);
  });

  test('a pair had other windows and another burn rate: it fires when they say', () => {
    const rules = [pair('page-fast', minutes(30), minutes(2), 10)];
    // 10 times 2 % of half an hour is 360 s; but a page is believed when 4 of 12 parts of its window have failures: 450 s.
    assert.deepEqual(said(1, { evidence: false, rules }).critical, ['page-fast', 480]);
    // Half of it fails: 720 s.
    assert.deepEqual(said(0.5, { evidence: false, rules }).critical, ['page-fast', 720]);
  });

  test('a pair were not there: the next one speaks', () => {
    assert.equal(said(1, { evidence: false, withoutRules: ['page-fast'] }).critical?.[0], 'page-slow');
    const tickets = said(1, { evidence: false, withoutRules: ['page-fast', 'page-slow'] });
    // Of three days only eight hours are known, so the lower burn rate is reached first.
    assert.deepEqual([tickets.pages, tickets.warning?.[0]], [0, 'ticket-slow']);
    assert.deepEqual(said(1, { withoutRules: [...ALL] }).critical?.[0], 'evidence');
    assert.deepEqual(said(1, { evidence: false, withoutRules: [...ALL] }), { pages: 0 });
  });

  test('more false pages were tolerable, less were worth waking for, or more were promised', () => {
    const after = (share: number, whatIf: WhatIf) => said(share, whatIf).critical?.[1] ?? Number.POSITIVE_INFINITY;
    assert(after(0.1, { falsePagesPerYear: 1_000 }) < after(0.1, {}));
    assert(after(0.05, { smallestBurn: 2 }) < after(0.05, {}));
    assert(after(0.05, { target: 0.999 }) < after(0.05, {}));
  });

  const refused: readonly [title: string, change: WhatIf, objective: Objective, says: RegExp][] = [
    [
      'a burn rate that nothing reaches',
      { rules: [pair('page-fast', hours(1), minutes(5), 60)] },
      objectiveOf(),
      /^rule page-fast of documents-by-hand: with 2 % that may fail a burn rate of 60 is never reached: expected at most 50$/,
    ],
    [
      'one that nothing reaches at the supposed target',
      { target: 0.5, rules: [pair('ticket-slow', days(3), hours(6), 3)] },
      objectiveOf(),
      /with 50 % that may fail .*at most 2$/,
    ],
    [
      'a page within the objective',
      { rules: [pair('page-slow', hours(6), minutes(5), 1)] },
      objectiveOf(),
      /expected more than 1$/,
    ],
    [
      'a window longer than the period',
      { rules: [pair('page-slow', days(28), minutes(5), 2)] },
      objectiveOf(),
      /its long window is 28 d: expected less than the period of 28 d$/,
    ],
    [
      'more than a whole budget',
      { rules: [pair('ticket-slow', days(14), hours(1), 2.1)] },
      objectiveOf(),
      /a burn rate of 2\.1 over 14 d is more than the whole budget of 28 d: expected at most 2$/,
    ],
    [
      'a ticket where there are none',
      { rules: [pair('ticket-slow', days(3), hours(6), 1)] },
      objectiveOf({ alerting: { ...DEFAULT_ALERTING, ticket: false } }),
      /its tickets are switched off.*burnline\/ticket "true"$/,
    ],
  ];
  for (const [title, change, objective, says] of refused) {
    test(`${title} is refused`, () => {
      const supposed = suppose(objective, change);
      assert(supposed.kind === 'refused');
      assert.match(supposed.reason, says);
    });
  }
});

test('a pair that would never speak under another target is left out with the reason, and no other is', () => {
  const lax = suppose(objectiveOf(), { target: 0.9 });
  assert(lax.kind === 'supposed');
  assert.deepEqual(lax.leftOut, [
    {
      rule: 'page-fast',
      because: 'it can never fire: 13.4 times a budget of 10 % is more than everything',
    },
  ]);
  assert.deepEqual(
    lax.judged.rules.map(({ rule }) => rule.name),
    ALL.filter((name) => name !== 'page-fast'),
  );
  const same = suppose(objectiveOf(), { target: 0.99 });
  assert(same.kind === 'supposed');
  assert.deepEqual(same.leftOut, []);
});
