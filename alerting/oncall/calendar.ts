/** Who has which shift of a stretch of time and by what, as a page draws it. Pure. */
import type { Milliseconds } from '#kernel/units.ts';
import type { Span } from './hours.ts';
import type { Oncall, Override, Schedule } from './model.ts';
import { gapsOf, type Shift, shiftsOfLayer, sourcedShifts } from './schedule.ts';

export type CalendarShift = Shift & { readonly displayName: string };
export type ScheduleCalendar = {
  readonly schedule: string;
  readonly timeZone: string;
  /** Who has it: of each the layer, or the override. */
  readonly shifts: readonly (CalendarShift & {
    readonly layer: string | undefined;
    readonly override: Override | undefined;
  })[];
  /** Each layer by itself, as if there were no other. */
  readonly layers: readonly { readonly name: string; readonly shifts: readonly CalendarShift[] }[];
  readonly gaps: readonly Span[];
  readonly overrides: readonly (Override & { readonly displayName: string })[];
};

export function calendarOf(
  { people }: Pick<Oncall, 'people'>,
  schedule: Schedule,
  from: Milliseconds,
  to: Milliseconds,
): ScheduleCalendar {
  const named = <T extends { readonly person: string }>(one: T) => ({
    ...one,
    displayName: people.get(one.person)?.displayName ?? one.person,
  });
  const { name, zone, layers, overrides } = schedule;
  return {
    schedule: name,
    timeZone: zone,
    shifts: sourcedShifts(schedule, from, to).map(named),
    layers: layers.map((layer) => ({ name: layer.name, shifts: shiftsOfLayer(layer, zone, from, to).map(named) })),
    gaps: gapsOf(schedule, from, to),
    overrides: overrides.filter((one) => one.from < to && one.to > from).map(named),
  };
}
