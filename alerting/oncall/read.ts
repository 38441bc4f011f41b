/**
 * An `oncall.yaml`: people, schedules and escalation policies, all faults at once. Pure but for the files that `*_file`
 * names, which the caller reads. docs/oncall.md describes the file.
 */
import type { Receiver } from '#alerting/config/config.ts';
import type { ReadContact } from '#alerting/config/read.ts';
import { openFile } from '#alerting/config/read-file.ts';
import { type ConfigFault, makeSection } from '#alerting/config/section.ts';
import type { Oncall } from './model.ts';
import { readHeartbeats, readWatchdog } from './read-heartbeats.ts';
import { readList } from './read-parts.ts';
import { readPeople } from './read-people.ts';
import { readPolicies } from './read-policies.ts';
import { readSchedules } from './read-schedules.ts';

export type ReadOncallOptions = {
  /** What people call the file. */
  readonly file: string;
  /** Of alertmanager.yml. Undefined: it could not be read, and what refers to it is not checked. */
  readonly receivers: ReadonlyMap<string, Receiver> | undefined;
  /** What reads a person's contact with the defaults of alertmanager.yml. Undefined as `receivers`. */
  readonly contact: ReadContact | undefined;
  /** The text of a file that this one names, by a path relative to it; undefined when it cannot be read. */
  readonly readFile: (path: string) => string | undefined;
};
export type OncallRead =
  | { readonly kind: 'oncall'; readonly oncall: Oncall }
  | { readonly kind: 'faults'; readonly faults: readonly ConfigFault[] };

const NOBODY: Oncall = {
  people: new Map(),
  schedules: new Map(),
  policies: new Map(),
  heartbeats: new Map(),
  watchdog: undefined,
};

export function readOncall(text: string, options: ReadOncallOptions): OncallRead {
  // Nobody is on call, and nothing is escalated: as right as a file that is not there.
  if (text.trim() === '') {
    return { kind: 'oncall', oncall: NOBODY };
  }
  const { tree, reading, faults } = openFile(text, {
    ...options,
    mode: 'default',
    expected: 'people, schedules and policies',
  });
  if (tree === undefined) return { kind: 'faults', faults: faults() };
  const section = makeSection(reading, tree, []);
  const people = readPeople(readList(section, 'people'), options.contact);
  const names = new Set(people.keys());
  const schedules = readSchedules(readList(section, 'schedules'), names);
  const known = { people: names, schedules: new Set(schedules.keys()), receivers: options.receivers };
  const policies = readPolicies(readList(section, 'policies'), known);
  const heartbeats = readHeartbeats(readList(section, 'heartbeats'));
  const watchdog = readWatchdog(section.section('watchdog'), options.receivers);
  section.end();
  const found = faults();
  return found.length > 0
    ? { kind: 'faults', faults: found }
    : { kind: 'oncall', oncall: { people, schedules, policies, heartbeats, watchdog } };
}
