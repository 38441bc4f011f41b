/** From a tree to a document of a known kind, held to its shape; each deviation with its place and what would be right. */
import type { z } from 'zod';
import type { Report } from './report.ts';
import { KINDS, type Kind, SHAPES, type Shape, SLOTH, SLOTH_RESOURCE, type SlothService } from './shapes.ts';
import { find, keyPlace, type Path, place, plain, type Tree } from './tree.ts';

/** A value of which it is known where it was written. */
export type Located<T> = { readonly value: T; readonly tree: Tree };

export type OpenSloDocument = { readonly [K in Kind]: Located<Shape<K>> & { readonly kind: K } }[Kind];
export type SlothDocument = Located<SlothService> & { readonly kind: 'sloth' };
export type ObjectiveDocument = OpenSloDocument | SlothDocument;

/** A part of a located value. Undefined when it is not there. */
export function part<T, K extends keyof T & (string | number)>(
  { value, tree }: Located<T>,
  key: K,
): Located<NonNullable<T[K]>> | undefined {
  const child = find(tree, [key]);
  const inner = value[key];
  return child === undefined || inner === undefined || inner === null
    ? undefined
    : { value: inner as NonNullable<T[K]>, tree: child };
}

/** The items of a located list. */
export function items<T>(list: Located<readonly T[]> | undefined): Located<T>[] {
  return (list?.value ?? []).flatMap((value, i) => {
    const tree = list && find(list.tree, [i]);
    return tree ? [{ value, tree }] : [];
  });
}

/** A map of labels or annotations as texts: what YAML took for a number keeps its written form, a list gets commas. */
export function textsAt(tree: Tree, path: Path): Record<string, string> {
  const map = find(tree, path);
  if (map?.kind !== 'map') return {};
  return Object.fromEntries(
    [...map.entries].flatMap(([key, { value }]) => {
      const text = textOf(value);
      return text === undefined ? [] : [[key, text] as const];
    }),
  );
}

function textOf(tree: Tree): string | undefined {
  if (tree.kind === 'list') return tree.items.flatMap((item) => textOf(item) ?? []).join(',');
  if (tree.kind === 'map' || tree.value === null) return undefined;
  return typeof tree.value === 'string' ? tree.value : tree.raw;
}

/** The documents of a tree: itself, or each item of a list. */
export function readDocuments(tree: Tree, report: Report): ObjectiveDocument[] {
  const trees = tree.kind === 'list' ? tree.items : [tree];
  return trees.flatMap((one) => readDocument(one, report) ?? []);
}

const EXPECTED = 'expected apiVersion: openslo/v1, or a file of Sloth with version: prometheus/v1';

function readDocument(tree: Tree, report: Report): ObjectiveDocument | undefined {
  if (tree.kind !== 'map') {
    report.fault(place(tree), `is ${told(tree)} where a document should be: ${EXPECTED}`);
    return undefined;
  }
  const version = scalarAt(tree, 'apiVersion');
  if (version === 'sloth.slok.dev/v1') {
    const resource = hold(SLOTH_RESOURCE, tree, report);
    const spec = resource && part({ value: resource, tree }, 'spec');
    return spec && { kind: 'sloth', ...spec };
  }
  if (version === undefined && find(tree, ['version']) !== undefined) {
    const sloth = hold(SLOTH, tree, report);
    return sloth && { kind: 'sloth', value: sloth, tree };
  }
  if (version !== 'openslo/v1') {
    const found = version === undefined ? 'has no apiVersion' : `has the apiVersion ${version}`;
    report.fault(place(tree, ['apiVersion']), `${found}: ${EXPECTED}`);
    return undefined;
  }
  const name = scalarAt(tree, 'kind');
  const kind = KINDS.find((known) => known === name);
  if (kind === undefined) {
    const found = name === undefined ? 'has no kind' : `has the kind ${name}`;
    report.fault(place(tree, ['kind']), `${found}: expected one of ${KINDS.join(', ')}${meant(String(name), KINDS)}`);
    return undefined;
  }
  const value = hold(SHAPES[kind] as z.ZodType, tree, report);
  return value === undefined ? undefined : ({ kind, value, tree } as OpenSloDocument);
}

