import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { InhibitRule } from '#alerting/config/config.ts';
import { sourcesOf, targetsOf } from './inhibit.ts';
import type { Labels } from './labels.ts';
import { matches, parseMatchers } from './matcher.ts';

const rule = (source: string, target: string, equal: readonly string[] = []): InhibitRule => {
  const [from, to] = [parseMatchers(source, 'default'), parseMatchers(target, 'default')];
  assert(from.kind === 'matchers' && to.kind === 'matchers');
  return { name: undefined, source: from.matchers, target: to.matchers, equal };
};

/** As the alerts of a store would be asked: some other one has one of my keys. */
function inhibited(rules: readonly InhibitRule[], target: Labels, others: readonly Labels[]): boolean {
  const keys = new Set(others.flatMap((labels) => sourcesOf(rules, labels)));
  return targetsOf(rules, target).some((key) => keys.has(key));
}

const RULES = [rule('severity=critical', 'severity=warning', ['cluster', 'service'])];
const CASES: readonly [title: string, rules: readonly InhibitRule[], target: Labels, source: Labels, is: boolean][] = [
  ['equal labels', RULES, { severity: 'warning', cluster: 'a' }, { severity: 'critical', cluster: 'a' }, true],
  ['another value', RULES, { severity: 'warning', cluster: 'a' }, { severity: 'critical', cluster: 'b' }, false],
  ['absent as empty', RULES, { severity: 'warning', cluster: '' }, { severity: 'critical' }, true],
  [
    'values that move',
    RULES,
    { severity: 'warning', cluster: 'a,b' },
    { severity: 'critical', cluster: 'a', service: 'b' },
    false,
  ],
  ['no target', RULES, { severity: 'info' }, { severity: 'critical' }, false],
  ['no source', RULES, { severity: 'warning' }, { severity: 'warning' }, false],
  ['two of its like', [rule('a=1', 'a=1')], { a: '1' }, { a: '1', b: '2' }, false],
  ['one of both sides, by a source alone', [rule('a=1', 'b=1')], { a: '1', b: '1' }, { a: '1' }, true],
  [
    'one of both sides, by one of both sides',
    [rule('a=1', 'b=1')],
    { a: '1', b: '1' },
    { a: '1', b: '1', c: '1' },
    false,
  ],
  ['a target alone, by one of both sides', [rule('a=1', 'b=1')], { b: '1' }, { a: '1', b: '1' }, true],
  ['two rules, one of which holds', [rule('a=1', 'b=2'), rule('a=1', 'b=1')], { b: '1' }, { a: '1' }, true],
];
for (const [title, rules, target, source, is] of CASES) {
  test(`inhibition with ${title}: ${is}`, () => assert.equal(inhibited(rules, target, [source]), is));
}

test('keys do not depend on the place of a rule', () => {
  const other = rule('x=1', 'y=1');
  const labels = { severity: 'critical' };
  assert.deepEqual(sourcesOf([other, ...RULES], labels), sourcesOf([...RULES, other], labels));
});

const NAMES = ['a', 'b', 'c'];
const someMatchers = fc
  .array(fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom('=', '!=', '=~'), fc.constantFrom('', '1', '2')), {
    maxLength: 2,
  })
  .map((list) => list.map(([name, op, value]) => `${name}${op}"${value}"`).join());
const someRules = fc.array(
  fc.tuple(someMatchers, someMatchers, fc.uniqueArray(fc.constantFrom(...NAMES))).map((parts) => rule(...parts)),
  { maxLength: 4 },
);
const someAlerts = fc.array(
  fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom('1', '2', ''), { maxKeys: 3, noNullPrototype: true }),
  { minLength: 1, maxLength: 8 },
);

/** The documented rule, pair by pair. */
function plainly(rules: readonly InhibitRule[], target: Labels, alerts: readonly Labels[]): boolean {
  const all = (matchers: InhibitRule['source'], labels: Labels) => matchers.every((one) => matches(one, labels));
  return rules.some((one) =>
    alerts.some(
      (source) =>
        all(one.target, target) &&
        all(one.source, source) &&
        one.equal.every((name) => (source[name] ?? '') === (target[name] ?? '')) &&
        !(all(one.source, target) && all(one.target, source)),
    ),
  );
}

test('the lookup of keys says what comparing each with each says, and nothing inhibits itself', () => {
  let seen = 0;
  fc.assert(
    fc.property(someRules, someAlerts, (rules, alerts) => {
      for (const target of alerts) {
        const is = inhibited(rules, target, alerts);
        if (is) seen++;
        assert.equal(is, plainly(rules, target, alerts));
        assert.equal(inhibited(rules, target, [target]), false);
      }
    }),
    { numRuns: 300 },
  );
  assert(seen > 0, 'no case inhibited anything');
});
