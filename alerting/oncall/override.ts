/** Overrides that people make while the router runs, kept in its store: on top of those of the file, the youngest on top. Pure. */
import type { Milliseconds } from '#kernel/units.ts';
import type { Oncall, Override, Schedule } from './model.ts';

export type StoredOverride = {
  readonly id: string;
  readonly schedule: string;
  readonly person: string;
  readonly from: Milliseconds;
  /** As it holds: earlier than it was made for, where somebody has ended it. */
  readonly to: Milliseconds;
  readonly because: string | undefined;
  readonly createdBy: string;
  readonly createdAt: Milliseconds;
};

/** @param stored in the order in which they were made. Of a person whom the file does not know nobody could be told. */
export function withStored(oncall: Oncall, stored: readonly StoredOverride[]): Oncall {
  const bySchedule = Map.groupBy(
    stored.filter(({ person }) => oncall.people.has(person)),
    ({ schedule }) => schedule,
  );
  const merged = [...oncall.schedules.values()].map((schedule): Schedule => {
    const ofFile = schedule.overrides.filter(({ made }) => made === undefined);
    const more = (bySchedule.get(schedule.name) ?? []).map(
      (made): Override => ({ person: made.person, from: made.from, to: made.to, made }),
    );
    return { ...schedule, overrides: [...ofFile, ...more] };
  });
  return { ...oncall, schedules: new Map(merged.map((one) => [one.name, one])) };
}
