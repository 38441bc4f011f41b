/**
 * An `alertmanager.yml`, unchanged: read as Alertmanager reads it, all faults at once. Pure but for the files that `*_file`
 * names, which the caller reads.
 *
 * Source: prometheus/alertmanager 0.34 config/config.go; docs/configuration.md.
 */
import type { MatcherMode } from '#alerting/matcher.ts';
import type { MapTree } from '#slo/openslo/tree.ts';
import type { AlertmanagerConfig, Integration } from './config.ts';
import { ORIGINAL_CHARS_MAX, printOriginal } from './original.ts';
import { openFile } from './read-file.ts';
import { type Global, readGlobal } from './read-global.ts';
import { readIntegration, readReceivers } from './read-receiver.ts';
import { readInhibitRules, readRoot } from './read-route.ts';
import { readIntervals } from './read-time.ts';
import { type ConfigFault, makeSection, type Reading, type Section } from './section.ts';

export type ReadConfigOptions = {
  /** What people call the file. */
  readonly file: string;
  /** The text of a file that the configuration names, by a path relative to it; undefined when it cannot be read. */
  readonly readFile: (path: string) => string | undefined;
  readonly mode: MatcherMode;
};
export type ConfigRead =
  | { readonly kind: 'config'; readonly config: AlertmanagerConfig; readonly contact: ReadContact }
  | { readonly kind: 'faults'; readonly faults: readonly ConfigFault[] };
/** Reads an integration that stands in another file and inherits from this one's `global`. Undefined after a fault. */
export type ReadContact = (kind: Integration['kind'], section: Section, index: number) => Integration | undefined;

export function readAlertmanagerConfig(text: string, options: ReadConfigOptions): ConfigRead {
  const { tree, reading, whole, faults } = openFile(text, { ...options, expected: 'route and receivers' });
  const read = tree && readRootMap(tree, reading, whole);
  if (read === undefined || faults().length > 0) return { kind: 'faults', faults: faults() };
  return { kind: 'config', config: read.config, contact: contactReader(read.global, faults) };
}

/** A secret of `global` is read when somebody needs it: what is wrong with it is told where it is needed. */
function contactReader(global: Global, faults: () => readonly ConfigFault[]): ReadContact {
  const told = new Set<ConfigFault>();
  return (kind, section, index) => {
    const integration = readIntegration(kind, section, index, global);
    for (const late of faults().filter((one) => !told.has(one))) {
      told.add(late);
      section.fault(undefined, `inherits ${late.field} of ${late.file}:${late.line}, which ${late.message}`);
    }
    return integration;
  };
}

function readRootMap(
  tree: MapTree,
  reading: Reading,
  whole: (message: string) => void,
): { readonly config: AlertmanagerConfig; readonly global: Global } | undefined {
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
  const { resolveTimeout } = global;
  return { config: { original, root, receivers, inhibitRules, timeIntervals, resolveTimeout }, global };
}
