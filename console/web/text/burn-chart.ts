/** From burn rates to what a chart draws. Pure. */
import type { BurnStep, SloRule } from '#console/web/data/wire.ts';
import { times } from './format.ts';

export type Line = { readonly label: string; readonly tone: string; readonly dash?: readonly number[] };
export type Mark = { readonly at: number; readonly label: string; readonly tone: string };
export type Level = { readonly value: number; readonly label: string; readonly tone: string };
export type BurnChart = {
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  readonly values: readonly (readonly (number | null)[])[];
  readonly levels: readonly Level[];
  readonly marks: readonly Mark[];
};

/** A logarithm has no zero: what is less than this is drawn at the bottom. */
const LEAST = 0.1;
/** @param value as a chart of burn rates has it: what is drawn at its bottom may be nothing at all. */
export const rateWords = (value: number): string => (value <= LEAST ? `≤ ${times(LEAST)}` : times(value));
const TONES = ['critical', 'warning', 'accent', 'unknown', 'quiet', 'ok', 'text'];

/** Where a rule's line is: of what its rates are at the moment, nothing is in it. */
export const levelOf = ({ name, severity, factor }: SloRule): Level => ({
  value: factor,
  label: `${name}: ${Number(factor.toPrecision(4))} ×`,
  tone: severity,
});

/** @param rules each with the factor that its two windows must pass; the highest of one window is drawn once */
export function burnChart(steps: readonly BurnStep[], rules: readonly SloRule[], marks: readonly Mark[]): BurnChart {
  const windows = [...new Set(steps.flatMap(({ burnRates }) => Object.keys(burnRates)))];
  return {
    times: steps.map(({ at }) => Date.parse(at) / 1_000),
    lines: windows.map((label, i) => ({ label, tone: TONES[i % TONES.length] ?? 'text' })),
    values: windows.map((window) =>
      steps.map(({ burnRates, coverage }) => {
        const rate = burnRates[window];
        return rate === undefined || rate === null || (coverage === 0 && rate === 0) ? null : Math.max(LEAST, rate);
      }),
    ),
    levels: rules.map(levelOf),
    marks,
  };
}

/** What was left of the budget, in percent: what ate it within its present window, and as it stood then. */
export function budgetChart(steps: readonly BurnStep[], marks: readonly Mark[]): BurnChart {
  const inPercent = (share: number | null) => (share === null ? null : share * 100);
  return {
    times: steps.map(({ at }) => Date.parse(at) / 1_000),
    lines: [
      { label: 'Of its present window', tone: 'accent' },
      { label: 'As it stood then', tone: 'quiet', dash: [4, 4] },
    ],
    values: [
      steps.map(({ burnDown }) => inPercent(burnDown)),
      steps.map(({ budgetRemaining }) => inPercent(budgetRemaining)),
    ],
    levels: [{ value: 0, label: 'spent', tone: 'critical' }],
    marks,
  };
}
