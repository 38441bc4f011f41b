/** A file of the router, as a map to be read key by key; its faults gathered, each with its place. */
import type { MatcherMode } from '#alerting/matcher.ts';
import { named } from '#slo/openslo/document.ts';
import { readTrees } from '#slo/openslo/grow.ts';
import { FINDINGS_MAX, makeReport } from '#slo/openslo/report.ts';
import type { MapTree, Tree } from '#slo/openslo/tree.ts';
import type { ConfigFault, Reading } from './section.ts';

export type ReadFileOptions = {
  /** What people call the file. */
  readonly file: string;
  /** The text of a file that this one names, by a path relative to it; undefined when it cannot be read. */
  readonly readFile: (path: string) => string | undefined;
  readonly mode: MatcherMode;
  /** `route and receivers`: what the file should have. */
  readonly expected: string;
};
export type OpenFile = {
  /** Undefined after a fault. */
  readonly tree: MapTree | undefined;
  readonly reading: Reading;
  /** A fault of the file as a whole. */
  whole(message: string): void;
  faults(): readonly ConfigFault[];
};

/** Ten times the largest that we have seen published. */
export const CONFIG_CHARS_MAX = 2 * 1024 * 1024;

export function openFile(text: string, options: ReadFileOptions): OpenFile {
  const faults: ConfigFault[] = [];
  const add = (fault: ConfigFault): void => {
    if (faults.length < FINDINGS_MAX) faults.push(fault);
  };
  const whole = (message: string): void => add({ file: options.file, line: 1, column: 1, field: '', message });
  const reading: Reading = {
    mode: options.mode,
    readFile: options.readFile,
    fault: ({ file, line, column }, path, message) =>
      add({ file, line, column, field: path.length === 0 ? '' : named(path), message }),
    printed: new Map(),
    compiled: new Map(),
  };
  return {
    tree: readTree(text, options, whole, add),
    reading,
    whole,
    faults: () => faults.toSorted((a, b) => a.line - b.line || a.column - b.column),
  };
}

function readTree(
  text: string,
  { file, expected }: ReadFileOptions,
  whole: (message: string) => void,
  add: (fault: ConfigFault) => void,
): MapTree | undefined {
  if (text.length > CONFIG_CHARS_MAX) {
    whole(`has ${text.length} characters, the most is ${CONFIG_CHARS_MAX}`);
    return undefined;
  }
  const { report, findings } = makeReport(true);
  const trees: Tree[] = readTrees(file, text, report);
  const found = findings().faults;
  for (const fault of found) add({ ...fault, field: '', message: withoutWords(fault.message) });
  if (found.length > 0) return undefined;
  const [tree, ...more] = trees;
  if (more.length > 0) whole('has several documents: expected one, without --- between');
  else if (tree?.kind !== 'map') whole(`is empty or no map: expected ${expected}`);
  else return tree;
  return undefined;
}

/** What breaks the syntax may be a part of a secret, such as `auth_password: *word`. The place says where it is. */
function withoutWords(message: string): string {
  if (message.startsWith('has the key')) return message;
  return message
    .split(': ')
    .slice(0, 2)
    .join(': ')
    .replace(/"[^"]*"/g, '"…"');
}
