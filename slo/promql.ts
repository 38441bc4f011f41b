/**
 * What a query is: parsed and type-checked by Prometheus' own grammar and checker, and recognised when it is no more than
 * one selector, which the router's ledger can count by itself. The only door to those two libraries.
 *
 * The checker was made for an editor and takes its tree from there, where parsing stops after 20 ms; it gets the whole
 * tree here, so that the answer depends on the text alone.
 *
 * Pure. Source: https://prometheus.io/docs/prometheus/latest/querying/basics/
 */
import type { SyntaxNode, Tree } from '@lezer/common';
import { Parser } from '@prometheus-io/codemirror-promql/dist/cjs/parser/index.js';
import { parser } from '@prometheus-io/lezer-promql';
import type { Matcher, MatchOp, Selector } from './objective.ts';

/** The longest query in Prometheus' own mixins has about 2,000 characters. */
export const PROMQL_CHARS_MAX = 5_000;
/** The checker calls itself once a level and looks from each level at all below; deeper than this nobody writes. */
export const PROMQL_DEPTH_MAX = 64;

/** A fault at an offset into the query's text. */
export type PromqlFault = { readonly at: number; readonly message: string };

/** How the one selector stands in the query: bare, or under `sum(…)`, `sum(rate(…))` or `sum(increase(…))`. */
export type Form = 'plain' | 'sum' | 'rate' | 'increase';

export type Promql =
  | { readonly kind: 'faults'; readonly faults: readonly PromqlFault[] }
  | {
      readonly kind: 'query';
      readonly type: 'vector' | 'scalar';
      /** Does the text say where the window's length belongs? */
      readonly windowed: boolean;
      readonly selected: { readonly form: Form; readonly selector: Selector } | undefined;
    };

const WINDOW = /\{\{\s*\.window\s*\}\}/g;
/** Grafana's, which are no PromQL either. */
const VARIABLE = /\$\{?__(?:rate_interval|interval|range)\}?/g;

/** The text with a duration of the same length in each placeholder, so that no position moves. */
export function withoutPlaceholders(text: string): string {
  const duration = (placeholder: string): string => '5m'.padStart(placeholder.length, '0');
  return text.replace(WINDOW, duration).replace(VARIABLE, duration);
}

/** The query for a window: what Prometheus is asked. */
export const withWindow = (text: string, window: string): string => text.replace(WINDOW, window);

export function readPromql(text: string): Promql {
  if (text.trim() === '') return refused(0, 'is empty: expected a counter selector or PromQL');
  if (text.length > PROMQL_CHARS_MAX) {
    return refused(0, `has ${text.length} characters, the most is ${PROMQL_CHARS_MAX}`);
  }
  const plain = withoutPlaceholders(text);
  const template = /\{\{|\}\}/.exec(plain);
  if (template) return refused(template.index, 'has a template that is not {{.window}}, the only one there is');
  const tree = parser.parse(plain);
  const broken = firstBroken(tree, plain);
  if (broken) return { kind: 'faults', faults: [broken] };
  const top = tree.topNode.getChild('Expr');
  if (top === null) return refused(0, 'holds no expression');
  const checker = checkerOf(tree, plain);
  const type = String(checker.checkAST(top as unknown as Parameters<Parser['checkAST']>[0]));
  const faults = checker
    .getDiagnostics()
    .filter(({ severity }) => severity === 'error')
    .map(({ from, message }) => ({ at: from, message }));
  if (faults.length > 0) return { kind: 'faults', faults };
  if (type !== 'vector' && type !== 'scalar') return refused(top.from, notInstant(type));
  return { kind: 'query', type, windowed: text.search(WINDOW) >= 0, selected: select(top, plain, text) };
}

/** What the checker asks of an editor: no tree of its own, and pieces of the text. Its types are those of CommonJS. */
function checkerOf(tree: Tree, text: string): Parser {
  const editor = { field: () => undefined, sliceDoc: (from: number, to: number) => text.slice(from, to) };
  const checker = new Parser(editor as unknown as ConstructorParameters<typeof Parser>[0]);
  Reflect.set(checker, 'tree', tree);
  return checker;
}

