/** `schedules`: layers, their rotations and hours, and overrides. */
import { type Section, shown } from '#alerting/config/section.ts';
import type { Layer, Override, Rotation, Schedule } from './model.ts';
import { readList, readName, readReference, readRestrictions, readWallTime, readZone, written } from './read-parts.ts';
import { instantOf, wallOf } from './zone.ts';

const EVERY_MAX = 1_000;
const UNITS = ['hour', 'day', 'week'] as const satisfies readonly Rotation['unit'][];

export function readSchedules(sections: readonly Section[], people: ReadonlySet<string>): Map<string, Schedule> {
  const found = new Map<string, Schedule>();
  for (const section of sections) {
    const name = readName(section, found, 'schedule');
    const zone = readZone(section) ?? 'UTC';
    const named = new Map<string, Layer | undefined>();
    const layers = readList(section, 'layers').flatMap((one) => readLayer(one, named, people) ?? []);
    const overrides = readList(section, 'overrides').flatMap((one) => readOverride(one, zone, people) ?? []);
    if (!section.has('layers') && !section.has('overrides')) {
      section.fault('layers', 'is missing: expected a layer with people who take turns');
    }
    section.end();
    found.set(name, { name, zone, layers, overrides });
  }
  found.delete('');
  return found;
}

function readLayer(
  section: Section,
  named: Map<string, Layer | undefined>,
  people: ReadonlySet<string>,
): Layer | undefined {
  const name = readName(section, named, 'layer');
  named.set(name, undefined);
  const texts = section.texts('people') ?? [];
  if (texts.length === 0 && !section.has('people')) section.fault('people', 'is missing: expected who takes turns');
  const [first, ...others] = texts.flatMap((one) => readReference(one, people, 'person') ?? []);
  const rotation = readRotation(section);
  const start = readWallTime(section, 'start');
  const end = section.has('end') ? readWallTime(section, 'end') : undefined;
  const restrictions = readRestrictions(section);
  if (start && end && wallOf(end) <= wallOf(start)) section.fault('end', 'is not after start');
  section.end();
  if (first === undefined || rotation === undefined || start === undefined) return undefined;
  return { name, people: [first, ...others], rotation, start, end, restrictions };
}

function readRotation(section: Section): Rotation | undefined {
  const given = section.section('rotation');
  if (given === undefined) {
    if (!section.has('rotation')) section.fault('rotation', 'is missing: expected such as {every: 1, unit: week}');
    return undefined;
  }
  const every = given.has('every') ? given.count('every') : 1;
  if (every !== undefined && (every < 1 || every > EVERY_MAX)) {
    given.fault('every', `is ${every}: expected a whole number from 1 to ${EVERY_MAX}`);
  }
  const text = given.text('unit');
  const unit = UNITS.find((one) => one === text);
  if (unit === undefined) {
    given.fault('unit', `is ${text === undefined ? 'missing' : shown(text)}: expected one of ${UNITS.join(', ')}`);
  }
  given.end();
  return every === undefined || unit === undefined ? undefined : { every, unit };
}

function readOverride(section: Section, zone: string, people: ReadonlySet<string>): Override | undefined {
  const given = written(section, 'person');
  if (given === undefined) section.fault('person', 'is missing: expected who takes over');
  const person = given && readReference(given, people, 'person');
  const [begins, ends] = [readWallTime(section, 'from'), readWallTime(section, 'to')];
  section.end();
  if (begins === undefined || ends === undefined) return undefined;
  const [from, to] = [instantOf(zone, wallOf(begins)), instantOf(zone, wallOf(ends))];
  if (from >= to) section.fault('to', 'is not after from');
  return person === undefined ? undefined : { person, from, to };
}
