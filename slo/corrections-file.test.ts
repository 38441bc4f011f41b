import assert from 'node:assert/strict';
import test from 'node:test';
import { hours, seconds } from '#kernel/units.ts';
import { CORRECTIONS_MAX, momentOf, readCorrections } from './corrections-file.ts';

const KNOWN = new Set(['documents-processed']);
const GOOD = `corrections:
  - id: upgrade
    author: platform team
    reason: agreed maintenance
    enteredAt: 2026-02-20T10:00:00Z
    objectives: [documents-processed]
    from: 2026-03-01T01:00:00Z
    to: 2026-03-01T03:00:00Z
`;
const REPEAT = GOOD.replace(
  / {4}from: .*\n {4}to: .*\n/,
  '    repeat: {start: 2026-03-22T02:30, timeZone: Europe/Berlin, lasts: 2h, every: 1w, until: 2026-04-06T00:00:00Z}\n',
);
const read = (text: string) => readCorrections('c.yaml', text, KNOWN);
const at = (text: string) => seconds(Date.parse(text) / 1000);

test('readCorrections() reads a span with who entered it, when and why', () => {
  assert.deepEqual(read(GOOD), {
    corrections: [
      {
        id: 'upgrade',
        author: 'platform team',
        reason: 'agreed maintenance',
        enteredAt: at('2026-02-20T10:00:00Z'),
        spans: [{ from: at('2026-03-01T01:00:00Z'), to: at('2026-03-01T03:00:00Z') }],
        of: { kind: 'ids', ids: ['documents-processed'] },
        how: { kind: 'all' },
      },
    ],
    faults: [],
    warnings: [],
  });
});

test('readCorrections() reads a recurrence by the wall clock: the one that the clock jumps over begins an hour later', () => {
  const { corrections, faults } = read(REPEAT);
  assert.deepEqual(faults, []);
  const spans = ['2026-03-22T01:30:00Z', '2026-03-29T01:30:00Z', '2026-04-05T00:30:00Z'].map(at);
  assert.deepEqual(
    corrections[0]?.spans,
    spans.map((from) => ({ from, to: seconds(from + hours(2)) })),
  );
});

test('readCorrections() reads what is taken out, and whose', () => {
  const share = read(`${GOOD}    badShare: 0.5\n`).corrections[0];
  assert.deepEqual(share?.how, { kind: 'bad', share: 0.5 });
  assert.deepEqual(read(`${GOOD}    badEvents: 120\n`).corrections[0]?.how, { kind: 'events', bad: 120 });
  const labels = read(GOOD.replace(/objectives: .*/, 'labels: {service: documents}')).corrections[0];
  assert.deepEqual(labels?.of, { kind: 'labels', labels: { service: 'documents' } });
});

test('readCorrections() warns of an objective that nobody knows, since nothing would be corrected', () => {
  const { warnings, faults } = read(GOOD.replace('[documents-processed]', '[documents-procesed]'));
  assert.deepEqual(faults, []);
  assert.deepEqual(
    warnings.map(({ line, column }) => [line, column]),
    [[6, 18]],
  );
  assert.match(warnings[0]?.message ?? '', /"documents-procesed" is none of the objectives/);
});

const FAULTS: readonly [title: string, text: string, place: string, says: RegExp][] = [
  ['an empty file', '', '1:1', /is empty/],
  ['a list at the top', '- id: a\n', '1:1', /is a list: expected a map/],
  ['no YAML', 'corrections: [\n', '2:1', /./],
  ['no author', GOOD.replace(/ {4}author: .*\n/, ''), '2:5', /author is missing: expected text/],
  ['an unknown key', `${GOOD}    becuase: x\n`, '9:5', /becuase is unknown/],
  [
    'a day for a moment',
    GOOD.replace('2026-03-01T01:00:00Z', '2026-03-01'),
    '7:11',
    /from is the text "2026-03-01": expected a moment/,
  ],
  ['a moment without offset', GOOD.replace('10:00:00Z', '10:00:00'), '5:16', /enteredAt is .*with its offset/],
  ['an end before its beginning', GOOD.replace('T03', 'T00'), '8:9', /which is not after from/],
  ['no span', GOOD.replace(/ {4}to: .*\n/, ''), '2:5', /has no span: expected from and to, or repeat/],
  ['a span and a recurrence', `${REPEAT}    from: 2026-03-01T01:00:00Z\n`, '7:13', /repeat stands beside from or to/],
  ['a zone that is not there', REPEAT.replace('Europe/Berlin', 'Europe/Bern'), '7:13', /Europe\/Bern/],
  ['a recurrence by the hour', REPEAT.replace('1w', '1h'), '7:82', /expected days, weeks or months/],
  ['windows that overlap', REPEAT.replace('2h', '8d'), '7:13', /lasts until after the next begins/],
  [
    'neither objectives nor labels',
    GOOD.replace(/ {4}objectives: .*\n/, ''),
    '2:5',
    /needs either objectives .* or labels/,
  ],
  ['empty labels', GOOD.replace(/objectives: .*/, 'labels: {}'), '6:13', /labels are empty/],
  ['a share above one', `${GOOD}    badShare: 50\n`, '9:15', /badShare is the number 50/],
  ['a share and a number', `${GOOD}    badShare: 0.5\n    badEvents: 3\n`, '10:16', /beside badShare/],
  ['an id twice', GOOD + GOOD.replace('corrections:\n', ''), '9:9', /the id upgrade a second time/],
  ['too many', `corrections:\n${'  - a\n'.repeat(CORRECTIONS_MAX + 1)}`, '2:3', /the most is 1000/],
];
for (const [title, text, place, says] of FAULTS) {
  test(`readCorrections() gives the place of ${title}`, () => {
    const { faults } = read(text);
    const [first] = faults;
    assert(first, 'no fault');
    assert.equal(`${first.line}:${first.column}`, place, first.message);
    assert.match(first.message, says);
  });
}

test('momentOf() takes moments alone', () => {
  assert.equal(momentOf('2026-03-01T02:00+01:00'), at('2026-03-01T01:00:00Z'));
  for (const text of ['2026-03-01T02:00', '2026-03-01', 'now', '', '1700000000', '1960-01-01T00:00:00Z']) {
    assert.equal(momentOf(text), undefined, text);
  }
});
