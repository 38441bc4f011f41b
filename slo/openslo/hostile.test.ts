/** Files that somebody made to hurt, and files that something broke: an answer with a place, never a throw or a wait. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import test from 'node:test';
import fc from 'fast-check';
import { decodeText, FILE_BYTES_MAX } from './decode.ts';
import { FILES_MAX, readObjectives } from './read.ts';
import { FINDINGS_MAX } from './report.ts';
import { DEPTH_MAX, DOCUMENTS_MAX, FILE_CHARS_MAX, LEXEMES_MAX } from './syntax.ts';

const OPTIONS = { strict: false, references: true };
const read = (text: string) => readObjectives([{ name: 'x.yaml', text }], OPTIONS);
const first = (text: string): string => {
  const [fault] = read(text).faults;
  return fault === undefined ? 'no fault' : `${fault.line}:${fault.column} ${fault.message}`;
};

/** Each level is ten times the one before: written out, 10^levels values. */
function bomb(levels: number): string {
  const level = (i: number): string =>
    `a${i}: &a${i} [${Array.from({ length: 10 }, () => (i === 0 ? 'x' : `*a${i - 1}`)).join(', ')}]\n`;
  return Array.from({ length: levels }, (_, i) => level(i)).join('');
}

const cases: readonly [title: string, text: string, want: RegExp][] = [
  ['an alias bomb', bomb(12), /^\d+:\d+ holds more than 1000000 values, its aliases written out/],
  ['an alias bomb in merge keys', `${bomb(12)}b: {<<: *a11}\n`, /holds more than 1000000 values/],
  ['an alias of what it stands in', 'a: &a\n  b: [1, *a]\n', /^2:10 is an alias of "a" inside of it/],
  ['brackets without end', '['.repeat(100_000), /^1:\d+ is nested deeper than 64 levels/],
  [
    'maps in maps',
    Array.from({ length: 2_000 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
    /is nested deeper than 64 levels/,
  ],
  ['lists in lists', '- '.repeat(5_000), /is nested deeper than 64 levels/],
  ['flow maps in flow maps', '{a: '.repeat(50_000), /is nested deeper than 64 levels/],
  ['a file that is too large', `a: "${'x'.repeat(FILE_CHARS_MAX)}"`, /^1:1 has \d+ characters, the most is 8388608/],
  [
    'too many words in one document',
    '- a\n'.repeat(LEXEMES_MAX / 4 + 1),
    /^\d+:\d+ has more than 1000000 words in one document/,
  ],
  [
    'a key that is called __proto__',
    'apiVersion: openslo/v1\nkind: Service\nmetadata: {name: a}\n__proto__: {a: 1}\n',
    /^4:1 has the key __proto__/,
  ],
  [
    'keys that are called constructor and toString',
    'apiVersion: openslo/v1\nkind: Service\nconstructor: 1\ntoString: 1\n',
    /metadata is missing/,
  ],
  ['many keys that are the same', 'a: 1\n'.repeat(20_000), /^2:1 has the key "a" a second time/],
  ['a text that is not closed', `a: "${'x\n'.repeat(1_000)}`, /is not YAML/],
  ['escapes that are none', `a: "${'\\q'.repeat(1_000_000)}"`, /^1:5 is not YAML: \\q is no escape/],
  ['a tag that runs something', 'apiVersion: !!js/function "x"\n', /has the apiVersion x|apiVersion/],
  ['a binary file', '\u0000\u0001\u0002ELF\u0000', /^1:1 /],
  ['a page of prose', 'Dear reader: this: is not\na file of objectives.\n'.repeat(50), /is not YAML/],
  ['too many documents', '---\n'.repeat(DOCUMENTS_MAX + 1), /^20001:1 has more than 20000 documents/],
  ['too many directives', '%a\n'.repeat(200), /^101:1 has more than 100 directives/],
  ['nothing but lines', '\n'.repeat(LEXEMES_MAX + 1), /has more than 1000000 words/],
  [
    'many merges of a large map',
    `a: &a {${Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join(',')}}\nb: {<<: [${'*a,'.repeat(20_000)}]}\n`,
    /holds more than 1000000 values/,
  ],
  ['many documents of no kind', '---\na: 1\n'.repeat(3_000), /has no apiVersion/],
];
for (const [title, text, want] of cases) {
  test(`readObjectives() names the place of ${title}`, () => assert.match(first(text), want));
}

test('both sides of the limit of depth', () => {
  const nested = (depth: number): string => `a: ${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}\n`;
  assert.doesNotMatch(first(nested(DEPTH_MAX)), /deeper/);
  assert.match(first(nested(DEPTH_MAX + 1)), /deeper/);
});

test('many distinct keys are read in a time that grows with them', () => {
  const keys = Array.from({ length: 100_000 }, (_, i) => `k${i}: 1`).join('\n');
  assert.match(first(`${keys}\n`), /has no apiVersion/);
});

test('findings have an end', () => {
  const { faults } = read('- 1\n'.repeat(FINDINGS_MAX + 500));
  assert.equal(faults.length, FINDINGS_MAX + 1);
  assert(faults.some(({ message }) => /the rest is not shown/.test(message)));
});

test('broken queries have an end', () => {
  const slo = (i: number): string =>
    `- {name: a${i}, objective: 99, sli: {raw: {error_ratio_query: '${'}{'.repeat(200)}'}}}`;
  const text = `version: prometheus/v1\nservice: a\nslos:\n${Array.from({ length: 300 }, (_, i) => slo(i)).join('\n')}\n`;
  const told = read(text).faults.map(({ message }) => message);
  assert.equal(told.filter((message) => /cannot be read as PromQL/.test(message)).length, 101);
  assert.equal(told.filter((message) => /is not read: 100 others/.test(message)).length, 199);
});

test('files have an end', () => {
  const files = Array.from({ length: FILES_MAX + 1 }, (_, i) => ({ name: `${i}.yaml`, text: '' }));
  assert.match(readObjectives(files, OPTIONS).faults[0]?.message ?? '', /the most is 2000/);
});

const bytes = (...parts: (string | number[])[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

const foreign: readonly [title: string, bytes: Uint8Array, want: string][] = [
  [
    'Latin-1',
    bytes('a: 1\nb: caf', [0xe9], ' x\n'),
    '2:7 has the byte 0xe9, which is not UTF-8 here: save it as UTF-8',
  ],
  [
    'a character that is cut at the end',
    bytes('a: é', [0xc3]),
    '1:5 has the byte 0xc3, which is not UTF-8 here: save it as UTF-8',
  ],
  [
    'a character that is cut in the middle',
    bytes('a: ', [0xe2, 0x82], 'x'),
    '1:4 has the byte 0xe2, which is not UTF-8 here: save it as UTF-8',
  ],
  ['UTF-16', bytes([0xff, 0xfe, 0x61, 0x00]), '1:1 is UTF-16: save it as UTF-8'],
];
for (const [title, given, want] of foreign) {
  test(`decodeText() says where a file is not UTF-8: ${title}`, () => {
    const decoded = decodeText('x.yaml', given);
    assert(decoded.kind === 'fault');
    assert.equal(`${decoded.fault.line}:${decoded.fault.column} ${decoded.fault.message}`, want);
  });
}

test('decodeText() takes UTF-8, with a mark at its start or without, up to its limit', () => {
  assert.deepEqual(decodeText('x', bytes([0xef, 0xbb, 0xbf], 'a: é')), { kind: 'text', text: 'a: é' });
  assert.equal(decodeText('x', new Uint8Array(FILE_BYTES_MAX)).kind, 'text');
  assert.equal(decodeText('x', new Uint8Array(FILE_BYTES_MAX + 1)).kind, 'fault');
});

const shipped = globSync('slo/objectives/*.yaml')
  .sort()
  .map((name) => readFileSync(name, 'utf8'));
/** Pieces that mean something to YAML, to OpenSLO or to PromQL. */
const PIECES = [
  '&a ',
  '*a',
  '<<: *a',
  '- ',
  ': ',
  '\n',
  '\t',
  '  ',
  '{',
  '}',
  '[',
  ']',
  '"',
  "'",
  '|',
  '>',
  '#',
  '!!',
  '%',
  '---\n',
  '? ',
  '~',
  'null',
  '.nan',
  '1e999',
  '-1',
  'true',
  '{{.window}}',
  'sum(',
  '(',
  '=~"("',
  'indicatorRef: x',
  'target: 98',
  '\u0000',
  '\u2028',
  '\ufeff',
  '\ud800',
];

type Edit = { readonly at: number; readonly cut: number; readonly put: string };
const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  cut: fc.integer({ min: 0, max: 40 }),
  put: fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 8 })),
});

function edited(text: string, edits: readonly Edit[]): string {
  return edits.reduce((now, { at, cut, put }) => {
    const start = Math.floor(at * now.length);
    return now.slice(0, start) + put + now.slice(start + cut);
  }, text);
}

test('readObjectives() answers whatever becomes of the shipped files, and every finding has a place in them', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...shipped),
      fc.array(edit, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      (text, edits, strict) => {
        const broken = edited(text, edits);
        const { objectives, faults, warnings } = readObjectives([{ name: 'x.yaml', text: broken }], {
          strict,
          references: false,
        });
        const count = broken.split('\n').length;
        for (const { line, column } of [...faults, ...warnings])
          assert(line >= 1 && line <= count + 1 && column >= 1, `${line}:${column}`);
        for (const { target, budget } of objectives)
          assert(target > 0 && budget > 0 && Math.abs(target + budget - 1) < 1e-9);
      },
    ),
    { numRuns: 600 },
  );
});
