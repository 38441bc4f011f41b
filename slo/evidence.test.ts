import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import fc from 'fast-check';
import { seededRandom } from '#kernel/random.ts';
import { days, hours, minutes, type Seconds, seconds } from '#kernel/units.ts';
import { objectiveOf } from '#test/kit/objectives-by-hand.ts';
import { addEvidence, type EvidenceState, readEvidence, skipEvidence, startEvidence } from './evidence.ts';
import { makeEvidenceModel, STEP, worth } from './evidence-model.ts';
import { DEFAULT_ALERTING } from './objective.ts';
import { clumpsOf, HEALTHY, type Service, simulate } from './simulate.ts';

const model = makeEvidenceModel(objectiveOf());

/** Plays a service; @returns when it was alarmed and when that ended. */
function play(
  service: Service,
  length: Seconds,
  seed: number,
): { alarms: Seconds[]; ends: Seconds[]; firstBad: number } {
  const state = startEvidence(model);
  const alarms: Seconds[] = [];
  const ends: Seconds[] = [];
  let firstBad = Number.NaN;
  let was = false;
  for (const row of simulate(service, length, seededRandom(seed))) {
    addEvidence(model, state, row, STEP, row.at);
    if (Number.isNaN(firstBad) && row.bad > 0 && row.at > (service.outage?.from ?? 0)) firstBad = row.at - STEP;
    if (state.alarmed && !was) alarms.push(row.at);
    if (!state.alarmed && was) ends.push(row.at);
    was = state.alarmed;
  }
  return { alarms, ends, firstBad };
}

describe('an outage is found', () => {
  // The promises of the issue; the 5 s are the step in which the first failure lies.
  const cases: readonly [rate: number, share: number, within: number][] = [
    [10, 1, 25],
    [10, 0.5, 75],
    [10, 0.3, 360],
    [10, 0.1, 7_200],
    [1, 1, 25],
    [1, 0.5, 75],
    [1, 0.3, 360],
    [1, 0.1, 7_200],
    [0.2, 1, 90],
    [0.2, 0.5, 300],
  ];
  for (const [rate, share, within] of cases) {
    test(`of ${share * 100} % at ${rate}/s within ${within} s, in 18 of 20 runs of chance`, () => {
      const times = Array.from({ length: 20 }, (_, seed) => {
        const from = seconds(3_600 + seed * 1.3);
        const outage = { from, to: seconds(from + 3 * within), share };
        const { alarms, firstBad } = play({ ...HEALTHY, rate, failing: 0.005, outage }, outage.to, seed + 1);
        return (alarms.find((at) => at > from) ?? Number.POSITIVE_INFINITY) - firstBad;
      });
      const late = times.filter((time) => time > within + STEP);
      assert(late.length <= 2, `late: ${late.map(Math.round).join(', ')} s`);
    });
  }

  test('as soon when the scrapes come some milliseconds early or late', () => {
    const stretches = (lengthOf: (i: number) => number) => {
      const state = startEvidence(model);
      let now = 0;
      let failed = 0;
      for (let i = 0; !state.alarmed && failed < 20; i++) {
        now += lengthOf(i);
        const isBroken = i >= 100;
        if (isBroken) failed++;
        const counts = isBroken ? { good: 0, bad: 14 } : { good: 14, bad: 0 };
        addEvidence(model, state, counts, seconds(lengthOf(i)), seconds(now));
      }
      return failed;
    };
    const exact = stretches(() => STEP);
    assert(exact <= 4, `${exact} stretches`);
    fc.assert(
      fc.property(fc.array(fc.double({ min: -0.04, max: 0.04, noNaN: true }), { minLength: 120 }), (jitter) => {
        assert.equal(
          stretches((i) => STEP + (jitter[i % jitter.length] ?? 0)),
          exact,
        );
      }),
      { numRuns: 50 },
    );
  });

  test('of everything at an event a minute within eight events', () => {
    const state = startEvidence(model);
    let now = 0;
    const step = (good: number, bad: number) => {
      now += STEP;
      addEvidence(model, state, { good, bad }, STEP, seconds(now));
    };
    const minute = (bad: number) => {
      step(1 - bad, bad);
      for (let i = 0; i < 11; i++) step(0, 0);
    };
    for (let i = 0; i < 600; i++) minute(0);
    let failed = 0;
    while (!state.alarmed && failed < 20) {
      minute(1);
      failed++;
    }
    assert(failed <= 8, `${failed} events`);
    assert(failed >= 6, `a handful is not enough, and ${failed} were`);
  });
});

