import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { milliseconds, ratio } from '#kernel/units.ts';
import { withRows } from './table.ts';
import {
  exitCodeOf,
  figures,
  type Holds,
  judge,
  type Measured,
  statement,
  type Traced,
  timeToRecover,
} from './verdict.ts';

const TARGET = ratio(0.98);
const HOLDS: Holds = {
  recoverWithin: milliseconds(30_000),
  paged: false,
  neighbour: 'nothing lost',
  kept: false,
};
/** The fault lasts from 100 s to 160 s. */
const [BEGAN, ENDED, LAST] = [100_000, 160_000, 175_000];

let made = 0;
function traced(sentAt: number, more: Partial<Traced> = {}): Traced {
  const id = `d${made++}`;
  return {
    ...{
      key: `k-${id}`,
      file: 'note',
      expected: 'completed',
      phase: '',
      id,
      code: '',
      ms: 2_000,
      seenBy: 'settlement',
    },
    ...{ sentAt, outcome: 'completed', endedAt: sentAt + 2_000 },
    ...more,
  };
}
const opened = (service: string) => ({ service, summary: '', after: 1 });
const late = (after: number) => traced(ENDED + after, { endedAt: ENDED + after + 31_000 });
/** Before the fault, and a last one after it, from which on all is well. */
const many = (count: number): Traced[] => [...Array.from({ length: count - 1 }, () => traced(50_000)), traced(LAST)];
const untaken = (sentAt: number) => traced(sentAt, { id: '', outcome: 'refused', endedAt: undefined });
const failed = (sentAt: number) => traced(sentAt, { outcome: 'failed' });

const measured = (more: Partial<Measured> = {}): Measured => ({
  ours: many(100),
  neighbours: [],
  differences: [],
  repeated: [],
  faultBegan: BEGAN,
  faultEnded: ENDED,
  pages: {},
  opened: [],
  accidents: [],
  target: TARGET,
  onTime: milliseconds(30_000),
  ...more,
});
const broken = (found: Measured, holds: Partial<Holds> = {}): string[] =>
  judge({ ...HOLDS, ...holds }, found)
    .filter(({ kept }) => !kept)
    .map(({ holds: sentence }) => sentence);

const LOSS = 'no document is lost';
const REPEAT = 'none is processed twice to a visible effect';
const KEPT_OR_PAGED = '98 % of the documents are processed, or the page comes within 60 s';
const PAGED = 'the page comes within 60 s by a channel that works, once';
const RECOVERS = 'all is well again within 30 s after the fault';
const NEIGHBOUR = 'no document of another tenant is lost';
const UNDISTURBED = 'another tenant’s documents are all completed in time';
const ACCIDENT = 'no process ends that nobody killed';

describe('judge() of a scenario', () => {
  const lost = [{ kind: 'lost', says: 'accepted with 202, and not in the database', ids: ['x'] }] as const;
  const twice = [{ kind: 'twice', says: 'of one upload', ids: ['x'] }] as const;
  const counter = [{ kind: 'counter', says: 'grew by 3', ids: [] }] as const;
  const wasLate = traced(50_000, { endedAt: 80_001 });
  for (const [title, found, holds, expected] of [
    ['lets pass what is well', measured(), {}, []],
    ['finds a document that is gone', measured({ differences: lost }), {}, [LOSS]],
    ['finds a count that differs', measured({ differences: counter }), {}, [LOSS]],
    ['finds two documents of one upload', measured({ differences: twice }), {}, [REPEAT]],
    ['finds two ends of one document', measured({ repeated: ['x'] }), {}, [REPEAT]],
    ['allows two failures in a hundred', measured({ ours: [...many(98), failed(0), failed(0)] }), {}, []],
    ['allows no third', measured({ ours: [...many(97), failed(0), failed(0), failed(0)] }), {}, [KEPT_OR_PAGED]],
    ['allows more when the page came', measured({ ours: [failed(0), traced(LAST)], pages: { slack: 60_000 } }), {}, []],
    [
      'not when it was late',
      measured({ ours: [failed(0), traced(LAST)], pages: { slack: 60_001 } }),
      {},
      [KEPT_OR_PAGED],
    ],
    [
      'nor where the share must be kept in any case',
      measured({ ours: [failed(0), traced(LAST)], pages: { slack: 1 } }),
      { kept: true },
      ['98 % of the documents are processed'],
    ],
    ['misses a page that must come', measured(), { paged: true }, [PAGED]],
    ['takes the first of the channels', measured({ pages: { slack: 70_000, email: 9_000 } }), { paged: true }, []],
    [
      'takes pages of two services for two',
      measured({ pages: { slack: 1 }, opened: [opened('a'), opened('b')] }),
      { paged: true },
      [],
    ],
    [
      'finds a page that comes twice',
      measured({ pages: { slack: 1 }, opened: [opened('a'), opened('b'), opened('a')] }),
      { paged: true },
      [PAGED],
    ],
    [
      'waits for the channel that was down',
      measured({ pages: { email: 5 } }),
      { toldBy: ['email', 'slack'] },
      ['in the end it is in email, slack'],
    ],
    [
      'finds a recovery that takes too long',
      measured({ ours: [traced(BEGAN, { endedAt: ENDED + 30_001 }), traced(LAST)] }),
      {},
      [RECOVERS],
    ],
    ['finds what never gets well again', measured({ ours: [...many(98), failed(LAST + 1)] }), {}, [RECOVERS]],
    ['finds uploads that are never taken', measured({ ours: [...many(98), untaken(ENDED)] }), {}, [RECOVERS]],
    ['lets the neighbour be late in everybody’s fault', measured({ neighbours: [wasLate] }), {}, []],
    ['but not in another’s', measured({ neighbours: [wasLate] }), { neighbour: 'undisturbed' }, [UNDISTURBED]],
    [
      'finds the neighbour’s loss',
      measured({ neighbours: [traced(50_000, { id: 'x' })], differences: lost }),
      {},
      [LOSS, NEIGHBOUR],
    ],
    ['finds a process that ended by itself', measured({ accidents: ['worker-1 ended'] }), {}, [ACCIDENT]],
  ] as const satisfies readonly (readonly [string, Measured, Partial<Holds>, readonly string[]])[]) {
    test(title, () => assert.deepEqual(broken(found, holds), expected));
  }

  test('says why it is not well again', () => {
    const why = (ours: readonly Traced[]) =>
      judge(HOLDS, measured({ ours })).find(({ holds }) => holds === RECOVERS)?.says;
    assert.deepEqual([[untaken(ENDED), traced(LAST)], [traced(BEGAN)], [failed(LAST)]].map(why), [
      'not at all: 1 uploads were never taken, however often they were tried',
      'not at all: nothing was sent after the fault',
      'not at all: the last document was late, or failed',
    ]);
  });

  test('says a sentence for each that was stated', () => {
    const holds: Holds = { ...HOLDS, paged: true, toldBy: ['email'] };
    assert.deepEqual(
      judge(holds, measured()).map(({ holds: sentence }) => sentence),
      statement(holds, TARGET),
    );
  });
});

