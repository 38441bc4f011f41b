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
import type { Group, Incident, Member } from './store.ts';

/** Where people are led to; `sign` makes a link that acts for whoever has it, until it expires. */
export type LinkMaker = {
  readonly external: string;
  readonly sign: (action: 'acknowledge' | 'silence', incidentId: string, at: Milliseconds) => string;
};

const RANK = { critical: 0, warning: 1, info: 2 } as const;

export function alertsTold(members: readonly Member[], now: Milliseconds): AlertsTold {
  const ended = members.filter(({ alert }) => isResolved(alert, now)).length;
  const gravest = [...members].sort(
    (a, b) =>
      Number(isResolved(a.alert, now)) - Number(isResolved(b.alert, now)) ||
      RANK[severityOf(a.alert.labels)] - RANK[severityOf(b.alert.labels)] ||
      a.alert.startsAt - b.alert.startsAt,
  );
  return {
    firing: members.length - ended,
    resolved: ended,
    list: gravest.slice(0, TOLD_MOST).map((member) => toldAlert(member, now)),
  };
}

function toldAlert({ alert }: Member, now: Milliseconds): ToldAlert {
  const resolved = isResolved(alert, now);
  return {
    status: resolved ? 'resolved' : 'firing',
    fingerprint: alert.fingerprint,
    labels: alert.labels,
    annotations: alert.annotations,
    startsAt: alert.startsAt,
    endsAt: resolved ? alert.endsAt : undefined,
    generatorUrl: alert.generatorUrl,
  };
}

export function groupMessage(group: Group, telling: Telling, links: LinkMaker, now: Milliseconds): GroupMessage {
  const members = [...telling.firing, ...telling.resolved];
  return {
    kind: 'group',
    status: telling.firing.length > 0 ? 'firing' : 'resolved',
    missed: false,
    receiver: group.receiver,
    groupKey: group.key,
    groupLabels: group.labels,
    commonLabels: common(members.map(({ alert }) => alert.labels)),
    commonAnnotations: common(members.map(({ alert }) => alert.annotations)),
    alerts: alertsTold(members, now),
    links: { external: links.external, ...alertLinks(members) },
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
export function nameIncident(group: Group, members: readonly Member[]): IncidentNames {
  const all = members.map(({ alert }) => alert.labels);
  const labels = { ...common(all), ...group.labels };
  const lead = members[0]?.alert;
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

const alertLinks = (members: readonly Member[]): Partial<Links> =>
  toldLinks(members.map(({ alert }) => ({ annotations: alert.annotations })));

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
