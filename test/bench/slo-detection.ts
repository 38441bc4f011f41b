/**
 * `npm run bench:slo -- --only detection`: thirty days of many services through the detector and through the workbook's
 * rules alone: false pages, and how long an outage goes on before somebody is woken.
 */
import { seededRandom } from '#kernel/random.ts';
import { days, hours, type Seconds, seconds } from '#kernel/units.ts';
import { backtest } from '#slo/backtest.ts';
import { makeJudged } from '#slo/judge.ts';
import type { Row } from '#slo/replay.ts';
import { clumpsOf, HEALTHY, type Service, simulate } from '#slo/simulate.ts';
import { objectiveOf } from '#test/kit/objectives-by-hand.ts';
import { workbookAlone } from './slo-workbook.ts';

const OBJECTIVE = objectiveOf();
const TICK = seconds(5);
const print = (line: string) => process.stdout.write(`${line}\n`);
const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN;

type Pages = { readonly ours: number; readonly workbook: number };

function pagesOf(service: Service, length: Seconds, seed: number): Pages {
  const rows = [...simulate(service, length, seededRandom(seed))];
  const ours = backtest(makeJudged(OBJECTIVE), { rows, pace: TICK }, TICK, () => {}).pages.length;
  return { ours, workbook: workbookAlone(OBJECTIVE, rows).length };
}

const RATES = [0.003, 0.02, 0.2, 1, 10] as const;

export function falsePages(seeds: number): void {
  const kinds: Readonly<Record<string, Partial<Service>>> = {
    'one by one, 0.5 %': { failing: 0.005 },
    'one by one, 1 %': { failing: 0.01 },
    'one by one, 2 %': { failing: 0.02 },
    'clumps, 6 a day': { failing: 0.002, clumps: { perDay: 6, length: seconds(30), share: 0.4 } },
    'clumps, 36 a day': { failing: 0.002, clumps: { perDay: 36, length: seconds(30), share: 0.4 } },
    'clumps, 0.5 % (36 a day)': { clumps: clumpsOf(0.005) },
    'clumps, 1 % (72 a day)': { clumps: clumpsOf(0.01) },
    'clumps, 2 % (144 a day)': { clumps: clumpsOf(0.02) },
    'blips of 10 s, every hour': { failing: 0.002, clumps: { perDay: 24, length: seconds(10), share: 1 } },
    'batches of 8 to 24': { failing: 0.002, batches: { perDay: 4, least: 8, most: 24 } },
    'diurnal, 1 %': { failing: 0.01, diurnal: 0.9 },
  };
  print(
    `\n| pages nobody needed in 30 days (mean of ${seeds}): Burnline / workbook | ${RATES.map((rate) => `${rate}/s`).join(' | ')} |`,
  );
  print(`| --- | ${RATES.map(() => '---:').join(' | ')} |`);
  for (const [name, kind] of Object.entries(kinds)) {
    const cells = RATES.map((rate) => {
      let [ours, workbook] = [0, 0];
      for (let seed = 0; seed < seeds; seed++) {
        // Batches of this size must leave the month within its objective.
        const perDay = rate < 0.01 ? 0.25 : rate < 0.1 ? 1 : 4;
        const batches = kind.batches && { ...kind.batches, perDay };
        const service = { ...HEALTHY, ...kind, batches, rate };
        const pages = pagesOf(service, days(30), seed * 101 + 7);
        ours += pages.ours / seeds;
        workbook += pages.workbook / seeds;
      }
      return `${Number(ours.toFixed(1))} / ${Number(workbook.toFixed(1))}`;
    });
    print(`| ${name} | ${cells.join(' | ')} |`);
  }
}

/** An hour of health, then an outage for six. */
export function timeToPage(seeds: number): void {
  print(
    `\n| time to page in s, median / p95 of ${seeds}: Burnline, and (workbook) | ${[1, 0.5, 0.3, 0.2, 0.1].map((share) => `${share * 100} %`).join(' | ')} |`,
  );
  print('| --- | ---: | ---: | ---: | ---: | ---: |');
  for (const rate of [10, 1, 0.2, 1 / 60]) {
    const cells = [1, 0.5, 0.3, 0.2, 0.1].map((share) => {
      const found = Array.from({ length: seeds }, (_, seed) => detect(rate, share, seed));
      const show = (values: readonly number[]) => [0.5, 0.95].map((q) => word(quantile(values, q))).join(' / ');
      return `${show(found.map(({ ours }) => ours))} (${word(
        quantile(
          found.map(({ workbook }) => workbook),
          0.5,
        ),
      )})`;
    });
    print(`| ${rate < 0.1 ? '1 a minute' : `${rate}/s`} | ${cells.join(' | ')} |`);
  }
}

const word = (value: number): string => (Number.isFinite(value) ? String(Math.round(value)) : 'never');

function detect(rate: number, share: number, seed: number): { ours: number; workbook: number } {
  const before = rate < 0.1 ? hours(12) : hours(2);
  const from = seconds(before + seed * 1.7);
  const outage = { from, to: seconds(from + hours(6)), share };
  const service: Service = { ...HEALTHY, rate, failing: 0.005, outage };
  const rows = [...simulate(service, outage.to, seededRandom(seed + 1_000))];
  const first = rows.find((row: Row) => row.at > from && row.bad > 0)?.at ?? from;
  const begun = Math.max(from, first - TICK);
  const page = backtest(makeJudged(OBJECTIVE), { rows, pace: TICK }, TICK, () => {}).pages.find(
    ({ start }) => start > begun,
  );
  const workbook = workbookAlone(OBJECTIVE, rows).find((start) => start > begun);
  return {
    ours: (page?.start ?? Number.POSITIVE_INFINITY) - begun,
    workbook: (workbook ?? Number.POSITIVE_INFINITY) - begun,
  };
}
