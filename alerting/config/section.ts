/**
 * A map of the file, read key by key: what is asked for is known, and what is left over at the end is unknown, as in
 * Alertmanager's strict mode. Each fault has the file, the place and the field.
 */
import type { MatcherMode, ParsedMatchers } from '#alerting/matcher.ts';
import { type Secret, secret } from '#kernel/secret.ts';
import type { Milliseconds } from '#kernel/units.ts';
import type { Place } from '#slo/objective.ts';
import { named, told } from '#slo/openslo/document.ts';
import { keyPlace, type MapTree, type Path, place, type Tree } from '#slo/openslo/tree.ts';
import { clockDuration, prometheusDuration } from './duration.ts';

export type ConfigFault = Place & {
  /** `receivers[0].slack_configs[1].api_url` */
  readonly field: string;
  readonly message: string;
};

/** What one reading of a file shares. */
export type Reading = {
  readonly mode: MatcherMode;
  /** @returns undefined when there is no such file. The path is as the file gives it, relative to its own folder. */
  readonly readFile: (path: string) => string | undefined;
  fault(place: Place, path: Path, message: string): void;
  /** What is printed in place of a value: secrets, and what only YAML 1.1 takes for true or false. */
  readonly printed: Map<Tree, string | boolean>;
  readonly compiled: Map<string, ParsedMatchers>;
};

/** A value of a list, with where it was written. */
export type Written = { readonly text: string; fault(message: string): void };

/** A secret that stands in the file or in another one, which is read when somebody needs it. */
export type Given = { read(): Secret | undefined };

export type Section = {
  readonly field: string;
  /** Written, and not empty. */
  has(key: string): boolean;
  keys(): string[];
  fault(key: string | undefined, message: string): void;
  text(key: string): string | undefined;
  /** Without Go templates; `undefined` also where it only repeats Alertmanager's default. */
  plain(key: string, defaults?: string): string | undefined;
  flag(key: string): boolean | undefined;
  count(key: string): number | undefined;
  /** As Prometheus writes durations. */
  duration(key: string): Milliseconds | undefined;
  /** As Go writes them: the timeouts of integrations. */
  timeout(key: string): Milliseconds | undefined;
  texts(key: string): Written[] | undefined;
  section(key: string): Section | undefined;
  sections(key: string): Section[] | undefined;
  /** Of `key` or of the file that `key_file` names. */
  given(key: string, check?: (value: string) => string | undefined): Given | undefined;
  /** What Alertmanager knows and Burnline does not do. Something empty does not ask for it. */
  refuse(keys: readonly string[], why: string): void;
  /** What Alertmanager knows and nothing here depends on. */
  pass(keys: readonly string[], secrets?: readonly string[]): void;
  /** All is asked: the other keys are unknown. */
  end(): void;
};

/** A secret is a token or an address. */
const SECRET_CHARS_MAX = 65_536;
const HIDDEN = '<secret>';
export const TEMPLATE = 'holds a Go template ({{ }}): Burnline writes its messages itself, leave it out';

type Base = Pick<Section, 'field' | 'keys' | 'fault' | 'text'> & {
  readonly reading: Reading;
  readonly tree: MapTree;
  readonly path: Path;
  readonly asked: Set<string>;
  /** Undefined where nothing is written. */
  at(key: string): Tree | undefined;
};

export function makeSection(reading: Reading, tree: MapTree, path: Path): Section {
  const base = makeBase(reading, tree, path);
  const { field, keys, fault, text, at, asked } = base;
  return {
    ...{ field, keys, fault, text, ...valuesOf(base), ...partsOf(base) },
    has: (key) => !isEmpty(at(key)),
    given: (key, check) => readGiven(base, key, check),
    refuse: (refused, why) => {
      for (const key of refused) if (!isEmpty(at(key))) reading.fault(keyPlace(tree, [key]), [...path, key], why);
    },
    pass: (passed, secrets = []) => {
      for (const key of [...passed, ...secrets]) text(key);
      for (const key of secrets) {
        const value = at(key);
        if (value !== undefined) reading.printed.set(value, HIDDEN);
      }
    },
    end: () => {
      for (const key of tree.entries.keys()) {
        if (!asked.has(key)) reading.fault(keyPlace(tree, [key]), [...path, key], 'is unknown');
      }
    },
  };
}

function makeBase(reading: Reading, tree: MapTree, path: Path): Base {
  const asked = new Set<string>();
  const at = (key: string): Tree | undefined => {
    asked.add(key);
    const value = tree.entries.get(key)?.value;
    return value === undefined || (value.kind === 'scalar' && value.value === null) ? undefined : value;
  };
  const fault: Section['fault'] = (key, message) => {
    if (key === undefined) reading.fault(place(tree), path, message);
    else reading.fault(place(tree, [key]), [...path, key], message);
  };
  const text: Section['text'] = (key) => {
    const value = at(key);
    if (value === undefined || value.kind === 'scalar') return value && scalarText(value);
    fault(key, `is ${told(value)}: expected text`);
    return undefined;
  };
  return { reading, tree, path, asked, field: named(path), keys: () => [...tree.entries.keys()], fault, text, at };
}

