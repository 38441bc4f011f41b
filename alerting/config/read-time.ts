/**
 * Named time intervals.
 *
 * Source: prometheus/alertmanager timeinterval/timeinterval.go and config/config.go (TimeInterval, MuteTimeInterval).
 */
import { isZone } from '#alerting/time-interval.ts';
import type { Range, TimeInterval } from './config.ts';
import { type Section, shown } from './section.ts';

/** By name, from `time_intervals` and the older `mute_time_intervals`, which share their names. */
export function readIntervals(sections: readonly Section[]): Map<string, readonly TimeInterval[]> {
  const found = new Map<string, readonly TimeInterval[]>();
  for (const section of sections) {
    const name = section.text('name');
    if (!name) section.fault('name', 'is missing: expected the name by which routes call it');
    else if (found.has(name)) section.fault('name', `is ${shown(name)}, as another one is called`);
    const intervals = section.sections('time_intervals') ?? [];
    found.set(name ?? '', intervals.map(readInterval));
    section.end();
  }
  return found;
}

function readInterval(section: Section): TimeInterval {
  const location = section.text('location') || 'UTC';
  if (!isZone(location)) section.fault('location', `is ${shown(location)}: expected a name such as Europe/Berlin`);
  const interval = {
    times: (listed(section, 'times', section.sections('times')) ?? []).flatMap((one) => readTimes(one) ?? []),
    weekdays: readRanges(section, 'weekdays', weekday),
    daysOfMonth: readRanges(section, 'days_of_month', dayOfMonth),
    months: readRanges(section, 'months', month),
    years: readRanges(section, 'years', wholeNumber),
    location,
  };
  section.end();
  return interval;
}

/** An empty list is not the same as none: it would hold no moment. */
function listed<T>(section: Section, key: string, list: readonly T[] | undefined): readonly T[] | undefined {
  if (list?.length === 0) section.fault(key, 'is an empty list, which holds no moment: leave it out');
  return list;
}

function readTimes(section: Section): { from: number; to: number } | undefined {
  const [from, to] = [readTime(section, 'start_time'), readTime(section, 'end_time')];
  section.end();
  if (from === undefined || to === undefined) return undefined;
  if (from >= to) section.fault('end_time', 'is not after start_time; for a night write two times');
  return { from, to };
}

function readTime(section: Section, key: string): number | undefined {
  const text = section.text(key);
  const match = /^(?:([01][0-9]|2[0-3]):([0-5][0-9])|(24):(00))$/.exec(text ?? '');
  if (match === null) {
    section.fault(key, `is ${text === undefined ? 'missing' : shown(text)}: expected HH:MM from 00:00 to 24:00`);
    return undefined;
  }
  return Number(match[1] ?? match[3]) * 60 + Number(match[2] ?? match[4]);
}

type Member = { readonly read: (text: string) => number | undefined; readonly expected: string; readonly isDay?: true };

const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];
const indexIn = (names: readonly string[], text: string): number | undefined => {
  const index = names.indexOf(text);
  return index < 0 ? undefined : index;
};
const number = (text: string): number | undefined => (/^[+-]?\d{1,9}$/.test(text) ? Number(text) : undefined);

const weekday: Member = { read: (text) => indexIn(DAYS, text), expected: 'a weekday such as monday, or monday:friday' };
const month: Member = {
  read: (text) => {
    const index = indexIn(MONTHS, text);
    return index === undefined ? number(text) : index + 1;
  },
  expected: 'a month such as may or 5, or may:august',
};
const wholeNumber: Member = { read: number, expected: 'a year such as 2026, or 2026:2027' };
const dayOfMonth: Member = {
  read: (text) => {
    const day = number(text);
    return day !== undefined && day !== 0 && Math.abs(day) <= 31 ? day : undefined;
  },
  expected: 'a day from 1 to 31, or from the end from -1 to -31, or a range such as 1:5 or -3:-1',
  isDay: true,
};

function readRanges(section: Section, key: string, member: Member): Range[] {
  return (listed(section, key, section.texts(key)) ?? []).flatMap(({ text, fault }) => {
    const [first = '', second = first, ...more] = text.toLowerCase().split(':');
    const [from, to] = [member.read(first), member.read(second)];
    if (from === undefined || to === undefined || more.length > 0) {
      fault(`is ${shown(text)}: expected ${member.expected}`);
      return [];
    }
    if (isReversed(from, to, member)) fault(`is ${shown(text)}, which ends before it starts`);
    return [{ from, to }];
  });
}

/** A day from the end is compared as in the shortest month. */
function isReversed(from: number, to: number, { isDay }: Member): boolean {
  if (!isDay) return from > to;
  const count = (day: number): number => (day < 0 ? 28 + day : day);
  return (from < 0 && to > 0) || count(from) > count(to);
}