const refused = (at: number, message: string): Promql => ({ kind: 'faults', faults: [{ at, message }] });

function notInstant(type: string): string {
  return type === 'matrix'
    ? 'is a range vector: expected an instant vector, such as sum(increase(name[{{.window}}]))'
    : `is of type ${type}: expected an instant vector`;
}

/** What the grammar lets pass or mends silently, and the checker does not look at. The first is the cause. */
function firstBroken(tree: Tree, text: string): PromqlFault | undefined {
  const cursor = tree.cursor();
  let depth = 0;
  while (true) {
    if (depth > PROMQL_DEPTH_MAX) {
      return { at: cursor.from, message: `is nested deeper than ${PROMQL_DEPTH_MAX} levels` };
    }
    if (cursor.type.isError) return { at: cursor.from, message: unexpected(text, cursor.from) };
    if (cursor.name === 'StringLiteral') {
      const message = badString(text.slice(cursor.from, cursor.to));
      if (message) return { at: cursor.from, message };
    }
    if (cursor.name.endsWith('LabelMatcher')) {
      const broken = badRegex(cursor.node, text);
      if (broken) return broken;
    }
    if (cursor.firstChild()) depth++;
    else {
      while (!cursor.nextSibling()) {
        if (!cursor.parent()) return undefined;
        depth--;
      }
    }
  }
}

function unexpected(text: string, at: number): string {
  const rest = text.slice(at).trim();
  if (rest === '') return 'ends too early: something is not closed or not complete';
  return `cannot be read as PromQL from here: ${JSON.stringify(rest.slice(0, 24))}`;
}

function badString(literal: string): string | undefined {
  const [quote = ''] = literal;
  const closed =
    literal.length > 1 &&
    literal.endsWith(quote) &&
    (quote === '`' || !/(?<!\\)(?:\\\\)*\\$/.test(literal.slice(0, -1)));
  if (!closed) return `has a text that is not closed: expected ${quote} at its end`;
  return unquote(literal) === undefined
    ? `has an escape that PromQL does not know in ${literal.slice(0, 40)}`
    : undefined;
}

/** Prometheus' expressions are RE2's; what JavaScript refuses too, flags and named groups apart, is refused here. */
function badRegex(matcher: SyntaxNode, text: string): PromqlFault | undefined {
  const read = readMatcher(matcher, text);
  if (!read?.op.endsWith('~') || read.value.includes('(?')) return undefined;
  try {
    new RegExp(`^(?:${read.value})$`);
    return undefined;
  } catch {
    return { at: matcher.from, message: `has a regular expression that cannot be read: ${read.value.slice(0, 40)}` };
  }
}

/** The one selector that the query amounts to. */
function select(top: SyntaxNode, plain: string, text: string): { form: Form; selector: Selector } | undefined {
  const inner = unwrapped(top);
  const bare = selectorOf(inner, plain);
  if (bare) return { form: 'plain', selector: bare };
  if (inner.name !== 'AggregateExpr' || inner.getChild('AggregateModifier') !== null) return undefined;
  if (inner.firstChild?.firstChild?.name !== 'Sum') return undefined;
  const argument = only(inner.getChild('FunctionCallBody'));
  if (argument === undefined) return undefined;
  const summed = selectorOf(argument, plain);
  if (summed) return { form: 'sum', selector: summed };
  return argument.name === 'FunctionCall' ? increased(argument, plain, text) : undefined;
}

function increased(call: SyntaxNode, plain: string, text: string): { form: Form; selector: Selector } | undefined {
  const name = call.firstChild?.firstChild?.name;
  const form = name === 'Rate' ? 'rate' : name === 'Increase' ? 'increase' : undefined;
  const range = only(call.getChild('FunctionCallBody'));
  if (form === undefined || range?.name !== 'MatrixSelector') return undefined;
  const span = range.getChild('DurationExpr');
  const vector = range.getChild('Expr');
  if (span === null || vector === null) return undefined;
  if (text.slice(span.from, span.to).replace(WINDOW, '') !== '') return undefined;
  const selector = selectorOf(unwrapped(vector), plain);
  return selector && { form, selector };
}

