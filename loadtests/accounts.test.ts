/** Each kind of difference is found by its ids, and nothing is found where nothing is wrong. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type Accounts, type Difference, differences, foundAfterAll, type Row } from './accounts.ts';
import { type Entry, makeBook } from './book.ts';
import type { DocumentRecord } from './k6/record.ts';

type End = 'completed' | 'rejected' | 'failed';
const ENDS: readonly End[] = ['completed', 'rejected', 'failed'];

/** A run in which all is well: what the sender told, and what the platform has. */
function run(ends: readonly End[]): Accounts {
  const book = makeBook();
  const rows: Row[] = ends.map((status, i) => {
    const [key, id, code] = [`run-${i}`, `id-${i}`, status === 'rejected' ? 'empty' : ''];
    const expected = status === 'rejected' ? 'rejected empty' : 'completed';
    const records: DocumentRecord[] = [
      { kind: 'sent', key, at: i, file: 'a.pdf', expected, phase: 'steady' },
      { kind: 'accepted', key, at: i, id, tries: 1 },
      { kind: 'ended', key, at: i, status, code, ms: 5 },
    ];
    for (const record of records) book.add(record);
    return { id, key, status, code, ms: 5 };
  });
  const count = (status: End) => ends.filter((one) => one === status).length;
  const counts = { completed: count('completed'), rejected: count('rejected'), failed: count('failed') };
  return {
    entries: [...book.entries.values()],
    rows,
    k6: {
      documents_sent: ends.length,
      documents_accepted: ends.length,
      documents_completed: counts.completed,
      documents_rejected: counts.rejected,
      documents_failed: counts.failed,
    },
    counters: counts,
    ledger: { good: counts.completed, bad: counts.failed },
    alone: true,
  };
}

const NO_ROOM = { outcome: 'refused', code: 'overloaded' } as const;
const some = fc.array(fc.constantFrom(...ENDS), { minLength: 2, maxLength: 40 });
const well = run(['completed', 'completed', 'rejected', 'failed']);
const kinds = (found: readonly Difference[]) => found.map(({ kind }) => kind);
const entry = (i: number, what: Partial<Entry>): Accounts => ({
  ...well,
  k6: undefined,
  entries: well.entries.map((one, j) => (j === i ? { ...one, ...what } : one)),
});
const row = (i: number, what: Partial<Row>): Accounts => ({
  ...well,
  rows: well.rows.map((one, j) => (j === i ? { ...one, ...what } : one)),
});

test('differences() finds none where all is well, whatever became of the documents', () => {
  fc.assert(fc.property(some, (ends) => assert.deepEqual(differences(run(ends)), [])));
});

test('differences() finds each document that the database has forgotten, first of all and by its id', () => {
  fc.assert(
    fc.property(some, fc.nat(), (ends, n) => {
      const accounts = run(ends);
      const at = n % ends.length;
      const [first] = differences({ ...accounts, rows: accounts.rows.filter((_, i) => i !== at) });
      assert.deepEqual([first?.kind, first?.ids], ['lost', [`id-${at}`]]);
    }),
  );
});

const WITHOUT_FIRST = {
  rows: well.rows.slice(1),
  counters: { completed: 1, rejected: 1, failed: 1 },
  ledger: { good: 1, bad: 1 },
};

