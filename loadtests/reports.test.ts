/** What people and programs read of a result. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { mebibytes, milliseconds } from '#kernel/units.ts';
import { type Entry, makeBook, readRecord } from './book.ts';
import { sampleDocuments } from './documents.ts';
import { junitOf } from './junit.ts';
import { failureOf } from './k6-run.ts';
import { readSummary } from './k6-summary.ts';
import { pageOf } from './page.ts';
import { promisesOf } from './promises.ts';
import type { Observed } from './resources.ts';
import { type Findings, type Result, resultOf } from './result.ts';
import { makePlan, phasesOf, plannedIn, type Scenario, USUAL } from './scenarios.ts';
import { headline, idsShown, share } from './words.ts';

const FOLDER = 'slo/objectives';
const promises = promisesOf(
  readdirSync(FOLDER).map((name) => ({ name, text: readFileSync(`${FOLDER}/${name}`, 'utf8') })),
);
const HOSTILE = '<script>alert("1")</script>&\u0001';

// Where not all phases are judged, each is asked for by itself.
const GOOD = Object.fromEntries(
  ['api_available', 'api_fast'].flatMap((name) =>
    [name, `${name}{phase:knee}`].map((one) => [one, { values: { passes: 100, fails: 0 } }]),
  ),
);
const AWAY = { key: 'away', outcome: 'refused', id: '' } as const;

/** Of an overload the knee. */
const rateOf = (scenario: Scenario): number => (scenario === 'overload' ? 1 : USUAL[scenario].rate);

function result(scenario: Scenario, entries: readonly Entry[], more: Partial<Findings> = {}): Result {
  const { duration } = USUAL[scenario];
  const rate = rateOf(scenario);
  const documents = sampleDocuments();
  return resultOf({
    plan: makePlan({ scenario, run: HOSTILE, rate, duration, promises, documents }),
    promises,
    target: `http://127.0.0.1:8080/${HOSTILE}`,
    begun: milliseconds(1_800_000_000_000),
    ended: milliseconds(1_800_000_060_000),
    accounts: {
      entries,
      rows: entries.flatMap(({ id, key, code, ms, outcome }) =>
        outcome === 'refused' || outcome === 'unanswered' ? [] : [{ id, key, status: 'completed', code, ms }],
      ),
      k6: undefined,
      counters: undefined,
      ledger: undefined,
      alone: false,
    },
    summary: readSummary(JSON.stringify({ metrics: GOOD })),
    exitCode: 0,
    endedEarly: undefined,
    notAsked: [],
    budgets: [{ id: 'one', before: 1, after: -0.5 }],
    leastKnee: undefined,
    observed: undefined,
    ...more,
  });
}

const entries = (n: number, phase = 'steady', what: Partial<Entry> = {}): Entry[] =>
  Array.from({ length: n }, (_, i) => ({
    ...{ key: `k${phase}${i}`, file: HOSTILE, expected: 'completed', phase, sentAt: i, id: `${phase}-${i}`, code: '' },
    ...{ outcome: 'completed', ms: 900, seenBy: 'sender' },
    ...what,
  }));

/** As many as are to be sent. */
const whole = (scenario: 'smoke' | 'soak' | 'stress'): Entry[] => {
  const [first] = phasesOf(scenario, rateOf(scenario), USUAL[scenario].duration);
  return first ? entries(plannedIn(first), first.name) : [];
};

/** Beside those. */
const beside = (n: number, what: Partial<Entry>): Entry[] =>
  entries(n, 'overload').map((entry, i) => ({
    ...entry,
    key: `beside-${i}`,
    id: `beside-${i}`,
    sentAt: 200_000,
    ...what,
  }));

