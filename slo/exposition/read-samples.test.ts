import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  type Exposition,
  type Format,
  formatOf,
  LINE_LENGTH_MAX,
  LINES_MAX,
  readSamples,
  TEXT_LENGTH_MAX,
  wantedNames,
} from './read-samples.ts';
import { LABELS_MAX, seriesOf } from './series.ts';

const wanted = wantedNames(['a', 'b_total', 'up time', 'h_bucket']);
const read = (text: string, format: Format = 'text') => readSamples(text, format, wanted);

/** `name{label=value} value @timestamp` for each sample, or the fault. */
function word(exposition: Exposition): string {
  if (exposition.kind === 'fault') return `line ${exposition.line}: ${exposition.reason}`;
  const shown = exposition.samples.map(({ series, value, timestamp }) => {
    const { name, labels } = seriesOf(series);
    const set = [...labels].map(([label, text]) => `${label}=${text}`).join();
    return `${name}{${set}} ${value}${timestamp === undefined ? '' : ` @${timestamp}`}`;
  });
  return shown.join(' | ');
}

const good: readonly [title: string, format: Format, text: string, want: string][] = [
  ['reads nothing out of nothing', 'text', '', ''],
  ['reads a bare sample', 'text', 'a 1\n', 'a{} 1'],
  ['reads only what is wanted', 'text', 'c 7\na 1\nc{x="y"} 8\n', 'a{} 1'],
  ['reads labels, with a comma at the end', 'text', 'a{x="1",y="2",} 3\n', 'a{x=1,y=2} 3'],
  ['reads escapes', 'text', 'a{x="q\\"b\\\\n\\n"} 1\n', 'a{x=q"b\\n\n} 1'],
  ['lets blanks stand between tokens in 0.0.4', 'text', ' a { x = "1" , y="2" } \t 3  4000 \n', 'a{x=1,y=2} 3 @4'],
  ['reads braces and commas inside a value', 'text', 'a{x="},{="} 1\n', 'a{x=},{=} 1'],
  ['reads a quoted name', 'text', '{"up time",x="1"} 1\n', 'up time{x=1} 1'],
  ['reads a quoted label', 'text', 'a{"x.y"="1"} 1\n', 'a{x.y=1} 1'],
  [
    'reads all spellings of numbers',
    'text',
    'a -1.5e3\na{x="1"} +Inf\na{x="2"} NaN\na{x="3"} .5\na{x="4"} 1e-2\n',
    'a{} -1500 | a{x=1} Infinity | a{x=2} NaN | a{x=3} 0.5 | a{x=4} 0.01',
  ],
  ['reads whole numbers beyond 2^53 as doubles do', 'text', 'a 9007199254740993\n', 'a{} 9007199254740992'],
  ['reads a stamp in milliseconds', 'text', 'a 1 1700000000123\n', 'a{} 1 @1700000000.123'],
  ['passes over comments and blank lines', 'text', '\n# anything "\n#\n# HELP\na 1\n', 'a{} 1'],
  ['does not read help texts', 'text', '# HELP a C:\\temp "\\x\na 1\n', 'a{} 1'],
  ['knows a TYPE with blanks', 'text', '#  TYPE\ta  counter \na 1\n', 'a{} 1'],
  ['reads OpenMetrics', 'openmetrics', '# TYPE b counter\n# HELP b Of b.\nb_total 3\n# EOF\n', 'b_total{} 3'],
  ['needs no line feed after # EOF', 'openmetrics', 'a 1\n# EOF', 'a{} 1'],
  ['reads a stamp in seconds', 'openmetrics', 'a 1 1.5\n# EOF\n', 'a{} 1 @1.5'],
  [
    'drops an exemplar and keeps the stamp before it',
    'openmetrics',
    'a 1 9.5 # {trace="x} # {"} 0.5 1.25\n# EOF\n',
    'a{} 1 @9.5',
  ],
  ['drops an exemplar without labels or stamp', 'openmetrics', 'a 1 # {} 0.5\n# EOF\n', 'a{} 1'],
  ['keeps a backslash before other characters', 'openmetrics', 'a{x="\\d"} 1\n# EOF\n', 'a{x=\\d} 1'],
  ['checks a unit', 'openmetrics', '# UNIT d_seconds seconds\na 1\n# EOF\n', 'a{} 1'],
];
for (const [title, format, text, want] of good) {
  test(`readSamples() ${title}`, () => assert.equal(word(read(text, format)), want));
}

