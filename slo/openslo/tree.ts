/** A document as a tree that knows where each value was written, and the ways around in it. */
import type { LineCounter } from 'yaml';
import type { Place } from '#slo/objective.ts';

export type SourceFile = { readonly name: string; readonly text: string; readonly lines: LineCounter };

type Written = {
  readonly file: SourceFile;
  readonly offset: number /** Values in it, itself included. */;
  readonly size: number;
};
export type ScalarTree = Written & {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  readonly end: number;
  /** As it stands in the file, quotes and all. */
  readonly raw: string;
};
export type MapTree = Written & { readonly kind: 'map'; readonly entries: ReadonlyMap<string, Entry> };
export type Entry = { readonly offset: number; readonly value: Tree };
export type ListTree = Written & { readonly kind: 'list'; readonly items: readonly Tree[] };
export type Tree = ScalarTree | MapTree | ListTree;

export type Path = readonly (string | number)[];

export const placeAt = (file: SourceFile, offset: number): Place => {
  const { line, col } = file.lines.linePos(offset);
  return { file: file.name, line: Math.max(line, 1), column: Math.max(col, 1) };
};

/** As plain values. A key without a value is as good as none. */
export function plain(tree: Tree): unknown {
  switch (tree.kind) {
    case 'scalar':
      return tree.value;
    case 'list':
      return tree.items.map(plain);
    case 'map': {
      const values: Record<string, unknown> = {};
      for (const [key, { value }] of tree.entries) {
        if (value.kind !== 'scalar' || value.value !== null) values[key] = plain(value);
      }
      return values;
    }
    default:
      return tree satisfies never;
  }
}

/** What stands at the path, if all of it is there. */
export function find(tree: Tree, path: Path): Tree | undefined {
  let at: Tree | undefined = tree;
  for (const step of path) {
    if (at?.kind === 'map') at = at.entries.get(String(step))?.value;
    else if (at?.kind === 'list') at = at.items[Number(step)];
    else return undefined;
  }
  return at;
}

/** Where the path's value stands; of a value that is missing, the key of the nearest thing around it. */
export function place(tree: Tree, path: Path = []): Place {
  for (let length = path.length; length > 0; length--) {
    const value = find(tree, path.slice(0, length));
    if (value === undefined) continue;
    if (length < path.length) return keyPlace(tree, path.slice(0, length));
    return placeAt(value.file, value.offset);
  }
  return placeAt(tree.file, tree.offset);
}

/** Where the path's key stands; a list's item has none and stands for itself. */
export function keyPlace(tree: Tree, path: Path): Place {
  const parent = find(tree, path.slice(0, -1));
  const entry = parent?.kind === 'map' ? parent.entries.get(String(path.at(-1))) : undefined;
  return entry === undefined || parent === undefined ? place(tree, path) : placeAt(parent.file, entry.offset);
}

/**
 * Where the character `index` of a text's value stands in the file. The written form is followed beside the value:
 * quotes, escapes, indentation and folded lines are what the two differ in.
 */
export function placeInside(tree: ScalarTree, index: number): Place {
  const { raw } = tree;
  const value = String(tree.value);
  const block = /^[|>]/.test(raw);
  let at = block ? raw.indexOf('\n') + 1 : /^["']/.test(raw) ? 1 : 0;
  const doubled = raw.startsWith("'");
  for (let i = 0; i < index && at < raw.length; ) {
    const written = raw[at] ?? '';
    if (raw.startsWith('"') && written === '\\') {
      const continued = raw[at + 1] === '\n';
      at += continued ? 1 : escapeLength(raw, at);
      i += continued ? 0 : 1;
    } else if (written === value[i]) {
      at += doubled && written === "'" ? 2 : 1;
      i++;
    } else if (/\s/.test(written)) at++;
    else i++;
  }
  while (at < raw.length - 1 && /\s/.test(raw[at] ?? '') && !/\s/.test(value[index] ?? ' ')) at++;
  return placeAt(tree.file, tree.offset + Math.min(at, raw.length));
}

const ESCAPE_LENGTHS: Readonly<Record<string, number>> = { x: 4, u: 6, U: 10 };
const escapeLength = (raw: string, at: number): number => ESCAPE_LENGTHS[raw[at + 1] ?? ''] ?? 2;
