/** From what is known at a moment to what is said of it. Pure: what the messages hold; how they look is notify/'s. */

import type { Milliseconds } from '#kernel/units.ts';
import { isResolved } from './alert.ts';
import type { Telling } from './flush.ts';
import type { Labels } from './labels.ts';
import {
  type AlertsTold,
  type GroupMessage,
  type IncidentAction,
  type IncidentMessage,
  type Links,
  TOLD_MOST,
  type ToldAlert,
} from './message.ts';
import { severityOf } from './severity.ts';
import type { Group, Incident, Member, Words } from './store.ts';

/** Where people are led to; `sign` makes a link that acts for whoever has it, until it expires. */
export type LinkMaker = {
  readonly external: string;
  readonly sign: (action: 'acknowledge' | 'silence', incidentId: string, at: Milliseconds) => string;
};

const RANK = { critical: 0, warning: 1, info: 2 } as const;

/** The gravest that a message names: what fires first, then by severity, then the oldest. */
export function gravest(members: readonly Member[], now: Milliseconds): readonly Member[] {
  const rank = ({ alert }: Member): number =>
    (isResolved(alert, now) ? RESOLVED : 0) + RANK[severityOf(alert.labels)] * SEVERITY + alert.startsAt;
  const top: { readonly member: Member; readonly rank: number }[] = [];
  for (const member of members) {
    const one = { member, rank: rank(member) };
    if (top.length === TOLD_MOST && one.rank >= (top.at(-1)?.rank ?? 0)) continue;
    const at = top.findIndex((other) => other.rank > one.rank);
    top.splice(at < 0 ? top.length : at, 0, one);
    if (top.length > TOLD_MOST) top.pop();
  }
  return top.map(({ member }) => member);
}
/** Above any time, so that a rank is one number. */
const SEVERITY = 1e14;
const RESOLVED = 1e15;

/** @param words of those that `gravest` names. */
export function alertsTold(
  members: readonly Member[],
  words: ReadonlyMap<string, Words>,
  now: Milliseconds,
): AlertsTold {
  const ended = members.filter(({ alert }) => isResolved(alert, now)).length;
  return {
    firing: members.length - ended,
    resolved: ended,
    list: gravest(members, now).map((member) => toldAlert(member, words, now)),
  };
}

function toldAlert({ alert }: Member, words: ReadonlyMap<string, Words>, now: Milliseconds): ToldAlert {
  const resolved = isResolved(alert, now);
  const { annotations = {}, generatorUrl = '' } = words.get(alert.fingerprint) ?? {};
  return {
    status: resolved ? 'resolved' : 'firing',
    fingerprint: alert.fingerprint,
    labels: alert.labels,
    annotations,
    startsAt: alert.startsAt,
    endsAt: resolved ? alert.endsAt : undefined,
    generatorUrl,
  };
}

export function groupMessage(group: Group, telling: Telling, alerts: AlertsTold, links: LinkMaker): GroupMessage {
  const members = [...telling.firing, ...telling.resolved];
  return {
    kind: 'group',
    status: telling.firing.length > 0 ? 'firing' : 'resolved',
    missed: false,
    receiver: group.receiver,
    groupKey: group.key,
    groupLabels: group.labels,
    commonLabels: common(members.map(({ alert }) => alert.labels)),
    commonAnnotations: common(alerts.list.map(({ annotations }) => annotations)),
    alerts,
    links: { external: links.external, ...toldLinks(alerts.list) },
  };
}

/** The labels that all of them have, with the value that all of them have. */
export function common(all: readonly Labels[]): Labels {
  const [first, ...rest] = all;
  return Object.fromEntries(
    Object.entries(first ?? {}).filter(([name, value]) => rest.every((labels) => labels[name] === value)),
  );
}

export type IncidentNames = Pick<Incident, 'title' | 'service' | 'objective' | 'drill'>;

/** What an incident is called, from the gravest alert that opened it. */
export function nameIncident(group: Group, members: readonly Member[], told: AlertsTold): IncidentNames {
  const all = members.map(({ alert }) => alert.labels);
  const labels = { ...common(all), ...group.labels };
  const lead = told.list[0];
  const service = labels['sloth_service'] ?? labels['service'] ?? labels['job'] ?? '';
  const words = lead?.annotations['summary'] ?? lead?.annotations['title'] ?? labels['alertname'];
  const title = words ?? (Object.values(group.labels).join(' ') || 'Alert');
  const drill = all.length > 0 && all.every((one) => one['drill'] === 'true');
  return { title: title.slice(0, TITLE_MOST), service, objective: labels['sloth_id'], drill };
}
const TITLE_MOST = 300;

export function incidentMessage(
  action: IncidentAction,
  incident: Omit<Incident, 'message'>,
  alerts: AlertsTold,
  said: Pick<IncidentMessage, 'paged' | 'next' | 'step' | 'round'>,
  links: LinkMaker,
  now: Milliseconds,
): IncidentMessage {
  const { id, number, title, severity, state, service, objective, openedAt, acknowledgedBy, resolvedAt, drill } =
    incident;
  return {
    kind: 'incident',
    action,
    incident: {
      id,
      number,
      title,
      severity,
      state,
      service,
      objective,
      openedAt,
      acknowledgedBy,
      resolvedAt,
      drill,
    },
    ...said,
    alerts,
    links: {
      external: links.external,
      incident: `${links.external}/incidents/${id}`,
      acknowledge: links.sign('acknowledge', id, now),
      silence: links.sign('silence', id, now),
      ...toldLinks(alerts.list),
    },
  };
}

function toldLinks(list: readonly { readonly annotations: Labels }[]): Partial<Links> {
  const runbook = list.map(({ annotations }) => annotations['runbook_url'] ?? annotations['runbook']).find(isLink);
  const dashboard = list
    .map(({ annotations }) => annotations['dashboard_url'] ?? annotations['dashboard'])
    .find(isLink);
  return { ...(runbook === undefined ? {} : { runbook }), ...(dashboard === undefined ? {} : { dashboard }) };
}

/** An alert's sender writes it: only what leads to a page is passed on. */
const isLink = (text: string | undefined): text is string =>
  text !== undefined && text.length <= 2_000 && /^https?:\/\/[^\s<>"]+$/.test(text);