describe('timeToRecover()', () => {
  const NEVER = Number.POSITIVE_INFINITY;
  const last = traced(ENDED + 50_000);
  for (const [title, ours, expected] of [
    ['is none where all had ended before', [traced(50_000), last], 0],
    ['is until the last of the fault’s documents ends', [traced(BEGAN, { endedAt: ENDED + 7_000 }), last], 7_000],
    ['is until the last that came later and was late', [late(9_000), last], 9_000],
    ['is not moved by one that is in time', [traced(ENDED + 9_000, { endedAt: ENDED + 39_000 }), last], 0],
    ['is until the last that failed', [failed(ENDED + 11_000), last], 11_000],
    ['is never, if the last that came was late', [last, late(60_000)], NEVER],
    ['is never, if the last that came failed', [last, failed(ENDED + 60_000)], NEVER],
    ['is never, if nothing came after the fault', [traced(BEGAN)], NEVER],
    ['is never, if an upload was not taken', [untaken(ENDED - 1), last], NEVER],
    ['is never, with one that did not end', [traced(BEGAN, { outcome: 'left', endedAt: undefined }), last], NEVER],
  ] as const) {
    test(title, () => assert.equal(timeToRecover(measured({ ours })), expected));
  }

  test('looks at the neighbour’s last document, too', () => {
    assert.equal(timeToRecover(measured({ ours: [last], neighbours: [failed(ENDED + 1_000)] })), NEVER);
  });
});

test('figures() counts what did not end as failed, and rejected as neither', () => {
  const ours = [traced(0), traced(0, { outcome: 'rejected' }), traced(0, { outcome: 'left' }), failed(0)];
  assert.deepEqual(figures(measured({ ours })), { documents: 4, processed: 1, failed: 2 });
});

test('exitCodeOf() puts what is broken before what could not be run', () => {
  const [kept, bad] = [{ verdict: 'kept' }, { verdict: 'broken' }] as const;
  assert.deepEqual(
    [exitCodeOf([kept], false), exitCodeOf([kept], true), exitCodeOf([kept, bad], true), exitCodeOf([], true)],
    [0, 1, 99, 1],
  );
});

test('withRows() puts rows into their places and replaces those that are measured again', () => {
  const page = 'Before.\n\n<!-- made by npm run chaos -- --all --table -->\n<!-- end -->\nAfter.\n';
  const row = (name: string, database: string, verdict: string) => [
    name,
    database,
    'a | b',
    '1',
    '0',
    '0',
    '0',
    'none',
    '0 s',
    '0',
    '1.0',
    verdict,
  ];
  const once = withRows(
    page,
    [row('second', 'embedded', 'broken'), row('first', 'postgres', 'kept')],
    ['first', 'second'],
  );
  const again = withRows(once, [row('second', 'embedded', 'kept')], ['first', 'second']);
  const lines = again.split('\n').filter((line) => line.startsWith('| '));
  assert.deepEqual(
    lines.slice(2).map((line) => line.replace(/^\| (\w+) \| (\w+) .* (\w+) \|$/, '$1 $2 $3')),
    ['first postgres kept', 'second embedded kept'],
  );
  assert(again.startsWith('Before.\n') && again.endsWith('<!-- end -->\nAfter.\n'));
  assert.equal(withRows(again, [row('second', 'embedded', 'kept')], ['first', 'second']), again);
});
