/**
 * Who is on call. The last layer that names somebody wins, and an override wins over all layers. A moment is asked for by
 * itself (`onDuty`), a stretch of time as its shifts (`shiftsOf`): the two are made differently and say the same.
 *
 * Days and weeks are counted on the wall clock from the layer's start, so the hand-off keeps its hour through every change
 * of clocks; hours are real ones. Pure: time is an argument.
 */
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { hoursWithin, isWithin, type Span } from './hours.ts';
import type { Layer, Override, Schedule } from './model.ts';
import { DAY, HOUR, instantOf, type Wall, wallAt, wallOf } from './zone.ts';

export type Shift = Span & { readonly person: string };
export type HandOff = {
  readonly at: Milliseconds;
  /** Nobody: a gap begins. */
  readonly onDuty: readonly string[];
};

const UNITS = { hour: HOUR, day: DAY, week: 7 * DAY } as const satisfies Record<Layer['rotation']['unit'], number>;
/** Looked ahead step by step: most hand-offs are near. */
const HORIZONS = [8 * DAY, 64 * DAY, 400 * DAY];

/** @returns one name, or none in a gap. */
export function onDuty(schedule: Schedule, at: Milliseconds): string[] {
  const override = schedule.overrides.findLast(({ from, to }) => from <= at && at < to);
  if (override !== undefined) return [override.person];
  for (const layer of schedule.layers.toReversed()) {
    const person = onLayer(layer, schedule.zone, at);
    if (person !== undefined) return [person];
  }
  return [];
}

/** Within [from, to), in order; what one person has without a break is one shift. */
export const shiftsOf = (schedule: Schedule, from: Milliseconds, to: Milliseconds): Shift[] =>
  merged(sourcedShifts(schedule, from, to).map((one) => shift(one.person, one.from, one.to)));

/** Of a shift: what puts the person there, a layer by its name or an override. */
export type Source = { readonly layer: string | undefined; readonly override: Override | undefined };

/** The same by what puts somebody there: a change of that is a new shift. */
export function sourcedShifts(schedule: Schedule, from: Milliseconds, to: Milliseconds): (Shift & Source)[] {
  let shifts: (Shift & Source)[] = [];
  for (const layer of schedule.layers) {
    const own = shiftsOfLayer(layer, schedule.zone, from, to);
    shifts = covered(
      shifts,
      own.map((one) => ({ ...one, layer: layer.name, override: undefined })),
    );
  }
  for (const override of schedule.overrides) {
    const [begins, ends] = [Math.max(override.from, from), Math.min(override.to, to)];
    if (begins >= ends) continue;
    shifts = covered(shifts, [{ ...shift(override.person, begins, ends), layer: undefined, override }]);
  }
  return shifts;
}

/** When nobody is on call within [from, to). */
export function gapsOf(schedule: Schedule, from: Milliseconds, to: Milliseconds): Span[] {
  const gaps: Span[] = [];
  let since = from;
  for (const one of shiftsOf(schedule, from, to)) {
    if (since < one.from) gaps.push({ from: since, to: one.from });
    since = one.to;
  }
  if (since < to) gaps.push({ from: since, to });
  return gaps;
}

/** When it is somebody else's turn, or nobody's. Undefined: not within 400 days. */
export function nextHandOff(schedule: Schedule, at: Milliseconds): HandOff | undefined {
  const [now] = onDuty(schedule, at);
  for (const horizon of HORIZONS) {
    const until = milliseconds(at + horizon);
    const [first, second] = shiftsOf(schedule, at, until);
    if (first === undefined) continue;
    if (now === undefined) return { at: first.from, onDuty: [first.person] };
    if (first.to === until) continue;
    return { at: first.to, onDuty: second?.from === first.to ? [second.person] : [] };
  }
  return undefined;
}

function onLayer(layer: Layer, zone: string, at: Milliseconds): string | undefined {
  const { people, restrictions } = layer;
  const { from, to } = lifeOf(layer, zone);
  if (at < from || at >= to) return undefined;
  if (restrictions.length > 0 && !isWithin(restrictions, zone, at)) return undefined;
  return people[turnAt(layer, zone, at) % people.length];
}

/** Of one layer, by itself. */
export function shiftsOfLayer(layer: Layer, zone: string, from: number, to: number): Shift[] {
  const life = lifeOf(layer, zone);
  const [begins, ends] = [Math.max(from, life.from), Math.min(to, life.to)];
  if (begins >= ends) return [];
  const { people, restrictions } = layer;
  const hours =
    restrictions.length === 0
      ? [{ from: milliseconds(begins), to: milliseconds(ends) }]
      : hoursWithin(restrictions, zone, begins, ends);
  const shifts: Shift[] = [];
  let turn = turnAt(layer, zone, milliseconds(begins));
  let turnEnds = turnStart(layer, zone, turn + 1);
  for (const open of hours) {
    let since: number = open.from;
    while (since < open.to) {
      while (turnEnds <= since) turnEnds = turnStart(layer, zone, ++turn + 1);
      const until = Math.min(open.to, turnEnds);
      shifts.push(shift(people[turn % people.length] ?? people[0], since, until));
      since = until;
    }
  }
  return merged(shifts);
}

function lifeOf({ start, end }: Layer, zone: string): { readonly from: number; readonly to: number } {
  return {
    from: instantOf(zone, wallOf(start)),
    to: end === undefined ? Number.POSITIVE_INFINITY : instantOf(zone, wallOf(end)),
  };
}

/** How many hand-offs there were since the start: by the wall clock, then on until it fits. */
function turnAt(layer: Layer, zone: string, at: Milliseconds): number {
  const { unit, every } = layer.rotation;
  const length = UNITS[unit] * every;
  if (unit === 'hour') return Math.floor((at - instantOf(zone, wallOf(layer.start))) / length);
  let turn = Math.floor((wallAt(zone, at) - wallOf(layer.start)) / length);
  // Clocks that went back may show less than at a hand-off that was.
  while (turnStart(layer, zone, turn + 1) <= at) turn++;
  return turn;
}

/** Counted from the layer's start, not from the turn before: a day without that hour does not move the next ones. */
function turnStart({ start, rotation: { unit, every } }: Layer, zone: string, turn: number): Milliseconds {
  const wall: Wall = wallOf(start);
  const length = UNITS[unit] * every * turn;
  return unit === 'hour' ? milliseconds(instantOf(zone, wall) + length) : instantOf(zone, wall + length);
}

/** Both in order and without overlap; `over` wins. */
function covered<S extends Shift>(under: readonly S[], over: readonly S[]): S[] {
  const parts = [...over];
  const part = (one: S, from: number, to: number): S => ({ ...one, from: milliseconds(from), to: milliseconds(to) });
  let next = 0;
  for (const one of under) {
    let since: number = one.from;
    while ((over[next]?.to ?? Number.POSITIVE_INFINITY) <= since) next++;
    for (let i = next; ; i++) {
      const above = over[i];
      if (above === undefined || above.from >= one.to) break;
      if (since < above.from) parts.push(part(one, since, above.from));
      since = above.to;
    }
    if (since < one.to) parts.push(part(one, since, one.to));
  }
  return parts.sort((a, b) => a.from - b.from);
}

function merged(shifts: readonly Shift[]): Shift[] {
  const result: Shift[] = [];
  for (const one of shifts) {
    const before = result.at(-1);
    if (before?.person === one.person && before.to === one.from) {
      result[result.length - 1] = { ...before, to: one.to };
    } else result.push(one);
  }
  return result;
}

const shift = (person: string, from: number, to: number): Shift => ({
  person,
  from: milliseconds(from),
  to: milliseconds(to),
});
