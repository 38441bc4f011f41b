/**
 * The tree of routes and the rules of inhibition, with what Alertmanager demands of them.
 *
 * Source: prometheus/alertmanager config/config.go (Route), config/common (Matchers, InhibitRule), dispatch/route.go.
 */
import {
  isLabelName,
  MATCHERS_MAX,
  type Matcher,
  makeMatcher,
  matchersText,
  type Operator,
  type ParsedMatchers,
  parseMatchers,
  sortedMatchers,
} from '#alerting/matcher.ts';
import { hours, type Milliseconds, minutes, seconds, toMilliseconds } from '#kernel/units.ts';
import type { InhibitRule, Route } from './config.ts';
import { type Reading, type Section, shown, type Written } from './section.ts';

/** Each alert may walk by all of them. */
export const ROUTES_MAX = 10_000;
export const INHIBIT_RULES_MAX = 1_000;

/** What the routes refer to. */
export type Known = { readonly receivers: ReadonlySet<string>; readonly intervals: ReadonlySet<string> };

type Inherited = Pick<Route, 'receiver' | 'groupBy' | 'groupWait' | 'groupInterval' | 'repeatInterval'>;

const DEFAULTS: Inherited = {
  receiver: '',
  groupBy: [],
  groupWait: toMilliseconds(seconds(30)),
  groupInterval: toMilliseconds(minutes(5)),
  repeatInterval: toMilliseconds(hours(4)),
};

export function readRoot(section: Section, known: Known, reading: Reading): Route {
  if (!section.text('receiver')) section.fault(undefined, 'names no receiver: the root takes what no other route does');
  section.refuse(['match', 'match_re', 'matchers'], 'is at the root, which takes every alert');
  section.refuse(['mute_time_intervals', 'active_time_intervals'], 'is at the root: put a route below it');
  section.refuse(['continue'], 'is at the root, which has no siblings');
  return readRoute(section, { known, reading, count: { routes: 0 } }, DEFAULTS);
}

type Walk = { readonly known: Known; readonly reading: Reading; readonly count: { routes: number } };
type Parent = Inherited & { readonly id?: string; readonly key?: string };

function readRoute(section: Section, walk: Walk, parent: Parent, index = 0): Route {
  const own = readOwn(section, walk, parent);
  const matchers = readMatchers(section, ['match', 'match_re', 'matchers'], walk.reading);
  const text = matchersText(matchers);
  const id = parent.id === undefined ? text : `${parent.id}/${text}/${index}`;
  const key = parent.key === undefined ? text : `${parent.key}/${text}`;
  section.refuse(['labels'], 'is not supported: a route gives no labels to its notifications');
  const intervals = (name: string): string[] =>
    defined(section.texts(name), walk.known.intervals, 'the time interval', 'time_intervals');
  const route = {
    ...own,
    id,
    key,
    matchers,
    muteTimeIntervals: intervals('mute_time_intervals'),
    activeTimeIntervals: intervals('active_time_intervals'),
    continue: section.flag('continue') ?? false,
  };
  const routes: Route[] = [];
  for (const child of section.sections('routes') ?? []) {
    if (++walk.count.routes > ROUTES_MAX) {
      if (walk.count.routes === ROUTES_MAX + 1)
        child.fault(undefined, `is one route too many: the most is ${ROUTES_MAX}`);
      break;
    }
    routes.push(readRoute(child, walk, { ...own, id, key }, routes.length));
  }
  section.end();
  return { ...route, routes };
}

function readOwn(section: Section, { known, reading }: Walk, parent: Inherited): Inherited {
  const receiver = section.text('receiver');
  if (receiver && !known.receivers.has(receiver)) {
    section.fault('receiver', `is ${shown(receiver)}, which no receiver is called`);
  }
  const positive = (key: string): Milliseconds | undefined => {
    const duration = section.duration(key);
    if (duration === 0) section.fault(key, 'is 0: expected more');
    return duration;
  };
  return {
    receiver: receiver || parent.receiver,
    groupBy: readGroupBy(section, reading) ?? parent.groupBy,
    groupWait: section.duration('group_wait') ?? parent.groupWait,
    groupInterval: positive('group_interval') ?? parent.groupInterval,
    repeatInterval: positive('repeat_interval') ?? parent.repeatInterval,
  };
}

