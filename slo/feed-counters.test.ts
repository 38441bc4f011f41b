/** Counters from a server's memory: by the ledger's own rules, whatever began anew, came late or went away. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { days, minutes, type Seconds, seconds } from '#kernel/units.ts';
import { errorsOf, KINDS, objective } from '#test/kit/objectives-by-hand.ts';
import { type CounterVisit, feedOfCounters } from './feed-counters.ts';
import type { Objective } from './objective.ts';

const BEGIN = seconds(1_772_323_200);
const STEP = minutes(1);
const answers = objective('answers', errorsOf('app'));

/** One target at one step; undefined values are series that are not there. */
function visit(step: number, total: number | undefined, errors?: number, target = 'one'): CounterVisit {
  const labels = `{instance="${target}",job="app"}`;
  const values = [
    { name: 'requests_total', value: total },
    { name: 'errors_total', value: errors },
  ].flatMap(({ name, value }) => (value === undefined ? [] : [{ series: `${name}${labels}`, name, value }]));
  return { at: seconds(BEGIN + step * STEP), target, values };
}

function feed(visits: readonly CounterVisit[], until: number, one: Objective = answers) {
  const end = seconds(BEGIN + until * STEP);
  const replay = { visits, step: STEP, begin: BEGIN, end };
  const made = feedOfCounters(one, replay, { start: BEGIN, kept: days(28), corrections: [] });
  assert(made.kind === 'feed');
  const told: string[] = [];
  for (let at = BEGIN; at <= end; at = seconds(at + STEP)) told.push(made.feed.upTo(at).kind);
  const { good, bad, observed } = made.feed.ledger.counted;
  return { counts: [good, bad], observed: observed as Seconds, told };
}

test('growth counts; where the first visit stands is where counting begins', () => {
  assert.deepEqual(feed([visit(0, 1_000, 7), visit(1, 1_060, 8), visit(2, 1_120, 8)], 2).counts, [119, 1]);
});

test('a counter that began anew counts from 0, and so does a series that comes late', () => {
  assert.deepEqual(feed([visit(0, 1_000), visit(1, 20), visit(2, 50, 5)], 2).counts, [45, 5]);
});

test('a process that began since counts from 0, and one that is older from its first look', () => {
  const began = (one: CounterVisit, at: number): CounterVisit => {
    const series = `process_start_time_seconds{instance="${one.target}",job="app"}`;
    return { ...one, values: [...one.values, { series, name: 'process_start_time_seconds', value: at }] };
  };
  const first = began(visit(0, 1_000, 0), BEGIN - 86_400);
  const second = (start: number) => [began(visit(5, 240, 6, 'two'), start), began(visit(6, 300, 6, 'two'), start)];
  assert.deepEqual(feed([first, ...second(BEGIN + 60)], 6).counts, [294, 6]);
  assert.deepEqual(feed([first, ...second(BEGIN - 60)], 6).counts, [60, 0]);
});

test('slices of a value are judged as the events that they are', () => {
  const stuck = KINDS.find(({ name }) => name === 'stuck');
  assert(stuck);
  const visits = Array.from({ length: 41 }, (_, i): CounterVisit => {
    const value = i >= 10 && i < 18 ? 300 : 5;
    const series = 'oldest_age_seconds{instance="one",job="app"}';
    return { at: seconds(BEGIN + i * 15), target: 'one', values: [{ series, name: 'oldest_age_seconds', value }] };
  });
  const replay = { visits, step: seconds(15), begin: BEGIN, end: seconds(BEGIN + 600) };
  const made = feedOfCounters(stuck, replay, { start: BEGIN, kept: days(28), corrections: [] });
  assert(made.kind === 'feed');
  made.feed.upTo(replay.end);
  const { good, bad } = made.feed.ledger.counted;
  assert.deepEqual([good, bad], [32, 8]);
});

test('a gap is blind, and what grew across it is known as a sum', () => {
  const { counts, told, observed } = feed(
    [visit(0, 100, 0), visit(1, 160, 0), visit(9, 640, 6), visit(10, 700, 6)],
    10,
  );
  assert.deepEqual(counts, [594, 6]);
  assert.deepEqual(told.slice(1, 10), [
    'fed',
    'waiting',
    'waiting',
    'blind',
    'blind',
    'blind',
    'blind',
    'blind',
    'fed',
  ]);
  assert.equal(observed, 2 * STEP);
});

test('a target that is gone for an hour while others are there was taken off, and holds nothing back', () => {
  const both = [visit(0, 100, 0, 'old'), visit(0, 0, 0, 'new')];
  const rest = Array.from({ length: 120 }, (_, i) => visit(i + 1, (i + 1) * 60, 0, 'new'));
  const { counts, observed, told } = feed([...both, ...rest], 120);
  assert.deepEqual(counts, [7_200, 0]);
  assert.equal(observed, 120 * STEP);
  assert(told.every((kind) => kind === 'fed'));
});

test('corrections take out what comes in their span, to the event', () => {
  const visits = [visit(0, 0, 0), visit(1, 60, 10), visit(2, 120, 30), visit(3, 180, 31)];
  const replay = { visits, step: STEP, begin: BEGIN, end: seconds(BEGIN + 3 * STEP) };
  const span = { id: 'c', how: { kind: 'all' }, from: seconds(BEGIN + STEP), to: seconds(BEGIN + 2 * STEP) } as const;
  const made = feedOfCounters(answers, replay, { start: BEGIN, kept: days(28), corrections: [span] });
  assert(made.kind === 'feed');
  made.feed.upTo(replay.end);
  const { counted, corrected } = made.feed.ledger;
  assert.deepEqual([counted.good, counted.bad], [149, 31]);
  assert.deepEqual([corrected?.good, corrected?.bad], [109, 11]);
});

test('what only the server itself can judge is refused with the reason', () => {
  const replay = { visits: [], step: STEP, begin: BEGIN, end: BEGIN };
  const reasons = KINDS.map((one) =>
    feedOfCounters(one, replay, { start: BEGIN, kept: days(28), corrections: [] }),
  ).flatMap((made, i) => (made.kind === 'fault' ? [`${KINDS[i]?.name}: ${made.reason}`] : []));
  assert.deepEqual(
    reasons.map((text) => text.split(':')[0]),
    ['own-promql', 'raw-windowed', 'whole'],
  );
  assert.match(reasons[2] ?? '', /is a composite: ask for its parts/);
});