const bad: readonly [title: string, format: Format, text: string, want: RegExp][] = [
  ['a text that breaks off in a line', 'text', 'a 1\na{x="1"} 2', /^line 2: .*breaks off/],
  ['carriage returns', 'text', 'a 1\r\n', /^line 1: .*number.*"1\\r"/],
  ['a value that is none', 'text', 'a one\n', /expected a number as value, found "one"/],
  ['a missing value', 'text', 'a\n', /expected a number/],
  ['hexadecimal', 'text', 'a 0x10\n', /number/],
  ['underscores', 'text', 'a 1_000\n', /number/],
  ['what overflows', 'text', 'a 1e999\n', /number/],
  ['a signed NaN', 'text', 'a +NaN\n', /number/],
  ['a broken line of a metric that nobody wants', 'text', 'a 1\nc{x="1} 2\n', /^line 2: expected a closing quote/],
  ['a missing comma', 'text', 'a{x="1" y="2"} 1\n', /expected "," or "}"/],
  ['two commas', 'text', 'a{x="1",,} 1\n', /expected a label name/],
  ['a comma alone', 'text', 'a{,} 1\n', /expected a label name/],
  ['an open set of labels', 'text', 'a{x="1" 1\n', /expected "," or "}"/],
  ['a label without a value', 'text', 'a{x} 1\n', /expected "=" after the label name, found "} 1"/],
  ['a bare value', 'text', 'a{x=1} 1\n', /expected a quoted value/],
  ['a label twice', 'text', 'a{x="1","x"="2"} 1\n', /label "x" stands twice/],
  ['a reserved label', 'text', 'a{__name__="b"} 1\n', /reserved/],
  ['an unknown escape in 0.0.4', 'text', 'a{x="\\d"} 1\n', /expected one of/],
  ['a name that starts with a digit', 'text', '1a 1\n', /expected a metric name, found "1a 1"/],
  ['braces without a name', 'text', '{x="1"} 1\n', /expected a metric name before or inside/],
  ['two names', 'text', 'a{"b"} 1\n', /the metric is named already/],
  ['a stamp with a fraction', 'text', 'a 1 1.5\n', /whole milliseconds/],
  ['a stamp beyond 64 bits', 'text', 'a 1 9223372036854775808\n', /whole milliseconds/],
  ['text after the stamp', 'text', 'a 1 1 x\n', /end of the line after the timestamp/],
  ['an unknown type', 'text', '# TYPE a sum\n', /expected a type/],
  ['a second TYPE', 'text', '# TYPE a gauge\n# TYPE a gauge\n', /^line 2: a second TYPE of a/],
  ['a TYPE after samples', 'text', 'a 1\n# TYPE a gauge\n', /after its first sample/],
  ['a missing # EOF', 'openmetrics', 'a 1\n', /^line 1: the text breaks off: no # EOF/],
  ['an empty OpenMetrics text', 'openmetrics', '', /no # EOF/],
  ['text after # EOF', 'openmetrics', '# EOF\na 1\n', /^line 2: text after # EOF/],
  ['a blank line in OpenMetrics', 'openmetrics', 'a 1\n\n# EOF\n', /^line 2: expected a metric name/],
  ['comments in OpenMetrics', 'openmetrics', '# hello\n# EOF\n', /expected # HELP/],
  ['two spaces in OpenMetrics', 'openmetrics', 'a  1\n# EOF\n', /number/],
  ['a blank before the braces in OpenMetrics', 'openmetrics', 'a {x="1"} 1\n# EOF\n', /number/],
  ['a stamp that is not finite', 'openmetrics', 'a 1 +Inf\n# EOF\n', /timestamp in seconds/],
  ['an exemplar with a name', 'openmetrics', 'a 1 # {"b"} 1\n# EOF\n', /exemplar: /],
  ['an exemplar without a value', 'openmetrics', 'a 1 # {x="1"}\n# EOF\n', /value after the exemplar/],
  ['an exemplar whose stamp is none', 'openmetrics', 'a 1 # {x="1"} 1 now\n# EOF\n', /exemplar's timestamp/],
  ['a unit that is no suffix', 'openmetrics', '# UNIT a seconds\n# EOF\n', /no suffix/],
  ['more labels than the limit', 'text', `a{${labels(LABELS_MAX + 1)}} 1\n`, /more than 64 labels/],
  ['a line over the limit', 'text', `a{x="${'y'.repeat(LINE_LENGTH_MAX)}"} 1\n`, /characters; the most is/],
];
for (const [title, format, text, want] of bad) {
  test(`readSamples() refuses ${title}`, () => assert.match(word(read(text, format)), want));
}

function labels(count: number): string {
  return Array.from({ length: count }, (_, i) => `l${i}="${i}"`).join();
}

test('readSamples() takes as much as its limits say, and no more', () => {
  assert.equal(read(`a{${labels(LABELS_MAX)}} 1\n`).kind, 'samples');
  assert.equal(read('\n'.repeat(LINES_MAX)).kind, 'samples');
  assert.match(word(read('\n'.repeat(LINES_MAX + 1))), /more than 500000 lines/);
  assert.match(word(read(' '.repeat(TEXT_LENGTH_MAX + 1))), /^line 0: /);
});

test('readSamples() says what a target names without showing it', () => {
  const declared = (text: string, format: Format) => {
    const exposition = read(text, format);
    return exposition.kind === 'samples' ? [...exposition.declared].sort() : exposition.reason;
  };
  assert.deepEqual(declared('# TYPE b_total counter\n# HELP a x\nc 1\n', 'text'), ['a', 'b_total']);
  assert.deepEqual(declared('# TYPE b counter\n# TYPE h histogram\n# EOF\n', 'openmetrics'), ['b_total', 'h_bucket']);
});

test('formatOf() knows both formats by their Content-Type', () => {
  assert.equal(formatOf('text/plain; version=0.0.4; charset=utf-8'), 'text');
  assert.equal(formatOf('Application/OpenMetrics-Text; version=1.0.0'), 'openmetrics');
  assert.equal(formatOf('text/html'), undefined);
});

const label = fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/);
const sample = fc.record({
  name: fc.oneof(fc.constantFrom('a', 'b_total', 'other'), fc.constant('up time')),
  labels: fc.dictionary(label, fc.string({ unit: 'grapheme', maxLength: 12 }), { maxKeys: 4 }),
  value: fc.oneof(fc.nat(), fc.double({ noDefaultInfinity: true })),
  stamp: fc.option(fc.nat({ max: 2_000_000_000 }), { nil: undefined }),
  exemplar: fc.boolean(),
});
type Drawn = typeof sample extends fc.Arbitrary<infer T> ? T : never;

const escaped = (text: string) => text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n');

function print({ name, labels, value, stamp, exemplar }: Drawn, format: Format): string {
  const set = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
  const series =
    name === 'up time' ? `{${[`"${name}"`, ...set].join()}}` : `${name}${set.length ? `{${set.join()}}` : ''}`;
  const end = format === 'openmetrics' && exemplar ? ' # {trace_id="# {\\"}"} 1 2' : '';
  const at = stamp === undefined ? '' : ` ${format === 'text' ? stamp * 1000 : stamp}`;
  return `${series} ${Object.is(value, -0) ? '-0' : value}${at}${end}\n`;
}

test('readSamples() reads back what was printed', () => {
  const property = (drawn: Drawn[], format: Format) => {
    const text = drawn.map((one) => print(one, format)).join('') + (format === 'openmetrics' ? '# EOF\n' : '');
    const exposition = read(text, format);
    assert(exposition.kind === 'samples', word(exposition));
    const back = exposition.samples.map(({ series, value, timestamp }) => ({ ...seriesOf(series), value, timestamp }));
    const want = drawn
      .filter(({ name }) => name !== 'other')
      .map(({ name, labels, value, stamp }) => ({
        name,
        labels: new Map(Object.entries(labels)),
        value,
        timestamp: stamp,
      }));
    assert.deepEqual(back, want);
  };
  fc.assert(fc.property(fc.array(sample, { maxLength: 20 }), fc.constantFrom<Format>('text', 'openmetrics'), property));
});

test('readSamples() never throws, and names a line that is there', () => {
  const token = fc.constantFrom(
    'a',
    ' ',
    '{',
    '}',
    '"',
    ',',
    '=',
    '\\',
    '\n',
    '#',
    '# TYPE ',
    '# EOF',
    '1',
    '.5',
    'NaN',
    'x="1"',
    '\t',
    '\0',
    '€',
  );
  const text = fc.oneof(
    fc.array(token, { maxLength: 60 }).map((parts) => parts.join('')),
    fc.string({ unit: 'binary' }),
  );
  fc.assert(
    fc.property(text, fc.constantFrom<Format>('text', 'openmetrics'), (text, format) => {
      const exposition = read(text, format);
      if (exposition.kind === 'fault') assert(exposition.line <= text.split('\n').length);
      else for (const { series } of exposition.samples) seriesOf(series);
    }),
    { numRuns: 3_000 },
  );
});

test('readSamples() refuses every text that was cut, unless the cut is between two lines of 0.0.4', () => {
  const lines = '# TYPE a counter\na{x="1"} 12\na{x="2"} 3 1700000000000\n';
  for (let length = 1; length < lines.length; length++) {
    const cut = lines.slice(0, length);
    assert.equal(read(cut).kind, cut.endsWith('\n') ? 'samples' : 'fault', cut);
  }
  const whole = '# TYPE b counter\nb_total{x="1"} 12 # {t="1"} 1\n# EOF';
  for (let length = 0; length < whole.length; length++) {
    assert.equal(read(whole.slice(0, length), 'openmetrics').kind, 'fault', whole.slice(0, length));
  }
});