/** Every selector of a query that has no faults, in the order in which they stand there; one without a name is called ''. */
export function selectorsOf(text: string): Selector[] {
  const plain = withoutPlaceholders(text);
  const found: Selector[] = [];
  parser.parse(plain).iterate({
    enter: ({ name, node }) => {
      if (name === 'VectorSelector') found.push(selectorOf(node, plain) ?? { name: '', matchers: [] });
    },
  });
  return found;
}

function unwrapped(node: SyntaxNode): SyntaxNode {
  let inner = node;
  for (
    let next: SyntaxNode | null = inner;
    next !== null;
    next = inner.name === 'ParenExpr' ? inner.getChild('Expr') : null
  ) {
    inner = next;
  }
  return inner;
}

function only(body: SyntaxNode | null): SyntaxNode | undefined {
  const [first, ...more] = body?.getChildren('Expr') ?? [];
  return first && more.length === 0 ? unwrapped(first) : undefined;
}

function selectorOf(node: SyntaxNode, text: string): Selector | undefined {
  if (node.name !== 'VectorSelector') return undefined;
  const identifier = node.getChild('Identifier');
  const names = identifier ? [text.slice(identifier.from, identifier.to)] : [];
  const matchers: Matcher[] = [];
  const list = node.getChild('LabelMatchers');
  for (let child = list?.firstChild ?? null; child !== null; child = child.nextSibling) {
    if (child.name === 'QuotedLabelName') names.push(unquote(text.slice(child.from, child.to)) ?? '');
    const matcher = readMatcher(child, text);
    if (matcher?.label === '__name__' && matcher.op === '=') names.push(matcher.value);
    else if (matcher) matchers.push(matcher);
  }
  const [name, ...more] = names;
  return name === undefined || more.length > 0 ? undefined : { name, matchers };
}

function readMatcher(node: SyntaxNode, text: string): Matcher | undefined {
  if (!node.name.endsWith('LabelMatcher')) return undefined;
  const named = node.getChild('LabelName');
  const quoted = node.getChild('QuotedLabelName');
  const op = node.getChild('MatchOp');
  const value = node.getChild('StringLiteral');
  if (op === null || value === null) return undefined;
  const label = named
    ? text.slice(named.from, named.to)
    : quoted
      ? unquote(text.slice(quoted.from, quoted.to))
      : undefined;
  const read = unquote(text.slice(value.from, value.to));
  if (label === undefined || read === undefined) return undefined;
  return { label, op: text.slice(op.from, op.to) as MatchOp, value: read };
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};
const ESCAPE = /\\(?:([abfnrtv\\'"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.|$))/gs;

/** What a literal says. Go's rules: backticks are raw. Undefined when an escape is none. */
function unquote(literal: string): string | undefined {
  const body = literal.slice(1, -1);
  if (literal.startsWith('`')) return body;
  let good = true;
  const value = body.replace(ESCAPE, (_, short, x, u, long, octal, wrong) => {
    if (short !== undefined) return ESCAPES[short] ?? '';
    const code = octal === undefined ? Number.parseInt(x ?? u ?? long, 16) : Number.parseInt(octal, 8);
    if (wrong === undefined && code <= 0x10ffff) return String.fromCodePoint(code);
    good = false;
    return '';
  });
  return good ? value : undefined;
}

/** As PromQL. */
export function selectorText({ name, matchers }: Selector): string {
  const list = matchers.map(({ label, op, value }) => `${labelText(label)}${op}${JSON.stringify(value)}`);
  const legacy = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(name);
  if (!legacy) return `{${[JSON.stringify(name), ...list].join(',')}}`;
  return list.length === 0 ? name : `${name}{${list.join(',')}}`;
}

const labelText = (label: string): string => (/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label) ? label : JSON.stringify(label));
