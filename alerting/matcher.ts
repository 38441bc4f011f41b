/**
 * Matchers: what routes, inhibitions, silences and queries pick alerts by.
 *
 * Two grammars are read, as Alertmanager reads them: the one for UTF-8 names, and the classic one. Where both can read a
 * text and differ, the classic one is right, so that no file changes its meaning.
 *
 * Source: prometheus/alertmanager matcher/parse, matcher/compat, pkg/labels; docs/configuration.md "Matcher".
 */
import { RE2JS } from 're2js';
import { byCodePoints, type Labels } from './labels.ts';
import { quote, unquote } from './quote.ts';

export const OPERATORS = ['=', '!=', '=~', '!~'] as const;
export type Operator = (typeof OPERATORS)[number];

export type Matcher = {
  readonly name: string;
  readonly op: Operator;
  readonly value: string;
  readonly test: (value: string) => boolean;
};

/** `classic` refuses what only the grammar for UTF-8 reads; `utf8` is that grammar alone. */
export type MatcherMode = 'default' | 'classic' | 'utf8';

export type MatcherFault = { readonly kind: 'fault'; readonly message: string };
export type ParsedMatchers = { readonly kind: 'matchers'; readonly matchers: readonly Matcher[] } | MatcherFault;
export type ParsedMatcher = { readonly kind: 'matcher'; readonly matcher: Matcher } | MatcherFault;

/** Of one list. Ten times the longest that we have seen in a published file. */
export const TEXT_CHARS_MAX = 4_096;
export const MATCHERS_MAX = 100;
/**
 * Of a compiled expression. The longest text needs as many when it repeats nothing; `.{999}` alone has a thousand. A value
 * of 1,000 characters then takes 0.4 s at the very worst, measured on two busy cores, and some microseconds as a rule.
 */
export const STEPS_MAX = 5_000;

const fault = (message: string): MatcherFault => ({ kind: 'fault', message });

/**
 * A regular expression is RE2's and holds for the whole value. It takes time in proportion to its own length and that of
 * the value, whatever they are.
 */
export function makeMatcher(name: string, op: Operator, value: string): ParsedMatcher {
  if (name.length + value.length > TEXT_CHARS_MAX) return fault(tooLong(name + value));
  const test = tester(op, value);
  return typeof test === 'string' ? fault(test) : { kind: 'matcher', matcher: { name, op, value, test } };
}

function tester(op: Operator, value: string): Matcher['test'] | string {
  if (op === '=') return (other) => other === value;
  if (op === '!=') return (other) => other !== value;
  const wanted = op === '=~';
  if (!/[\\.+*?()[\]{}^$]/.test(value)) {
    // `a|b|c`, the most frequent by far: fifty times as fast.
    const any = new Set(value.split('|'));
    return (other) => any.has(other) === wanted;
  }
  try {
    // As Alertmanager anchors it: `a)|(?:b` has always been read as two halves.
    const expression = RE2JS.compile(`^(?:${value})$`);
    const steps = expression.programSize();
    if (steps > STEPS_MAX) return `${shown(value)} repeats too much: it has ${steps} steps, the most is ${STEPS_MAX}`;
    return (other) => expression.test(other) === wanted;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return `${shown(value)} is no regular expression that RE2 reads: ${why.replace('error parsing regexp: ', '')}`;
  }
}

/** A label that is not there is the empty text. */
export function matches(matcher: Matcher, labels: Labels): boolean {
  return matcher.test(Object.hasOwn(labels, matcher.name) ? (labels[matcher.name] ?? '') : '');
}

export const matchesAll = (matchers: readonly Matcher[], labels: Labels): boolean =>
  matchers.every((matcher) => matches(matcher, labels));