const CASES: readonly [title: string, accounts: Accounts, kinds: readonly string[], ids: RegExp][] = [
  ['a document that the API denied', entry(0, { outcome: 'missing' }), ['lost'], /^id-0$/],
  [
    'two documents of one upload',
    { ...well, rows: [...well.rows, { ...well.rows[0], id: 'id-9' } as Row] },
    ['twice', 'stranger', 'counter', 'ledger'],
    /id-9/,
  ],
  [
    'a document that stands still, whose upload nobody answered',
    { ...entry(0, { outcome: 'unanswered', id: '' }), rows: row(0, { status: 'parsing', ms: undefined }).rows },
    ['unfinished', 'counter', 'ledger'],
    /^id-0$/,
  ],
  [
    'an upload that was turned away for what it is',
    { ...entry(0, { outcome: 'refused', id: '', code: 'unsupported_media_type' }), ...WITHOUT_FIRST },
    ['unexpected'],
    /^run-0: a.pdf refused unsupported_media_type, expected completed$/,
  ],
  ['a document whose upload was refused', entry(1, { ...NO_ROOM, id: '' }), ['stranger'], /^id-1$/],
  ['a document of another sender', row(1, { id: 'id-7', key: 'else' }), ['lost', 'stranger'], /^id-1 id-7$/],
  [
    'a document that stands still',
    row(0, { status: 'embedding', ms: undefined }),
    ['unfinished', 'disagree', 'counter', 'ledger'],
    /^id-0/,
  ],
  [
    'another end than the sender saw',
    row(0, { status: 'failed' }),
    ['disagree', 'counter', 'counter', 'ledger'],
    /^id-0: completed, failed$/,
  ],
  ['a document erased meanwhile', row(0, { status: 'erased', key: '' }), ['disagree', 'counter', 'ledger'], /erased/],
  ['another reason than the sender saw', row(2, { code: 'damaged' }), ['disagree'], /^id-2/],
  [
    'a rejection for the wrong reason',
    entry(2, { expected: 'rejected no_text' }),
    ['unexpected'],
    /id-2: a.pdf rejected empty, expected rejected no_text/,
  ],
  ['a bad document that was completed', entry(0, { expected: 'rejected empty' }), ['unexpected'], /id-0/],
  ['a line of k6 that was lost', { ...well, k6: { ...well.k6, documents_sent: 5 } }, ['k6'], /^$/],
  ['a counter that missed one', { ...well, counters: { completed: 1, rejected: 1, failed: 1 } }, ['counter'], /^$/],
  ['a ledger that missed one', { ...well, ledger: { good: 2, bad: 0 } }, ['ledger'], /^$/],
  ['a ledger that counted one twice', { ...well, ledger: { good: 3, bad: 1 } }, ['ledger'], /^$/],
];
for (const [title, accounts, expected, ids] of CASES) {
  test(`differences() finds ${title}`, () => {
    const found = differences(accounts);
    assert.deepEqual(kinds(found), expected);
    assert.match(found.flatMap((one) => one.ids).join(' '), ids);
  });
}

test('differences() lets others count where they send too, but never less than ours', () => {
  const others = { completed: 900, rejected: 1, failed: 1 };
  assert.deepEqual(differences({ ...well, alone: false, counters: others, ledger: { good: 900, bad: 1 } }), []);
  const less = { ...others, failed: 0 };
  assert.deepEqual(kinds(differences({ ...well, alone: false, counters: less })), ['counter']);
});

test('differences() takes an upload that nobody answered as it comes: taken or not', () => {
  const unanswered = entry(0, { outcome: 'unanswered', id: '' });
  assert.deepEqual(differences(unanswered), []);
  const { rows, counters, ledger } = run(['completed', 'rejected', 'failed']);
  const without = rows.map((one, i) => ({ ...one, id: `id-${i + 1}`, key: `run-${i + 1}` }));
  assert.deepEqual(differences({ ...unanswered, rows: without, counters, ledger }), []);
});

test('foundAfterAll() takes from the database what became of an upload that nobody answered', () => {
  const of = (outcome: Entry['outcome'], status: string) =>
    foundAfterAll({ ...entry(0, { outcome, id: '', ms: undefined }), rows: row(0, { status, ms: 7 }).rows })[0];
  const found = (outcome: Entry['outcome'], status: string) => {
    const { id, outcome: is, ms } = of(outcome, status) ?? {};
    return [id, is, ms];
  };
  assert.deepEqual(found('unanswered', 'completed'), ['id-0', 'completed', 7]);
  assert.deepEqual(found('sent', 'failed'), ['id-0', 'failed', 7]);
  assert.deepEqual(found('unanswered', 'parsing'), ['id-0', 'left', 7]);
  assert.deepEqual(found('refused', 'completed'), ['', 'refused', undefined]);
});

test('a book tells the ends apart that its sender did not see', () => {
  const book = makeBook();
  book.add({ kind: 'sent', key: 'a', at: 0, file: 'a.pdf', expected: 'completed', phase: 'steady' });
  book.add({ kind: 'accepted', key: 'a', at: 0, id: 'id-0', tries: 1 });
  book.add({ kind: 'left', key: 'a', at: 60_000, status: 'parsing' });
  book.settle('a', 'completed', '', 70_000);
  const settled = book.entries.get('a');
  assert.deepEqual([settled?.outcome, settled?.ms, settled?.seenBy], ['completed', 70_000, 'settlement']);
  // k6 counted no end, and told of none.
  const k6 = { documents_sent: 1, documents_accepted: 1 };
  const rows: Row[] = [{ id: 'id-0', key: 'a', status: 'completed', code: '', ms: 70_000 }];
  const accounts = {
    entries: [...book.entries.values()],
    rows,
    k6,
    counters: undefined,
    ledger: undefined,
    alone: true,
  };
  assert.deepEqual(differences(accounts), []);
});
