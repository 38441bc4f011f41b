/**
 * From YAML's nodes to trees. Aliases are resolved by sharing, and what they would grow to is counted before anything is
 * copied, so that a bomb costs what its text costs.
 */
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Scalar, type YAMLMap } from 'yaml';
import type { Report } from './report.ts';
import { documents, FILE_CHARS_MAX } from './syntax.ts';
import { type Entry, type MapTree, placeAt, type ScalarTree, type SourceFile, type Tree } from './tree.ts';

/** Values of one file, its aliases written out. */
export const NODES_MAX = 1_000_000;

/** The trees of a YAML stream, in order; of a document with a fault none. Empty documents are left out. */
export function readTrees(name: string, text: string, report: Report): Tree[] {
  const file: SourceFile = { name, text, lines: new LineCounter() };
  if (text.length > FILE_CHARS_MAX) {
    report.fault({ file: name, line: 1, column: 1 }, `has ${text.length} characters, the most is ${FILE_CHARS_MAX}`);
    return [];
  }
  const trees: Tree[] = [];
  let nodes = 0;
  for (const document of documents(file, report)) {
    if (document.errors.length > 0 || document.contents === null) continue;
    const tree = makeGrower(file, report, NODES_MAX - nodes).grow(document.contents);
    if (tree === undefined || (tree.kind === 'scalar' && tree.value === null)) continue;
    nodes += tree.size;
    trees.push(tree);
  }
  return trees;
}

type Grower = { grow(node: unknown): Tree | undefined };

/** One for each document: an anchor belongs to its document. */
function makeGrower(file: SourceFile, report: Report, most: number): Grower {
  const anchors = new Map<string, Tree | 'open'>();
  let total = 0;
  let full = false;

  const counted = <T extends Tree>(tree: T): T | undefined => {
    total += tree.kind === 'scalar' ? 1 : 0;
    if (!full && Math.max(total, tree.size) > most) {
      full = true;
      report.fault(placeAt(file, tree.offset), `holds more than ${NODES_MAX} values, its aliases written out`);
    }
    return full ? undefined : tree;
  };

  const growMap = (node: YAMLMap, offset: number): MapTree | undefined => {
    const entries = new Map<string, Entry>();
    const merged: Tree[] = [];
    let size = 1;
    for (const { key, value } of node.items) {
      const at = startOf(key) ?? offset;
      const tree = value === null ? nothing(file, at) : grow(value);
      if (tree === undefined) return undefined;
      size += tree.size;
      const name = isScalar(key) ? String(key.value ?? '') : undefined;
      const wrong = keyFault(name, entries);
      if (wrong) report.fault(placeAt(file, at), wrong);
      else if (name === '<<') merged.push(tree);
      else if (name !== undefined) entries.set(name, { offset: at, value: tree });
    }
    // Counted first: merging costs as much as what it merges.
    const map = counted({ kind: 'map', file, offset, size, entries } as const);
    if (map) mergeInto(entries, merged);
    return map;
  };

  const growAlias = (name: string, at: number): Tree | undefined => {
    const tree = anchors.get(name);
    if (tree === 'open')
      report.fault(placeAt(file, at), `is an alias of "${cut(name)}" inside of it: it would never end`);
    else if (tree) return counted(tree);
    else report.fault(placeAt(file, at), `is an alias of "${cut(name)}", which no anchor before it names`);
    return undefined;
  };

  const grow = (node: unknown): Tree | undefined => {
    if (full) return undefined;
    if (isAlias(node)) return growAlias(node.source, node.range?.[0] ?? 0);
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return undefined;
    if (node.anchor) anchors.set(node.anchor, 'open');
    const tree = growValue(node);
    if (node.anchor && tree) anchors.set(node.anchor, tree);
    return tree;
  };

  const growValue = (node: unknown): Tree | undefined => {
    if (isScalar(node)) return counted(scalarTree(file, node));
    if (isMap(node)) return growMap(node, node.range?.[0] ?? 0);
    if (!isSeq(node)) return undefined;
    const items: Tree[] = [];
    let size = 1;
    for (const item of node.items) {
      const tree = grow(item);
      if (tree === undefined) return undefined;
      size += tree.size;
      items.push(tree);
    }
    return counted({ kind: 'list', file, offset: node.range?.[0] ?? 0, size, items });
  };
  return { grow };
}

function keyFault(name: string | undefined, entries: ReadonlyMap<string, Entry>): string | undefined {
  if (name === undefined) return 'has a key that is a map, a list or an alias: expected text';
  if (name === '__proto__') return 'has the key __proto__, which no document needs';
  return entries.has(name) ? `has the key "${cut(name)}" a second time in the same map` : undefined;
}

/** YAML 1.1's merge keys, which Kubernetes' tools read too: what is written in the map itself stands. */
function mergeInto(entries: Map<string, Entry>, merged: readonly Tree[]): void {
  for (const base of merged.flatMap((tree) => (tree.kind === 'list' ? tree.items : [tree]))) {
    if (base.kind !== 'map') continue;
    for (const [name, entry] of base.entries) if (!entries.has(name)) entries.set(name, entry);
  }
}

function scalarTree(file: SourceFile, node: Scalar): ScalarTree {
  const [offset, end] = node.range ?? [0, 0];
  const { value } = node;
  const simple = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
  return { kind: 'scalar', file, offset, end, size: 1, value: simple, raw: file.text.slice(offset, end) };
}

const nothing = (file: SourceFile, offset: number): ScalarTree => ({
  kind: 'scalar',
  file,
  offset,
  end: offset,
  size: 1,
  value: null,
  raw: '',
});

const startOf = (key: unknown): number | undefined => (isNode(key) ? key.range?.[0] : undefined);
const cut = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text);
