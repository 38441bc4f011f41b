/**
 * A YAML text as trees that know where each value was written. YAML's aliases are resolved by sharing, and what they
 * would grow to is counted before anything is copied, so that a bomb costs what its text costs.
 *
 * Source: YAML 1.2.2, https://yaml.org/spec/1.2.2/
 */
import {
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  Parser,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import type { Place } from '#slo/objective.ts';
import type { Report } from './report.ts';

/** 5,000 objectives have about 6 MB in one file. */
export const FILE_CHARS_MAX = 8 * 1024 * 1024;
/** Of one document. Each costs some 250 bytes while the document is read; 5,000 of Sloth's SLOs have half of it. */
export const LEXEMES_MAX = 1_000_000;
/** The deepest place of OpenSLO, a query in an inline indicator of a list of documents, is at 11. */
export const DEPTH_MAX = 64;
/** Values of one file, its aliases written out. */
export const NODES_MAX = 1_000_000;
/** A text that is no YAML at all has a fault a line: these say enough. */
const SYNTAX_FAULTS_MAX = 20;

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

/** The documents one by one, so that the syntax of only one of them is in memory. */
function* documents(file: SourceFile, report: Report): Generator<Document.Parsed> {
  const parser = new Parser(file.lines.addNewLine);
  // Its own check of double keys compares each with each, and its own resolution of tags makes dates and sets.
  const composer = new Composer({ uniqueKeys: false, resolveKnownTags: false, logLevel: 'silent' });
  file.lines.addNewLine(0);
  let lexemes = 0;
  let said = 0;
  function* composed(tokens: Iterable<CST.Token>): Generator<Document.Parsed> {
    for (const token of tokens) {
      lexemes = 0;
      const deep = tooDeep(token);
      if (deep !== undefined) {
        report.fault(placeAt(file, deep), `is nested deeper than ${DEPTH_MAX} levels`);
        continue;
      }
      for (const document of composer.next(token)) yield told(document);
    }
  }
  const told = (document: Document.Parsed): Document.Parsed => {
    for (const error of document.errors) {
      if (said++ < SYNTAX_FAULTS_MAX) report.fault(placeAt(file, error.pos[0]), syntaxMessage(error.message));
    }
    for (const { pos, message } of document.warnings) report.warn(placeAt(file, pos[0]), syntaxMessage(message));
    return document;
  };
  for (const lexeme of new Lexer().lex(file.text)) {
    if (++lexemes > LEXEMES_MAX) {
      const message = `has more than ${LEXEMES_MAX} words in one document: put its objectives into several, with --- between`;
      report.fault(placeAt(file, parser.offset), message);
      return;
    }
    yield* composed(parser.next(lexeme));
  }
  yield* composed(parser.end());
  for (const document of composer.end()) yield told(document);
}

const syntaxMessage = (message: string): string => `is not YAML: ${message.replace(/\s+/g, ' ').slice(0, 200)}`;

/** Where a document gets too deep. Without recursion: this is what guards the recursions. */
function tooDeep(document: CST.Token): number | undefined {
  const stack: { token: CST.Token; depth: number }[] = [];
  const push = (token: CST.Token | null | undefined, depth: number): void => {
    if (token) stack.push({ token, depth });
  };
  if (document.type === 'document') push(document.value, 1);
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { token, depth } = next;
    if (!('items' in token)) continue;
    if (depth > DEPTH_MAX) return token.offset;
    for (const item of token.items) {
      push(item.key, depth + 1);
      push(item.value, depth + 1);
    }
  }
  return undefined;
}

export const placeAt = (file: SourceFile, offset: number): Place => {
  const { line, col } = file.lines.linePos(offset);
  return { file: file.name, line: Math.max(line, 1), column: Math.max(col, 1) };
};

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
      if (name === undefined)
        report.fault(placeAt(file, at), 'has a key that is a map, a list or an alias: expected text');
      else if (name === '__proto__') report.fault(placeAt(file, at), 'has the key __proto__, which no document needs');
      else if (name === '<<') merged.push(tree);
      else if (entries.has(name))
        report.fault(placeAt(file, at), `has the key "${cut(name)}" a second time in the same map`);
      else entries.set(name, { offset: at, value: tree });
    }
    for (const base of merged.flatMap((tree) => (tree.kind === 'list' ? tree.items : [tree]))) {
      if (base.kind !== 'map') continue;
      for (const [name, entry] of base.entries) if (!entries.has(name)) entries.set(name, entry);
    }
    return counted({ kind: 'map', file, offset, size, entries });
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
