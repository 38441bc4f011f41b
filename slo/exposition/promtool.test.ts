/**
 * Our parser held against Prometheus' own: `promtool check metrics` for 0.0.4, `promtool tsdb create-blocks-from
 * openmetrics` for OpenMetrics (its samples need a stamp). Where the two differ on purpose, the row says why.
 *
 * Needs the program: TEST_TOOL_PROMTOOL names it.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { type Format, readSamples, wantedNames } from './read-samples.ts';

const promtool = process.env['TEST_TOOL_PROMTOOL'];

/** @field differs why promtool judges otherwise than we do. */
type Row = readonly [title: string, format: Format, text: string, ours: 'takes' | 'refuses', differs?: string];

const rows: readonly Row[] = [
  ['a bare sample', 'text', 'a 1\n', 'takes'],
  ['an empty text', 'text', '', 'takes'],
  ['blank lines and comments', 'text', '\n# hi\n\n#\na 1\n', 'takes'],
  ['metadata', 'text', '# HELP a Of a.\n# TYPE a gauge\na 1\n', 'takes'],
  ['HELP without a text', 'text', '# HELP a\na 1\n', 'takes'],
  ['TYPE without a type', 'text', '# TYPE a\na 1\n', 'takes'],
  [
    'a histogram',
    'text',
    '# TYPE h histogram\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3\nh_count 2\n',
    'takes',
  ],
  ['a summary', 'text', '# TYPE s summary\ns{quantile="0.5"} 1\ns_sum 3\ns_count 2\n', 'takes'],
  ['blanks between tokens', 'text', 'a { x = "1" , y="2" }  3  4000\n', 'takes'],
  ['a comma at the end', 'text', 'a{x="1",} 1\n', 'takes'],
  ['no blank after the braces', 'text', 'a{x="1"}1\n', 'takes'],
  ['escapes', 'text', 'a{x="\\\\ \\" \\n"} 1\n', 'takes'],
  ['infinities and NaN', 'text', 'a{x="1"} +Inf\na{x="2"} -inf\na{x="3"} nan\na{x="4"} Infinity\n', 'takes'],
  ['a quoted name', 'text', '{"a",x="1"} 1\n', 'takes'],
  ['a quoted name alone', 'text', '{"a"} 1\n', 'takes'],
  ['a quoted label', 'text', 'a{"x"="1"} 1\n', 'takes'],
  ['a negative stamp', 'text', 'a 1 -1\n', 'takes'],
  ['an unknown comment word', 'text', '# UNIT a seconds\na 1\n', 'takes'],
  ['no line feed at the end', 'text', 'a 1', 'refuses'],
  ['carriage returns', 'text', 'a 1\r\n', 'refuses'],
  ['no value', 'text', 'a\n', 'refuses'],
  ['a word as value', 'text', 'a one\n', 'refuses'],
  ['hexadecimal', 'text', 'a 0x1p3\n', 'refuses'],
  ['an underscore', 'text', 'a 1_0\n', 'refuses'],
  ['a stamp with a fraction', 'text', 'a 1 1.5\n', 'refuses'],
  ['a third number', 'text', 'a 1 1 1\n', 'refuses'],
  ['a name with a digit first', 'text', '1a 1\n', 'refuses'],
  ['a label with a dash', 'text', 'a{x-y="1"} 1\n', 'refuses'],
  ['no quotes', 'text', 'a{x=1} 1\n', 'refuses'],
  ['no equals sign', 'text', 'a{x"1"} 1\n', 'refuses'],
  ['no comma', 'text', 'a{x="1" y="2"} 1\n', 'refuses'],
  ['a comma alone', 'text', 'a{,} 1\n', 'refuses'],
  ['open braces', 'text', 'a{x="1" 1\n', 'refuses'],
  ['an open quote', 'text', 'a{x="1} 1\n', 'refuses'],
  ['an unknown escape', 'text', 'a{x="\\d"} 1\n', 'refuses'],
  ['a label twice', 'text', 'a{x="1",x="2"} 1\n', 'refuses'],
  ['a reserved label', 'text', 'a{__name__="b"} 1\n', 'refuses'],
  ['an unknown type', 'text', '# TYPE a sum\na 1\n', 'refuses'],
  ['a second TYPE', 'text', '# TYPE a gauge\n# TYPE a gauge\na 1\n', 'refuses'],
  ['a second HELP', 'text', '# HELP a b\n# HELP a b\na 1\n', 'refuses'],
  ['a TYPE after samples', 'text', 'a 1\n# TYPE a gauge\n', 'refuses'],
  [
    'a blank at the end',
    'text',
    'a 1 \n',
    'takes',
    'the format ignores blanks at the end of a line; the server does too',
  ],
  ['a blank after the stamp', 'text', 'a 1 1 \n', 'takes', 'the same'],
  [
    'a backslash in a help text',
    'text',
    '# HELP a C:\\temp\na 1\n',
    'takes',
    'nobody reads help texts here; the server takes it',
  ],
  [
    'a type in capitals',
    'text',
    '# TYPE a GAUGE\na 1\n',
    'refuses',
    'the server refuses it, and the format has lower case',
  ],
  ['OpenMetrics', 'openmetrics', '# TYPE b counter\nb_total 1 1\n# EOF\n', 'takes'],
  ['OpenMetrics without a line feed at its end', 'openmetrics', 'a 1 1\n# EOF', 'takes'],
  ['an exemplar', 'openmetrics', '# TYPE b counter\nb_total 1 1 # {t="1"} 1 1\n# EOF\n', 'takes'],
  ['a unit', 'openmetrics', '# TYPE a_seconds gauge\n# UNIT a_seconds seconds\na_seconds 1 1\n# EOF\n', 'takes'],
  // Here and not in 0.0.4: there promtool's linter of 3.5 knows no names in UTF-8, and the server does.
  ['a name in UTF-8', 'openmetrics', '{"a.b€",x="1"} 1 1\n# EOF\n', 'takes'],
  ['a label in UTF-8', 'openmetrics', 'a{"x.y"="1"} 1 1\n# EOF\n', 'takes'],
  ['two names', 'openmetrics', 'a{"b"} 1 1\n# EOF\n', 'refuses'],
  ['no # EOF', 'openmetrics', 'a 1 1\n', 'refuses'],
  ['text after # EOF', 'openmetrics', 'a 1 1\n# EOF\na 2 2\n', 'refuses'],
  ['a blank line', 'openmetrics', 'a 1 1\n\n# EOF\n', 'refuses'],
  ['a comment', 'openmetrics', '# hi\na 1 1\n# EOF\n', 'refuses'],
  ['two spaces', 'openmetrics', 'a  1 1\n# EOF\n', 'refuses'],
  ['a type of the other format', 'openmetrics', '# TYPE a untyped\na 1 1\n# EOF\n', 'refuses'],
  ['a unit that is no suffix', 'openmetrics', '# UNIT a seconds\na 1 1\n# EOF\n', 'refuses'],
  ['an infinite stamp', 'openmetrics', 'a 1 +Inf\n# EOF\n', 'refuses'],
  ['an exemplar without a value', 'openmetrics', 'a 1 1 # {t="1"}\n# EOF\n', 'refuses'],
];

