/** What people, schedules and policies are written with. */
import { type Section, shown, type Written } from '#alerting/config/section.ts';
import { isTimeZone } from '#slo/calendar.ts';
import type { Restriction, WallTime } from './model.ts';

/** Far more than anybody has: what is read is asked at every page, and 90 days ahead at every load. */
const MOST = {
  people: 10_000,
  schedules: 1_000,
  layers: 50,
  restrictions: 50,
  overrides: 1_000,
  policies: 10_000,
  heartbeats: 1_000,
};

/** The maps of a list. One too many is a fault, and the rest is not read. */
export function readList(section: Section, key: keyof typeof MOST): Section[] {
  const sections = section.sections(key) ?? [];
  sections[MOST[key]]?.fault(undefined, `is one too many: the most is ${MOST[key]}`);
  return sections.slice(0, MOST[key]);
}

/** @returns '' after a fault, or the name all the same when another has it too. */
export function readName(section: Section, taken: ReadonlyMap<string, unknown>, what: string): string {
  const name = section.text('name') ?? '';
  if (name === '') section.fault('name', `is missing: expected the name of the ${what}`);
  else if (taken.has(name)) section.fault('name', `is ${shown(name)}, as another ${what} is called`);
  return name;
}

/** A name that something else has. @returns it, when that is so. */
export function readReference({ text, fault }: Written, known: ReadonlySet<string>, what: string): string | undefined {
  if (known.has(text)) return text;
  const alike = [...known].find((one) => one.toLowerCase() === text.toLowerCase());
  const some = [...known].slice(0, 10).map(shown).join(', ');
  const hint =
    alike !== undefined ? `did you mean ${shown(alike)}?` : known.size === 0 ? 'there is none' : `there is ${some}`;
  fault(`is ${shown(text)}, which no ${what} is called: ${hint}`);
  return undefined;
}

/** The value of a key as one that can be faulted. */
export function written(section: Section, key: string): Written | undefined {
  const text = section.text(key);
  return text === undefined ? undefined : { text, fault: (message) => section.fault(key, message) };
}

export function readZone(section: Section): string | undefined {
  const zone = section.text('time_zone');
  if (zone !== undefined && isTimeZone(zone)) return zone;
  section.fault(
    'time_zone',
    `is ${zone === undefined ? 'missing' : shown(zone)}: expected a name such as Europe/Berlin`,
  );
  return undefined;
}

const WALL = /^(\d{4})-(\d\d)-(\d\d)[T ]([01]\d|2[0-3]):([0-5]\d)$/;
/** Outside nobody is on call, and a year too many digits off is a slip of the pen. */
const [FIRST_YEAR, LAST_YEAR] = [2000, 2100];

export function readWallTime(section: Section, key: string): WallTime | undefined {
  const text = section.text(key);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = (WALL.exec(text ?? '')?.slice(1) ?? []).map(Number);
  const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const isDate = year >= FIRST_YEAR && year <= LAST_YEAR && month >= 1 && month <= 12 && day >= 1 && day <= lastDay;
  if (isDate) return { year, month, day, hour, minute };
  const found = text === undefined ? 'missing' : shown(text);
  section.fault(key, `is ${found}: expected a time on the clock of the zone, such as 2026-01-05T09:00`);
  return undefined;
}

const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const ALL_DAYS = [0, 1, 2, 3, 4, 5, 6];

/** An empty list would hold no moment, and is told. */
export function readRestrictions(section: Section): Restriction[] {
  const isEmpty = section.keys().includes('restrictions') && !section.has('restrictions');
  if (isEmpty) section.fault('restrictions', 'is empty, which holds no moment: leave it out');
  return readList(section, 'restrictions').flatMap((one) => readRestriction(one) ?? []);
}

function readRestriction(section: Section): Restriction | undefined {
  const weekdays = readWeekdays(section);
  const from = section.has('from') ? readClock(section, 'from') : 0;
  const to = section.has('to') ? readClock(section, 'to') : 24 * 60;
  if (!['weekdays', 'from', 'to'].some((key) => section.has(key))) {
    section.fault(undefined, 'holds every moment: expected weekdays, or from and to');
  } else if (section.has('from') !== section.has('to')) {
    section.fault(undefined, `has ${section.has('from') ? 'from without to' : 'to without from'}`);
  }
  section.end();
  if (from === undefined || to === undefined) return undefined;
  if (from === 24 * 60) section.fault('from', 'is 24:00: write 00:00 of the next day');
  return { weekdays, from, to };
}

function readWeekdays(section: Section): readonly number[] {
  const texts = section.texts('weekdays');
  if (texts === undefined) return ALL_DAYS;
  if (texts.length === 0) section.fault('weekdays', 'is an empty list, which holds no moment: leave it out');
  const days = texts.flatMap(({ text, fault }) => {
    const [first = '', last = first, ...more] = text.toLowerCase().split(':');
    const [from, to] = [DAYS.indexOf(first), DAYS.indexOf(last)];
    if (from < 0 || to < 0 || more.length > 0) {
      fault(`is ${shown(text)}: expected a weekday such as monday, or monday:friday`);
      return [];
    }
    // saturday:monday goes over the end of the week.
    return ALL_DAYS.slice(0, ((to - from + 7) % 7) + 1).map((i) => (from + i) % 7);
  });
  return [...new Set(days)];
}

function readClock(section: Section, key: string): number | undefined {
  const text = section.text(key) ?? '';
  const match = /^(?:([01]\d|2[0-3]):([0-5]\d)|(24):(00))$/.exec(text);
  if (match === null) {
    section.fault(key, `is ${shown(text)}: expected HH:MM from 00:00 to 24:00`);
    return undefined;
  }
  return Number(match[1] ?? match[3]) * 60 + Number(match[2] ?? match[4]);
}
