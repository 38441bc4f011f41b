/** Who is on call, as people and programs are shown it. Pure. */
import type { Milliseconds } from '#kernel/units.ts';
import type { Oncall } from './model.ts';
import { nextHandOff, onDuty } from './schedule.ts';

export type OnCallView = {
  readonly schedule: string;
  readonly timeZone: string;
  readonly onDuty: readonly PersonView[];
  /** When it is somebody else's turn, or nobody's. Null: not within 400 days. */
  readonly until: string | null;
  readonly next: readonly PersonView[];
};
export type PersonView = { readonly name: string; readonly displayName: string };

export function viewOnCall(
  { people, schedules }: Pick<Oncall, 'people' | 'schedules'>,
  at: Milliseconds,
): OnCallView[] {
  const view = (name: string): PersonView => ({ name, displayName: people.get(name)?.displayName ?? name });
  return [...schedules.values()].map((schedule) => {
    const next = nextHandOff(schedule, at);
    return {
      schedule: schedule.name,
      timeZone: schedule.zone,
      onDuty: onDuty(schedule, at).map(view),
      until: next === undefined ? null : new Date(next.at).toISOString(),
      next: (next?.onDuty ?? []).map(view),
    };
  });
}