for (const [title, format, text, ours, differs] of rows) {
  test(`${format} with ${title} is ${ours === 'takes' ? 'taken' : 'refused'} as we say it is`, () => {
    const { kind } = readSamples(text, format, wantedNames(['a']));
    assert.equal(kind, ours === 'takes' ? 'samples' : 'fault');
  });
  if (promtool === undefined) continue;
  test(`promtool ${differs ? 'judges otherwise' : 'says the same'} of ${format} with ${title}`, () => {
    const verdict = promtoolTakes(format, text) ? 'takes' : 'refuses';
    assert.equal(verdict === ours, differs === undefined, `${verdict}; ${differs ?? 'no difference is known'}`);
  });
}

test(
  'all of it is held against the real promtool',
  {
    skip: promtool === undefined && 'TEST_TOOL_PROMTOOL names no promtool (npm run tools brings it)',
  },
  () => undefined,
);

function promtoolTakes(format: Format, text: string): boolean {
  const options = { encoding: 'utf8', timeout: 30_000 } as const;
  if (format === 'text') {
    const { status, stderr } = spawnSync(promtool ?? '', ['check', 'metrics'], { ...options, input: text });
    // 3: it was read, and the linter would have other names.
    assert(status === 0 || status === 3 || /error while linting|panic/.test(stderr), stderr);
    return status === 0 || status === 3;
  }
  const folder = mkdtempSync(join(tmpdir(), 'burnline-openmetrics-'));
  try {
    writeFileSync(join(folder, 'text'), text);
    const args = ['tsdb', 'create-blocks-from', 'openmetrics', join(folder, 'text'), join(folder, 'blocks')];
    return spawnSync(promtool ?? '', args, options).status === 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
