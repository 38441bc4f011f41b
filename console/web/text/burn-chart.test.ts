import assert from 'node:assert/strict';
import test from 'node:test';
import type { BurnStep, SloRule } from '#console/web/data/wire.ts';
import { budgetChart, burnChart, rateWords } from './burn-chart.ts';

const step = (at: string, rate: number, coverage = 1): BurnStep => ({
  ...{ at, coverage, budgetRemaining: 0.5, burnDown: null },
  burnRates: { '1h': rate },
});
const rule: SloRule = {
  name: 'page-1h',
  severity: 'critical',
  long: 3_600,
  short: 300,
  factor: 13.44,
  longRate: 0,
  shortRate: 0,
  firing: false,
  ...{ least: 1, because: null },
};

test('a logarithm has no zero, and what was not seen is no zero', () => {
  const chart = burnChart(
    [step('2026-03-01T00:00:00Z', 0), step('2026-03-01T00:01:00Z', 20), step('2026-03-01T00:02:00Z', 0, 0)],
    [rule],
    [],
  );
  assert.deepEqual(chart.values, [[0.1, 20, null]]);
  assert.deepEqual(chart.times, [1772323200, 1772323260, 1772323320]);
  assert.deepEqual(chart.levels, [{ value: 13.44, label: 'page-1h: 13.44 ×', tone: 'critical' }]);
});

test('what stands at the bottom is not said to be more than it is', () => {
  assert.equal(rateWords(0.1), '≤ 0.1 ×');
  assert.equal(rateWords(13.44), '13.4 ×');
});

test('a budget is drawn in percent', () => {
  assert.deepEqual(budgetChart([step('2026-03-01T00:00:00Z', 0)], []).values, [[null], [50]]);
});
