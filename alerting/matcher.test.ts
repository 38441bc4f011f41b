import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  fromApi,
  isLabelName,
  MATCHERS_MAX,
  type MatcherMode,
  makeMatcher,
  matchersText,
  matcherText,
  matches,
  OPERATORS,
  parseMatcher,
  parseMatchers,
  sortedMatchers,
  TEXT_CHARS_MAX,
  toApi,
} from './matcher.ts';

/** What a text is read as, in Alertmanager's own print; undefined where it is refused. */
function read(text: string, mode: MatcherMode = 'default'): string | undefined {
  const parsed = parseMatchers(text, mode);
  return parsed.kind === 'matchers' ? matchersText(parsed.matchers) : undefined;
}

const READ: readonly [text: string, printed: string][] = [
  ['', '{}'],
  ['{}', '{}'],
  ['  ', '{}'],
  ['foo=bar', '{foo="bar"}'],
  ['{foo=bar,}', '{foo="bar"}'],
  ['foo=bar,', '{foo="bar"}'],
  [' foo = bar ', '{foo="bar"}'],
  ['{foo!=bar}', '{foo!="bar"}'],
  ['foo=~[a-z]+', '{foo=~"[a-z]+"}'],
  ['foo!~"a|b"', '{foo!~"a|b"}'],
  ['foo="bar",baz!="qux"', '{foo="bar",baz!="qux"}'],
  ['{foo=🙂}', '{foo="🙂"}'],
  ['"foo bar"="baz"', '{"foo bar"="baz"}'],
  ['föö=bar', '{föö="bar"}'],
  ['{"foo"="\\xf0\\x9f\\x99\\x82"}', '{foo="🙂"}'],
  ['{"foo"="\\U0001f642"}', '{foo="🙂"}'],
  ['foo="a,b}"', '{foo="a,b}"}'],
  ['foo="bar\\n"', '{foo="bar\\n"}'],
  ['foo="\\"x\\""', '{foo="\\"x\\""}'],
  // Only the classic grammar reads these.
  ['foo=~\\d+', '{foo=~"\\\\d+"}'],
  ['foo=~"\\d+"', '{foo=~"\\\\d+"}'],
  ['foo=', '{foo=""}'],
  ['foo=bar}', '{foo="bar"}'],
  ['{foo=bar', '{foo="bar"}'],
  ["foo='bar'", `{foo="'bar'"}`],
  ['foo=a b', '{foo="a b"}'],
  // A closing brace that ends the text is taken for the list's, even so.
  ['foo=~a{2}', '{foo=~"a{2"}'],
  // Both read these, differently: the classic grammar is right.
  ['foo="\\u0041"', '{foo="\\\\u0041"}'],
  ['foo="\\t"', '{foo="\\\\t"}'],
];

for (const [text, printed] of READ) {
  test(`parseMatchers() reads ${text} as ${printed}`, () => assert.equal(read(text), printed));
}

const REFUSED = [
  ',',
  '{,}',
  'foo',
  '=bar',
  'foo=bar,,a=b',
  'foo=~[',
  'foo=~(?=a)',
  'foo="a',
  'foo="a" b"',
  '"a b"=\\d',
];
for (const text of REFUSED) test(`parseMatchers() refuses ${text}`, () => assert.equal(read(text), undefined));

test('parseMatchers() refuses UTF-8 names in classic mode, and what only the classic grammar reads in utf8 mode', () => {
  assert.equal(read('föö=bar', 'classic'), undefined);
  assert.equal(read('"foo"=bar', 'classic'), undefined);
  assert.equal(read('foo=ü', 'classic'), '{foo="ü"}');
  assert.equal(read('foo=~"\\d+"', 'utf8'), undefined);
  assert.equal(read('foo="\\u0041"', 'utf8'), '{foo="A"}');
});

test('parseMatcher() takes one, without braces', () => {
  assert.equal(parseMatcher('a=b', 'default').kind, 'matcher');
  for (const text of ['', '{a=b}', 'a=~a{2}', 'a']) assert.equal(parseMatcher(text, 'default').kind, 'fault', text);
  // Two of them the classic grammar reads as one value.
  const parsed = parseMatcher('a=b,c=d', 'default');
  assert.equal(parsed.kind === 'matcher' && matcherText(parsed.matcher), 'a="b,c=d"');
});

test('matches() holds a regular expression against the whole value, and an absent label against the empty text', () => {
  const holds = (text: string, labels: Record<string, string>): boolean => {
    const parsed = parseMatcher(text, 'default');
    assert.equal(parsed.kind, 'matcher', text);
    return parsed.kind === 'matcher' && matches(parsed.matcher, labels);
  };
  assert.deepEqual(
    [
      holds('a=~b', { a: 'abc' }),
      holds('a=~b', { a: 'b' }),
      holds('a!~b', { a: 'abc' }),
      holds('a=~"b."', { a: 'b\n' }),
    ],
    [false, true, true, false],
  );
  assert.deepEqual(
    [holds('a=""', {}), holds('a!=""', {}), holds('a=~".*"', {}), holds('a!=b', {}), holds('constructor=""', {})],
    [true, false, true, true, true],
  );
});

