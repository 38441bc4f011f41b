/**
 * OpenSLO's durations: a whole number and one letter, `m` for minutes and `M` for months. Seconds are ours: slices of
 * 15 s notice a stall that slices of a minute sleep through.
 *
 * Source: https://github.com/OpenSLO/OpenSLO#duration-shorthand; months of 30, quarters of 90 and years of 365 days as
 * the Go SDK's DurationShorthand counts them.
 */
import { days, hours, minutes, type Seconds, seconds } from '#kernel/units.ts';
import { named, told } from './document.ts';
import type { Report } from './report.ts';
import { find, type Path, place, type Tree } from './tree.ts';

const UNITS = {
  s: seconds(1),
  m: minutes(1),
  h: hours(1),
  d: days(1),
  w: days(7),
  M: days(30),
  Q: days(90),
  Y: days(365),
} as const satisfies Record<string, Seconds>;

export type DurationUnit = keyof typeof UNITS;
export type Duration = { readonly count: number; readonly unit: DurationUnit; readonly length: Seconds };

/** Ten years: beyond it there is a slip of the pen, not a wish. */
const LENGTH_MAX = days(3_650);

export function readDuration(tree: Tree, path: Path, report: Report): Duration | undefined {
  const found = find(tree, path);
  if (found?.kind !== 'scalar') return undefined;
  const match = /^([0-9]+)([smhdwMQY])$/.exec(String(found.value));
  const at = place(tree, path);
  if (match === null) {
    const right = 'expected a whole number and one of m (minutes), h, d, w, M (months), Q, Y, such as 28d';
    report.fault(at, `${named(path)} is ${told(found)}: ${right}`);
    return undefined;
  }
  const count = Number(match[1]);
  const unit = match[2] as DurationUnit;
  const length = seconds(count * UNITS[unit]);
  if (count === 0 || length > LENGTH_MAX) {
    report.fault(at, `${named(path)} is ${told(found)}: expected more than 0 and at most ten years`);
    return undefined;
  }
  if (unit === 's') {
    report.strictly(
      at,
      `${named(path)} is ${told(found)}: seconds are an extension of Burnline, OpenSLO's least is a minute`,
    );
  }
  return { count, unit, length };
}