function scalarAt(tree: Tree, key: string): string | undefined {
  const found = find(tree, [key]);
  return found?.kind === 'scalar' && found.value !== null ? String(found.value) : undefined;
}

/** The value in its shape, or what is wrong with it. A key too many is a lesser fault, after which the rest is read. */
export function hold<T>(shape: z.ZodType<T>, tree: Tree, report: Report): T | undefined {
  const value = plain(tree);
  const first = shape.safeParse(value);
  if (first.success) return first.data;
  let wrong = false;
  for (const issue of first.error.issues) {
    const path = issue.path as Path;
    if (issue.code === 'unrecognized_keys') dropKeys(value, tree, path, issue.keys, report);
    else {
      wrong = true;
      report.fault(place(tree, path), explain(issue, tree));
    }
  }
  if (wrong) return undefined;
  const second = shape.safeParse(value);
  return second.success ? second.data : undefined;
}

function dropKeys(value: unknown, tree: Tree, path: Path, keys: readonly string[], report: Report): void {
  let at = value as Record<string | number, unknown> | undefined;
  for (const step of path) at = at?.[step] as typeof at;
  for (const key of keys) {
    if (at) delete at[key];
    report.strictly(keyPlace(tree, [...path, key]), `${named([...path, key])} is unknown and not read`);
  }
}

function explain(issue: z.core.$ZodIssue, tree: Tree): string {
  const path = issue.path as Path;
  const found = find(tree, path);
  const missing = found === undefined || (found.kind === 'scalar' && found.value === null);
  if (missing) return `${named(path)} is missing: expected ${expected(issue)}`;
  return `${named(path)} is ${told(found)}: expected ${expected(issue)}${hint(issue, found)}`;
}

const WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

function expected(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return WORDS[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return issue.values.length === 1 ? String(issue.values[0]) : `one of ${issue.values.join(', ')}`;
    case 'invalid_union': {
      const all = issue.errors.flat().filter(({ path }) => path.length === 0);
      return [...new Set(all.map(expected))].join(' or ') || 'something else';
    }
    case 'too_small':
      return `at least ${issue.minimum}`;
    default:
      return issue.message;
  }
}

function hint(issue: z.core.$ZodIssue, found: Tree): string {
  if (issue.code === 'invalid_value' && found.kind === 'scalar')
    return meant(String(found.value), issue.values.map(String));
  const unquoted = issue.code === 'invalid_type' && issue.expected === 'string' && found.kind === 'scalar';
  return unquoted ? `; write it in quotes: "${found.raw}"` : '';
}

/** The one that differs in case only. */
function meant(found: string, known: readonly string[]): string {
  const similar = known.find((one) => one.toLowerCase() === found.toLowerCase() && one !== found);
  return similar === undefined ? '' : ` (did you mean ${similar}?)`;
}

/** `spec.objectives[0].target` */
export function named(path: Path): string {
  if (path.length === 0) return 'the document';
  return path.map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i > 0 ? '.' : ''}${step}`)).join('');
}

const TOLD_CHARS_MAX = 60;

/** What was found, for a message. */
export function told(tree: Tree): string {
  if (tree.kind !== 'scalar') return tree.kind === 'map' ? 'a map' : 'a list';
  const { value } = tree;
  if (value === null) return 'empty';
  const text = String(value);
  const short = text.length > TOLD_CHARS_MAX ? `${text.slice(0, TOLD_CHARS_MAX)}…` : text;
  if (typeof value === 'string') return `the text ${JSON.stringify(short)}`;
  return typeof value === 'number' ? `the number ${short}` : short;
}
