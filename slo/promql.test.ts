import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  PROMQL_CHARS_MAX,
  PROMQL_DEPTH_MAX,
  readPromql,
  selectorsOf,
  selectorText,
  withoutPlaceholders,
  withWindow,
} from './promql.ts';

/** The form and the selector, or what kind of query else; of a fault its place and words. */
function told(text: string): string {
  const read = readPromql(text);
  if (read.kind === 'faults') return read.faults.map(({ at, message }) => `${at}: ${message}`).join('; ');
  const { selected, windowed, type } = read;
  return selected ? `${selected.form} ${selectorText(selected.selector)}` : `${type}${windowed ? ', windowed' : ''}`;
}

const right: readonly [query: string, want: string][] = [
  ['errors_total', 'plain errors_total'],
  ['errors_total{}', 'plain errors_total'],
  [' errors_total{code=~"5..", job!="x",} ', 'plain errors_total{code=~"5..",job!="x"}'],
  ['(errors_total)', 'plain errors_total'],
  ['{__name__="errors_total",a="b"}', 'plain errors_total{a="b"}'],
  ['{"errors.total", "my.label"="b"}', 'plain {"errors.total","my.label"="b"}'],
  ["errors_total{a='it\\'s'}", 'plain errors_total{a="it\'s"}'],
  ['errors_total{a=`raw\\n`}', 'plain errors_total{a="raw\\\\n"}'],
  ['errors_total{a="\\u00e9\\x41\\101"}', 'plain errors_total{a="éAA"}'],
  ['latency_bucket{le="0.2"}', 'plain latency_bucket{le="0.2"}'],
  ['sum(errors_total)', 'sum errors_total'],
  ['sum(rate(errors_total[{{.window}}]))', 'rate errors_total'],
  ['sum(increase(errors_total{a="b"}[{{ .window }}]))', 'increase errors_total{a="b"}'],
  ['sum( (rate( (errors_total)[{{.window}}])) )', 'rate errors_total'],
  ['sum by (job) (rate(errors_total[{{.window}}]))', 'vector, windowed'],
  ['sum(rate(errors_total[5m]))', 'vector'],
  ['sum(rate(errors_total[$__rate_interval]))', 'vector'],
  ['sum(rate(errors_total[{{.window}}] offset 5m))', 'vector, windowed'],
  ['errors_total offset 5m', 'vector'],
  ['sum(rate(a[{{.window}}])) / sum(rate(b[{{.window}}]))', 'vector, windowed'],
  ['max(errors_total)', 'vector'],
  ['{__name__=~"errors.*"}', 'vector'],
  ['1 - a:ratio', 'vector'],
  ['scalar(a)', 'scalar'],
  ['# a comment\nsum(rate(errors_total[{{.window}}]))', 'rate errors_total'],
  ['a{b=~"(?i)x"}', 'plain a{b=~"(?i)x"}'],
];
for (const [query, want] of right)
  test(`readPromql() reads ${JSON.stringify(query)}`, () => assert.equal(told(query), want));

const wrong: readonly [query: string, at: number, words: RegExp][] = [
  ['', 0, /is empty/],
  ['  \n', 0, /is empty/],
  ['sum(rate(a[5m])', 15, /ends too early/],
  ['sum(a))', 6, /cannot be read as PromQL from here: "\)"/],
  ['rate(a)', 5, /expected type matrix/],
  ['a[{{.window}}]', 0, /range vector.*sum\(increase/],
  ['"text"', 0, /type string/],
  ['nosuch(a)', 6, /cannot be read/],
  ['sum(rate(a[{{.Window}}]))', 11, /template that is not \{\{\.window\}\}/],
  ['a{b="c}', 4, /not closed/],
  ['a{b="\\q"}', 4, /escape/],
  ['a{b=~"("}', 2, /regular expression/],
  ['a{b=~""}{', 8, /cannot be read|ends too early/],
  ['{}', 0, /at least one non-empty matcher/],
  ['a{__name__="b"}', 0, /metric name must not be set twice/],
  ['SELECT value FROM metrics', 7, /cannot be read/],
  ['a and 1', 0, /set operator/],
];
for (const [query, at, words] of wrong) {
  test(`readPromql() refuses ${JSON.stringify(query)} and says where`, () => {
    const read = readPromql(query);
    assert(read.kind === 'faults', told(query));
    assert.match(read.faults[0]?.message ?? '', words);
    assert.equal(read.faults[0]?.at, at);
  });
}

test('both sides of the limits', () => {
  const long = (n: number): string => `a{b="${'x'.repeat(n - 'a{b=""}'.length)}"}`;
  assert.equal(readPromql(long(PROMQL_CHARS_MAX)).kind, 'query');
  assert.match(told(long(PROMQL_CHARS_MAX + 1)), /the most is 5000/);
  assert.equal(readPromql(`${'('.repeat(PROMQL_DEPTH_MAX - 2)}a${')'.repeat(PROMQL_DEPTH_MAX - 2)}`).kind, 'query');
  const deep = PROMQL_DEPTH_MAX + 1;
  assert.match(told(`${'('.repeat(deep)}a${')'.repeat(deep)}`), /nested deeper than 64/);
});

test('placeholders keep their length, and a window takes their place', () => {
  const query = 'sum(rate(a[{{.window}}])) + sum(rate(b[$__rate_interval]))';
  assert.equal(withoutPlaceholders(query).length, query.length);
  assert.equal(withWindow('sum(rate(a[{{ .window }}]))', '5m'), 'sum(rate(a[5m]))');
});

test('a selector reads back as itself', () => {
  const word = fc
    .stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/)
    .filter((one) => !/^(inf|nan|bool|on|ignoring|offset|group_left|group_right|by|without)$/i.test(one));
  const matcher = fc.record(
    {
      label: word.filter((label) => label !== '__name__'),
      op: fc.constantFrom('=' as const, '!=' as const),
      value: fc
        .string()
        .filter(
          (value) =>
            !/[\ud800-\udfff]/.test(value) && !value.includes('{{') && !value.includes('}}') && !value.includes('$__'),
        ),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(word, fc.array(matcher, { maxLength: 4 }), (name, matchers) => {
      const selector = { name: `${name}_total`, matchers };
      const read = readPromql(selectorText(selector));
      assert(read.kind === 'query', selectorText(selector));
      assert.deepEqual(read.selected, { form: 'plain', selector });
    }),
  );
});

test('readPromql() answers whatever it is given', () => {
  const piece = fc.constantFrom(
    'sum',
    'rate',
    '(',
    ')',
    '[',
    ']',
    '{',
    '}',
    'a',
    '5m',
    '{{.window}}',
    '"',
    "'",
    '`',
    '\\',
    ',',
    '=',
    '=~',
    ' ',
    'by',
    '/',
    '@',
    ':',
    'offset',
    '-',
    '#',
    '\n',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 40 }).map((all) => all.join('')),
  );
  fc.assert(
    fc.property(text, (query) => {
      const read = readPromql(query);
      if (read.kind === 'faults') assert(read.faults.every(({ at }) => at >= 0 && at <= query.length));
    }),
    { numRuns: 1_000 },
  );
});

test('every selector of a query is found, whatever stands around it', () => {
  const query =
    'sum by (a) (rate(one{a="x"}[$__rate_interval])) / on () group_left () (max_over_time(two[5m:1m] offset 1h) or {b=~"y"})';
  assert.deepEqual(
    selectorsOf(query).map(({ name, matchers }) => `${name} ${matchers.map(({ label }) => label)}`),
    ['one a', 'two ', ' '],
  );
});
