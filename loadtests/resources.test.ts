import assert from 'node:assert/strict';
import test from 'node:test';
import { mebibytes, milliseconds } from '#kernel/units.ts';
import { growing, resourcesOf, type Sample, type Use } from './resources.ts';
import { phasesOf } from './scenarios.ts';

const HOUR = 3_600_000;
const EVERY = 5_000;

/** A process that takes `cores` and whose memory is told by the hours that have passed. */
function samples(length: number, use: (hours: number) => Partial<Use>): Sample[] {
  return Array.from({ length: length / EVERY + 1 }, (_, i) => {
    const at = i * EVERY;
    const usual: Use = { cpuSeconds: (at / 1_000) * 0.5, privateBytes: mebibytes(300), descriptors: 40, processes: 1 };
    return { at: milliseconds(at), uses: { worker: { ...usual, ...use(at / HOUR) } } };
  });
}

const steady = (length: number) => phasesOf('soak', 5, milliseconds(length));
const observed = (all: readonly Sample[]) => ({ samples: all, before: { a: 100 }, after: { a: 700, b: 50 } });
/** Ups and downs of a collected heap, as large as what it is asked to find. */
const sawtooth = (hours: number) => mebibytes(40 * ((hours * 97) % 1));

/** Every two minutes, with what is in hand just then. */
const whenCollected = (hours: number, mib: number): Partial<Use> =>
  Math.round((hours * HOUR) / EVERY) % 24 === 0 ? { settledBytes: mebibytes(mib) + mebibytes((hours * 97) % 1) } : {};

test('resourcesOf() tells cores, CPU of a document, and what the stores have grown to', () => {
  const { processes, stores } = resourcesOf(observed(samples(60_000, () => ({}))), steady(60_000), 100);
  const [worker] = processes;
  assert.equal(worker?.cores, 0.5);
  assert.equal(worker?.cpuMsPerDocument, 300);
  assert.equal(worker?.memoryTrend, null, 'a minute says nothing of a trend');
  assert.deepEqual(stores, [
    { name: 'a', before: 100, after: 700 },
    { name: 'b', before: 0, after: 50 },
  ]);
});

test('a process that was started anew takes no less than nothing', () => {
  const all = samples(60_000, (hours) => (hours * HOUR > 30_000 ? { cpuSeconds: (hours * 3_600 - 30) * 0.5 } : {}));
  const [worker] = resourcesOf(observed(all), steady(60_000), 1).processes;
  assert(worker && worker.cores > 0.4 && worker.cores <= 0.5, String(worker?.cores));
  assert(worker.cpuMsPerDocument !== null && worker.cpuMsPerDocument > 25_000, String(worker.cpuMsPerDocument));
});

test('each phase has the cores of its own time', () => {
  const phases = phasesOf('stress', 1.5, milliseconds(30_000));
  const all = samples(60_000, (hours) => ({ cpuSeconds: Math.max(0, hours * 3_600 - 30) }));
  const found = resourcesOf(observed(all), phases, 1).phases.map(({ cores }) => cores['worker']);
  assert.deepEqual(found, [0, 1]);
});

for (const [title, use, found] of [
  ['what stays as it is', (h) => ({ privateBytes: mebibytes(300) + sawtooth(h) }), []],
  ['what grows while it is warming up only', (h) => ({ privateBytes: mebibytes(Math.min(300, 200 + 500 * h)) }), []],
  ['what grows a little, within what is stated', (h) => ({ privateBytes: mebibytes(300 + 2 * h) + sawtooth(h) }), []],
  ['memory that leaks', (h) => ({ privateBytes: mebibytes(300 + 40 * h) + sawtooth(h) }), ['memory']],
  [
    'garbage that nobody collects, by what is left without it',
    (h) => ({ privateBytes: mebibytes(300 + 40 * h), ...whenCollected(h, 100) }),
    [],
  ],
  [
    'a leak below the garbage',
    (h) => ({ privateBytes: mebibytes(300) + sawtooth(h), ...whenCollected(h, 100 + 4 * h) }),
    ['memory'],
  ],
  ['a leak that gets faster', (h) => whenCollected(h, 100 + 300 * h * h), ['memory']],
  ['descriptors that leak', (h) => ({ descriptors: 40 + Math.floor(10 * h) }), ['descriptors']],
] as const satisfies readonly (readonly [string, (hours: number) => Partial<Use>, readonly string[]])[]) {
  test(`growing() judges ${title}`, () => {
    const resources = resourcesOf(observed(samples(HOUR, use)), steady(HOUR), 1);
    assert.deepEqual(
      growing(resources).map(({ what }) => what),
      found,
      JSON.stringify(resources.processes),
    );
  });
}

test('growing() lets the processes of Postgres learn, up to what is stated', () => {
  const grow = (most: number) => {
    const use = (hours: number) => ({ privateBytes: mebibytes(most - 40 + 40 * hours), processes: 20 });
    const all = samples(HOUR, use).map(({ at, uses }) => ({ at, uses: { postgres: uses['worker'] as Use } }));
    return growing(resourcesOf(observed(all), steady(HOUR), 1)).length;
  };
  assert.deepEqual([grow(159), grow(161)], [0, 1]);
});

test('growing() leaves out who sends and who plays the vendors', () => {
  const leaks = samples(HOUR, (h) => ({ privateBytes: mebibytes(300 + 40 * h) }));
  const all = leaks.map(({ at, uses: { worker } }): Sample => {
    assert(worker);
    return { at, uses: { worker, k6: worker, simulators: worker } };
  });
  const found = growing(resourcesOf(observed(all), steady(HOUR), 1));
  assert.deepEqual(found, [{ name: 'worker', what: 'memory' }]);
});

test('each minute has the medians of its own samples, from the first on', () => {
  const use = (hours: number) => ({ privateBytes: hours * HOUR < 60_000 ? 100 : 200, descriptors: 7 });
  const [worker] = resourcesOf(observed(samples(120_000, use)), steady(120_000), 1).processes;
  assert.deepEqual(worker?.minutes.slice(0, 2), [
    { at: 0, privateBytes: 100, descriptors: 7 },
    { at: 60_000, privateBytes: 200, descriptors: 7 },
  ]);
});
