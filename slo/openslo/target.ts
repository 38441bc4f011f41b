/** What share must be good. Percentages end here: the model knows shares only, and budgets without the noise of 1 − x. */
import { type Ratio, ratio } from '#kernel/units.ts';
import type { Located } from './document.ts';
import type { Report } from './report.ts';
import type { SloObjective } from './shapes.ts';
import { keyPlace, place } from './tree.ts';

export type Target = { readonly target: Ratio; readonly budget: Ratio };

export function readTarget({ value, tree }: Located<SloObjective>, report: Report): Target | undefined {
  const { target, targetPercent } = value;
  if (target !== undefined && targetPercent !== undefined) {
    report.fault(keyPlace(tree, ['targetPercent']), 'has target and targetPercent: expected one of them');
    return undefined;
  }
  if (targetPercent !== undefined) return checkPercent(targetPercent, tree, 'targetPercent', report);
  if (target === undefined) {
    report.fault(place(tree), 'has neither target nor targetPercent: expected one, such as target: 0.98');
    return undefined;
  }
  if (target > 1 && target < 100) {
    const meant = `did you mean targetPercent: ${target} or target: ${percent(target)}?`;
    report.fault(place(tree, ['target']), `target is the number ${target}: expected a share below 1; ${meant}`);
    return undefined;
  }
  if (!(target > 0 && target < 1)) {
    report.fault(place(tree, ['target']), `target is the number ${target}: ${refusal(target >= 1)}`);
    return undefined;
  }
  return { target: ratio(target), budget: complement(target) };
}

/** A percentage, OpenSLO's or Sloth's. */
export function checkPercent(
  value: number,
  tree: Located<unknown>['tree'],
  key: string,
  report: Report,
): Target | undefined {
  if (!(value > 0 && value < 100)) {
    report.fault(place(tree, [key]), `${key} is the number ${value}: ${refusal(value >= 100)}`);
    return undefined;
  }
  if (value < 1) {
    const meant = `did you mean ${Number(`${value}e2`)}?`;
    report.warn(place(tree, [key]), `${key} is the number ${value}, less than one per cent: ${meant}`);
  }
  const target = percent(value);
  return { target: ratio(target), budget: complement(target) };
}

const refusal = (high: boolean): string =>
  high
    ? 'expected less than 100 %, since nothing could ever fail and every failure would page'
    : 'expected more than 0, since everything could fail';

/** Exactly what moving the decimal point gives: 99.95 / 100 is 0.9995000000000001. */
export function percent(value: number): number {
  const [digits = '', exponent = '0'] = String(value).split('e');
  return Number(`${digits}e${Number(exponent) - 2}`);
}

/** 1 − x with as many decimals as x has: 1 − 0.9995 is 0.0005, where doubles say 0.0005000000000000004. */
export function complement(share: number): Ratio {
  const [digits = '', exponent = '0'] = String(share).split('e');
  const decimals = (digits.split('.')[1] ?? '').length - Number(exponent);
  return ratio(Number((1 - share).toFixed(Math.min(Math.max(decimals, 0), 20))));
}