describe('nobody is woken', () => {
  const calm = (title: string, service: Partial<Service>, length: Seconds, most = 0) =>
    test(title, () => {
      const { alarms } = play({ ...HEALTHY, ...service }, length, 17);
      assert(alarms.length <= most, `alarms at ${alarms.join(', ')}`);
    });
  for (const rate of [0.003, 0.2, 1, 10]) {
    calm(`by 2 % that fail one by one at ${rate}/s`, { rate, failing: 0.02 }, days(4));
    calm(
      `by a total blip of ten seconds every hour at ${rate}/s`,
      { rate, clumps: { perDay: 24, length: seconds(10), share: 1 } },
      days(4),
    );
    calm(`by dozens of clumps a day at ${rate}/s`, { rate, failing: 0.002, clumps: clumpsOf(0.005) }, days(4));
  }
  calm(
    'by batches that fail as a whole where little happens',
    { rate: 0.003, failing: 0.002, batches: { perDay: 0.5, least: 8, most: 24 } },
    days(20),
  );
  calm('by batches that fail as a whole', { rate: 0.2, batches: { perDay: 6, least: 8, most: 24 } }, days(10));

  test('by a single failure or a handful, whatever the traffic', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom(0, 1, 20),
        fc.integer({ min: 1, max: 600 }),
        (bad, good, gap) => {
          const state = startEvidence(model);
          for (let i = 0; i < bad; i++) {
            addEvidence(model, state, { good: i === 0 ? good : 0, bad: 1 }, STEP, seconds(i * gap));
            for (let k = 1; k < gap / 5; k++)
              addEvidence(model, state, { good: 0, bad: 0 }, STEP, seconds(i * gap + k * 5));
          }
          assert.equal(state.alarmed, false);
        },
      ),
    );
  });
});

describe('an alarm', () => {
  test('ends within a minute of a total outage at 1/s, and within a quarter of an hour of one at a tenth', () => {
    for (const [share, within] of [
      [1, 60],
      [0.1, 900],
    ] as const) {
      const outage = { from: seconds(3_600), to: seconds(7_200), share };
      const { alarms, ends } = play({ ...HEALTHY, failing: 0.005, outage }, hours(4), 3);
      assert.equal(alarms.length, 1, `${share}: alarms at ${alarms.join(', ')}`);
      const end = ends[0] ?? Number.POSITIVE_INFINITY;
      assert(end > outage.to - 60 && end - outage.to <= within, `${share}: ended ${end - outage.to} s after`);
    }
  });

  test('stays while nothing is seen, and ends by what is seen after', () => {
    const state = startEvidence(model);
    for (let i = 1; i <= 60; i++) addEvidence(model, state, { good: 0, bad: 5 }, STEP, seconds(i * 5));
    assert(state.alarmed);
    skipEvidence(model, state, hours(3), seconds(20_000));
    assert(state.alarmed, 'silence is no proof of health');
    for (let i = 1; i <= 12; i++) addEvidence(model, state, { good: 5, bad: 0 }, STEP, seconds(20_000 + i * 5));
    assert.equal(state.alarmed, false);
  });

  test('says what failed since when', () => {
    const outage = { from: seconds(3_600), to: seconds(3_660), share: 1 };
    const state = startEvidence(model);
    for (const row of simulate({ ...HEALTHY, rate: 10, outage }, outage.to, seededRandom(1)))
      addEvidence(model, state, row, STEP, row.at);
    const { alarmed, since, good, bad } = readEvidence(model, state);
    assert(alarmed && Math.abs(since - outage.from) <= 10, `since ${since}`);
    assert(bad > 500 && good < 60, `${good} good, ${bad} bad`);
  });
});

