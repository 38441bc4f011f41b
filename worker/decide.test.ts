import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '#kernel/random.ts';
import { milliseconds } from '#kernel/units.ts';
import { checkMove, decide, decideInterrupted, type Outcome, POLICY, type Situation } from './decide.ts';
import { isUnfinished, MOVES, mayMove, STATUSES, STEP_OF, type UnfinishedStatus } from './document.ts';

const random = seededRandom(1);
const parsing: Situation = { status: 'parsing', attempts: 0, interruptions: 0, age: milliseconds(0) };
const fault = (retryable: boolean): Outcome => ({
  kind: 'fault',
  code: 'vendor_error',
  message: 'it broke',
  retryable,
});

function word(situation: Situation, outcome: Outcome): string {
  const { to, job, counts } = decide(situation, outcome, POLICY, random);
  const fate =
    job.kind === 'next' ? `next ${job.step}` : job.kind === 'again' ? `again after ${job.attempts}` : job.kind;
  return `${to}, ${fate}, counts ${counts}`;
}

const done: Outcome = { kind: 'done', because: 'it worked' };
const at = (status: UnfinishedStatus): Situation => ({ ...parsing, status });
const cases: readonly [title: string, situation: Situation, outcome: Outcome, want: string][] = [
  ['goes from parse to chunk', at('parsing'), done, 'chunking, next chunk, counts completed'],
  ['goes from chunk to embed', at('chunking'), done, 'embedding, next embed, counts completed'],
  ['goes from embed to store', at('embedding'), done, 'storing, next store, counts completed'],
  ['ends after store', at('storing'), done, 'completed, finished, counts completed'],
  ['tries again after a passing fault', parsing, fault(true), 'parsing, again after 1, counts failed'],
  ['tries a fourth time', { ...parsing, attempts: 3 }, fault(true), 'parsing, again after 4, counts failed'],
  ['fails with the fifth', { ...parsing, attempts: 4 }, fault(true), 'failed, finished, counts failed'],
  ['fails at once when trying again cannot help', parsing, fault(false), 'failed, finished, counts failed'],
  [
    'rejects what is the fault of the document',
    parsing,
    { kind: 'rejected', code: 'empty', message: 'nothing in it' },
    'rejected, finished, counts rejected',
  ],
  [
    'looks at a pending job again and counts nothing',
    parsing,
    { kind: 'pending', wait: milliseconds(250) },
    'parsing, again after 0, counts undefined',
  ],
  [
    'waits for a quota and spends no attempt',
    { ...parsing, attempts: 4 },
    { kind: 'deferred', wait: milliseconds(1_000), because: 'quota' },
    'parsing, again after 4, counts deferred',
  ],
  [
    'counts an open circuit as bad and spends no attempt',
    { ...parsing, attempts: 4 },
    { kind: 'blocked', because: 'open' },
    'parsing, again after 4, counts failed',
  ],
  [
    'counts a database that stumbles as bad and spends no attempt',
    { ...parsing, attempts: 4 },
    { kind: 'stumbled', because: 'Database: its disk is full' },
    'parsing, again after 4, counts failed',
  ],
];
describe('decide()', () => {
  for (const [title, situation, outcome, want] of cases) {
    test(title, () => assert.equal(word(situation, outcome), want));
  }

  test('gives up waiting at the deadline, and not before', () => {
    const waiting: readonly Outcome[] = [
      { kind: 'pending', wait: milliseconds(1) },
      { kind: 'deferred', wait: milliseconds(1), because: 'quota' },
      { kind: 'blocked', because: 'open' },
      { kind: 'stumbled', because: 'Database: its disk is full' },
    ];
    for (const outcome of waiting) {
      const aged = (age: number) => decide({ ...parsing, age: milliseconds(age) }, outcome, POLICY, random).to;
      assert.equal(aged(POLICY.deadline), 'parsing');
      assert.equal(aged(POLICY.deadline + 1), 'failed');
    }
  });

  test('honours the wish of the vendor, and says the wait in words', () => {
    const outcome: Outcome = { ...fault(true), retryAfter: milliseconds(90_000) } as Outcome;
    const { job, because } = decide(parsing, outcome, POLICY, random);
    assert(job.kind === 'again' && job.wait >= 90_000);
    assert.match(because, /attempt 1 of 5 failed: it broke; again in 90.0 s/);
  });

  const unfinished = fc.constantFrom(...STATUSES.filter(isUnfinished).filter((status) => status !== 'queued'));
  const anyOutcome = fc.oneof(
    fc.constant(done),
    fc.boolean().map(fault),
    fc.nat(100_000).map((wait): Outcome => ({ kind: 'pending', wait: milliseconds(wait) })),
    fc.constant<Outcome>({ kind: 'blocked', because: 'open' }),
    fc.constant<Outcome>({ kind: 'stumbled', because: 'Database: gone' }),
    fc.constant<Outcome>({ kind: 'deferred', wait: milliseconds(5), because: 'quota' }),
  );
  test('only makes moves that the table allows, and every unfinished document keeps exactly one job', () => {
    fc.assert(
      fc.property(unfinished, anyOutcome, fc.nat(10), fc.nat(2 * POLICY.deadline), (status, outcome, attempts, age) => {
        const decision = decide(
          { status, attempts, interruptions: 0, age: milliseconds(age) },
          outcome,
          POLICY,
          random,
        );
        checkMove(status, decision.to);
        assert.equal(decision.job.kind === 'finished', !isUnfinished(decision.to));
        if (decision.job.kind === 'next') assert.equal(decision.job.step, STEP_OF[decision.to as UnfinishedStatus]);
        assert.equal(decision.to === 'failed', decision.error !== undefined);
      }),
    );
  });
  test('comes to an end: no outcome keeps a document for ever once its attempts or its time are spent', () => {
    fc.assert(
      fc.property(unfinished, anyOutcome, (status, outcome) => {
        const spent = { status, attempts: POLICY.attempts, interruptions: 0, age: milliseconds(POLICY.deadline + 1) };
        const { to } = decide(spent, outcome, POLICY, random);
        assert.notEqual(to, status);
      }),
    );
  });
});

test('decideInterrupted() fails a document that ended too many workers', () => {
  assert.equal(decideInterrupted({ ...parsing, interruptions: 20 }, POLICY), undefined);
  assert.equal(decideInterrupted({ ...parsing, interruptions: 21 }, POLICY)?.to, 'failed');
});

test('MOVES lets nothing leave erased, and everything reach it', () => {
  assert.deepEqual(MOVES.erased, []);
  for (const status of STATUSES.filter((one) => one !== 'erased')) assert(mayMove(status, 'erased'), status);
  assert.throws(() => checkMove('completed', 'parsing'), /Cannot move a document from completed to parsing/);
});
