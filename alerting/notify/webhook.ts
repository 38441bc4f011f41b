/**
 * A webhook with Alertmanager's body, version 4, so that whatever takes Alertmanager's takes ours.
 * What it has no field for stands beside it: `incident` and `notices`.
 *
 * Source: prometheus/alertmanager notify/webhook/webhook.go and template/template.go; its documentation,
 * configuration.md, webhook_config.
 */
import { common } from '#alerting/compose.ts';
import type { WebhookIntegration } from '#alerting/config/config.ts';
import type { Labels } from '#alerting/labels.ts';
import type { IncidentMessage, Message, ToldAlert } from '#alerting/message.ts';
import { mebibytes } from '#kernel/units.ts';
import type { Attempt } from './attempt.ts';
import type { Outcome } from './outcome.ts';
import { excerpt, outcomeOfStatus, post, type Reply, secretsOfUrl } from './post.ts';
import { cut, jsonBytes, stamp } from './text.ts';
import { REPEAT_NOTICE, type Told } from './told.ts';

/** Many servers take no more. */
export const BODY_MOST = mebibytes(1);
/** Of one text and one set of labels, where there must be an end. */
const SHORT_MOST = 500;
const SHORT_LABELS = 64;
/** Go's zero time: how Alertmanager says "not yet". */
const NO_TIME = '0001-01-01T00:00:00Z';

export async function notifyWebhook(integration: WebhookIntegration, attempt: Attempt): Promise<Outcome> {
  const { http, clock, signal, message, told, circumstances } = attempt;
  const { url, authorization, given } = addressOf(integration);
  const call = {
    url,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'burnline',
      'idempotency-key': circumstances.id,
      ...(authorization === undefined ? {} : { authorization }),
    },
    body: webhookBody(message, told, circumstances.mayRepeat, integration.maxAlerts),
    timeout: integration.timeout,
    signal,
    reads: (status: number) => status >= 300,
  };
  const posted = await post(http, call, clock.now);
  return posted.kind === 'failed' ? posted.outcome : outcomeOf(posted.reply, [...attempt.hidden, ...given]);
}

function outcomeOf(reply: Reply, hidden: readonly string[]): Outcome {
  if (reply.status >= 200 && reply.status < 300) return { kind: 'delivered', reference: undefined };
  return outcomeOfStatus(reply, excerpt(reply.text, hidden));
}

/** A name and password in the address itself are basic authentication, as in Alertmanager; `fetch` would refuse them. */
function addressOf({ url, authorization, basicAuth }: WebhookIntegration) {
  const raw = url.reveal();
  if (!URL.canParse(raw)) return { url: raw, authorization: undefined, given: [raw] };
  const address = new URL(raw);
  const [user, password] = [decoded(address.username), decoded(address.password)];
  address.username = '';
  address.password = '';
  const secrets = secretsOfUrl(raw);
  if (authorization !== undefined) {
    const credentials = authorization.credentials.reveal();
    const header = `${authorization.type} ${credentials}`;
    return { url: address.href, authorization: header, given: [...secrets, header, credentials] };
  }
  const name = basicAuth?.username ?? user;
  const word = basicAuth?.password.reveal() ?? password;
  if (name === '' && word === '') return { url: address.href, authorization: undefined, given: secrets };
  const header = `Basic ${Buffer.from(`${name}:${word}`).toString('base64')}`;
  return { url: address.href, authorization: header, given: [...secrets, header, header.slice(6), word, password] };
}

/** As it stands where it is no percent-encoding. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @param maxAlerts 0: all. */
export function webhookBody(message: Message, told: Told, mayRepeat: boolean, maxAlerts: number): string {
  const list = message.alerts.list.slice(0, maxAlerts === 0 ? message.alerts.list.length : maxAlerts).map(alertOf);
  const around = Buffer.byteLength(JSON.stringify(bodyOf(message, told, mayRepeat, [])));
  // Labels are what its reader knows alerts by: rather fewer alerts than labels that are cut.
  const fitting = fittingOf(list, BODY_MOST - around);
  if (fitting.length > 0 || (list.length === 0 && around <= BODY_MOST)) {
    return JSON.stringify(bodyOf(message, told, mayRepeat, fitting));
  }
  const short = shortMessage(message);
  return JSON.stringify(bodyOf(short, told, mayRepeat, short.alerts.list.map(alertOf)));
}