describe('a stretch', () => {
  test('of an hour loses no event', () => {
    const state = startEvidence(model);
    addEvidence(model, state, { good: 0, bad: 12 }, hours(1), seconds(3_600));
    assert.equal(Math.round(state.bad), 12);
  });

  test('that nobody saw ends a run of failures that was no alarm: what comes after speaks for itself', () => {
    for (const gap of [minutes(1), hours(2), days(5)]) {
      const state = startEvidence(model);
      for (let i = 1; i <= 200; i++) addEvidence(model, state, { good: 5, bad: 0 }, STEP, seconds(i * 5));
      for (let i = 201; i <= 202; i++) addEvidence(model, state, { good: 0, bad: 5 }, STEP, seconds(i * 5));
      skipEvidence(model, state, gap, seconds(1_010 + gap));
      addEvidence(model, state, { good: 0, bad: 5 }, STEP, seconds(1_015 + gap));
      assert.equal(state.alarmed, false, `${gap} s`);
    }
  });
});

describe('the statistic', () => {
  const feed = (state: EvidenceState, bads: readonly number[]) => {
    bads.forEach((bad, i) => {
      addEvidence(model, state, { good: 6 - bad, bad }, STEP, seconds(i * 5));
    });
    return readEvidence(model, state).decades;
  };

  test('is never lower when a minute of failures comes instead of a calm one', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 60 }), (bads) => {
        const before = feed(startEvidence(model), [...bads, ...new Array(12).fill(0)]);
        const after = feed(startEvidence(model), [...bads, ...new Array(12).fill(6)]);
        assert(after >= before - 1e-9, `${before} → ${after}`);
      }),
    );
  });

  test('is finite for any stream, and its beliefs sum to one', () => {
    const rows = fc.array(fc.tuple(fc.nat(100_000), fc.nat(100_000), fc.integer({ min: 1, max: 400 })), {
      maxLength: 80,
    });
    fc.assert(
      fc.property(rows, fc.constantFrom(0.5, 0.9, 0.98, 0.9999), (stream, goal) => {
        const other = makeEvidenceModel(objectiveOf({ goal }));
        const state = startEvidence(other);
        let now = 0;
        for (const [good, bad, length] of stream) {
          now += length;
          addEvidence(other, state, { good, bad }, seconds(length), seconds(now));
        }
        const belief = state.calm.calm + state.calm.ages.flat().reduce((sum, one) => sum + one, 0);
        assert(Math.abs(belief - 1) < 1e-6, `${belief}`);
        assert(state.outages.every(Number.isFinite) && Number.isFinite(readEvidence(other, state).decades));
      }),
    );
  });

  test('goes on after a checkpoint as if there had been none', () => {
    const whole = startEvidence(model);
    let halved = startEvidence(model);
    const service = { ...HEALTHY, failing: 0.01, outage: { from: minutes(20), to: minutes(40), share: 0.3 } };
    for (const row of simulate(service, hours(1), seededRandom(5))) {
      addEvidence(model, whole, row, STEP, row.at);
      addEvidence(model, halved, row, STEP, row.at);
      if (row.at % 300 === 0) halved = JSON.parse(JSON.stringify(halved)) as EvidenceState;
    }
    assert.deepEqual(halved, whole);
  });

  test('reads the same of 15 s at once as of three steps of the same share', () => {
    const [fine, coarse] = [startEvidence(model), startEvidence(model)];
    for (let i = 1; i <= 30; i++) {
      for (let k = 0; k < 3; k++) addEvidence(model, fine, { good: 4, bad: 1 }, STEP, seconds(i * 15 + k * 5));
      addEvidence(model, coarse, { good: 12, bad: 3 }, seconds(15), seconds(i * 15));
    }
    const decades = [fine, coarse].map((state) => readEvidence(model, state).decades);
    assert(Math.abs((decades[0] ?? 0) - (decades[1] ?? 9)) < 1e-9);
  });
});

test('what a person sets moves the threshold: fewer tolerable pages, more evidence', () => {
  const strict = makeEvidenceModel(objectiveOf({ alerting: { ...DEFAULT_ALERTING, falsePagesPerYear: 0.1 } }));
  assert(Math.abs(strict.alarm - model.alarm - Math.log(20)) < 1e-9);
  const lazy = makeEvidenceModel(objectiveOf({ alerting: { ...DEFAULT_ALERTING, smallestBurn: 20 } }));
  assert.equal((lazy.shares[lazy.firstOutage] ?? 0) > 0.6, true);
});

test('worth() counts a few events whole and many as few', () => {
  assert.deepEqual(
    [0, 1, 5, 50, 5_000].map((n) => Number(worth(n).toFixed(1))),
    [0, 1, 3.6, 8.5, 10],
  );
});
