import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import fc from 'fast-check';
import { milliseconds } from '#kernel/units.ts';
import type { Entry } from './book.ts';
import { decideEarly } from './early.ts';
import { countDocuments, judge } from './judge.ts';
import type { Phase } from './k6/plan.ts';
import { findKnee, phaseResults, quantile } from './phases.ts';
import { PROMISED, promisesOf } from './promises.ts';
import { makePlan, phasesOf, plannedIn, SCENARIOS, USUAL } from './scenarios.ts';

const FOLDER = 'slo/objectives';
const files = readdirSync(FOLDER).map((name) => ({ name, text: readFileSync(`${FOLDER}/${name}`, 'utf8') }));
const promises = promisesOf(files);
const MINUTE = milliseconds(60_000);

test('promisesOf() has the numbers of the objectives that ship, and no others', () => {
  assert.deepEqual(
    PROMISED.map((name) => promises[name].target),
    [0.98, 0.95, 0.999, 0.95],
  );
  assert.deepEqual([promises.onTime, promises.fast], [30_000, 200]);
});

test('promisesOf() follows the files: another target, another limit', () => {
  const changed = files.map(({ name, text }) => ({
    name,
    text: text.replace('le="30"', 'le="45"').replace('target: 0.98', 'target: 0.96'),
  }));
  const other = promisesOf(changed);
  assert.deepEqual([other.onTime, other['documents-processed'].target], [45_000, 0.96]);
});

for (const [title, change, says] of [
  ['one is missing', (text: string) => text.replace('name: api-fast', 'name: api-slow'), /none that is named api-fast/],
  ['a limit is no bucket', (text: string) => text.replace(',le="0.2"', ''), /api-fast has no good query/],
  ['a file has a fault', (text: string) => text.replace('kind: SLO', 'kind: SLOW'), /\.yaml:\d+:\d+/],
] as const) {
  test(`promisesOf() says so when ${title}`, () => {
    assert.throws(() => promisesOf(files.map(({ name, text }) => ({ name, text: change(text) }))), says);
  });
}

const counts = fc.record({ good: fc.nat(5_000), bad: fc.nat(500) });

test('judge() keeps exactly what the objective keeps, and is never surer than the interval', () => {
  const promise = promises['documents-processed'];
  fc.assert(
    fc.property(counts, ({ good, bad }) => {
      const { state, proven, interval, burnRate } = judge(promise, { good, bad }, MINUTE);
      if (good + bad === 0) return assert.deepEqual([state, proven], ['unknown', false]);
      assert.equal(state === 'kept', bad * 50 <= good + bad);
      assert.equal(state === 'kept', burnRate <= 1 + 1e-9);
      if (proven) assert(state === 'kept' ? interval.low >= promise.target : interval.high < promise.target);
    }),
  );
});

test('judge() is never calmer for one more bad event', () => {
  fc.assert(
    fc.property(counts, ({ good, bad }) => {
      const [one, more] = [bad, bad + 1].map((n) => judge(promises['api-available'], { good, bad: n }, MINUTE));
      assert((more?.burnRate ?? 0) >= (one?.burnRate ?? 0));
      assert(!(one?.state === 'broken' && more?.state === 'kept'));
    }),
  );
});

for (const [good, bad, state, proven] of [
  [98, 2, 'kept', false],
  [97, 3, 'broken', false],
  [182, 0, 'kept', false],
  [183, 0, 'kept', true],
  [90, 10, 'broken', true],
  [0, 0, 'unknown', false],
] as const) {
  test(`judge() says ${state}${proven ? ', proven,' : ''} of ${good} good and ${bad} bad at 98 %`, () => {
    const judged = judge(promises['documents-processed'], { good, bad }, MINUTE);
    assert.deepEqual([judged.state, judged.proven], [state, proven]);
  });
}

test('judge() tells what a total outage of ten minutes costs of 28 days', () => {
  const { burnRate, budgetSpent } = judge(
    promises['documents-processed'],
    { good: 0, bad: 600 },
    milliseconds(600_000),
  );
  assert.deepEqual([Math.round(burnRate), Number(budgetSpent.toFixed(5))], [50, 0.0124]);
});

const entryOf = (phase: string, what: Partial<Entry>): Entry => ({
  ...{ key: '', file: '', expected: 'completed', phase, sentAt: 0, id: 'id', code: '' },
  ...{ outcome: 'completed', ms: 1_000, seenBy: 'sender' },
  ...what,
});
const many = (n: number, phase: string, what: Partial<Entry>) => Array.from({ length: n }, () => entryOf(phase, what));

