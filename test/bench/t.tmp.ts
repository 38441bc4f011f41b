import { seededRandom } from '#kernel/random.ts';
import { days, hours, seconds } from '#kernel/units.ts';
import { addEvidence, startEvidence } from '#slo/evidence.ts';
import { makeEvidenceModel, STEP } from '#slo/evidence-model.ts';
import { clumpsOf, HEALTHY, type Service, simulate } from '#slo/simulate.ts';
import { objectiveOf } from '#test/kit/objectives-by-hand.ts';

const model = makeEvidenceModel(objectiveOf());
const run = (s: Service, len: number, seed: number) => {
  const st = startEvidence(model);
  const al: number[] = [];
  let was = false,
    fb = NaN;
  for (const r of simulate(s, seconds(len), seededRandom(seed))) {
    addEvidence(model, st, r, STEP, r.at);
    if (Number.isNaN(fb) && r.bad > 0 && r.at > (s.outage?.from ?? 0)) fb = r.at - STEP;
    if (st.alarmed && !was) al.push(r.at);
    was = st.alarmed;
  }
  return { al, fb };
};
const S = Number(process.argv[2] ?? 4);
const q = (v: number[], p: number) => v.toSorted((a, b) => a - b)[Math.min(v.length - 1, Math.floor(v.length * p))];
for (const rate of [10, 1, 0.2])
  console.log(
    rate,
    [1, 0.5, 0.3, 0.1]
      .map((share) => {
        const v = Array.from({ length: 40 }, (_, i) => {
          const from = seconds(3600 + i * 1.3);
          const { al, fb } = run(
            { ...HEALTHY, rate, failing: 0.005, outage: { from, to: seconds(from + hours(2)), share } },
            from + hours(2),
            i + 1,
          );
          return (al.find((a) => a > from) ?? Infinity) - fb;
        });
        return `${share}: ${q(v, 0.5)?.toFixed(0)}/${q(v, 0.95)?.toFixed(0)}/${q(v, 1)?.toFixed(0)}`;
      })
      .join('  '),
  );
for (const rate of [10, 1, 0.2, 0.02, 0.003]) {
  const row: string[] = [];
  for (const [name, svc] of Object.entries({
    p6: { failing: 0.002, clumps: { perDay: 6, length: seconds(30), share: 0.4 } },
    p36: { failing: 0.002, clumps: { perDay: 36, length: seconds(30), share: 0.4 } },
    p60: { failing: 0.002, clumps: { perDay: 60, length: seconds(30), share: 0.4 } },
    c1: { clumps: clumpsOf(0.01) },
    c2: { clumps: clumpsOf(0.02) },
    blip: { failing: 0.002, clumps: { perDay: 24, length: seconds(10), share: 1 } },
    ind2: { failing: 0.02 },
    batch: { failing: 0.002, batches: { perDay: rate < 0.01 ? 0.25 : 4, least: 8, most: 24 } },
  } as Record<string, Partial<Service>>)) {
    const v = Array.from({ length: S }, (_, i) => run({ ...HEALTHY, rate, ...svc }, days(30), i * 101 + 7).al.length);
    row.push(`${name}: ${v.join(',')}`);
  }
  console.log(rate, row.join('  '));
}
