/** What is right in an `oncall.yaml` and may still wake nobody: said when it is loaded, and by `burnline oncall check`. Pure. */
import type { Receiver } from '#alerting/config/config.ts';
import { days, type Milliseconds, milliseconds, toMilliseconds } from '#kernel/units.ts';
import type { Span } from './hours.ts';
import type { Oncall, Person, Schedule } from './model.ts';
import { gapsOf } from './schedule.ts';
import { shownAt } from './zone.ts';

export type OncallWarning = {
  /** `schedules.primary` */
  readonly field: string;
  readonly message: string;
};

const AHEAD_DAYS = 90;
/** The first ones are enough to see what they have in common. */
const SHOWN_MOST = 3;

/** @param hearsPagerduty there is a secret by which PagerDuty's webhooks are believed. */
export function warningsOf(
  oncall: Oncall,
  receivers: ReadonlyMap<string, Receiver>,
  hearsPagerduty: boolean,
  now: Milliseconds,
): OncallWarning[] {
  const targets = [...oncall.policies.values()].flatMap(({ steps }) => steps.flatMap((step) => step.targets));
  const named = (kind: string) => new Set(targets.filter((one) => one.kind === kind).map(({ name }) => name));
  const asked = { people: named('person'), schedules: named('schedule') };
  const used = new Set([...asked.people, ...[...oncall.schedules.values()].flatMap(peopleOf)]);
  return [
    ...[...oncall.people.values()].flatMap((person) => warningsOfPerson(person, used)),
    ...[...oncall.schedules.values()].flatMap((schedule) => warningsOfSchedule(schedule, asked.schedules, now)),
    ...[...oncall.policies.values()].flatMap(({ name, steps }) =>
      steps.flatMap((step, i) =>
        step.targets.flatMap((target) => {
          const isEmpty = target.kind === 'receiver' && receivers.get(target.name)?.integrations.length === 0;
          const message = `the receiver ${target.name} has no way out: whoever is sent there is not told`;
          return isEmpty ? [{ field: `policies.${name}.steps[${i}]`, message }] : [];
        }),
      ),
    ),
    ...(hearsPagerduty ? [] : deafTo([...oncall.people.values()], receivers, named('receiver'))),
  ];
}

function deafTo(
  people: readonly Person[],
  receivers: ReadonlyMap<string, Receiver>,
  asked: ReadonlySet<string>,
): OncallWarning[] {
  const used = [
    ...people.flatMap(({ name, contacts }) =>
      contacts.map(({ integration }) => ({ field: `people.${name}`, kind: integration.kind })),
    ),
    ...[...asked].flatMap((name) =>
      (receivers.get(name)?.integrations ?? []).map(({ kind }) => ({ field: `receivers.${name}`, kind })),
    ),
  ];
  const first = used.find(({ kind }) => kind === 'pagerduty');
  const message =
    'is told by PagerDuty, and who acknowledges or resolves there is not heard: ' +
    'set ROUTER_PAGERDUTY_WEBHOOK_SECRET to the secret of a V3 webhook to /api/v1/inbound/pagerduty';
  return first === undefined ? [] : [{ field: first.field, message }];
}

const peopleOf = ({ layers, overrides }: Schedule): string[] => [
  ...layers.flatMap(({ people }) => people),
  ...overrides.map(({ person }) => person),
];

function warningsOfPerson({ name, contacts }: Person, used: ReadonlySet<string>): OncallWarning[] {
  const field = `people.${name}`;
  if (!used.has(name)) return [{ field, message: 'is in no schedule and no policy' }];
  if (contacts.length === 0) return [{ field, message: 'has no contacts: a page for them goes nowhere' }];
  const silent = (['critical', 'warning'] as const).filter(
    (severity) => !contacts.some(({ severities }) => severities.includes(severity)),
  );
  return silent.map((severity) => ({ field, message: `has no contact for ${severity}: it goes nowhere` }));
}

function warningsOfSchedule(schedule: Schedule, asked: ReadonlySet<string>, now: Milliseconds): OncallWarning[] {
  const field = `schedules.${schedule.name}`;
  const unused = asked.has(schedule.name) ? [] : [{ field, message: 'is in no policy' }];
  const end = milliseconds(now + toMilliseconds(days(AHEAD_DAYS)));
  const gaps = gapsOf(schedule, now, end);
  return gaps.length === 0 ? unused : [...unused, { field, message: gapsSaid(schedule, gaps, now, end) }];
}

function gapsSaid({ zone }: Schedule, gaps: readonly Span[], now: Milliseconds, end: Milliseconds): string {
  const [first] = gaps;
  if (first?.from === now && first.to === end) return `nobody is on call in the next ${AHEAD_DAYS} days`;
  const shown = gaps.slice(0, SHOWN_MOST).map(({ from, to }) => {
    const since = from === now ? 'now' : shownAt(zone, from);
    return `${since} to ${to === end ? 'the end of that time' : shownAt(zone, to)}`;
  });
  const more = gaps.length > SHOWN_MOST ? ` and ${gaps.length - SHOWN_MOST} more times` : '';
  return `nobody is on call in the next ${AHEAD_DAYS} days from ${shown.join(', ')}${more} (${zone})`;
}