function readGroupBy(section: Section, { mode }: Reading): Route['groupBy'] | undefined {
  const written = section.texts('group_by');
  if (written === undefined) return undefined;
  const names = new Set<string>();
  for (const { text, fault } of written) {
    if (text === '...') continue;
    if (!isLabelName(text, mode)) fault(`is ${shown(text)}, which is no label name`);
    if (names.has(text)) fault(`is ${shown(text)} a second time`);
    names.add(text);
  }
  const all = written.some(({ text }) => text === '...');
  if (all && names.size > 0) section.fault('group_by', 'has ... and other labels at the same time');
  return all ? 'all' : [...names];
}

/** The older two fields and `matchers`, in Alertmanager's order. */
function readMatchers(section: Section, keys: readonly [string, string, string], reading: Reading): Matcher[] {
  const [equal, like, list] = keys;
  const found = [...readOlder(section, equal, '=', reading), ...readOlder(section, like, '=~', reading)];
  for (const { text, fault } of section.texts(list) ?? []) {
    if (found.length > MATCHERS_MAX) break;
    const parsed = once(reading, text, () => parseMatchers(text, reading.mode));
    if (parsed.kind === 'fault') fault(parsed.message);
    else found.push(...parsed.matchers);
  }
  if (found.length > MATCHERS_MAX) section.fault(list, `has more than ${MATCHERS_MAX} matchers`);
  return sortedMatchers(found);
}

function readOlder(section: Section, key: string, op: Operator, reading: Reading): Matcher[] {
  const map = section.section(key);
  return (map?.keys() ?? []).slice(0, MATCHERS_MAX + 1).flatMap((name) => {
    const value = map?.text(name);
    if (!isLabelName(name, 'classic')) map?.fault(name, 'is no label name; matchers take UTF-8');
    if (value === undefined && op === '=~') map?.fault(name, 'is empty: expected a regular expression');
    // Alertmanager keeps the anchors, and they show in a route's key.
    const whole = op === '=~' ? `^(?:${value ?? ''})$` : (value ?? '');
    const made = once(reading, `${name}\0${op}\0${whole}`, () => {
      const one = makeMatcher(name, op, whole);
      return one.kind === 'fault' ? one : { kind: 'matchers', matchers: [one.matcher] };
    });
    if (made.kind === 'fault') map?.fault(name, made.message);
    return made.kind === 'fault' ? [] : made.matchers;
  });
}

/** What aliases repeat is compiled once: the work is bounded by the length of the file. */
function once({ compiled }: Reading, key: string, make: () => ParsedMatchers): ParsedMatchers {
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const parsed = make();
  compiled.set(key, parsed);
  return parsed;
}

function defined(
  list: readonly Written[] | undefined,
  names: ReadonlySet<string>,
  what: string,
  where: string,
): string[] {
  return (list ?? []).map(({ text, fault }) => {
    if (!names.has(text)) fault(`is ${what} ${shown(text)}, which ${where} does not define`);
    return text;
  });
}

export function readInhibitRules(sections: readonly Section[], reading: Reading): InhibitRule[] {
  const extra = sections[INHIBIT_RULES_MAX];
  extra?.fault(undefined, `is one rule too many: the most is ${INHIBIT_RULES_MAX}`);
  return sections.slice(0, INHIBIT_RULES_MAX).map((section) => {
    const equal = section.texts('equal') ?? [];
    for (const { text, fault } of equal) {
      if (!isLabelName(text, reading.mode)) fault(`is ${shown(text)}, which is no label name`);
    }
    const rule = {
      name: section.text('name') || undefined,
      source: readMatchers(section, ['source_match', 'source_match_re', 'source_matchers'], reading),
      target: readMatchers(section, ['target_match', 'target_match_re', 'target_matchers'], reading),
      equal: [...new Set(equal.map(({ text }) => text))],
    };
    section.end();
    return rule;
  });
}