/** Reserved in the grammar for UTF-8: a name with one of them stands in quotes. */
const RESERVED = /[\p{White_Space}{}!=~,\\"'`]/u;

/** As Alertmanager prints it; a route's key is made of it. */
export function matcherText({ name, op, value }: Pick<Matcher, 'name' | 'op' | 'value'>): string {
  if (RESERVED.test(name)) return `${quote(name)}${op}${quote(value)}`;
  return `${name}${op}"${value.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}

/** `{a="b",c=~"d"}` */
export const matchersText = (matchers: readonly Matcher[]): string => `{${matchers.map(matcherText).join(',')}}`;

/** The order in which a route's and an inhibition's matchers stand: by name, value, operator. */
export function sortedMatchers(matchers: readonly Matcher[]): Matcher[] {
  return matchers.toSorted(
    (a, b) =>
      byCodePoints(a.name, b.name) ||
      byCodePoints(a.value, b.value) ||
      OPERATORS.indexOf(a.op) - OPERATORS.indexOf(b.op),
  );
}

/** As API v2 has it. `isEqual` came later: where it is absent it is true. */
export type ApiMatcher = {
  readonly name: string;
  readonly value: string;
  readonly isRegex: boolean;
  readonly isEqual?: boolean | undefined;
};

export const toApi = ({ name, op, value }: Matcher): Required<ApiMatcher> => ({
  name,
  value,
  isRegex: op === '=~' || op === '!~',
  isEqual: op === '=' || op === '=~',
});

const opOf = ({ isRegex, isEqual = true }: ApiMatcher): Matcher['op'] =>
  isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!=';

export const fromApi = (given: ApiMatcher): ParsedMatcher => makeMatcher(given.name, opOf(given), given.value);

/** Without reading its expression. */
export const apiMatcherText = (given: ApiMatcher): string => matcherText({ ...given, op: opOf(given) });

/** Whether a label may be called so; the classic names are Prometheus' up to 2. */
export function isLabelName(name: string, mode: MatcherMode): boolean {
  return mode === 'classic' ? /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) : name !== '' && name.isWellFormed();
}

/** One matcher or several: `a=b`, `a=b,c=~"d"`, `{a="b"}`; none in an empty text or `{}`. */
export function parseMatchers(text: string, mode: MatcherMode): ParsedMatchers {
  if (text.length > TEXT_CHARS_MAX) return fault(tooLong(text));
  const modern = mode === 'classic' ? undefined : parseModern(text);
  if (mode === 'utf8' && modern !== undefined) return modern;
  const classic = parseClassic(text);
  return modern === undefined ? classic : settle(modern, classic);
}

/** Exactly one, without braces. */
export function parseMatcher(text: string, mode: MatcherMode): ParsedMatcher {
  if (text.length > TEXT_CHARS_MAX) return fault(tooLong(text));
  if (mode === 'classic') return parseClassicMatcher(text);
  if (text.startsWith('{') || text.endsWith('}')) return fault(`${shown(text)} has braces where one matcher should be`);
  const modern = only(parseModern(text));
  if (mode === 'utf8') return modern;
  const classic = parseClassicMatcher(text);
  if (modern.kind === 'fault') return classic.kind === 'fault' ? modern : classic;
  return classic.kind === 'matcher' && !isSame(modern.matcher, classic.matcher) ? classic : modern;
}

function settle(modern: ParsedMatchers, classic: ParsedMatchers): ParsedMatchers {
  if (classic.kind === 'fault') return modern;
  if (modern.kind === 'fault') return classic;
  const agree =
    modern.matchers.length === classic.matchers.length &&
    modern.matchers.every((one, i) => isSame(one, classic.matchers[i]));
  return agree ? modern : classic;
}

const isSame = (a: Matcher, b: Matcher | undefined): boolean =>
  a.name === b?.name && a.op === b.op && a.value === b.value;

function only(parsed: ParsedMatchers): ParsedMatcher {
  if (parsed.kind === 'fault') return parsed;
  const [matcher, ...more] = parsed.matchers;
  if (matcher === undefined) return fault('has no matcher');
  return more.length === 0
    ? { kind: 'matcher', matcher }
    : fault(`has ${more.length + 1} matchers where one should be`);
}

type Token = { readonly kind: 'brace' | 'comma' | 'operator' | 'text'; readonly text: string; readonly at: number };

const TOKEN = /\p{White_Space}+|([{}])|(,)|(!=|!~|=~|=)|("(?:[^"\\]|\\.)*")|([^\p{White_Space}{}!=~,\\"'`]+)/suy;

function tokens(text: string): Token[] | MatcherFault {
  const found: Token[] = [];
  for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(text);
    if (match === null) return fault(`${shown(text)} is not understood from ${shown(text.slice(at))} on`);
    const [, brace, comma, operator, quoted, bare] = match;
    const literal = quoted === undefined ? bare : unquote(quoted);
    if (brace !== undefined) found.push({ kind: 'brace', text: brace, at });
    else if (comma !== undefined) found.push({ kind: 'comma', text: comma, at });
    else if (operator !== undefined) found.push({ kind: 'operator', text: operator, at });
    else if (literal !== undefined) found.push({ kind: 'text', text: literal, at });
    else if (quoted !== undefined) return fault(`${shown(quoted)} has an escape that is none, or is not UTF-8`);
  }
  return found;
}

