/**
 * What would become of an alert, said without a router: which receivers, who is woken first, and what keeps it quiet. Pure;
 * by the functions that the router itself decides by. What a user's CI asks by `burnline route test`.
 */
import type { Milliseconds } from '#kernel/units.ts';
import type { AlertmanagerConfig } from './config/config.ts';
import { ofPerson, ofReceiver } from './destination.ts';
import { escalate, firstStepAt, type Who } from './escalation.ts';
import { beatsBy } from './heartbeat.ts';
import { sourcesOf, targetsOf } from './inhibit.ts';
import { fingerprint, type Labels } from './labels.ts';
import { type Matcher, matchesAll } from './matcher.ts';
import { routesOf } from './route.ts';
import { severityOf } from './severity.ts';
import { muteReason } from './time-interval.ts';

export const SUPPRESSORS = ['silence', 'inhibition', 'interval', 'heartbeat'] as const;
export type Suppressor = (typeof SUPPRESSORS)[number];

export type RouteCase = {
  readonly labels: Labels;
  readonly at: Milliseconds;
  /** Other alerts that fire at that time. */
  readonly others: readonly Labels[];
  readonly silences: readonly (readonly Matcher[])[];
};
export type Routed = {
  /** In the order of the file; whatever keeps it quiet. */
  readonly receivers: readonly string[];
  /** People and receivers of the first step, or the receiver of a route without a policy. Nobody while it is kept quiet. */
  readonly woken: readonly string[];
  readonly suppressedBy: readonly Suppressor[];
};

export function routed(config: AlertmanagerConfig, who: Who, { labels, at, others, silences }: RouteCase): Routed {
  if (beatsBy(who.oncall, labels).length > 0) return { receivers: [], woken: [], suppressedBy: ['heartbeat'] };
  const routes = routesOf(config.root, labels);
  const loud = routes.filter((route) => muteReason(route, config.timeIntervals, at) === undefined);
  const suppressedBy: Suppressor[] = [];
  if (silences.some((matchers) => matchesAll(matchers, labels))) suppressedBy.push('silence');
  if (isInhibited(config, labels, others)) suppressedBy.push('inhibition');
  if (loud.length === 0) suppressedBy.push('interval');
  const told = suppressedBy.length > 0 ? [] : loud;
  return {
    receivers: unique(routes.map(({ receiver }) => receiver)),
    woken: unique(told.flatMap(({ receiver }) => firstOf(who, receiver, labels, at))),
    suppressedBy,
  };
}

function isInhibited({ inhibitRules }: AlertmanagerConfig, labels: Labels, others: readonly Labels[]): boolean {
  const targets = new Set(targetsOf(inhibitRules, labels));
  const own = fingerprint(labels);
  return others.some(
    (other) => fingerprint(other) !== own && sourcesOf(inhibitRules, other).some((key) => targets.has(key)),
  );
}

function firstOf(who: Who, receiver: string, labels: Labels, at: Milliseconds): string[] {
  const integrations = who.receivers.get(receiver)?.integrations ?? [];
  const policy = who.oncall.policies.get(receiver);
  if (policy === undefined) return integrations.length === 0 ? [] : [receiver];
  const severity = severityOf(labels);
  if (severity === 'info') return [];
  const { paged } = escalate({ severity, step: 0, round: 0 }, policy, who, firstStepAt(policy, severity, at));
  const reached = new Set(paged.map(({ destination }) => destination));
  const receivers = [...who.receivers.values()].filter(({ name, integrations: ways }) =>
    ofReceiver(name, ways).some(({ destination }) => reached.has(destination)),
  );
  const people = [...who.oncall.people.values()].filter(({ name, contacts }) =>
    ofPerson(
      name,
      contacts.map(({ integration }) => integration),
    ).some(({ destination }) => reached.has(destination)),
  );
  return [...people, ...receivers].map(({ name }) => name);
}

const unique = (names: readonly string[]): string[] => [...new Set(names)];

export type Expected = {
  readonly receivers?: readonly string[] | undefined;
  readonly woken?: readonly string[] | undefined;
  /** `none`: nothing may keep it quiet. */
  readonly suppressedBy?: Suppressor | 'none' | undefined;
};
export type Difference = {
  readonly what: 'receivers' | 'woken' | 'suppressed_by';
  readonly expected: readonly string[];
  readonly found: readonly string[];
};

/** Of receivers and people the order does not count. */
export function differences(expected: Expected, found: Routed): Difference[] {
  const apart: Difference[] = [];
  const compare = (what: 'receivers' | 'woken', wish: readonly string[] | undefined) => {
    if (wish === undefined || [...wish].sort().join('\0') === [...found[what]].sort().join('\0')) return;
    apart.push({ what, expected: wish, found: found[what] });
  };
  compare('receivers', expected.receivers);
  compare('woken', expected.woken);
  const { suppressedBy: wish } = expected;
  const isAsWished = wish === 'none' ? found.suppressedBy.length === 0 : wish && found.suppressedBy.includes(wish);
  if (wish !== undefined && !isAsWished) {
    apart.push({ what: 'suppressed_by', expected: [wish], found: found.suppressedBy });
  }
  return apart;
}
