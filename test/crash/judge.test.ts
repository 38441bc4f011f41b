/** That the verdict sees what it is there to see: good facts pass, and each way to lose something breaks a rule. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { makeDocument, PLACEHOLDER } from './documents.ts';
import type { Chunk, Facts, Stored, StoredCall, StoredDocument, StoredMove } from './evidence.ts';
import { judge } from './judge.ts';
import type { Sent } from './uploads.ts';

const WAY = ['queued', 'parsing', 'chunking', 'embedding', 'storing', 'completed'];
const note = makeDocument('note', 7);
const EXPECTED: Chunk[] = [{ ordinal: 0, text: `Note ${PLACEHOLDER}`, page: 1, heading: '' }];
const CHUNKS: Chunk[] = [{ ordinal: 0, text: `Note ${note.marker}`, page: 1, heading: '' }];

const sent: Sent = {
  ...note,
  key: 'k',
  webhook: true,
  id: 'a',
  otherId: undefined,
  cut: 1,
  refusals: [],
  at: 0,
  acceptedAt: 0,
};
const document: StoredDocument = {
  id: 'a',
  sha256: note.sha256,
  status: 'completed',
  chunks: 1,
  costUsd: 0.03,
  webhook: true,
  errorCode: null,
  seconds: 1,
};
const call = (step: string, outcome = 'completed', wasted = false): StoredCall => {
  return { documentId: 'a', canary: false, step, outcome, wasted, costUsd: 0.01 };
};
const move = (from: string | null, to: string, i: number, because = ''): StoredMove => {
  return { documentId: 'a', seq: i + 1, from, to, because };
};
const way = WAY.map((to, i) => move(WAY[i - 1] ?? null, to, i));
const counter = (name: string, labels: object) => ({ name, labels: JSON.stringify(labels), value: 1 });
const stored: Stored = {
  documents: [document],
  canaries: 1,
  // Killed once while its embeddings were asked for.
  calls: [call('parse'), call('embed', 'interrupted', true), call('embed')],
  moves: [...way.slice(0, 4), move('embedding', 'embedding', 4, 'taken over by worker w2'), ...way.slice(4)].map(
    (one, i) => ({ ...one, seq: i + 1 }),
  ),
  finishedJobs: [
    { documentId: 'a', queue: 'store', interruptions: 0 },
    { documentId: 'a', queue: 'webhook', interruptions: 0 },
  ],
  leftJobs: [],
  counters: [
    counter('documents_finished_total', { outcome: 'completed' }),
    ...['parse', 'chunk', 'embed', 'store'].map((step) =>
      counter('document_step_attempts_total', { step, outcome: 'completed' }),
    ),
  ],
  chunkCounts: [{ documentId: 'a', rows: 1, least: 0, most: 0 }],
  leftovers: [],
};
const good: Facts = {
  sent: [sent],
  seen: [{ id: 'a', sha256: note.sha256, status: 'completed', chunks: 1, costUsd: 0.03, error: null }],
  chunks: new Map([['a', CHUNKS]]),
  expected: new Map([['note', EXPECTED]]),
  told: new Map([['a', 1]]),
  stored,
  vendors: { uploads: { [note.sha256]: 1 }, embeds: 2 },
  exported: { completed: 1 },
  faults: false,
};

test('judge() finds nothing against a document that was interrupted once and is whole', () => {
  assert.deepEqual(judge(good), []);
});

const and = (more: Partial<Stored>): Facts => ({ ...good, stored: { ...stored, ...more } });
const CASES: readonly [title: string, facts: Facts, rule: RegExp][] = [
  ['a document that is gone', and({ documents: [] }), /answered 202 is there/],
  ['one that the API does not show', { ...good, seen: [] }, /seen through the API/],
  ['an upload that was never accepted', { ...good, sent: [sent, { ...sent, id: undefined }] }, /accepted in the end/],
  ['one upload as two documents', and({ documents: [document, { ...document, id: 'b' }] }), /is one document/],
  ['two ids for one upload', { ...good, sent: [{ ...sent, otherId: 'b' }] }, /with one id/],
  [
    'a fault of the server',
    { ...good, sent: [{ ...sent, refusals: [{ status: 500, code: 'x' }] }] },
    /upload is taken/,
  ],
  ['a stuck document', and({ documents: [{ ...document, status: 'embedding' }] }), /no document is stuck/],
  ['a failure nobody caused', and({ documents: [{ ...document, status: 'failed' }] }), /changes no outcome/],
  ['an end counted twice', { ...good, exported: { completed: 2 } }, /count the same ends/],
  ['a step not counted', and({ counters: stored.counters.slice(0, 4) }), /step is counted once/],
  ["another document's text", { ...good, chunks: new Map([['a', EXPECTED]]) }, /those of an undisturbed run/],
  ['a missing chunk', and({ chunkCounts: [{ documentId: 'a', rows: 1, least: 1, most: 1 }] }), /none is missing/],
  [
    'a job done twice',
    and({ finishedJobs: [...stored.finishedJobs, ...stored.finishedJobs] }),
    /finished exactly once/,
  ],
  ['a job nobody does', and({ leftJobs: [{ documentId: 'a', queue: 'store', owner: null }] }), /no job is left over/],
  ['a step left out', and({ moves: [...way.slice(0, 3), ...way.slice(4)] }), /each way is legal/],
  ['a document the reaper had to find', and({ moves: way.map((m) => ({ ...m, because: 'reaper' })) }), /without a job/],
  ['an end nobody was told of', { ...good, told: new Map() }, /a webhook is sent/],
  ['an end told twice for no reason', { ...good, told: new Map([['a', 2]]) }, /a webhook is sent/],
  ['bytes left behind', and({ leftovers: [{ documentId: 'a', what: 'contents' }] }), /leaves no drafts/],
  [
    'an upload that is not in the ledger',
    { ...good, vendors: { ...good.vendors, uploads: { [note.sha256]: 2 } } },
    /in the ledger/,
  ],
  [
    'a request that is not in the ledger',
    { ...good, vendors: { ...good.vendors, embeds: 3 } },
    /embeddings is in the ledger/,
  ],
  ['two calls for one kill', and({ calls: [...stored.calls, call('embed', 'interrupted', true)] }), /at most one call/],
  ['a call nobody closed', and({ calls: [...stored.calls, call('embed', 'started')] }), /no call is open/],
  ['waste that is not marked', and({ calls: [call('parse'), call('embed', 'interrupted')] }), /marked as wasted/],
  ['a cost that does not add up', and({ documents: [{ ...document, costUsd: 0.02 }] }), /what the ledger says/],
];

for (const [title, facts, rule] of CASES) {
  test(`judge() sees ${title}`, () => {
    const rules = judge(facts).map((failure) => failure.rule);
    assert(
      rules.some((found) => rule.test(found)),
      `${rule} is not among: ${rules.join('; ')}`,
    );
  });
}
