import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { days, type Seconds, seconds } from '#kernel/units.ts';
import { readSamples } from '#slo/exposition/read-samples.ts';
import { DEFAULT_ALERTING, type Indicator, type Method, type Objective, type Query } from '#slo/objective.ts';
import { type Book, dismissTarget, enterScrape, enterValues, newBook, replan } from './book.ts';
import { isBlind } from './budget.ts';
import { restoreBook, writeBook } from './checkpoint.ts';
import { correct, countsBetween, evidenceCounts, unknownSeconds, windowCounts } from './ledger.ts';
import { planOf } from './plan.ts';

const START = seconds(1_700_000_000);
const at = (offset: number): Seconds => seconds(START + offset);
const STEP = seconds(15);

const query = (name: string, ...labels: (readonly [string, string])[]): Query => ({
  kind: 'selector',
  selector: { name, matchers: labels.map(([label, value]) => ({ label, op: '=', value })) },
  source: undefined,
});

function objective(id: string, indicator: Indicator, method: Method = { kind: 'occurrences' }): Objective {
  return {
    id,
    service: 'documents',
    name: id,
    displayName: id,
    description: '',
    target: 0.98 as Objective['target'],
    budget: 0.02 as Objective['budget'],
    window: { kind: 'rolling', period: days(28) },
    method,
    indicator,
    labels: {},
    annotations: {},
    alerting: DEFAULT_ALERTING,
    source: { file: 'test.yaml', line: 1, column: 1 },
  };
}

const DONE = objective('done', {
  kind: 'ratio',
  bad: query('done_total', ['outcome', 'failed']),
  total: query('done_total'),
});
const book = (...objectives: Objective[]): Book => newBook(planOf(objectives).plan, START, days(28));

/** Scrapes `text` from target `of`; undefined: nobody answered. */
function scrape(one: Book, offset: number, text: string | undefined, of = 'w1') {
  if (text === undefined) return;
  const exposition = readSamples(`${text}\n`, 'text', one.plan.wanted);
  return enterScrape(one, { target: of, at: at(offset), interval: STEP }, exposition);
}

function counts(one: Book, now: number, id = 'done'): readonly [number, number] {
  const ledger = one.accounts.get(id)?.ledger;
  assert(ledger);
  const { good, bad } = windowCounts(ledger, at(now), days(28));
  return [good, bad];
}

const done = (completed: number, failed?: number, more = ''): string =>
  `done_total{outcome="completed"} ${completed}${failed === undefined ? '' : `\ndone_total{outcome="failed"} ${failed}`}${more}`;
const started = (offset: number) => `\nprocess_start_time_seconds ${START + offset}`;

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
  const ledger = one.accounts.get('done')?.ledger;
  assert(ledger);
  assert.equal(countsBetween(ledger, at(0), at(645)).observed, 45);
  assert.equal(unknownSeconds(ledger, at(15), at(645), 'corrected'), 0);
  assert.equal(evidenceCounts(ledger, at(645), seconds(645)).good, 45, 'evidence has only what was watched');
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
  const ledger = one.accounts.get('done')?.ledger;
  assert(ledger);
  assert.equal(unknownSeconds(ledger, at(15), at(645), 'corrected'), 600);
  assert.deepEqual(counts(one, 645), [14, 0]);
});

test('a gap with another process after it stays unknown, although all counters rose', () => {
  const one = book(DONE);
  scrape(one, 15, done(50, 0, started(0)));
  scrape(one, 315, done(60, 0, started(100)));
  const ledger = one.accounts.get('done')?.ledger;
  assert(ledger);
  assert.equal(unknownSeconds(ledger, at(15), at(315), 'corrected'), 300);
  assert.deepEqual(counts(one, 315), [10, 0]);
});

test('a gap is bridged only when the counters of all that were away went through it', () => {
  for (const lost of ['w1', 'w2', 'none']) {
    const one = book(DONE);
    for (const worker of ['w1', 'w2']) scrape(one, 15, done(50), worker);
    for (const worker of ['w1', 'w2']) scrape(one, 615, done(worker === lost ? 1 : 60), worker);
    const ledger = one.accounts.get('done')?.ledger;
    assert(ledger);
    assert.equal(unknownSeconds(ledger, at(15), at(615), 'corrected'), lost === 'none' ? 0 : 600);
  }
});

test('time is watched while all targets of an objective are', () => {
  const one = book(DONE);
  for (let offset = 0; offset <= 600; offset += 15) {
    scrape(one, offset, done(offset), 'w1');
    if (offset <= 150 || offset >= 450) scrape(one, offset + 5, done(offset), 'w2');
  }
  const ledger = one.accounts.get('done')?.ledger;
  assert(ledger);
  assert.deepEqual(counts(one, 605), [1_200, 0]);
  assert.equal(countsBetween(ledger, at(0), at(600)).observed, 300);
  assert.equal(unknownSeconds(ledger, at(5), at(600), 'corrected'), 0);
});

