import assert from 'node:assert/strict';
import test from 'node:test';
import { days, seconds } from '#kernel/units.ts';
import type { Method, Objective, Query } from '#slo/objective.ts';
import { at, book, counts, DONE, done, ledgerIn, objective, query, STEP, scrape, started } from '#test/kit/ledger.ts';
import { dismissTarget, enterCorrection, enterValues, newBook, replan, SPANS_PER_LEDGER_MAX } from './book.ts';
import { isBlind } from './budget.ts';
import { countsBetween, unknownSeconds, windowCounts, witnessed } from './ledger.ts';
import { planOf } from './plan.ts';

type Story = readonly (readonly [offset: number, text: string | undefined])[];
const stories: readonly [title: string, story: Story, want: readonly [good: number, bad: number]][] = [
  ['begins with the first values of a target', [[15, done(100, 7)]], [0, 0]],
  [
    'counts growth',
    [
      [15, done(100, 7)],
      [30, done(110, 8)],
    ],
    [10, 1],
  ],
  [
    'counts the first failures of a series that was not there',
    [
      [15, done(100)],
      [30, done(110, 5)],
    ],
    [10, 5],
  ],
  [
    'counts all of a value that fell',
    [
      [15, done(100, 7)],
      [30, done(4, 1)],
    ],
    [4, 1],
  ],
  [
    'knows a restart that is hidden by fast growth by its created timestamp',
    [
      [15, `${done(10, 0)}\ndone_created{outcome="completed"} 1000\ndone_created{outcome="failed"} 1000`],
      [30, `${done(12, 3)}\ndone_created{outcome="completed"} 2000\ndone_created{outcome="failed"} 2000`],
    ],
    [12, 3],
  ],
  [
    'goes on across a restart whose counters outlive the process',
    [
      [15, done(100, 7, started(0))],
      [30, done(101, 7, started(20))],
    ],
    [1, 0],
  ],
  ['counts a process that started after the ledger from 0', [[60, done(20, 2, started(50))]], [20, 2]],
  ['does not count what a process did before the ledger', [[60, done(20, 2, started(-50))]], [0, 0]],
  [
    'goes on with a series that was away',
    [
      [15, done(100, 7)],
      [30, done(110)],
      [45, done(120, 9)],
    ],
    [20, 2],
  ],
  [
    'keeps on after a missed scrape',
    [
      [15, done(100, 7)],
      [30, undefined],
      [45, done(120, 8)],
    ],
    [20, 1],
  ],
  [
    'counts growth across a gap',
    [
      [15, done(100, 7)],
      [600, done(120, 8)],
    ],
    [20, 1],
  ],
  [
    'passes over values that are none',
    [
      [15, done(100, 7)],
      [30, 'done_total{outcome="completed"} NaN'],
      [45, done(104, 7)],
    ],
    [4, 0],
  ],
  [
    'counts the first of a series that is given twice',
    [
      [15, done(1)],
      [30, `${done(3)}\n${done(9)}`],
    ],
    [2, 0],
  ],
];
for (const [title, story, want] of stories) {
  test(`enterScrape() ${title}`, () => {
    const one = book(DONE);
    for (const [offset, text] of story) scrape(one, offset, text);
    assert.deepEqual(counts(one, 1_000), want);
  });
}

test('what a new process counted before its first scrape is in the budget, and no evidence', () => {
  const one = book(DONE);
  scrape(one, 15, done(50_000, 900, started(5)));
  scrape(one, 30, done(50_001, 901, started(5)));
  const ledger = ledgerIn(one);
  assert.deepEqual(counts(one, 30), [50_001, 901]);
  assert.deepEqual(witnessed(ledger), { good: 1, bad: 1, observed: 15 });
  assert.equal(unknownSeconds(ledger, at(5), at(30), 'corrected'), 0);
});

test('a counter that says it began before the ledger is not counted from 0 by a new process', () => {
  const one = book(DONE);
  scrape(one, 15, `${done(50_000, undefined, started(5))}\ndone_created{outcome="completed"} 1000`);
  assert.deepEqual(counts(one, 30), [0, 0]);
});