/** One a second at the knee; then three, of which so many in a hundred seconds are done, and at last some turned away. */
function overloaded(done: number, refused = 1): Entry[] {
  const [warm, knee, filling, overload] = phasesOf('overload', 1, USUAL.overload.duration);
  if (!(warm && knee && filling && overload)) throw new Error('it has four phases');
  const before = [warm, knee].flatMap(({ name, from, to }) =>
    entries(Math.floor((to - from) / 1_000), name).map((entry, i) => ({
      ...entry,
      sentAt: from + i * 1_000,
      ms: milliseconds(500),
    })),
  );
  const after = entries(((overload.to - filling.from) * 3) / 1_000).map((entry, i) => {
    const sentAt = filling.from + (i * 1_000) / 3;
    const doneAt = filling.from + Math.floor((i * 100) / done) * 1_000;
    const phase = sentAt < filling.to ? filling.name : overload.name;
    return { ...entry, phase, sentAt, ms: milliseconds(Math.max(500, doneAt - sentAt)) };
  });
  return [...before, ...after, ...beside(refused, { key: 'away', outcome: 'refused', code: 'overloaded', id: '' })];
}

/** A tenth of a phase was not sent. */
const without = (all: readonly Entry[], phase: string): Entry[] =>
  all.filter((entry, i) => entry.phase !== phase || entry.outcome === 'refused' || i % 10 !== 0);

/** Of two hours; its name is hostile. */
function leaking(): Observed {
  const samples = Array.from({ length: 121 }, (_, minute) => {
    const use = { cpuSeconds: minute * 30, privateBytes: mebibytes(300 + 2 * minute), descriptors: 40, processes: 1 };
    return { at: milliseconds(minute * 60_000), uses: { [HOSTILE]: use } };
  });
  return { samples, before: { [HOSTILE]: 0 }, after: { [HOSTILE]: 1e6 } };
}

