/** Over what time an objective is judged, and in what portions. */
import { days, minutes, ratio, seconds } from '#kernel/units.ts';
import { BURN_RULES } from '#slo/burn-rate.ts';
import { isTimeZone, isWallClock, nominalPeriod } from '#slo/calendar.ts';
import type { CalendarUnit, Method, Window } from '#slo/objective.ts';
import { items, type Located, part } from './document.ts';
import { type DurationUnit, readDuration } from './duration.ts';
import type { Report } from './report.ts';
import type { SloObjective, TimeWindow } from './shapes.ts';
import { keyPlace, place, type Tree } from './tree.ts';

/** Four whole weeks, so that every weekday counts the same. */
export const DEFAULT_PERIOD = days(28);

const CALENDAR_UNITS: { readonly [U in DurationUnit]?: CalendarUnit } = {
  d: 'day',
  w: 'week',
  M: 'month',
  Q: 'quarter',
  Y: 'year',
};

export function readWindow(
  spec: Located<{ timeWindow?: TimeWindow[] | undefined }>,
  report: Report,
): Window | undefined {
  const windows = items(part(spec, 'timeWindow'));
  const [window] = windows;
  if (window === undefined) {
    report.strictly(place(spec.tree, ['timeWindow']), 'has no timeWindow: taken as 28 days, rolling');
    return { kind: 'rolling', period: DEFAULT_PERIOD };
  }
  if (windows.length > 1) {
    report.fault(place(spec.tree, ['timeWindow', 1]), `has ${windows.length} time windows: expected one`);
    return undefined;
  }
  const read = window.value.calendar ? readCalendar(window, report) : readRolling(window, report);
  const longest = BURN_RULES.findLast(({ long }) => read !== undefined && nominalPeriod(read) < long);
  if (longest) {
    const rule = `the rule ${longest.name}, which looks back ${longest.long / days(1)} days, cannot be judged in it`;
    report.strictly(place(window.tree, ['duration']), `the period is ${window.value.duration}: ${rule}`);
  }
  return read;
}

function readRolling({ value, tree }: Located<TimeWindow>, report: Report): Window | undefined {
  const duration = readDuration(tree, ['duration'], report);
  if (value.isRolling === false) {
    report.fault(keyPlace(tree, ['isRolling']), 'isRolling is false and calendar is missing: expected one of the two');
    return undefined;
  }
  if (value.isRolling === undefined) {
    report.strictly(place(tree), 'has neither isRolling: true nor a calendar: taken as rolling');
  }
  return duration && { kind: 'rolling', period: duration.length };
}

function readCalendar({ value, tree }: Located<TimeWindow>, report: Report): Window | undefined {
  const duration = readDuration(tree, ['duration'], report);
  const { startTime, timeZone } = value.calendar ?? { startTime: '', timeZone: '' };
  let right = value.isRolling !== true;
  const wrong = (at: readonly string[], message: string): void => {
    right = false;
    report.fault(place(tree, at), message);
  };
  if (value.isRolling === true) wrong(['isRolling'], 'isRolling is true beside a calendar: expected one of the two');
  const unit = duration && CALENDAR_UNITS[duration.unit];
  if (duration && !unit) {
    wrong(['duration'], `a calendar's duration is ${value.duration}: expected whole days or more, in d, w, M, Q or Y`);
  }
  if (!isWallClock(startTime)) {
    wrong(
      ['calendar', 'startTime'],
      `startTime is "${startTime}": expected a date and time such as 2026-01-01 00:00:00`,
    );
  }
  if (!isTimeZone(timeZone)) {
    wrong(['calendar', 'timeZone'], `timeZone is "${timeZone}": expected a name such as Europe/Paris or UTC`);
  }
  if (!right || !duration || !unit) return undefined;
  return { kind: 'calendar', count: duration.count, unit, start: startTime.replace('T', ' '), timeZone };
}

const METHODS = ['Occurrences', 'Timeslices', 'RatioTimeslices'] as const;

export function readMethod(
  spec: Located<{ budgetingMethod: string }>,
  objective: Located<SloObjective>,
  report: Report,
): Method | undefined {
  const written = spec.value.budgetingMethod;
  const at = place(spec.tree, ['budgetingMethod']);
  const method = METHODS.find((known) => known.toLowerCase() === written.toLowerCase());
  if (method === undefined) {
    report.fault(at, `budgetingMethod is "${written.slice(0, 40)}": expected one of ${METHODS.join(', ')}`);
    return undefined;
  }
  if (method !== written) report.strictly(at, `budgetingMethod is ${written}: expected ${method}`);
  if (method === 'Occurrences') {
    for (const key of ['timeSliceTarget', 'timeSliceWindow'] as const) {
      if (objective.value[key] === undefined) continue;
      report.warn(keyPlace(objective.tree, [key]), `${key} is not read: the budgetingMethod is Occurrences`);
    }
    return { kind: 'occurrences' };
  }
  const slice = readSlice(objective, report);
  if (method === 'RatioTimeslices') return slice && { kind: 'ratio-timeslices', slice };
  const { timeSliceTarget } = objective.value;
  if (timeSliceTarget === undefined || timeSliceTarget <= 0 || timeSliceTarget > 1) {
    const found = timeSliceTarget === undefined ? 'is missing' : `is the number ${timeSliceTarget}`;
    report.fault(
      place(objective.tree, ['timeSliceTarget']),
      `timeSliceTarget ${found}: expected more than 0 and at most 1`,
    );
    return undefined;
  }
  return slice && { kind: 'timeslices', slice, sliceTarget: ratio(timeSliceTarget) };
}

function readSlice({ value, tree }: Located<SloObjective>, report: Report) {
  const { timeSliceWindow } = value;
  if (timeSliceWindow === undefined) {
    report.fault(place(tree), 'timeSliceWindow is missing: expected a duration such as 1m');
    return undefined;
  }
  if (typeof timeSliceWindow === 'number') return sliceOfMinutes(timeSliceWindow, tree, report);
  return readDuration(tree, ['timeSliceWindow'], report)?.length;
}

/** README: a number counts minutes. The SDK takes text only. */
function sliceOfMinutes(count: number, tree: Tree, report: Report) {
  const at = place(tree, ['timeSliceWindow']);
  if (!(count > 0 && count <= 60 * 24 * 365)) {
    report.fault(at, `timeSliceWindow is the number ${count}: expected minutes, more than 0, or a duration such as 1m`);
    return undefined;
  }
  report.strictly(at, `timeSliceWindow is the number ${count}: expected ${count}m`);
  return seconds(minutes(count));
}
