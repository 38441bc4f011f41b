/**
 * An `alertmanager.yml`, unchanged: read as Alertmanager reads it, all faults at once. Pure but for the files that `*_file`
 * names, which the caller reads.
 *
 * Source: prometheus/alertmanager 0.34 config/config.go; docs/configuration.md.
 */
import type { MatcherMode } from '#alerting/matcher.ts';
import { named } from '#slo/openslo/document.ts';
import { readTrees } from '#slo/openslo/grow.ts';
import { FINDINGS_MAX, makeReport } from '#slo/openslo/report.ts';
import type { MapTree, Tree } from '#slo/openslo/tree.ts';
import type { AlertmanagerConfig } from './config.ts';
import { ORIGINAL_CHARS_MAX, printOriginal } from './original.ts';
import { readGlobal } from './read-global.ts';
import { readReceivers } from './read-receiver.ts';
import { readInhibitRules, readRoot } from './read-route.ts';
import { readIntervals } from './read-time.ts';
import { type ConfigFault, makeSection, type Reading } from './section.ts';

export type ReadConfigOptions = {
  /** What people call the file. */
  readonly file: string;
  /** The text of a file that the configuration names, by a path relative to it; undefined when it cannot be read. */
  readonly readFile: (path: string) => string | undefined;
  readonly mode: MatcherMode;
};
export type ConfigRead =
  | { readonly kind: 'config'; readonly config: AlertmanagerConfig }
  | { readonly kind: 'faults'; readonly faults: readonly ConfigFault[] };

/** Ten times the largest that we have seen published. */
export const CONFIG_CHARS_MAX = 2 * 1024 * 1024;

export function readAlertmanagerConfig(text: string, options: ReadConfigOptions): ConfigRead {
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
  const tree = readTree(text, options.file, whole, add);
  const config = tree && readRootMap(tree, reading, whole);
  if (config !== undefined && faults.length === 0) return { kind: 'config', config };
  return { kind: 'faults', faults: faults.toSorted((a, b) => a.line - b.line || a.column - b.column) };
}

function readTree(
  text: string,
  file: string,
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
  else if (tree?.kind !== 'map') whole('is empty or no map: expected route and receivers');
  else return tree;
  return undefined;
}

function readRootMap(
  tree: MapTree,
  reading: Reading,
  whole: (message: string) => void,
): AlertmanagerConfig | undefined {
  const section = makeSection(reading, tree, []);
  section.refuse(['templates'], 'is not supported: Burnline writes its messages itself, without Go templates');
  section.refuse(['tracing', 'event_recorder'], 'is not supported: traces and records are set for the whole process');
  const global = readGlobal(section.section('global'));
  const receivers = readReceivers(section.sections('receivers') ?? [], global);
  const timeIntervals = readIntervals([
    ...(section.sections('mute_time_intervals') ?? []),
    ...(section.sections('time_intervals') ?? []),
  ]);
  const inhibitRules = readInhibitRules(section.sections('inhibit_rules') ?? [], reading);
  const route = section.section('route');
  const known = { receivers: new Set(receivers.keys()), intervals: new Set(timeIntervals.keys()) };
  const root = route && readRoot(route, known, reading);
  if (!section.has('route') && root === undefined) section.fault('route', 'is missing: expected the tree of routes');
  section.end();
  const original = printOriginal(tree, reading.printed);
  if (original === undefined) whole(`has more than ${ORIGINAL_CHARS_MAX} characters, its aliases written out`);
  if (root === undefined || original === undefined) return undefined;
  return { original, root, receivers, inhibitRules, timeIntervals, resolveTimeout: global.resolveTimeout };
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
