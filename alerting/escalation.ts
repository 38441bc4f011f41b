/**
 * Whom an incident is told to, and when the next one. Pure: the schedule is asked through `Directory`, time is an argument.
 *
 * open → acknowledged → resolved. While it is open its steps follow each other, and begin again as often as the policy
 * repeats; an acknowledgement stops them, a snooze stops them for a while. A crash between two steps costs nothing: the
 * time of the next one is in the row.
 */
import type { Milliseconds } from '#kernel/units.ts';
import type { Severity } from '#slo/verdict.ts';
import type { Receiver } from './config/config.ts';
import { type Addressed, ofPerson, ofReceiver } from './destination.ts';
import { nextWithin } from './oncall/hours.ts';
import type { Oncall, Policy, Step } from './oncall/model.ts';
import type { Incident } from './store.ts';

/** Who can be told, as of one configuration. */
export type Who = {
  readonly receivers: ReadonlyMap<string, Receiver>;
  readonly oncall: Oncall;
  /** @returns the names of the people on call. */
  readonly onDuty: (schedule: string, at: Milliseconds) => readonly string[];
};

export type Escalation = {
  readonly incident: Pick<Incident, 'step' | 'round' | 'dueAt'>;
  readonly paged: readonly Paged[];
  /** In words: people by name, receivers as such. */
  readonly names: readonly string[];
  readonly next: { readonly who: readonly string[]; readonly at: Milliseconds } | undefined;
  /** Targets that lead to nobody: said, never passed over in silence. */
  readonly nobody: readonly string[];
};
export type Paged = Addressed;

/** The step that is due is taken. @param incident open, with its `step` and `round`. */
export function escalate(
  incident: Pick<Incident, 'severity' | 'step' | 'round'>,
  policy: Policy,
  who: Who,
  now: Milliseconds,
): Escalation {
  const step = policy.steps[incident.step] ?? policy.steps[0];
  const found = addressesOf(step, incident.severity, who, now);
  const after = following(incident, policy);
  const next = after && policy.steps[after.step];
  const again = after !== undefined && after.round > incident.round;
  // Nobody was told, so nobody needs time to answer. A new round keeps its time: by then the files may be mended.
  const delay = found.addressed.length === 0 ? 0 : (next?.delay ?? 0);
  const wait = again ? policy.repeat.after : delay;
  const dueAt = next && inHours(policy, incident.severity, (now + wait) as Milliseconds);
  return {
    incident: { step: after?.step ?? policy.steps.length, round: after?.round ?? incident.round, dueAt },
    paged: found.addressed,
    names: found.names,
    nobody: found.nobody,
    next: next && dueAt !== undefined ? { who: namesOf(next, who, dueAt), at: dueAt } : undefined,
  };
}

/** The place in the policy after this one; undefined: nobody is left to be told. */
function following(
  { step, round }: Pick<Incident, 'step' | 'round'>,
  policy: Policy,
): Pick<Incident, 'step' | 'round'> | undefined {
  if (step + 1 < policy.steps.length) return { step: step + 1, round };
  return round < policy.repeat.times ? { step: 0, round: round + 1 } : undefined;
}

/** When the first step of an incident opened now is due: by its delay, of a warning within the time the policy gives. */
export function firstStepAt(policy: Policy, severity: Severity, now: Milliseconds): Milliseconds {
  const { delay } = policy.steps[0];
  const { after, within } = policy.warnings;
  const wait = severity === 'critical' ? delay : Math.min(Math.max(delay, after), within);
  return inHours(policy, severity, (now + wait) as Milliseconds);
}

/**
 * A warning waits for the policy's working hours, at every step: they come within days. Critical never waits, and neither
 * does anything where the hours hold no moment.
 */
function inHours({ warnings: { schedule } }: Policy, severity: Severity, at: Milliseconds): Milliseconds {
  if (severity === 'critical' || schedule === undefined) return at;
  return nextWithin(schedule, at) ?? at;
}

type Found = { readonly addressed: Addressed[]; readonly names: string[]; readonly nobody: string[] };

function addressesOf(step: Step, severity: Severity, who: Who, at: Milliseconds): Found {
  const found: Found = { addressed: [], names: [], nobody: [] };
  for (const target of step.targets) {
    switch (target.kind) {
      case 'receiver': {
        const integrations = who.receivers.get(target.name)?.integrations ?? [];
        if (integrations.length === 0) found.nobody.push(`receiver ${target.name} has no way out`);
        else found.names.push(target.name);
        found.addressed.push(...ofReceiver(target.name, integrations));
        break;
      }
      case 'person':
        addPerson(found, target.name, severity, who);
        break;
      case 'schedule': {
        const people = who.onDuty(target.name, at);
        if (people.length === 0) found.nobody.push(`nobody is on call in ${target.name}`);
        for (const person of people) addPerson(found, person, severity, who);
        break;
      }
      default:
        target satisfies never;
    }
  }
  const seen = new Set<string>();
  const addressed = found.addressed.filter(({ destination }) => !seen.has(destination) && seen.add(destination));
  return { ...found, addressed };
}

function addPerson(found: Found, name: string, severity: Severity, who: Who): void {
  const person = who.oncall.people.get(name);
  const contacts = person?.contacts ?? [];
  const all = ofPerson(
    name,
    contacts.map(({ integration }) => integration),
  );
  const used = all.filter((_, i) => contacts[i]?.severities.includes(severity));
  if (used.length === 0) found.nobody.push(`${person?.displayName ?? name} has no contact for ${severity}`);
  else found.names.push(person?.displayName ?? name);
  found.addressed.push(...used);
}

/** Whom the step of an incident that is due will tell, as it now looks: by then somebody else may be on call. */
export function nextOf(
  { step, dueAt }: Pick<Incident, 'step' | 'dueAt'>,
  policy: Policy | undefined,
  who: Who,
): Escalation['next'] {
  const next = policy?.steps[step];
  return next === undefined || dueAt === undefined ? undefined : { who: namesOf(next, who, dueAt), at: dueAt };
}

const namesOf = (step: Step, who: Who, at: Milliseconds): string[] =>
  step.targets.flatMap((target) => {
    if (target.kind === 'receiver') return [target.name];
    const people = target.kind === 'person' ? [target.name] : who.onDuty(target.name, at);
    return people.map((name) => who.oncall.people.get(name)?.displayName ?? name);
  });