test('countDocuments() counts what is lost or stands still as not processed, and rejected as nothing', () => {
  const entries = [
    ...many(5, '', {}),
    ...many(2, '', { ms: 30_001 }),
    ...many(3, '', { outcome: 'rejected' }),
    ...many(1, '', { outcome: 'failed' }),
    ...many(1, '', { outcome: 'missing' }),
    ...many(1, '', { outcome: 'left' }),
    ...many(4, '', { outcome: 'refused' }),
  ];
  assert.deepEqual(countDocuments(entries, promises.onTime), {
    'documents-processed': { good: 7, bad: 3 },
    'documents-on-time': { good: 5, bad: 2 },
  });
});

const steps = phasesOf('stress', 4, MINUTE);
const fine = { 'api-available': { good: 1_000, bad: 0 }, 'api-fast': { good: 1_000, bad: 0 } };
const results = (entries: readonly Entry[], api = () => fine) => phaseResults(steps, entries, api, promises, true);
const borne = (phases: readonly Phase[]) => phases.flatMap((one) => many(plannedIn(one), one.name, {}));

test('findKnee() is the last step that was borne', () => {
  const [first, second, third, last] = steps;
  assert.deepEqual(
    steps.map(({ rate }) => rate),
    [1, 1.5, 2.3, 3.4, 4],
  );
  assert(first && second && third && last);
  const late = many(plannedIn(third), third.name, { ms: 40_000 });
  const found = findKnee(results([...borne([first, second]), ...late]));
  assert.deepEqual(found, { kind: 'found', rate: 1.5, brokenAt: 2.3, why: ['Documents on time'] });
  assert.deepEqual(findKnee(results(borne(steps))), { kind: 'above', rate: 4 });
  assert.equal(findKnee(results(many(50, first.name, { outcome: 'failed' }))).kind, 'below');
  // What holds again after one that broke is luck.
  assert.deepEqual(findKnee(results([...borne([first, second]), ...late, ...borne([last])])), found);
});

test('findKnee() is where uploads are turned away, and where the API slows down', () => {
  const [first, second] = steps;
  assert(first && second);
  const refused = [...borne([first]), ...borne([second]), ...many(10, second.name, { outcome: 'refused' })];
  assert.deepEqual(findKnee(results(refused)), { kind: 'found', rate: 1, brokenAt: 1.5, why: ['Uploads refused'] });
  const slow = { ...fine, 'api-fast': { good: 900, bad: 100 } };
  const found = findKnee(
    phaseResults(steps, borne([first, second]), (name) => (name === second.name ? slow : fine), promises, true),
  );
  assert.deepEqual(found, { kind: 'found', rate: 1, brokenAt: 1.5, why: ['API fast'] });
});

test('findKnee() is where the wait begins to grow, long before a promise breaks', () => {
  const [first, second] = steps;
  assert(first && second);
  const sent = (phase: Phase, grows: number) =>
    Array.from({ length: plannedIn(phase) }, (_, i) => {
      const { name, from, rate } = phase;
      const sentAt = from + (i * 1_000) / rate;
      // One in ten is slow by itself.
      return entryOf(name, { sentAt, ms: 2_000 + grows * (sentAt - from) + (i % 10 === 0 ? 5_000 : 0) });
    });
  const why = ['Falls behind'];
  assert.deepEqual(findKnee(results([...sent(first, 0.09), ...sent(second, 0.11)])), {
    ...{ kind: 'found', rate: 1, brokenAt: 1.5, why },
  });
  assert.deepEqual(findKnee(results([...sent(first, 0), ...sent(second, 0)])), { kind: 'above', rate: 1.5 });
});

test('findKnee() is no rate at which hardly anything was sent', () => {
  const [first, second] = steps;
  assert(first && second);
  const hardly = borne([second]).slice(10);
  assert.deepEqual(findKnee(results([...borne([first]), ...hardly])), {
    ...{ kind: 'found', rate: 1, brokenAt: 1.5, why: ['Not offered'] },
  });
  // Ended early, its last phase is as long as something was sent.
  const cut = borne([second]).map((entry, i) => ({ ...entry, sentAt: second.from + (i * 1_000) / second.rate }));
  const ended = phaseResults(steps, [...borne([first]), ...cut.slice(0, 40)], () => fine, promises, false);
  assert.deepEqual(findKnee(ended), { kind: 'above', rate: 1.5 });
});

