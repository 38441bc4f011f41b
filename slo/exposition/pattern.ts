/**
 * Regular expressions of label matchers, as Prometheus reads them: RE2, anchored at both ends, `.` matches a line feed too
 * (since Prometheus 3). Not JavaScript's: that one reads some patterns differently (`\d` with the flag u, `[[:alpha:]]`, `^`
 * in the middle) and can take exponential time for others, and a matcher comes from a file that somebody else may write.
 *
 * A pattern becomes a small program that is run over all its threads at once (Thompson's construction): work is at most
 * the text's length times the program's. What is not understood is refused by name, never read in another sense.
 *
 * Sources: https://github.com/google/re2/wiki/Syntax; R. Cox, "Regular Expression Matching: the Virtual Machine Approach",
 * https://swtch.com/~rsc/regexp/regexp2.html
 */

/** RE2's own limit for {n,m}. */
const REPEAT_MAX = 1_000;
/** Instructions after repeats are written out: a list of five hundred host names is about as long. */
const PROGRAM_MAX = 10_000;
export const PATTERN_LENGTH_MAX = 10_000;
const DEPTH_MAX = 100;

export type Pattern = { readonly program: readonly Instruction[] };
export type PatternOutcome =
  | { readonly kind: 'pattern'; readonly pattern: Pattern }
  | { readonly kind: 'fault'; readonly reason: string };

type Range = readonly [from: number, to: number];
type Instruction =
  | { readonly kind: 'char'; readonly ranges: readonly Range[]; readonly negated: boolean }
  | { readonly kind: 'split'; readonly a: number; readonly b: number }
  | { readonly kind: 'jump'; readonly to: number }
  | { readonly kind: 'begin' }
  | { readonly kind: 'end' }
  | { readonly kind: 'match' };

type Node =
  | { readonly kind: 'char'; readonly ranges: readonly Range[]; readonly negated: boolean }
  | { readonly kind: 'begin' }
  | { readonly kind: 'end' }
  | { readonly kind: 'sequence'; readonly nodes: readonly Node[] }
  | { readonly kind: 'choice'; readonly nodes: readonly Node[] }
  | { readonly kind: 'repeat'; readonly node: Node; readonly least: number; readonly most: number };

type Reader = { readonly chars: readonly string[]; at: number; depth: number; reason: string };

export function compilePattern(text: string): PatternOutcome {
  if (text.length > PATTERN_LENGTH_MAX) return refusal(`the pattern has over ${PATTERN_LENGTH_MAX} characters`);
  const reader: Reader = { chars: [...text], at: 0, depth: 0, reason: '' };
  const node = readChoice(reader);
  if (node === undefined) return refusal(`${reader.reason} at character ${reader.at + 1} of ${text}`);
  if (reader.at < reader.chars.length) return refusal(`unexpected ")" at character ${reader.at + 1} of ${text}`);
  const program: Instruction[] = [];
  if (!emit(node, program)) return refusal(`${text} is too large once its repeats are written out`);
  program.push({ kind: 'match' });
  return { kind: 'pattern', pattern: { program } };
}

const refusal = (reason: string): PatternOutcome => ({ kind: 'fault', reason });

function readChoice(reader: Reader): Node | undefined {
  reader.depth++;
  if (reader.depth > DEPTH_MAX) return stop(reader, `groups nested deeper than ${DEPTH_MAX}`);
  const nodes: Node[] = [];
  for (;;) {
    const node = readSequence(reader);
    if (node === undefined) return undefined;
    nodes.push(node);
    if (reader.chars[reader.at] !== '|') break;
    reader.at++;
  }
  reader.depth--;
  return nodes.length === 1 ? nodes[0] : { kind: 'choice', nodes };
}

function readSequence(reader: Reader): Node | undefined {
  const nodes: Node[] = [];
  for (;;) {
    const char = reader.chars[reader.at];
    if (char === undefined || char === '|' || char === ')') return { kind: 'sequence', nodes };
    const atom = readAtom(reader, char);
    const node = atom && readRepeat(reader, atom);
    if (node === undefined) return undefined;
    nodes.push(node);
  }
}

function readAtom(reader: Reader, char: string): Node | undefined {
  reader.at++;
  switch (char) {
    case '(':
      return readGroup(reader);
    case '[':
      return readClass(reader);
    case '\\':
      return readEscape(reader);
    case '.':
      return { kind: 'char', ranges: [], negated: true };
    case '^':
      return { kind: 'begin' };
    case '$':
      return { kind: 'end' };
    case '*':
    case '+':
    case '?':
      reader.at--;
      return stop(reader, `nothing to repeat before "${char}"`);
    default:
      return literal(char);
  }
}

const literal = (char: string): Node => {
  const code = char.codePointAt(0) ?? 0;
  return { kind: 'char', ranges: [[code, code]], negated: false };
};