test('bad is what is left of the total when good is given, and never negative', () => {
  const one = book(objective('done', { kind: 'ratio', good: query('ok_total'), total: query('all_total') }));
  const text = (ok: number, all: number) => `ok_total ${ok}\nall_total ${all}`;
  for (const [i, [ok, all]] of (
    [
      [0, 0],
      [6, 5],
      [10, 10],
      [10, 12],
    ] as const
  ).entries())
    scrape(one, 15 * (i + 1), text(ok, all));
  assert.deepEqual(counts(one, 100), [10, 2], 'one read too early is paid back');
});

test('a scrape that cannot be read is missing, and disturbs nothing', () => {
  const one = book(DONE);
  scrape(one, 15, done(100, 7));
  const entered = scrape(one, 30, 'done_total{outcome="completed} 9');
  assert.deepEqual(entered, { kind: 'missing', reason: 'line 1: expected a closing quote, found the end of the line' });
  scrape(one, 45, done(103, 7));
  assert.deepEqual(counts(one, 45), [3, 0]);
});

test('a scrape older than the last is stale', () => {
  const one = book(DONE);
  scrape(one, 30, done(1));
  assert.deepEqual(scrape(one, 15, done(0)), { kind: 'stale' });
});

test('a gap is no watched time, and after it the counters tell what happened', () => {
  const one = book(DONE);
  for (const offset of [0, 15, 30, 615, 630]) scrape(one, offset + 15, done(offset));
  const ledger = ledgerIn(one);
  assert.equal(countsBetween(ledger, at(0), at(645)).observed, 45);
  assert.equal(unknownSeconds(ledger, at(15), at(645), 'corrected'), 0);
  assert.equal(witnessed(ledger).good, 45, 'evidence has only what was watched');
  assert.equal(windowCounts(ledger, at(645), seconds(645)).good, 630);
});

test('a gap with a restart in it stays unknown', () => {
  const one = book(DONE);
  for (const [offset, value] of [
    [15, 50],
    [30, 60],
    [630, 3],
    [645, 4],
  ] as const)
    scrape(one, offset, done(value));
  const ledger = ledgerIn(one);
  assert.equal(unknownSeconds(ledger, at(15), at(645), 'corrected'), 600);
  assert.deepEqual(counts(one, 645), [14, 0]);
});

test('a gap with another process after it stays unknown, although all counters rose', () => {
  const one = book(DONE);
  scrape(one, 15, done(50, 0, started(0)));
  scrape(one, 315, done(60, 0, started(100)));
  const ledger = ledgerIn(one);
  assert.equal(unknownSeconds(ledger, at(15), at(315), 'corrected'), 300);
  assert.deepEqual(counts(one, 315), [10, 0]);
});

test('a gap is bridged only when the counters of all that were away went through it', () => {
  for (const lost of ['w1', 'w2', 'none']) {
    const one = book(DONE);
    for (const worker of ['w1', 'w2']) scrape(one, 15, done(50), worker);
    for (const worker of ['w1', 'w2']) scrape(one, 615, done(worker === lost ? 1 : 60), worker);
    const ledger = ledgerIn(one);
    assert.equal(unknownSeconds(ledger, at(15), at(615), 'corrected'), lost === 'none' ? 0 : 600);
  }
});

test('time is watched while all targets of an objective are', () => {
  const one = book(DONE);
  for (let offset = 0; offset <= 600; offset += 15) {
    scrape(one, offset, done(offset), 'w1');
    if (offset <= 150 || offset >= 450) scrape(one, offset + 5, done(offset), 'w2');
  }
  const ledger = ledgerIn(one);
  assert.deepEqual(counts(one, 605), [1_200, 0]);
  assert.equal(countsBetween(ledger, at(0), at(600)).observed, 300);
  assert.equal(unknownSeconds(ledger, at(5), at(600), 'corrected'), 0);
});

