import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { MatchOp } from '#slo/objective.ts';
import { compilePattern, matchesPattern, PATTERN_LENGTH_MAX } from './pattern.ts';
import { compileSelector, selects } from './selector.ts';

function matches(pattern: string, text: string): boolean {
  const outcome = compilePattern(pattern);
  assert(outcome.kind === 'pattern', outcome.kind === 'fault' ? outcome.reason : '');
  return matchesPattern(outcome.pattern, text);
}

const cases: readonly [pattern: string, matching: readonly string[], not: readonly string[]][] = [
  ['', [''], ['a']],
  ['abc', ['abc'], ['xabc', 'abcx', 'ab', '']],
  ['a|b', ['a', 'b'], ['ab', '']],
  ['a|', ['a', ''], ['b']],
  ['5..', ['500', '5\n0'], ['50', '5000']],
  ['.*', ['', 'x\ny', '€𝄞'], []],
  ['.', ['𝄞', '\n'], ['', 'ab']],
  ['(a|bc)+d?', ['a', 'abcad'], ['', 'b', 'add']],
  ['(?:a)(?P<n>b)(?<m>c)', ['abc'], ['ab']],
  ['a{2}', ['aa'], ['a', 'aaa']],
  ['a{1,2}b{2,}', ['abb', 'aabbb'], ['ab', 'aaabb']],
  ['a{0}', [''], ['a']],
  ['a{,2}', ['a{,2}'], ['a', 'aa']],
  ['x{', ['x{'], ['x']],
  ['[a-c_]+', ['abc_'], ['d', '']],
  ['[^a-c]', ['d', '\n', '𝄞'], ['a', '']],
  ['[]a]', [']', 'a'], ['b']],
  ['[a-]', ['a', '-'], ['b']],
  ['[\\d.]+', ['1.2'], ['a']],
  ['\\d+\\.\\w\\s', ['12.a '], ['12xa ', '١.a ']],
  ['\\D\\W\\S', ['a-b'], ['1-b', 'aab']],
  ['\\x41\\x{1D11E}\\n', ['A𝄞\n'], ['A']],
  ['^a$', ['a'], ['b']],
  ['(^a|b)c', ['ac', 'bc'], ['xac']],
  ['a^b', [], ['ab', 'a^b']],
  ['(a*)*b', ['b', 'aaab'], ['aaa']],
  ['a+?b??', ['aa', 'ab'], ['b']],
  ['/v1/(documents|search)(/.*)?', ['/v1/documents/7', '/v1/search'], ['/v1/searching']],
];
for (const [pattern, matching, not] of cases) {
  test(`pattern ${pattern} matches what RE2 matches, from end to end`, () => {
    for (const text of matching) assert(matches(pattern, text), JSON.stringify(text));
    for (const text of not) assert(!matches(pattern, text), JSON.stringify(text));
  });
}

const refused: readonly [pattern: string, reason: RegExp][] = [
  ['(?i)a', /flags and look-around/],
  ['(?=a)', /flags and look-around/],
  ['(?<!a)b', /flags and look-around/],
  ['(a)\\1', /"\\1" is not supported/],
  ['\\bword\\b', /"\\b" is not supported/],
  ['\\pL', /not supported/],
  ['\\Qa\\E', /not supported/],
  ['[[:alpha:]]', /by name/],
  ['a**', /needs a group/],
  ['*a', /nothing to repeat/],
  ['(a', /not closed/],
  ['a)', /unexpected "\)"/],
  ['[a', /not closed/],
  ['[b-a]', /backwards/],
  ['a{3,2}', /0 to 1000/],
  ['a{1001}', /0 to 1000/],
  ['((a{1000}){1000}){1000}', /too large/],
  ['(((){1000}){1000}){1000}b{1000}{2}', /needs a group/],
  ['a\\', /backslash at the end/],
  ['('.repeat(200), /nested deeper/],
  ['a'.repeat(PATTERN_LENGTH_MAX + 1), /over 10000 characters/],
];
for (const [pattern, reason] of refused) {
  test(`pattern ${pattern.slice(0, 30)} is refused with a reason`, () => {
    const outcome = compilePattern(pattern);
    assert(outcome.kind === 'fault');
    assert.match(outcome.reason, reason);
  });
}

test('patterns that choke a backtracking engine are matched in no time', () => {
  assert(!matches('(a+)+b', 'a'.repeat(5_000)));
  assert(!matches('(a|a)*(a|a)*c', 'a'.repeat(5_000)));
  assert(matches('(((){1000}){1000}){1000}', ''));
});

test('patterns of the common part match as JavaScript reads them', () => {
  const { pattern } = fc.letrec<{ pattern: string }>((tie) => ({
    pattern: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', ''),
      fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => a + b),
      fc.tuple(tie('pattern'), tie('pattern')).map(([a, b]) => `(${a}|${b})`),
      fc
        .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '{1,}', '*?'))
        .map(([a, q]) => `(?:${a})${q}`),
    ),
  }));
  fc.assert(
    fc.property(pattern, fc.string({ unit: fc.constantFrom('a', 'b', '1'), maxLength: 6 }), (text, subject) => {
      assert.equal(matches(text, subject), new RegExp(`^(?:${text})$`, 'su').test(subject), `${text} on ${subject}`);
    }),
    { numRuns: 2_000 },
  );
});

const series = (name: string, labels: Record<string, string>) => ({ name, labels: new Map(Object.entries(labels)) });
const selections: readonly [
  title: string,
  matcher: readonly [string, MatchOp, string],
  labels: Record<string, string>,
  want: boolean,
][] = [
  ['= holds', ['x', '=', 'a'], { x: 'a' }, true],
  ['= fails', ['x', '=', 'a'], { x: 'ab' }, false],
  ['an absent label is the empty text', ['x', '=', ''], {}, true],
  ['!= holds for an absent label', ['x', '!=', 'a'], {}, true],
  ['!= fails for the empty text', ['x', '!=', ''], {}, false],
  ['=~ is anchored', ['x', '=~', '5..'], { x: '1500' }, false],
  ['=~ holds', ['x', '=~', '4..|5..'], { x: '503' }, true],
  ['=~ holds for an absent label', ['x', '=~', 'a?'], {}, true],
  ['!~ holds', ['x', '!~', '5..'], { x: '200' }, true],
  ['!~ fails', ['x', '!~', '5..'], { x: '500' }, false],
  ['le is a number', ['le', '=', '1'], { le: '1.0' }, true],
  ['le is a number the other way', ['le', '=', '0.20'], { le: '0.2' }, true],
  ['le knows +Inf', ['le', '=', '+Inf'], { le: '+Inf' }, true],
  ['other labels are no numbers', ['x', '=', '1'], { x: '1.0' }, false],
];
for (const [title, [label, op, value], labels, want] of selections) {
  test(`selects(): ${title}`, () => {
    const outcome = compileSelector({ name: 'm', matchers: [{ label, op, value }] });
    assert(outcome.kind === 'selector');
    assert.equal(selects(outcome.selector, series('m', labels)), want);
    assert(!selects(outcome.selector, series('n', labels)));
  });
}