function stop(reader: Reader, reason: string): undefined {
  reader.reason = reason;
  return undefined;
}

/** `(…)`, `(?:…)`, `(?P<name>…)` and `(?<name>…)` group; flags are refused, and so is what RE2 does not know. */
function readGroup(reader: Reader): Node | undefined {
  if (reader.chars[reader.at] === '?') {
    const head = /^\?(?::|P?<\w+>)/.exec(reader.chars.slice(reader.at, reader.at + 80).join(''))?.[0];
    if (head === undefined) return stop(reader, 'flags and look-around are not supported: "(?"');
    reader.at += head.length;
  }
  const node = readChoice(reader);
  if (node === undefined) return undefined;
  if (reader.chars[reader.at] !== ')') return stop(reader, 'a group is not closed');
  reader.at++;
  return node;
}

function readRepeat(reader: Reader, node: Node): Node | undefined {
  const bounds = readBounds(reader);
  if (bounds === undefined) return node;
  const [least, most] = bounds;
  if (least > REPEAT_MAX || (most !== Number.POSITIVE_INFINITY && most > REPEAT_MAX) || most < least) {
    return stop(reader, `a repeat must be 0 to ${REPEAT_MAX}, the lesser number first`);
  }
  // Lazy or greedy, what matches as a whole is the same.
  if (reader.chars[reader.at] === '?') reader.at++;
  const before = reader.at;
  if (readBounds(reader) !== undefined) {
    reader.at = before;
    return stop(reader, 'a repeat of a repeat needs a group');
  }
  return { kind: 'repeat', node, least, most };
}

/** Moves past `*`, `+`, `?`, `{n}`, `{n,}` or `{n,m}`; a brace that is none of these is a character, as in RE2. */
function readBounds(reader: Reader): readonly [number, number] | undefined {
  const char = reader.chars[reader.at];
  if (char === '*' || char === '+' || char === '?') {
    reader.at++;
    return [char === '+' ? 1 : 0, char === '?' ? 1 : Number.POSITIVE_INFINITY];
  }
  if (char !== '{') return undefined;
  const match = /^\{(\d{1,9})(,?)(\d{0,9})\}/.exec(reader.chars.slice(reader.at, reader.at + 24).join(''));
  if (!match || (match[2] === '' && match[3] !== '')) return undefined;
  reader.at += match[0].length;
  const least = Number(match[1]);
  return [least, match[2] === '' ? least : match[3] === '' ? Number.POSITIVE_INFINITY : Number(match[3])];
}

/** RE2's Perl classes are ASCII. */
const PERL: Readonly<Record<string, readonly Range[]>> = {
  d: [[0x30, 0x39]],
  s: [
    [0x09, 0x0a],
    [0x0c, 0x0d],
    [0x20, 0x20],
  ],
  w: [
    [0x30, 0x39],
    [0x41, 0x5a],
    [0x5f, 0x5f],
    [0x61, 0x7a],
  ],
};
const CONTROLS: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 };
const CODE_MAX = 0x10ffff;

/** After the backslash. */
function readEscape(reader: Reader): Node | undefined {
  const char = reader.chars[reader.at];
  if (char === undefined) return stop(reader, 'a backslash at the end');
  const perl = PERL[char.toLowerCase()];
  if (perl !== undefined && /^[dswDSW]$/.test(char)) {
    reader.at++;
    return { kind: 'char', ranges: perl, negated: char !== char.toLowerCase() };
  }
  if (char === 'A' || char === 'z') {
    reader.at++;
    return { kind: char === 'A' ? 'begin' : 'end' };
  }
  const code = readEscapedCode(reader, char);
  return code === undefined ? undefined : { kind: 'char', ranges: [[code, code]], negated: false };
}