test('a target that was dismissed holds nothing back', () => {
  const one = book(DONE);
  for (const offset of [15, 30]) for (const worker of ['w1', 'w2']) scrape(one, offset, done(offset), worker);
  dismissTarget(one, 'w2', at(31));
  for (const offset of [45, 60, 75, 90]) scrape(one, offset, done(offset));
  assert.equal(one.accounts.get('done')?.frontier, at(90));
});

test('a target that comes back is not counted from 0 again', () => {
  const one = book(DONE);
  scrape(one, 60, done(20, 2, started(50)));
  dismissTarget(one, 'w1', at(70));
  scrape(one, 300, done(25, 2, started(50)));
  assert.deepEqual(counts(one, 300), [25, 2]);
  dismissTarget(one, 'w1', at(310));
  dismissTarget(one, 'w2', at(100_000));
  assert.equal(one.targets.size, 0, 'forgotten after a day');
  scrape(one, 100_060, done(30, 2, started(50)));
  assert.deepEqual(counts(one, 100_060), [25, 2]);
});

test('a ledger is as long as its objective asks, and one that no ledger can be is told', () => {
  const calendar = (unit: 'quarter' | 'year', count: number) =>
    ({ kind: 'calendar', count, unit, start: '2026-01-01 00:00:00', timeZone: 'UTC' }) as const;
  const { plan, unplanned } = planOf([
    { ...DONE, window: calendar('quarter', 1) },
    { ...DONE, id: 'long', window: calendar('year', 2) },
  ]);
  assert.match(unplanned[0]?.reason ?? '', /longer than the 400 days/);
  const coarsest = ledgerIn(newBook(plan, at(0), days(28))).counted.levels.at(-1);
  assert((coarsest?.size ?? 0) * (coarsest?.width ?? 0) >= days(92));
});

test('no data is told after two missed scrapes, and a metric that is not there is no data', () => {
  assert(!isBlind(at(0), STEP, at(30)) && isBlind(at(0), STEP, at(45)) && isBlind(undefined, STEP, at(0)));
  const one = book(DONE);
  scrape(one, 15, 'other 1');
  assert.equal(one.accounts.get('done')?.frontier, undefined);
  scrape(one, 30, '# TYPE done_total counter');
  assert.equal(one.accounts.get('done')?.frontier, at(30), 'named, without a series: idle');
  scrape(one, 45, 'done_total{outcome="completed"} 1');
  assert.deepEqual(counts(one, 45), [1, 0]);
  scrape(one, 60, 'other 1');
  assert.equal(one.accounts.get('done')?.frontier, at(45));
});

test('a label that is misspelt is no data, and not health', () => {
  const one = book(
    objective('done', {
      kind: 'ratio',
      bad: query('done_total', ['outcome', 'failed']),
      total: query('done_total', ['tenant', 'x']),
    }),
  );
  for (const offset of [15, 30]) scrape(one, offset, `# TYPE done_total counter\n${done(offset)}`);
  assert.equal(one.accounts.get('done')?.frontier, undefined);
});

test('a threshold makes an event of each scrape, bad when one of its series does not hold', () => {
  const one = book(objective('age', { kind: 'threshold', query: query('age'), op: 'lt', limit: 120 }));
  const texts = ['age{q="a"} 5\nage{q="b"} 119', 'age{q="a"} 5\nage{q="b"} 120', 'age -1', 'age NaN', 'other 1'];
  for (const [i, text] of texts.entries()) scrape(one, 15 * (i + 1), text);
  assert.deepEqual(counts(one, 100, 'age'), [2, 1]);
  assert.equal(one.accounts.get('age')?.frontier, at(45), 'no value, nothing seen');
});

test('a time slice is judged when it is over, and the share of its good events decides', () => {
  const method: Method = { kind: 'timeslices', slice: seconds(60), sliceTarget: 0.9 as Objective['target'] };
  const one = book({ ...DONE, method });
  let [completed, failed] = [0, 0];
  for (let offset = -20; offset < 300; offset += 15) {
    scrape(one, offset, done(completed, failed));
    if (offset >= 60 && offset < 120) failed += 5;
    if (offset < 200) completed += 10;
  }
  // START is a multiple of 20 and not of 60: slices begin at -20, 40, 100, 160 and 220.
  assert.deepEqual(counts(one, 300), [3, 2]);
});

