/** `policies`: whom an incident is told to, step by step. */
import type { Receiver } from '#alerting/config/config.ts';
import type { Section } from '#alerting/config/section.ts';
import { minutes, toMilliseconds } from '#kernel/units.ts';
import type { Policy, Step, Target, WorkingHours } from './model.ts';
import { readName, readReference, readRestrictions, readZone, written } from './read-parts.ts';

export type Known = {
  readonly people: ReadonlySet<string>;
  readonly schedules: ReadonlySet<string>;
  /** Undefined: not known, not checked. */
  readonly receivers: ReadonlyMap<string, Receiver> | undefined;
};

const REPEATS_MAX = 100;
/** Nobody should miss a page because the file does not say how often it is told again. */
const REPEAT = { times: 2, after: toMilliseconds(minutes(10)) };
/** An outage shows as a warning some seconds before it is critical: one message is enough. */
const AFTER = toMilliseconds(minutes(2));
const WITHIN = toMilliseconds(minutes(15));
const KINDS = ['schedule', 'person', 'receiver'] as const satisfies readonly Target['kind'][];

export function readPolicies(sections: readonly Section[], known: Known): Map<string, Policy> {
  const found = new Map<string, Policy>();
  for (const section of sections) {
    const name = readName(section, found, 'policy');
    if (name !== '' && known.receivers?.has(name) === false) {
      const say = (message: string) => section.fault('name', message);
      readReference({ text: name, fault: say }, new Set(known.receivers.keys()), 'receiver of alertmanager.yml');
    }
    const [first, ...others] = (section.sections('steps') ?? []).flatMap((one) => readStep(one, known) ?? []);
    if (!section.has('steps')) section.fault('steps', 'is missing: expected a step with targets');
    const repeat = readRepeat(section.section('repeat'));
    const warnings = readWarnings(section.section('warnings'));
    section.end();
    if (name !== '' && first) found.set(name, { name, steps: [first, ...others], repeat, warnings });
  }
  return found;
}

function readStep(section: Section, known: Known): Step | undefined {
  const delay = section.duration('delay') ?? toMilliseconds(minutes(0));
  const [first, ...others] = (section.sections('targets') ?? []).flatMap((one) => readTarget(one, known) ?? []);
  if (!section.has('targets')) section.fault('targets', 'is missing: expected a schedule, a person or a receiver');
  section.end();
  return first && { delay, targets: [first, ...others] };
}

function readTarget(section: Section, { people, schedules, receivers }: Known): Target | undefined {
  const names = { person: people, schedule: schedules, receiver: receivers && new Set(receivers.keys()) };
  const targets = KINDS.flatMap((kind): Target[] => {
    const given = written(section, kind);
    if (given === undefined) return [];
    const name = names[kind] === undefined ? given.text : readReference(given, names[kind], kind);
    return [{ kind, name: name ?? given.text }];
  });
  section.end();
  const [target, second] = targets;
  if (target === undefined) section.fault(undefined, `names nobody: expected one of ${KINDS.join(', ')}`);
  if (second !== undefined) section.fault(second.kind, `stands beside ${target?.kind}: one name a target`);
  return target;
}

function readRepeat(section: Section | undefined): Policy['repeat'] {
  if (section === undefined) return REPEAT;
  const times = section.count('times') ?? REPEAT.times;
  if (times > REPEATS_MAX) section.fault('times', `is ${times}: the most is ${REPEATS_MAX}`);
  const after = section.duration('after') ?? REPEAT.after;
  if (section.has('after') && after === 0) section.fault('after', 'is 0: expected a time to answer in, such as 10m');
  section.end();
  return { times, after };
}

function readWarnings(section: Section | undefined): Policy['warnings'] {
  const after = section?.duration('after') ?? AFTER;
  const within = section?.duration('within') ?? WITHIN;
  if (after > within) section?.fault('after', 'is longer than within: nobody would be told in time');
  const hours = section?.section('working_hours');
  const schedule = hours && readHours(hours);
  section?.end();
  return { after, within, schedule };
}

function readHours(section: Section): WorkingHours | undefined {
  const zone = readZone(section);
  const restrictions = readRestrictions(section);
  if (!section.has('restrictions')) {
    const such = "{weekdays: ['monday:friday'], from: '09:00', to: '17:00'}";
    section.fault('restrictions', `is missing: expected such as [${such}]`);
  }
  section.end();
  return zone === undefined ? undefined : { zone, restrictions };
}