function readEscapedCode(reader: Reader, char: string): number | undefined {
  const control = CONTROLS[char];
  if (control !== undefined || /^[!-/:-@[-`{-~]$/.test(char)) {
    reader.at++;
    return control ?? char.codePointAt(0);
  }
  const hex = /^x(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})/.exec(
    reader.chars.slice(reader.at, reader.at + 10).join(''),
  );
  if (!hex) return stop(reader, `"\\${char}" is not supported`);
  const code = Number.parseInt(hex[1] ?? hex[2] ?? '', 16);
  if (code > CODE_MAX) return stop(reader, `"\\${hex[0]}" is no character`);
  reader.at += hex[0].length;
  return code;
}

/** After the opening bracket. */
function readClass(reader: Reader): Node | undefined {
  const negated = reader.chars[reader.at] === '^';
  if (negated) reader.at++;
  const ranges: Range[] = [];
  for (let first = true; ; first = false) {
    const char = reader.chars[reader.at];
    if (char === undefined) return stop(reader, 'a class is not closed');
    if (char === ']' && !first) break;
    if (char === '[' && reader.chars[reader.at + 1] === ':') return stop(reader, 'classes by name are not supported');
    if (char === '\\' && /^[dsw]$/.test(reader.chars[reader.at + 1] ?? '')) {
      ranges.push(...(PERL[reader.chars[reader.at + 1] ?? ''] ?? []));
      reader.at += 2;
      continue;
    }
    const range = readRange(reader);
    if (range === undefined) return undefined;
    ranges.push(range);
  }
  reader.at++;
  return { kind: 'char', ranges, negated };
}

function readRange(reader: Reader): Range | undefined {
  const from = readClassCode(reader);
  if (from === undefined) return undefined;
  const isRange = reader.chars[reader.at] === '-' && (reader.chars[reader.at + 1] ?? ']') !== ']';
  if (!isRange) return [from, from];
  reader.at++;
  const to = readClassCode(reader);
  if (to === undefined) return undefined;
  return to < from ? stop(reader, 'a range runs backwards') : [from, to];
}

function readClassCode(reader: Reader): number | undefined {
  const char = reader.chars[reader.at] ?? '';
  reader.at++;
  return char === '\\' ? readEscapedCode(reader, reader.chars[reader.at] ?? '') : char.codePointAt(0);
}

/** Writes a node's instructions; false when they are too many. */
function emit(node: Node, program: Instruction[]): boolean {
  if (program.length > PROGRAM_MAX) return false;
  switch (node.kind) {
    case 'char':
    case 'begin':
    case 'end':
      program.push(node);
      return true;
    case 'sequence':
      return node.nodes.every((one) => emit(one, program));
    case 'choice':
      return emitChoice(node.nodes, program);
    case 'repeat':
      return emitRepeat(node, program);
    default:
      return node satisfies never;
  }
}

function emitChoice(nodes: readonly Node[], program: Instruction[]): boolean {
  const exits: number[] = [];
  for (const [i, node] of nodes.entries()) {
    const split = program.length;
    const isLast = i === nodes.length - 1;
    if (!isLast) program.push({ kind: 'split', a: split + 1, b: 0 });
    if (!emit(node, program)) return false;
    if (isLast) break;
    exits.push(program.length);
    program.push({ kind: 'jump', to: 0 });
    program[split] = { kind: 'split', a: split + 1, b: program.length };
  }
  for (const exit of exits) program[exit] = { kind: 'jump', to: program.length };
  return true;
}

function emitRepeat({ node, least, most }: Node & { kind: 'repeat' }, program: Instruction[]): boolean {
  for (let i = 0; i < least; i++) {
    const before = program.length;
    if (!emit(node, program)) return false;
    if (program.length === before) break; // What is empty once stays empty a thousand times a thousand.
  }
  if (most === Number.POSITIVE_INFINITY) {
    const split = program.length;
    program.push({ kind: 'split', a: split + 1, b: 0 });
    if (!emit(node, program)) return false;
    program.push({ kind: 'jump', to: split });
    program[split] = { kind: 'split', a: split + 1, b: program.length };
    return true;
  }
  const splits: number[] = [];
  for (let i = least; i < most; i++) {
    splits.push(program.length);
    program.push({ kind: 'split', a: program.length + 1, b: 0 });
    if (!emit(node, program)) return false;
  }
  for (const split of splits) program[split] = { kind: 'split', a: split + 1, b: program.length };
  return true;
}

/** Does the whole of `text` match? */
export function matchesPattern({ program }: Pattern, text: string): boolean {
  let threads: number[] = [];
  const marks = new Int32Array(program.length).fill(-1);
  follow(program, 0, 0, text.length, threads, marks);
  for (let at = 0; at < text.length && threads.length > 0; ) {
    const code = text.codePointAt(at) ?? 0;
    at += code > 0xffff ? 2 : 1;
    const next: number[] = [];
    for (const thread of threads) {
      const one = program[thread];
      if (one?.kind === 'char' && accepts(one, code)) follow(program, thread + 1, at, text.length, next, marks);
    }
    threads = next;
  }
  return threads.some((thread) => program[thread]?.kind === 'match');
}

function accepts({ ranges, negated }: Instruction & { kind: 'char' }, code: number): boolean {
  return ranges.some(([from, to]) => code >= from && code <= to) !== negated;
}

/** Adds the threads that stand at `start` without reading: a stack, since a pattern may have as many splits as it likes. */
function follow(
  program: readonly Instruction[],
  start: number,
  at: number,
  length: number,
  threads: number[],
  marks: Int32Array,
): void {
  const stack = [start];
  for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
    const one = program[place];
    if (one === undefined || marks[place] === at) continue;
    marks[place] = at;
    if (one.kind === 'split') stack.push(one.b, one.a);
    else if (one.kind === 'jump') stack.push(one.to);
    else if (one.kind === 'begin' || one.kind === 'end') {
      if (at === (one.kind === 'begin' ? 0 : length)) stack.push(place + 1);
    } else threads.push(place);
  }
}