function valuesOf({ reading, fault, text, at }: Base) {
  const parsed = <T>(key: string, parse: (text: string) => T | undefined, expected: string): T | undefined => {
    const written = text(key);
    const value = written === undefined ? undefined : parse(written);
    if (written !== undefined && value === undefined) fault(key, `is ${shown(written)}: expected ${expected}`);
    return value;
  };
  return {
    plain: (key, defaults) => {
      const written = text(key);
      if (written === undefined || !written.includes('{{')) return written;
      if (defaults !== undefined && squeezed(written) === squeezed(defaults)) return undefined;
      fault(key, TEMPLATE);
      return undefined;
    },
    flag: (key) => {
      const value = at(key);
      const flag = value && flagOf(value);
      if (value !== undefined && flag === undefined) fault(key, `is ${told(value)}: expected true or false`);
      if (value !== undefined && flag !== undefined) reading.printed.set(value, flag);
      return flag;
    },
    count: (key) => parsed(key, (one) => (/^\d{1,9}$/.test(one) ? Number(one) : undefined), 'a whole number'),
    duration: (key) => parsed(key, prometheusDuration, 'a duration such as 30s, 5m or 1d12h'),
    timeout: (key) => parsed(key, clockDuration, 'a duration such as 500ms, 10s or 1m30s'),
  } satisfies Partial<Section>;
}

function partsOf({ reading, path, fault, at }: Base) {
  const items = (key: string): readonly Tree[] | undefined => {
    const value = at(key);
    if (value === undefined || value.kind === 'list') return value?.items;
    fault(key, `is ${value.kind === 'map' ? 'a map' : 'text'}: expected a list`);
    return undefined;
  };
  const child = (value: Tree, where: Path): Section | undefined => {
    if (value.kind === 'map') return makeSection(reading, value, where);
    reading.fault(place(value), where, `is ${value.kind === 'list' ? 'a list' : 'text'}: expected a map`);
    return undefined;
  };
  return {
    texts: (key) =>
      items(key)?.flatMap((item, i) => {
        const say = (message: string): void => reading.fault(place(item), [...path, key, i], message);
        if (item.kind === 'scalar' && item.value !== null) return [{ text: scalarText(item), fault: say }];
        say(`is ${told(item)}: expected text`);
        return [];
      }),
    section: (key) => {
      const value = at(key);
      return value && child(value, [...path, key]);
    },
    sections: (key) => items(key)?.flatMap((item, i) => child(item, [...path, key, i]) ?? []),
  } satisfies Partial<Section>;
}

type Check = (value: string) => string | undefined;

function readGiven({ reading, fault, text, at }: Base, key: string, check: Check = () => undefined): Given | undefined {
  const value = at(key);
  const written = text(key);
  const file = text(`${key}_file`);
  if (value !== undefined && written) reading.printed.set(value, HIDDEN);
  if (written && file) fault(`${key}_file`, `stands beside ${key}: at most one of them`);
  if (written) return givenHere(written, check, (message) => fault(key, message));
  return file ? givenFile(reading, file, check, (message) => fault(`${key}_file`, message)) : undefined;
}

function givenHere(value: string, check: Check, say: (message: string) => void): Given {
  const wrong = value === HIDDEN ? 'is <secret>: the file is a print, from which secrets are left out' : check(value);
  if (wrong !== undefined) say(wrong);
  return { read: () => (wrong === undefined ? secret(value) : undefined) };
}

/** Not read before somebody needs it: Alertmanager does not miss a file that no receiver uses either. */
function givenFile(reading: Reading, file: string, check: Check, say: (message: string) => void): Given {
  let found: { value: Secret | undefined } | undefined;
  const read = (): Secret | undefined => {
    const content = reading.readFile(file)?.trim();
    const wrong =
      content === undefined
        ? `names the file ${file}, which cannot be read`
        : content === ''
          ? `names the file ${file}, which is empty`
          : content.length > SECRET_CHARS_MAX
            ? `names the file ${file}, which has ${content.length} characters: the most is ${SECRET_CHARS_MAX}`
            : check(content);
    if (wrong !== undefined) say(wrong);
    return content === undefined || wrong !== undefined ? undefined : secret(content);
  };
  return {
    read: () => {
      found ??= { value: read() };
      return found.value;
    },
  };
}

const scalarText = (tree: Tree & { kind: 'scalar' }): string =>
  typeof tree.value === 'string' ? tree.value : tree.raw;

/** YAML 1.1 has more words for true and false, and Alertmanager reads them. */
function flagOf(tree: Tree): boolean | undefined {
  if (tree.kind !== 'scalar') return undefined;
  if (typeof tree.value === 'boolean') return tree.value;
  if (/^(?:y|Y|yes|Yes|YES|on|On|ON)$/.test(tree.raw)) return true;
  return /^(?:n|N|no|No|NO|off|Off|OFF)$/.test(tree.raw) ? false : undefined;
}

function isEmpty(tree: Tree | undefined): boolean {
  if (tree === undefined) return true;
  if (tree.kind === 'list') return tree.items.length === 0;
  if (tree.kind === 'map') return tree.entries.size === 0;
  return tree.value === '' || flagOf(tree) === false;
}

const squeezed = (template: string): string => template.replace(/\s+/g, '');

const SHOWN_CHARS_MAX = 60;
export const shown = (text: string): string =>
  JSON.stringify(text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text);