test('a ratio slice weighs the same whatever its traffic', () => {
  const one = book({ ...DONE, method: { kind: 'ratio-timeslices', slice: seconds(20) } });
  scrape(one, 0, done(0, 0));
  scrape(one, 20, done(1, 1));
  scrape(one, 40, done(301, 101));
  scrape(one, 60, done(301, 101));
  assert.deepEqual(counts(one, 60), [0.5 + 0.75 + 1, 0.5 + 0.25]);
});

test('sums of a PromQL server count growth, and a fall is no growth', () => {
  const one = book(DONE);
  const values = (n: number) => [{ series: 'done_total', name: 'done_total', value: n }];
  for (const [i, n] of [100, 110, 60, 75].entries()) {
    const visit = { target: 'prometheus', at: at(15 * i), interval: STEP, summed: true };
    enterValues(one, visit, values(n), new Set(['done_total']));
  }
  assert.deepEqual(counts(one, 60), [25, 0]);
});

test('a changed query keeps the history, and a new one does not count the past', () => {
  const one = book(DONE);
  const text = (n: number) => `${done(n, 0)}\nother_total ${10 * n}`;
  scrape(one, 15, text(10));
  scrape(one, 30, text(20));
  const other = {
    ...DONE,
    indicator: { kind: 'ratio', bad: query('nothing_total'), total: query('other_total') } as const,
  };
  replan(one, planOf([other]).plan, at(31));
  scrape(one, 45, text(30));
  scrape(one, 60, text(40));
  assert.deepEqual(counts(one, 60), [10 + 100, 0]);
});

test('planOf() tells which objectives cannot be counted from samples, and why', () => {
  const promql: Query = { kind: 'promql', text: 'sum(x)', source: undefined };
  const { plan, unplanned } = planOf([DONE, objective('p', { kind: 'ratio', good: promql, total: query('x') })]);
  assert.deepEqual(plan.objectives, [DONE]);
  assert.match(unplanned[0]?.reason ?? '', /only a PromQL server/);
});

test('planOf() counts a composite by its parts, and a part of two of them once', () => {
  const whole = objective('whole', { kind: 'composite', parts: [{ weight: 1, objective: DONE }] });
  const { plan, unplanned } = planOf([whole, DONE, whole]);
  assert.deepEqual([plan.objectives, unplanned], [[DONE], []]);
});

const CORRECTION = {
  id: 'c1',
  author: 'owner',
  reason: 'the vendor was down',
  enteredAt: at(60),
  spans: [{ from: at(15), to: at(30) }],
  of: { kind: 'labels', labels: { service: 'documents', tier: 'gold' } },
  how: { kind: 'events', bad: 3 },
} as const;

test('a correction concerns the objectives that it names or that carry its labels', () => {
  const gold = { ...DONE, id: 'gold', labels: { tier: 'gold' } };
  const one = book(DONE, gold);
  for (const [offset, failed] of [
    [15, 0],
    [30, 5],
    [45, 5],
  ] as const)
    scrape(one, offset, done(offset, failed));
  assert.deepEqual(enterCorrection(one, CORRECTION), ['gold']);
  assert.deepEqual(counts(one, 60, 'gold'), [30, 2]);
  assert.deepEqual(counts(one, 60), [30, 5]);
  assert.deepEqual(enterCorrection(one, { ...CORRECTION, of: { kind: 'ids', ids: ['done', 'other'] } }), ['done']);
  assert.deepEqual(
    enterCorrection(one, { ...CORRECTION, of: { kind: 'labels', labels: {} } }),
    [],
    'no label is not all',
  );
  const many = {
    ...CORRECTION,
    spans: Array.from({ length: SPANS_PER_LEDGER_MAX }, () => ({ from: at(0), to: at(1) })),
  };
  assert.equal(enterCorrection(one, many), undefined);
});
