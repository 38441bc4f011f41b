import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { milliseconds, seconds } from '#kernel/units.ts';
import { askAgainAfter, comeBackAfter, estimateLoad, UNFINISHED_MOST, WAIT_MOST } from './load.ts';
import type { WorkerRow } from './rows/workers.ts';
import { bottleneck } from './worker.ts';

const worker = (slots: number, serviceSeconds: number): WorkerRow => ({
  id: `${slots}/${serviceSeconds}`,
  startedAt: milliseconds(0),
  lastSeen: milliseconds(0),
  slots,
  serviceSeconds: seconds(serviceSeconds),
});

const CASES: readonly [title: string, unfinished: number, workers: WorkerRow[], wait: number, overloaded: boolean][] = [
  ['takes everything when there is nothing to do', 0, [worker(8, 2)], 0, false],
  ['divides the work by the speed of the places', 80, [worker(8, 2)], 20, false],
  ['adds up the speed of all workers', 120, [worker(8, 2), worker(2, 1)], 20, false],
  ['guesses a second a document before anything was measured', 16, [worker(8, 0)], 2, false],
  ['is at its limit when the wait is just as long as it may be', 3_600, [worker(8, 2)], WAIT_MOST, false],
  ['is overloaded as soon as the wait is longer', 3_601, [worker(8, 2)], WAIT_MOST + 0.25, true],
  ['takes documents when no worker is alive: their absence is a page of its own', 5_000, [], 0, false],
  ['is overloaded by number alone, however fast the workers are', UNFINISHED_MOST, [worker(256, 0.001)], 0.39, true],
  ['is not overloaded one below that number', UNFINISHED_MOST - 1, [worker(256, 0.001)], 0.39, false],
  ['is overloaded by number without a worker too', UNFINISHED_MOST, [], 0, true],
];

for (const [title, unfinished, workers, wait, overloaded] of CASES) {
  test(`estimateLoad() ${title}`, () => {
    const load = estimateLoad(unfinished, workers);
    assert(Math.abs(load.wait - wait) < 0.01, `waits ${load.wait} s, expected ${wait} s`);
    assert.equal(load.overloaded, overloaded);
    assert.equal(load.unfinished, unfinished);
  });
}

test('estimateLoad() is never calmer with one document more, and never worse with one worker more', () => {
  const workers = fc.array(fc.tuple(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 0, max: 600 })), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(fc.nat({ max: 200_000 }), workers, (unfinished, found) => {
      const rows = found.map(([slots, service]) => worker(slots, service));
      const load = estimateLoad(unfinished, rows);
      assert(estimateLoad(unfinished + 1, rows).wait >= load.wait);
      assert(estimateLoad(unfinished, [...rows, worker(1, 600)]).wait <= load.wait);
    }),
  );
});

const WAITS: readonly [title: string, wait: number, after: number][] = [
  ['asks for half a minute at least', WAIT_MOST + 0.1, 30_000],
  ['asks for the time in which the excess is done', WAIT_MOST + 60, 60_000],
  ['asks for five minutes at most', WAIT_MOST + 86_400, 300_000],
];

for (const [title, wait, after] of WAITS) {
  test(`comeBackAfter() ${title}`, () => {
    assert.equal(Math.round(comeBackAfter({ unfinished: 1, wait: seconds(wait), overloaded: true })), after);
  });
}

test('bottleneck() is the slowest step’s pace, not the mean of all', () => {
  const places = { parse: 8, chunk: 2, embed: 4, store: 4 };
  const busy = new Map([
    ['parse', seconds(0.1)],
    ['embed', seconds(2)],
    ['store', seconds(0.5)],
  ] as const);
  // Four places at 2 s each do two documents a second, whatever the others could.
  assert.equal(18 / bottleneck(places, busy), 2);
  assert.equal(bottleneck(places, new Map()), 0);
});

for (const [title, wait, age, after] of [
  ['as often as one likes while nothing waits', 0, 0, undefined],
  ['as often as one likes for the last seconds', 60, 57_000, undefined],
  ['after half of what is left', 60, 20_000, 20_000],
  ['after half a minute at the most', 600, 0, 30_000],
  ['as often as one likes when it is overdue', 60, 90_000, undefined],
] as const) {
  test(`askAgainAfter() says: ${title}`, () => {
    const load = { unfinished: 1, wait: seconds(wait), overloaded: false };
    assert.equal(askAgainAfter(load, milliseconds(age)), after);
  });
}