function fittingOf(list: readonly WireAlert[], most: number): readonly WireAlert[] {
  let left = most;
  const end = list.findIndex((alert) => {
    left -= Buffer.byteLength(JSON.stringify(alert)) + 1;
    return left < 0;
  });
  return end < 0 ? list : list.slice(0, end);
}

function bodyOf(message: Message, told: Told, mayRepeat: boolean, list: readonly WireAlert[]) {
  const { alerts, links } = message;
  const notices = mayRepeat ? [...told.notices, REPEAT_NOTICE] : told.notices;
  return {
    ...headOf(message, told),
    alerts: list,
    externalURL: links.external,
    version: '4',
    truncatedAlerts: alerts.firing + alerts.resolved - list.length,
    headline: told.headline,
    mayRepeat,
    ...(notices.length > 0 ? { notices } : {}),
    ...(message.kind === 'incident' ? { incident: incidentOf(message) } : {}),
  };
}

function headOf(message: Message, { over }: Told) {
  if (message.kind === 'group') {
    const { receiver, status, groupLabels, commonLabels, commonAnnotations, groupKey } = message;
    return { receiver, status, groupLabels, commonLabels, commonAnnotations, groupKey };
  }
  const { list } = message.alerts;
  return {
    receiver: 'burnline',
    status: over ? 'resolved' : 'firing',
    groupLabels: {},
    commonLabels: common(list.map(({ labels }) => labels)),
    commonAnnotations: common(list.map(({ annotations }) => annotations)),
    groupKey: `incident/${message.incident.id}`,
  };
}

type WireAlert = ReturnType<typeof alertOf>;
const alertOf = ({ status, labels, annotations, startsAt, endsAt, generatorUrl, fingerprint }: ToldAlert) => ({
  status,
  labels,
  annotations,
  startsAt: stamp(startsAt),
  endsAt: endsAt === undefined ? NO_TIME : stamp(endsAt),
  generatorURL: generatorUrl,
  fingerprint,
});

function incidentOf({ incident, action, paged, next, step, round, links }: IncidentMessage) {
  const { openedAt, resolvedAt, ...rest } = incident;
  return {
    ...rest,
    action,
    openedAt: stamp(openedAt),
    ...(resolvedAt === undefined ? {} : { resolvedAt: stamp(resolvedAt) }),
    paged,
    ...(next === undefined ? {} : { next: { who: next.who, at: stamp(next.at) } }),
    step,
    round,
    links,
  };
}

const short = (text: string): string => cut(text.toWellFormed(), SHORT_MOST, jsonBytes);
const shortLabels = (labels: Labels): Labels =>
  Object.fromEntries(
    Object.entries(labels)
      .slice(0, SHORT_LABELS)
      .map(([name, value]) => [short(name), short(value)]),
  );
const shortAlert = (alert: ToldAlert): ToldAlert => ({
  ...alert,
  labels: shortLabels(alert.labels),
  annotations: shortLabels(alert.annotations),
  generatorUrl: short(alert.generatorUrl),
});

/** Of a message that would be too long with one alert: each text of it shortened, none left out. */
function shortMessage(message: Message): Message {
  const alerts = { ...message.alerts, list: message.alerts.list.slice(0, 1).map(shortAlert) };
  if (message.kind === 'incident') {
    const { title, service, objective } = message.incident;
    const names = { title: short(title), service: short(service), objective: objective && short(objective) };
    const paged = message.paged.slice(0, SHORT_LABELS).map(short);
    return { ...message, alerts, paged, incident: { ...message.incident, ...names } };
  }
  const { groupLabels, commonLabels, commonAnnotations, groupKey } = message;
  return {
    ...message,
    alerts,
    groupKey: short(groupKey),
    groupLabels: shortLabels(groupLabels),
    commonLabels: shortLabels(commonLabels),
    commonAnnotations: shortLabels(commonAnnotations),
  };
}