test('makeMatcher() bounds what a hostile pattern costs', () => {
  const hostile = makeMatcher('a', '=~', '(a+)+');
  assert.equal(hostile.kind, 'matcher');
  assert.equal(hostile.kind === 'matcher' && hostile.matcher.test(`${'a'.repeat(50_000)}b`), false);
  for (const large of ['((a{100}){100}){100}', '.{999}'.repeat(6), '(a{1000}){1000}']) {
    assert.equal(makeMatcher('a', '=~', large).kind, 'fault');
  }
  assert.equal(makeMatcher('a', '=~', `${'ab|'.repeat(1_300)}c.`).kind, 'matcher');
  assert.equal(makeMatcher('a', '=~', '(a)\\1').kind, 'fault');
});

test('the length of a text and the number of its matchers are bounded', () => {
  const long = `a="${'x'.repeat(TEXT_CHARS_MAX - 4)}"`;
  assert.deepEqual([read(long) !== undefined, read(`${long} `)], [true, undefined]);
  const many = Array.from({ length: MATCHERS_MAX }, () => 'a=b').join();
  assert.deepEqual([read(many) !== undefined, read(`${many},a=b`)], [true, undefined]);
});

test('matcherText() quotes a name with reserved characters as Go does', () => {
  const text = (name: string, value: string) => matcherText({ name, op: '=', value });
  assert.equal(text('a b', 'tab\tnul\x00ü\u200b"'), '"a b"="tab\\tnul\\x00ü\\u200b\\""');
  assert.equal(text('a', 'tab\tü"\\\n'), 'a="tab\tü\\"\\\\\\n"');
});

test('sortedMatchers() goes by name, value and operator, in the order of bytes', () => {
  const parsed = parseMatchers('b=1,a=~2,a=2,a="1",𐀀=1,ﬀ=1', 'default');
  assert.equal(
    parsed.kind === 'matchers' && matchersText(sortedMatchers(parsed.matchers)),
    '{a="1",a="2",a=~"2",b="1",ﬀ="1",𐀀="1"}',
  );
});

test('isLabelName() depends on the mode', () => {
  assert.deepEqual(
    ['a_1', '1a', 'a:b', 'ü', ''].map((name) => [isLabelName(name, 'default'), isLabelName(name, 'classic')]),
    [
      [true, true],
      [true, false],
      [true, false],
      [true, false],
      [false, false],
    ],
  );
});

test('words with | between are held as the expression that they are', () => {
  const words = fc.string({ unit: fc.constantFrom('a', 'b', '|', '-', ' ', 'ü', '🙂', '\n'), maxLength: 8 });
  fc.assert(
    fc.property(words, words, fc.constantFrom('=~', '!~'), (value, other, op) => {
      const [quick, whole] = [makeMatcher('a', op, value), makeMatcher('a', op, `(?:${value})`)];
      assert(quick.kind === 'matcher' && whole.kind === 'matcher');
      for (const one of [other, ...value.split('|')]) assert.equal(quick.matcher.test(one), whole.matcher.test(one));
    }),
  );
});

const anyMatcher = fc.record({
  name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 10 }),
  op: fc.constantFrom(...OPERATORS),
  value: fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 20 }),
    fc.constantFrom('a|b', '.*', '\\d+', '"', '\\', '{a="b"}'),
  ),
});

test('what matcherText() prints, parseMatchers() reads back in utf8 mode, and API v2 gives back', () => {
  fc.assert(
    fc.property(fc.array(anyMatcher, { maxLength: 5 }), (list) => {
      const made = list.flatMap(({ name, op, value }) => {
        const matcher = makeMatcher(name, op, value);
        return matcher.kind === 'matcher' ? [matcher.matcher] : [];
      });
      // Bare names print values as OpenMetrics does, which leaves control characters as they are.
      fc.pre(!made.some(({ value }) => /\p{C}/u.test(value)));
      const text = matchersText(made);
      assert.equal(read(text, 'utf8'), text);
      const parsed = parseMatchers(text, 'utf8');
      assert.deepEqual(parsed.kind === 'matchers' && parsed.matchers.map(toApi), made.map(toApi));
      for (const one of made) {
        const back = fromApi(toApi(one));
        assert.equal(back.kind === 'matcher' && matcherText(back.matcher), matcherText(one));
      }
    }),
  );
});
