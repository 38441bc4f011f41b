import assert from 'node:assert/strict';
import test from 'node:test';
import { days, hours, ratio, type Seconds, seconds } from '#kernel/units.ts';
import type { PeriodReport, Report } from './report.ts';
import { endsText, reportCsv, reportMarkdown, wallClock } from './report-text.ts';

const FROM = seconds(Date.parse('2026-02-28T23:00:00Z') / 1000);
const TO = seconds(Date.parse('2026-03-31T22:00:00Z') / 1000);
const known = { value: 0.5, low: 0.5, high: 0.5, known: ratio(1) };
const month: PeriodReport = {
  from: FROM,
  to: TO,
  until: TO,
  good: 99_000,
  bad: 1_000,
  sli: 0.99,
  budget: known,
  spent: 0.5,
  episodes: [
    {
      start: seconds(FROM + days(9)),
      end: seconds(FROM + days(9) + hours(1)),
      goesOn: false,
      rule: 'page-fast',
      severity: 'critical',
      bad: 800,
      share: 0.4,
    },
  ],
  background: { bad: 200, share: 0.1 },
  corrections: [],
  uncorrected: null,
  ends: null,
};
const report = (one: PeriodReport, objective = 'documents-processed'): Report => ({
  objective,
  name: 'processed',
  service: 'documents',
  target: ratio(0.98),
  budget: ratio(0.02),
  window: { kind: 'calendar', count: 1, unit: 'month', start: '2026-01-01 00:00:00', timeZone: 'Europe/Berlin' },
  periods: [one],
});

test('reportMarkdown() is a document that reads as text too, by the wall clock of the place', () => {
  assert.equal(
    reportMarkdown(report(month)),
    `# documents-processed

Promised: 98 % good, so 2 % may fail. Times are of Europe/Berlin.

| period                   | attained |  good |  bad | budget spent | left | left, at least | at most | known |
| ------------------------ | -------: | ----: | ---: | -----------: | ---: | -------------: | ------: | ----: |
| 2026-03-01 to 2026-04-01 |     99 % | 99000 | 1000 |         50 % | 50 % |           50 % |    50 % | 100 % |

## 2026-03-01 to 2026-04-01

Kept: 99 % were good. 1000 failures spent 50 % of the budget; 50 % is left.

### What ate the budget

| from             | to               | lasted | rule                 |  bad | of the budget |
| ---------------- | ---------------- | ------ | -------------------- | ---: | ------------: |
| 2026-03-10 00:00 | 2026-03-10 01:00 | 60 min | page-fast (critical) |  800 |          40 % |
| background       |                  |        |                      |  200 |          10 % |
| all              |                  |        |                      | 1000 |          50 % |`,
  );
});

const SAYS: readonly [title: string, change: Partial<PeriodReport>, says: RegExp][] = [
  [
    'a broken promise',
    { good: 900, bad: 100, sli: 0.9, spent: 5 },
    /^\*\*Broken\*\*: 90 % were good\. 100 failures spent 500 %/m,
  ],
  [
    'what nobody saw',
    { budget: { value: 0.5, low: -1, high: 0.6, known: ratio(0.8) } },
    /^Kept: .* Of 20 % of the time nothing is known: between -100 % and 60 % may be left\.$/m,
  ],
  ['a period without events', { good: 0, bad: 0, sli: null }, /^Nothing happened: there was no event\.$/m],
  [
    'a period of which nothing is known',
    { sli: null, budget: { ...known, known: ratio(0) } },
    /^Nothing is known of it\.$/m,
  ],
  [
    'a period that runs',
    { until: seconds(TO - 86_400) },
    /^It runs until 2026-04-01 00:00; this is what was known at 2026-03-31 00:00\.$/m,
  ],
  ['an episode that went on', { episodes: month.episodes.map((one) => ({ ...one, goesOn: true })) }, /\| went on +\|/],
];
for (const [title, change, says] of SAYS) {
  test(`reportMarkdown() tells ${title}`, () => assert.match(reportMarkdown(report({ ...month, ...change })), says));
}

test('what people wrote breaks no table and is no markup', () => {
  const note = {
    id: 'a|b',
    author: '<script>',
    reason: 'two\nlines *and* more',
    enteredAt: FROM,
    how: { kind: 'all' },
  } as const;
  const text = reportMarkdown(report({ ...month, corrections: [{ ...note, spans: [{ from: FROM, to: TO }] }] }));
  assert(text.includes('| a\\|b | \\<script\\> | two lines \\*and\\* more |'), text);
});

test('endsText() tells when the budget ends, and how sure that is', () => {
  const when = (at: Seconds) => String(at);
  const [at, earliest, latest] = [seconds(20), seconds(10), seconds(30)];
  assert.match(
    endsText({ kind: 'at', at, earliest, latest }, when),
    /ends at 20 \(at the earliest 10, at the latest 30\)/,
  );
  assert.match(endsText({ kind: 'at', at, earliest, latest: undefined }, when), /at the latest never/);
  assert.match(endsText({ kind: 'never', earliest: undefined }, when), /the budget never ends\.$/);
  assert.match(endsText({ kind: 'never', earliest }, when), /never ends, or at the earliest at 10\.$/);
  assert.equal(endsText({ kind: 'spent' }, when), 'The budget is spent.');
});

test('reportCsv() has as many cells as names, quotes what needs it, and leaves out what is not there', () => {
  const [head = '', line = ''] = reportCsv([report(month, 'a,"b"')]).split('\n');
  assert(
    line.startsWith(
      '"a,""b""",2026-02-28T23:00:00Z,2026-03-31T22:00:00Z,2026-03-31T22:00:00Z,0.98,99000,1000,0.99,0.5,',
    ),
  );
  assert.equal(line.replace('"a,""b"""', 'a').split(',').length, head.split(',').length);
  assert(line.endsWith(',1,800,200,,,,,'));
});

test('wallClock() follows the clock’s changes', () => {
  const at = (text: string) => wallClock(seconds(Date.parse(text) / 1000), 'Europe/Berlin');
  assert.deepEqual(['2026-03-29T00:59:59Z', '2026-03-29T01:00:00Z'].map(at), ['2026-03-29 01:59', '2026-03-29 03:00']);
});