const TITLES: readonly [title: string, made: Result, verdict: string, says: RegExp][] = [
  ['a good one', result('smoke', whole('smoke')), 'kept', /every objective held/],
  ['one of which nothing came', result('smoke', []), 'broken', /nothing was counted/],
  ['one that k6 alone holds against it', result('smoke', whole('smoke'), { exitCode: 99 }), 'broken', /^k6: /],
  [
    'a knee below what is asked',
    result('stress', whole('stress'), { leastKnee: 5 }),
    'broken',
    /knee is at 1 .*, 5 are asked for/,
  ],
  ['a climb that was borne', result('stress', whole('stress')), 'kept', /the knee lies above 1 /],
  ['an overload that it bears', result('overload', overloaded(91)), 'kept', /every objective held/],
  [
    'an overload whose sender was slow while the queue filled',
    result('overload', without(overloaded(110), 'filling')),
    'kept',
    /every objective held/,
  ],
  [
    'an overload that was none',
    result('overload', without(overloaded(110), 'overload')),
    'broken',
    /^overload: \d+ documents of 1080 could be sent/,
  ],
  [
    'an overload that it breaks down under',
    result('overload', overloaded(80)),
    'broken',
    /fell to 8\d.* % of that at the knee/,
  ],
  [
    'an overload that is turned away in the wrong words',
    result('overload', [...overloaded(100), ...beside(3, { outcome: 'refused', code: 'rate_limited', id: '' })]),
    'broken',
    /3 uploads were refused as rate_limited/,
  ],
  [
    'an overload in which everything is taken',
    result('overload', overloaded(100, 0)),
    'broken',
    /^it turned nothing away/,
  ],
  [
    'an overload that turns away at first only',
    result('overload', [...overloaded(100, 0), ...beside(1, { phase: 'filling', ...AWAY, code: 'overloaded' })]),
    'broken',
    /^it turned nothing away/,
  ],
  [
    'an overload that lets them wait without end',
    result('overload', [...overloaded(100), ...beside(1, { ms: milliseconds(31 * 60_000) })]),
    'broken',
    /1 that were accepted took longer/,
  ],
  [
    'a soak whose worker leaks',
    result('soak', whole('soak'), { observed: leaking() }),
    'broken',
    /^<script>.*: its memory grew/,
  ],
  [
    'an overload that is answered by faults',
    result('overload', [...overloaded(100), ...beside(3, { outcome: 'unanswered', id: '' })]),
    'broken',
    /^3 uploads got no answer/,
  ],
  [
    'one in which a kind of document is turned away',
    result('smoke', [...whole('smoke'), ...entries(1, 'steady', { ...AWAY, code: 'unsupported_media_type' })]),
    'broken',
    /^1 ended otherwise than such a document must/,
  ],
  [
    'one in which many are turned away',
    result('smoke', [...whole('smoke'), ...entries(10, 'steady', { ...AWAY, code: 'overloaded' })]),
    'broken',
    /^10 of 250 uploads were not taken/,
  ],
  [
    'one that sent too little',
    result('smoke', whole('smoke').slice(100)),
    'broken',
    /^steady: 140 documents of 240 could/,
  ],
  [
    'one that is turned away without advice',
    result('smoke', whole('smoke'), {
      summary: { metrics: { ...GOOD, api_unadvised: { values: { count: 2 } } } },
    }),
    'broken',
    /^2 answers of 429 did not say when/,
  ],
  ['a climb that broke at once', result('stress', entries(30, 'step-01', { ms: 31_000 })), 'broken', /not even 1 /],
];
for (const [title, made, verdict, says] of TITLES) {
  test(`resultOf() judges ${title}`, () => {
    assert.equal(made.verdict, verdict, made.because.join());
    assert.match(headline(made), says);
  });

  test(`the page and JUnit of ${title} are whole, whatever names are in them`, () => {
    for (const text of [pageOf(made), junitOf(made)]) {
      assert.doesNotMatch(text, /<script|\u0001|&(?!lt;|gt;|amp;|quot;|apos;|#)/);
      assert.doesNotMatch(text, /NaN|undefined|Infinity/);
      balanced(text);
    }
    assert.doesNotMatch(pageOf(made), /(?:src|href)="(?!k6\.|documents\.|result\.)/);
    assert.equal(/failures="0"/.test(junitOf(made)), verdict === 'kept');
  });
}

/** Every element that is opened is closed, in order. */
function balanced(text: string): void {
  const open: string[] = [];
  for (const [, close, name = '', empty] of text.matchAll(/<(\/?)([a-zA-Z][\w]*)(?:\s[^<>]*?)?(\/?)>/g)) {
    if (empty === '/' || ['meta', 'br'].includes(name)) continue;
    if (close === '/') assert.equal(open.pop(), name, text.slice(0, 400));
    else open.push(name);
  }
  assert.deepEqual(open, []);
}

test('share() never says 100 % of what is not all', () => {
  assert.deepEqual(
    [share(999_999, 1_000_000), share(3, 3), share(0, 0), share(98, 100)],
    ['99.99 %', '100 %', '–', '98 %'],
  );
});

test('idsShown() says how many more there are', () => {
  assert.match(idsShown(Array.from({ length: 25 }, (_, i) => `id-${i}`)), /id-19 and 5 more$/);
});

test('failureOf() takes an interruption for a verdict only where it was ours', () => {
  assert.deepEqual(
    [failureOf(0, false), failureOf(99, false), failureOf(105, true)],
    [undefined, undefined, undefined],
  );
  assert.match(failureOf(105, false) ?? '', /stopped by somebody else/);
  assert.match(failureOf(107, false) ?? '', /the script threw/);
});

test('readRecord() leaves what k6 itself says, and refuses what it does not know', () => {
  assert.equal(readRecord('level=warning msg="insufficient VUs"'), undefined);
  assert.throws(() => readRecord('{"kind":"vanished","key":"a","at":1}'));
  const book = makeBook();
  const sent = readRecord('{"kind":"sent","key":"a","at":1,"file":"a","expected":"any","phase":"p"}');
  assert(sent !== undefined);
  book.add(sent);
  assert.equal(book.entries.get('a')?.outcome, 'sent');
});
