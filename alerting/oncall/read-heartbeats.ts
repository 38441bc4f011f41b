/** `heartbeats` and `watchdog`: who says that they are alive, and to whom the router says so. */
import type { Receiver } from '#alerting/config/config.ts';
import { type Section, shown } from '#alerting/config/section.ts';
import { isLabelName, MATCHERS_MAX, type Matcher, parseMatchers } from '#alerting/matcher.ts';
import { type Milliseconds, minutes, seconds, toMilliseconds } from '#kernel/units.ts';
import type { Severity } from '#slo/verdict.ts';
import type { Heartbeat, Watchdog } from './model.ts';
import { readName, readReference, written } from './read-parts.ts';

const SEVERITIES = ['critical', 'warning', 'info'] as const satisfies readonly Severity[];
/** A path's part; the name is also a label's value. */
const NAME = /^[\w.-]{1,100}$/;
/** The router looks once a second. */
const EVERY_LEAST = toMilliseconds(seconds(1));
const EVERY = toMilliseconds(minutes(1));
/** Those that say what it is are the router's own. */
const OWN_LABELS = ['alertname', 'heartbeat', 'severity', 'eye'];

export function readHeartbeats(sections: readonly Section[]): Map<string, Heartbeat> {
  const found = new Map<string, Heartbeat>();
  for (const section of sections) {
    const name = readName(section, found, 'heartbeat');
    if (name !== '' && !NAME.test(name)) {
      section.fault('name', `is ${shown(name)}: expected letters, digits, _ . and -, which stand in its address`);
    }
    if (!section.has('every')) section.fault('every', 'is missing: expected how often it comes, such as 1m');
    const every = readEvery(section, EVERY);
    const heartbeat = {
      name,
      every,
      // One that is late or lost is forgiven.
      grace: section.duration('grace') ?? every,
      fromFirstBeat: section.flag('from_first_beat') ?? false,
      severity: readSeverity(section),
      labels: readLabels(section.section('labels')),
      alert: readAlert(section.section('alert')),
    };
    section.end();
    if (name !== '') found.set(name, heartbeat);
  }
  return found;
}

function readEvery(section: Section, otherwise: Milliseconds): Milliseconds {
  const every = section.duration('every') ?? otherwise;
  if (every < EVERY_LEAST) section.fault('every', `is ${every} ms: the least is 1s`);
  return every;
}

function readSeverity(section: Section): Severity {
  const text = section.text('severity') ?? 'critical';
  const known = SEVERITIES.find((one) => one === text);
  if (known === undefined) section.fault('severity', `is ${shown(text)}: expected one of ${SEVERITIES.join(', ')}`);
  return known ?? 'critical';
}

function readLabels(section: Section | undefined): Record<string, string> {
  const labels: Record<string, string> = {};
  for (const name of section?.keys() ?? []) {
    const value = section?.text(name);
    if (OWN_LABELS.includes(name)) section?.fault(name, 'is set by the router: leave it out');
    else if (!isLabelName(name, 'default')) section?.fault(name, 'is no label name');
    else if (value !== undefined && value !== '') labels[name] = value;
  }
  section?.end();
  return labels;
}

function readAlert(section: Section | undefined): Heartbeat['alert'] {
  if (section === undefined) return undefined;
  const matchers: Matcher[] = [];
  for (const { text, fault } of section.texts('matchers') ?? []) {
    const parsed = parseMatchers(text, 'default');
    if (parsed.kind === 'fault') fault(parsed.message);
    else matchers.push(...parsed.matchers);
  }
  if (!section.has('matchers')) section.fault('matchers', 'is missing: expected such as [\'alertname="Watchdog"\']');
  if (matchers.length > MATCHERS_MAX) section.fault('matchers', `has more than ${MATCHERS_MAX} matchers`);
  const holdsAll = matchers.length > 0 && matchers.every(({ test }) => test(''));
  if (holdsAll) section.fault('matchers', 'holds alerts without any of these labels: none of them would be told');
  section.end();
  const [first, ...others] = matchers;
  return first && [first, ...others];
}

export function readWatchdog(
  section: Section | undefined,
  receivers: ReadonlyMap<string, Receiver> | undefined,
): Watchdog | undefined {
  if (section === undefined) return undefined;
  const named = written(section, 'receiver');
  if (named !== undefined && receivers !== undefined) {
    readReference(named, new Set(receivers.keys()), 'receiver of alertmanager.yml');
  }
  const url = section.given('heartbeat_url', (text) =>
    /^https?:\/\/[^\s]+$/.test(text) && URL.canParse(text) ? undefined : 'is no address: expected https://…',
  );
  const watchdog = { receiver: named?.text, heartbeatUrl: url?.read(), every: readEvery(section, EVERY) };
  if (named === undefined && url === undefined) {
    section.fault(undefined, 'tells nobody: expected receiver, heartbeat_url or both');
  }
  section.end();
  return watchdog;
}
