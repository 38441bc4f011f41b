/** The router's two files, read and made into what is in force. All faults of both at once. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { LinkMaker } from '#alerting/compose.ts';
import type { AlertmanagerConfig } from '#alerting/config/config.ts';
import { readAlertmanagerConfig } from '#alerting/config/read.ts';
import type { ConfigFault } from '#alerting/config/section.ts';
import type { MatcherMode } from '#alerting/matcher.ts';
import { type OncallWarning, warningsOf } from '#alerting/oncall/check.ts';
import type { Oncall } from '#alerting/oncall/model.ts';
import { readOncall } from '#alerting/oncall/read.ts';
import { onDuty } from '#alerting/oncall/schedule.ts';
import { makeSetup, type Setup } from '#alerting/setup.ts';
import type { Milliseconds } from '#kernel/units.ts';

/** A file, or the text of one that ships. */
type Source = { readonly file: string } | { readonly shipped: string };
export type RouterSources = {
  readonly config: Source;
  readonly oncall: Source;
  readonly mode: MatcherMode;
  /** What is done in PagerDuty itself reaches us. */
  readonly hearsPagerduty: boolean;
};
export type RouterFiles = RouterSources & { readonly links: LinkMaker };

export type SourcesRead =
  | {
      readonly kind: 'read';
      readonly config: AlertmanagerConfig;
      readonly oncall: Oncall;
      /** Of both texts. */
      readonly version: string;
      /** Right, and may still wake nobody. */
      readonly warnings: readonly OncallWarning[];
    }
  | { readonly kind: 'faults'; readonly faults: readonly ConfigFault[] };
export type SetupRead =
  | { readonly kind: 'setup'; readonly setup: Setup; readonly warnings: readonly OncallWarning[] }
  | { readonly kind: 'faults'; readonly faults: readonly string[] };

export function readSetup(files: RouterFiles, now: Milliseconds): SetupRead {
  const read = readSources(files, now);
  if (read.kind === 'faults') return { kind: 'faults', faults: read.faults.map(faultText) };
  const { config, oncall, version, warnings } = read;
  const duty = (name: string, at: Milliseconds) => {
    const schedule = oncall.schedules.get(name);
    return schedule === undefined ? [] : onDuty(schedule, at);
  };
  return { kind: 'setup', setup: makeSetup(config, oncall, version, duty, files.links), warnings };
}

export const faultText = ({ file, line, column, field, message }: ConfigFault): string =>
  `${file}:${line}:${column} ${field}${field === '' ? '' : ': '}${message}`;

/** @param now gaps are looked for from then on. */
export function readSources({ config, oncall, mode, hearsPagerduty }: RouterSources, now: Milliseconds): SourcesRead {
  const routing = open(config, 'alertmanager.yml');
  const people = open(oncall, 'oncall.yaml');
  const first = routing.text === undefined ? undefined : readRouting(routing.name, routing.text, mode);
  const second =
    people.text === undefined
      ? undefined
      : readOncall(people.text, {
          file: people.name,
          receivers: first?.kind === 'config' ? first.config.receivers : undefined,
          contact: first?.kind === 'config' ? first.contact : undefined,
          readFile: besides(people.name),
        });
  if (first?.kind === 'config' && second?.kind === 'oncall') {
    const hash = createHash('sha256').update(routing.text ?? '');
    const version = hash.update('\0').update(people.text ?? '');
    return {
      kind: 'read',
      config: first.config,
      oncall: second.oncall,
      version: version.digest('hex').slice(0, 16),
      warnings: warningsOf(second.oncall, first.config.receivers, hearsPagerduty, now),
    };
  }
  const faults = [first, second].flatMap((one) => (one?.kind === 'faults' ? one.faults : []));
  return { kind: 'faults', faults: [...routing.faults, ...people.faults, ...faults] };
}

const readRouting = (file: string, text: string, mode: MatcherMode) =>
  readAlertmanagerConfig(text, { file, mode, readFile: besides(file) });

/** Reads what a file names, by a path relative to it. */
const besides = (file: string) => (path: string) => readText(resolve(dirname(file), path));

type Opened = {
  readonly name: string;
  readonly text: string | undefined;
  readonly faults: readonly ConfigFault[];
};

function open(source: Source, name: string): Opened {
  if ('shipped' in source) return { name, text: source.shipped, faults: [] };
  const { file } = source;
  try {
    return { name: file, text: readFileSync(file, 'utf8'), faults: [] };
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException;
    const fault = { file, line: 1, column: 1, field: '', message: `cannot be read: ${code}` };
    return { name: file, text: undefined, faults: [fault] };
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