test('phaseResults() counts what is completed in the time it is completed in', () => {
  const [first, second] = steps;
  assert(first && second);
  // All are sent in the first minute, and half of them are done in the second.
  const sent = Array.from({ length: 60 }, (_, i) =>
    entryOf(first.name, { sentAt: i * 1_000, ms: i % 2 === 0 ? 100 : 61_000 }),
  );
  const [one, two] = results([...sent, entryOf(second.name, { sentAt: 119_000, outcome: 'failed' })]);
  assert.deepEqual([one?.offered, one?.goodput], [1, 0.5]);
  assert.equal(two?.completed, 0);
});

test('quantile() is a value that was seen', () => {
  assert.deepEqual([quantile([], 0.5), quantile([3, 1, 2], 0.5), quantile([1, 2, 3, 4], 0.95)], [undefined, 2, 4]);
});

const steady = phasesOf('load', 5, milliseconds(600_000));
const early = (entries: readonly Entry[], phases = steady, climbs = false, now = 20_000) =>
  decideEarly({ phases, climbs, entries, promises, now });

test('decideEarly() goes on while the end may still be good, and stops with the event that makes it impossible', () => {
  // 3,000 are planned: 60 may fail, 150 may be late.
  assert.equal(early(many(60, 'steady', { outcome: 'failed' })).kind, 'go on');
  assert.equal(early(many(61, 'steady', { outcome: 'failed' })).kind, 'stop');
  assert.equal(early(many(150, 'steady', { ms: 31_000 })).kind, 'go on');
  assert.equal(early(many(151, 'steady', { ms: 31_000 })).kind, 'stop');
});

test('decideEarly() counts what is on its way as late once it is late, and not before', () => {
  const waiting = many(151, 'steady', { outcome: 'accepted' });
  assert.equal(early(waiting, steady, false, 29_000).kind, 'go on');
  assert.equal(early(waiting, steady, false, 31_000).kind, 'stop');
});

test('decideEarly() stops at one document that is not there any more', () => {
  const decision = early([entryOf('steady', { outcome: 'missing', id: 'id-3' })]);
  assert(decision.kind === 'stop' && decision.because.includes('id-3'), JSON.stringify(decision));
});

test('decideEarly() stops a climb at the step that breaks, and a spike not for what the spike does', () => {
  const [, second] = steps;
  const broken = many(20, second?.name ?? '', { ms: 31_000 });
  assert.equal(early(broken, steps, true).kind, 'stop');
  const refused = many(3, second?.name ?? '', { outcome: 'refused' });
  assert.deepEqual(
    [early(refused, steps, true).kind, ...[60, 61].map((n) => early(many(n, 'steady', { outcome: 'refused' })).kind)],
    ['stop', 'go on', 'stop'],
  );
  const spike = phasesOf('spike', 2, milliseconds(300_000));
  assert.equal(early(many(500, 'spike', { ms: 31_000 }), spike).kind, 'go on');
  assert.equal(early(many(500, 'after', { ms: 31_000 }), spike).kind, 'stop');
});

test('decideEarly() never stops what a whole run would have kept', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 3_000 }), fc.nat(200), (sent, failed) => {
      const entries = [...many(sent, 'steady', {}), ...many(failed, 'steady', { outcome: 'failed' })];
      if (early(entries).kind === 'go on') return;
      const rest = Math.max(0, 3_000 - sent - failed);
      const whole = countDocuments([...entries, ...many(rest, 'steady', {})], promises.onTime);
      assert.equal(judge(promises['documents-processed'], whole['documents-processed'], MINUTE).state, 'broken');
    }),
    { numRuns: 40 },
  );
});

for (const scenario of SCENARIOS) {
  test(`the phases of ${scenario} follow each other without a gap, and its thresholds name the objectives`, () => {
    const { rate, duration, climbs } = USUAL[scenario];
    const phases = phasesOf(scenario, rate, duration);
    phases.forEach(({ from, to }, i) => {
      assert(to > from);
      assert.equal(from, phases[i - 1]?.to ?? 0);
    });
    assert.equal(
      phases.some(({ judged }) => judged),
      !climbs,
    );
    if (climbs) assert(phases.every((one, i) => one.rate > (phases[i - 1]?.rate ?? 0)));
    const plan = makePlan({ scenario, run: 'r', rate, duration, promises, documents: [] });
    const text = JSON.stringify(plan.options.thresholds);
    assert.equal(text.includes('"rate>=0.999"'), !climbs);
    assert.match(text, /"documents_missing":\["count==0"\]/);
  });
}