/** The grammar for UTF-8: names and values are words without reserved characters, or stand in double quotes. */
function parseModern(text: string): ParsedMatchers {
  const list = tokens(text);
  if (!Array.isArray(list)) return list;
  const is = (token: Token | undefined, kind: Token['kind'], written?: string): token is Token =>
    token?.kind === kind && (written === undefined || token.text === written);
  const wanted = (what: string, token: Token | undefined): MatcherFault =>
    fault(`${shown(text)} has ${token ? shown(text.slice(token.at)) : 'its end'} where ${what} should be`);
  const open = is(list[0], 'brace', '{');
  let at = open ? 1 : 0;
  const matchers: Matcher[] = [];
  while (at < list.length && !is(list[at], 'brace', '}')) {
    const [name, op, value] = list.slice(at, at + 3);
    if (!is(name, 'text')) return wanted('a label name', name);
    const operator = OPERATORS.find((one) => is(op, 'operator', one));
    if (operator === undefined) return wanted('one of =, !=, =~, !~', op);
    if (!is(value, 'text')) return wanted('a label value', value);
    const made = makeMatcher(name.text, operator, value.text);
    if (made.kind === 'fault') return made;
    if (matchers.push(made.matcher) > MATCHERS_MAX) return fault(`has more than ${MATCHERS_MAX} matchers`);
    at += 3;
    if (!is(list[at], 'comma')) break;
    at++;
  }
  if (open && !is(list[at], 'brace', '}')) return wanted('a comma or the closing brace', list[at]);
  if (open) at++;
  return at < list.length ? wanted(open ? 'the end' : 'a comma or the end', list[at]) : { kind: 'matchers', matchers };
}

/** The classic grammar: split at the commas outside of quotes. */
function parseClassic(text: string): ParsedMatchers {
  const pieces: string[] = [];
  let piece = '';
  let quoted = false;
  let escaped = false;
  for (const character of text.replace(/^\{/, '').replace(/\}$/, '')) {
    if (character === ',' && !quoted) {
      pieces.push(piece);
      piece = '';
      continue;
    }
    if (character === '"' && !escaped) quoted = !quoted;
    // A comma leaves an escape standing.
    if (character !== ',') escaped = character === '\\' && !escaped;
    piece += character;
  }
  const last = trimmed(piece, /\p{White_Space}/u);
  if (last !== '') pieces.push(last);
  if (pieces.length > MATCHERS_MAX) return fault(`has more than ${MATCHERS_MAX} matchers`);
  const matchers: Matcher[] = [];
  for (const one of pieces) {
    const parsed = parseClassicMatcher(one);
    if (parsed.kind === 'fault') return parsed;
    matchers.push(parsed.matcher);
  }
  return { kind: 'matchers', matchers };
}

const CLASSIC = /^[\t\n\f\r ]*([a-zA-Z_:][a-zA-Z0-9_:]*)[\t\n\f\r ]*(=~|!=|!~|=)[\t\n\f\r ]*/;

function parseClassicMatcher(text: string): ParsedMatcher {
  const head = CLASSIC.exec(text);
  const name = head?.[1];
  const op = OPERATORS.find((one) => one === head?.[2]);
  if (head === null || name === undefined || op === undefined) {
    return fault(`${shown(text)} is no matcher: expected a label name, one of =, !=, =~, !~, and a value`);
  }
  const written = trimmed(text.slice(head[0].length), /[\t\n\f\r ]/);
  const value = classicValue(written);
  return value === undefined
    ? fault(`${shown(written)} is no value: a double quote stands alone, or it is not UTF-8`)
    : makeMatcher(name, op, value);
}

function classicValue(written: string): string | undefined {
  const open = written.startsWith('"');
  const raw = open ? written.slice(1) : written;
  const inner = open && raw.endsWith('"') ? raw.slice(0, -1) : raw;
  // The last quote is the closing one unless a backslash escapes it; an escape that is none is two characters.
  if (!raw.isWellFormed() || !/^(?:[^\\"]|\\.|\\$)*$/s.test(inner)) return undefined;
  if (open && (inner.length === raw.length || /(?:^|[^\\])(?:\\\\)*\\$/.test(inner))) return undefined;
  return inner.replace(/\\(.)/gs, (whole, next: string) =>
    next === 'n' ? '\n' : next === '"' || next === '\\' ? next : whole,
  );
}

function trimmed(text: string, space: RegExp): string {
  let [start, end] = [0, text.length];
  while (start < end && space.test(text.charAt(start))) start++;
  while (end > start && space.test(text.charAt(end - 1))) end--;
  return text.slice(start, end);
}

const SHOWN_CHARS_MAX = 60;
const shown = (text: string): string =>
  JSON.stringify(text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text);

const tooLong = (text: string): string => `has ${text.length} characters, the most is ${TEXT_CHARS_MAX}`;
