import assert from 'node:assert/strict';
import test from 'node:test';
import { Command } from 'commander';
import { days, hours, minutes, seconds } from '#kernel/units.ts';
import type { WhatIf } from '#slo/what-if.ts';
import { addWhatIfOptions, type WhatIfOptions, whatIfOf, wrongWhatIf } from './slo-what-if.ts';

function parse(args: readonly string[]): WhatIfOptions {
  const command = new Command('x').exitOverride().configureOutput({ writeErr: () => undefined });
  return addWhatIfOptions(command)
    .parse([...args], { from: 'user' })
    .opts();
}

const RIGHT: readonly [args: readonly string[], whatIf: WhatIf | undefined][] = [
  [[], undefined],
  [['--target', '0.99'], { target: 0.99 }],
  [['--false-pages', '12', '--smallest-burn', '2'], { falsePagesPerYear: 12, smallestBurn: 2 }],
  [
    ['--rule', 'page-fast=30m/2.5m/10', '--rule', 'ticket-slow=1w/6h/1'],
    {
      rules: [
        { rule: 'page-fast', long: minutes(30), short: seconds(150), factor: 10 },
        { rule: 'ticket-slow', long: days(7), short: hours(6), factor: 1 },
      ],
    },
  ],
  [
    [
      '--without-rule',
      'page-slow',
      '--without-rule',
      'ticket-fast',
      '--without-rule',
      'page-slow',
      '--without-evidence',
    ],
    { withoutRules: ['page-slow', 'ticket-fast'], evidence: false },
  ],
];
for (const [args, whatIf] of RIGHT) {
  test(`what if: ${args.join(' ') || 'nothing is otherwise'}`, () => {
    const options = parse(args);
    assert.equal(wrongWhatIf(options), undefined);
    assert.deepEqual(whatIfOf(options), whatIf);
  });
}

const WRONG: readonly [args: readonly string[], says: RegExp][] = [
  [['--rule', 'page-fast'], /expected NAME=LONG\/SHORT\/FACTOR .* such as page-fast=1h\/5m\/14\.4/],
  [['--rule', 'page-fast=1h/5m/3/4'], /expected NAME=LONG\/SHORT\/FACTOR|burn rate is "3\/4"/],
  [
    ['--rule', 'fast=1h/5m/3'],
    /there is no rule "fast": expected one of page-fast, page-slow, ticket-fast, ticket-slow/,
  ],
  [['--rule', 'page-fast=1/5m/3'], /its long window is "1": expected a duration of 5s or more, such as 5m/],
  [['--rule', 'page-fast=1h/4s/3'], /its short window is "4s": expected a duration of 5s or more/],
  [['--rule', 'page-fast=5m/5m/3'], /its short window is 5m: expected less than the long one, 5m/],
  [['--rule', 'page-fast=1h/5m/'], /its burn rate is "": expected a number above 0/],
  [['--rule', 'page-fast=1h/5m/-1'], /its burn rate is "-1": expected a number above 0/],
  [['--rule', 'page-fast=1h/5m/2', '--rule', 'page-fast=1h/5m/3'], /expected page-fast once/],
  [['--without-rule', 'evidence'], /there is no rule "evidence": expected one of page-fast/],
  [['--target', '99'], /expected a share between 0 and 1/],
  [['--false-pages', '0'], /expected a number from 0\.01 to 1000/],
  [['--smallest-burn', ''], /expected a number from 1 to 1000/],
];
for (const [args, says] of WRONG) {
  test(`what if: ${args.join(' ')} is refused`, () => {
    assert.throws(() => parse(args), says);
  });
}

const TOGETHER: readonly [args: readonly string[], says: RegExp][] = [
  [['--rule', 'page-fast=1h/5m/2', '--without-rule', 'page-fast'], /page-fast.*expected one of them/],
  [['--without-evidence', '--smallest-burn', '2'], /--smallest-burn is the evidence detector's/],
  [
    [
      '--without-evidence',
      ...['page-fast', 'page-slow', 'ticket-fast', 'ticket-slow'].flatMap((one) => ['--without-rule', one]),
    ],
    /leave nothing that judges/,
  ],
];
for (const [args, says] of TOGETHER) {
  test(`what if: ${args.join(' ')} contradict each other`, () => {
    assert.match(wrongWhatIf(parse(args)) ?? '', says);
  });
}