test('a target that was dismissed holds nothing back', () => {
  const one = book(DONE);
  for (const offset of [15, 30]) for (const worker of ['w1', 'w2']) scrape(one, offset, done(offset), worker);
  dismissTarget(one, 'w2');
  for (const offset of [45, 60, 75, 90]) scrape(one, offset, done(offset));
  assert.equal(one.accounts.get('done')?.frontier, at(90));
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

/**
 * A world with one worker: events happen to its series, it restarts, it is scraped or not. What a ledger can know of it is
 * said event by event: an event counts at the first scrape that shows it, unless its process died before.
 */
type Turn = { readonly events: readonly number[]; readonly turn: 'scraped' | 'missed' | 'restarted' };
const turn: fc.Arbitrary<Turn> = fc.record({
  events: fc.array(fc.nat(5), { maxLength: 4 }),
  turn: fc.oneof(
    { weight: 6, arbitrary: fc.constant('scraped' as const) },
    { weight: 3, arbitrary: fc.constant('missed' as const) },
    { weight: 1, arbitrary: fc.constant('restarted' as const) },
  ),
});

test('every stream is counted to the event: resets, gaps, restarts, late series; with checkpoints at any moment', () => {
  const property = (turns: readonly Turn[], checkpoints: readonly number[]) => {
    let one = book(DONE);
    const shown: { t: number; bad: boolean }[] = [];
    let process = { created: 1, series: new Map<number, number>(), fresh: [] as number[] };
    let last: number | undefined;
    for (const [i, { events, turn }] of turns.entries()) {
      for (const series of events) {
        process.series.set(series, (process.series.get(series) ?? 0) + 1);
        process.fresh.push(series);
      }
      const offset = 15 * (i + 1);
      if (turn === 'restarted') process = { created: offset, series: new Map(), fresh: [] };
      if (turn === 'scraped') {
        const lines = [...process.series].flatMap(([series, value]) => {
          const set = `{outcome="${series < 2 ? 'failed' : 'completed'}",n="${series}"}`;
          return [`done_total${set} ${value}`, `done_created${set} ${START + process.created}`];
        });
        scrape(one, offset, ['# TYPE done_total counter', ...lines].join('\n'));
        const gap = last !== undefined && offset - last > 37.5;
        // The first scrape says only where counting begins.
        if (last !== undefined)
          for (const series of process.fresh) shown.push({ t: gap ? last + 0.001 : offset, bad: series < 2 });
        process.fresh = [];
        last = offset;
      }
      if (!checkpoints.includes(i)) continue;
      const restored = restoreBook(writeBook(one, at(offset)), one.plan, at(offset));
      assert(restored.kind === 'restored', restored.kind === 'refused' ? restored.reason : '');
      one = restored.value;
    }
    const now = 15 * turns.length;
    const ledger = one.accounts.get('done')?.ledger;
    assert(ledger);
    for (let length = 5; length <= now + 5; length += 5) {
      const inside = shown.filter(({ t }) => t > Math.floor((now - length) / 5) * 5);
      const { good, bad } = windowCounts(ledger, at(now), seconds(length));
      assert.deepEqual([good, bad], [inside.filter((e) => !e.bad).length, inside.filter((e) => e.bad).length]);
    }
  };
  const checkpoints = fc.array(fc.nat(60), { maxLength: 3 });
  fc.assert(fc.property(fc.array(turn, { minLength: 1, maxLength: 60 }), checkpoints, property), { numRuns: 300 });
});

test('a checkpoint gives back the same book, and goes on the same', () => {
  const one = book(
    DONE,
    objective(
      'age',
      { kind: 'threshold', query: query('age'), op: 'lt', limit: 120 },
      { kind: 'ratio-timeslices', slice: seconds(40) },
    ),
  );
  for (let i = 1; i < 40; i++) if (i % 7 > 1) scrape(one, 15 * i, `${done(i * i, i)}\nage ${i * 9}`);
  const account = one.accounts.get('done');
  assert(account);
  correct(account.ledger, {
    id: 'c',
    from: at(100),
    to: at(700),
    how: { kind: 'bad', share: (1 / 3) as Objective['target'] },
  });
  const restored = restoreBook(writeBook(one, at(600)), one.plan, at(600));
  assert(restored.kind === 'restored');
  const other = restored.value;
  for (let i = 40; i < 60; i++) for (const each of [one, other]) scrape(each, 15 * i, `${done(i * i, i)}\nage ${i}`);
  assert.deepEqual(other.accounts, one.accounts);
  assert.deepEqual(
    [...other.targets.values()].map(({ counters, at }) => [at, [...counters.keys()]]),
    [...one.targets.values()].map(({ counters, at }) => [at, [...counters.keys()]]),
  );
});

test('a checkpoint of a quiet month is small', () => {
  const one = book(DONE);
  for (let i = 1; i < 3_000; i++) scrape(one, 15 * i, done(7));
  assert(writeBook(one, at(45_000)).length < 2_000, `${writeBook(one, at(45_000)).length} bytes`);
});

test('a checkpoint that is damaged, cut, of another kind or version is refused with its reason', () => {
  const one = book(DONE);
  scrape(one, 15, done(1));
  const bytes = writeBook(one, at(15));
  const refusal = (damaged: Uint8Array) => {
    const restored = restoreBook(damaged, one.plan, at(15));
    return restored.kind === 'refused' ? restored.reason : 'restored';
  };
  assert.equal(refusal(bytes), 'restored');
  assert.match(refusal(new Uint8Array()), /no checkpoint/);
  assert.match(refusal(bytes.with(8, 9)), /version 9/);
  for (let i = 0; i < bytes.length; i++)
    assert.notEqual(refusal(bytes.with(i, (bytes[i] ?? 0) ^ 0x20)), 'restored', `byte ${i}`);
  for (let i = 0; i < bytes.length; i++) assert.notEqual(refusal(bytes.subarray(0, i)), 'restored', `cut at ${i}`);
});
