/** The router's two files, read and made into what is in force. All faults of both at once. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { LinkMaker } from '#alerting/compose.ts';
import { readAlertmanagerConfig } from '#alerting/config/read.ts';
import type { MatcherMode } from '#alerting/matcher.ts';
import { readOncall } from '#alerting/oncall/read.ts';
import { onDuty } from '#alerting/oncall/schedule.ts';
import { makeSetup, type Setup } from '#alerting/setup.ts';

export type RouterFiles = {
  /** Undefined: the one that ships, as text. */
  readonly config: { readonly file: string } | { readonly shipped: string };
  readonly oncall: { readonly file: string } | { readonly shipped: string };
  readonly mode: MatcherMode;
  readonly links: LinkMaker;
};
export type SetupRead =
  | { readonly kind: 'setup'; readonly setup: Setup }
  | { readonly kind: 'faults'; readonly faults: readonly string[] };

export function readSetup({ config, oncall, mode, links }: RouterFiles): SetupRead {
  const routing = open(config, 'alertmanager.yml');
  const people = open(oncall, 'oncall.yaml');
  const unread = [routing, people].flatMap((one) => (one.text === undefined ? [`${one.name}: ${one.because}`] : []));
  if (routing.text === undefined || people.text === undefined) return { kind: 'faults', faults: unread };
  const read = readAlertmanagerConfig(routing.text, {
    file: routing.name,
    mode,
    readFile: (path) => readText(resolve(dirname(routing.name), path)),
  });
  const second = readOncall(people.text, {
    file: people.name,
    receivers: read.kind === 'config' ? read.config.receivers : undefined,
    contact: read.kind === 'config' ? read.contact : undefined,
    readFile: (path) => readText(resolve(dirname(people.name), path)),
  });
  const faults = [...(read.kind === 'faults' ? read.faults : []), ...(second.kind === 'faults' ? second.faults : [])];
  if (read.kind === 'faults' || second.kind === 'faults') {
    return {
      kind: 'faults',
      faults: faults.map((one) => `${one.file}:${one.line}:${one.column} ${one.field}: ${one.message}`),
    };
  }
  const version = createHash('sha256').update(routing.text).update('\0').update(people.text).digest('hex').slice(0, 16);
  const duty = (schedule: string, at: Parameters<typeof onDuty>[1]) => {
    const found = second.oncall.schedules.get(schedule);
    return found === undefined ? [] : onDuty(found, at);
  };
  return { kind: 'setup', setup: makeSetup(read.config, second.oncall, version, duty, links) };
}

type Opened = { readonly name: string; readonly text: string | undefined; readonly because: string };

function open(source: RouterFiles['config'], name: string): Opened {
  if ('shipped' in source) return { name, text: source.shipped, because: '' };
  try {
    return { name: source.file, text: readFileSync(source.file, 'utf8'), because: '' };
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException;
    return { name: source.file, text: undefined, because: `cannot be read: ${code}` };
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
