/**
 * What a person is to read, in the order in which they need it at three in the morning, before a channel lays it out.
 * Unescaped, on single lines, each part cut to a length that leaves room for the others. Pure.
 */
import type { Labels } from '#alerting/labels.ts';
import type {
  Circumstances,
  GroupMessage,
  IncidentAction,
  IncidentMessage,
  Message,
  ToldAlert,
} from '#alerting/message.ts';
import { severityOf } from '#alerting/severity.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { type Severity, severityRank } from '#slo/verdict.ts';
import { block, cut, oneLine, safeLink, spanText, time, timeFrom } from './text.ts';

export type Told = {
  /** Severity, state, title, service: what a telephone shows of it. */
  readonly headline: string;
  readonly severity: Severity;
  readonly state: string;
  readonly title: string;
  readonly service: string;
  readonly objective: string | undefined;
  readonly over: boolean;
  readonly drill: boolean;
  readonly since: Milliseconds | undefined;
  /** What must not be overlooked, before all else. */
  readonly notices: readonly string[];
  readonly facts: readonly Fact[];
  readonly description: string | undefined;
  readonly alerts: readonly AlertLine[];
  /** How many alerts there are beside those. */
  readonly more: number;
  readonly links: readonly Link[];
};
export type Fact = { readonly name: string; readonly value: string };
export type AlertLine = {
  readonly status: 'firing' | 'resolved';
  readonly name: string;
  readonly summary: string;
  readonly labels: string;
  readonly since: string;
};
export type Link = { readonly label: string; readonly url: string };

export const ALERTS_MOST = 5;
export const REPEAT_NOTICE = 'May be a repeat: an earlier attempt got no answer.';
const MISSED = 'fired and resolved while unreachable';
export const MISSED_NOTICE = 'This fired and resolved while unreachable: nothing is to be done at once.';
export const DRILL_NOTICE = 'DRILL: this is an exercise, nothing is broken.';
/** Later than this after it was decided, a message says so. */
const LATE = milliseconds(60_000);

const TITLE_MOST = 200;
const SERVICE_MOST = 80;
const VALUE_MOST = 200;
const DESCRIPTION_MOST = 1_000;
const NAME_MOST = 80;
const SUMMARY_MOST = 250;
const LABELS_MOST = 8;
const LABEL_MOST = 60;
const PEOPLE_MOST = 10;

export function tell(message: Message, circumstances: Circumstances, now: Milliseconds): Told {
  const about = message.kind === 'incident' ? ofIncident(message, now) : ofGroup(message, now);
  const { list, firing, resolved } = message.alerts;
  const alerts = list.slice(0, ALERTS_MOST).map((alert) => alertLine(alert, now));
  return {
    ...about,
    headline: headlineOf(about),
    notices: [
      ...(about.drill ? [DRILL_NOTICE] : []),
      ...(about.missed ? [MISSED_NOTICE] : []),
      ...(now - circumstances.createdAt > LATE
        ? [`Late: decided ${timeFrom(circumstances.createdAt, now)}, not deliverable before.`]
        : []),
    ],
    facts: about.facts.map(({ name, value }) => ({ name, value: cut(oneLine(value), VALUE_MOST) })),
    description: descriptionOf(list, about.title),
    alerts,
    more: Math.max(0, firing + resolved - alerts.length),
    links: linksOf(message),
  };
}

type About = Omit<Told, 'headline' | 'notices' | 'description' | 'alerts' | 'more' | 'links'> & {
  readonly missed: boolean;
  /** Words after the severity where it does not simply burn. */
  readonly word: string | undefined;
};

/** `CRITICAL · Documents processed (burnline-documents)`; what is over says so first. */
function headlineOf({ severity, word, over, title, service, drill, missed }: About): string {
  const named = service === '' || title.includes(service) ? title : `${title} (${service})`;
  const parts = over
    ? ['RESOLVED', severity, named, missed ? MISSED : undefined]
    : [severity.toUpperCase(), word, named];
  return [drill ? 'DRILL' : undefined, ...parts].filter((part) => part !== undefined).join(' · ');
}

const WORD_OF: Readonly<Record<IncidentAction, string | undefined>> = {
  trigger: undefined,
  update: 'update',
  acknowledge: 'acknowledged',
  resolve: undefined,
  missed: undefined,
};

function ofIncident(message: IncidentMessage, now: Milliseconds): About {
  const { incident, action, alerts } = message;
  const over = action === 'resolve' || action === 'missed';
  const since = earliest([incident.openedAt, ...alerts.list.map(({ startsAt }) => startsAt)]);
  const { severity, drill, acknowledgedBy, resolvedAt, objective } = incident;
  return {
    severity,
    drill,
    over,
    since,
    missed: action === 'missed',
    word: WORD_OF[action],
    state: incident.state,
    title: cut(oneLine(incident.title), TITLE_MOST) || 'Alert',
    service: cut(oneLine(incident.service), SERVICE_MOST),
    objective,
    facts: [
      ...fact('State', stateText(incident.state, acknowledgedBy)),
      ...fact('Severity', severity),
      ...fact('Service', incident.service),
      ...budgetFacts(alerts.list, over),
      ...fact('Since', since === undefined ? undefined : timeFrom(since, now)),
      ...(resolvedAt === undefined ? [] : endFacts(incident.openedAt, resolvedAt)),
      ...fact('Paged', over ? undefined : people(message.paged)),
      ...fact('Next', over || message.next === undefined ? undefined : nextText(message.next, now)),
      ...fact('Incident', numberText(message)),
      ...fact('Objective', objective),
    ],
  };
}

function ofGroup(message: GroupMessage, now: Milliseconds): About {
  const { alerts, commonLabels, commonAnnotations, groupLabels, status } = message;
  const labels = { ...commonLabels, ...groupLabels };
  const service = labels['sloth_service'] ?? labels['service'] ?? labels['job'] ?? '';
  const title =
    commonAnnotations['summary'] ??
    commonAnnotations['title'] ??
    labels['alertname'] ??
    (Object.values(groupLabels).join(' ') || message.receiver);
  const since = earliest(alerts.list.map(({ startsAt }) => startsAt));
  const ended = latest(alerts.list.map(({ endsAt }) => endsAt).filter((at) => at !== undefined));
  const severity = gravest(alerts.list, commonLabels);
  const over = status === 'resolved';
  return {
    severity,
    over,
    since,
    missed: message.missed,
    word: undefined,
    drill: labels['drill'] === 'true',
    state: status,
    title: cut(oneLine(title), TITLE_MOST) || 'Alert',
    service: cut(oneLine(service), SERVICE_MOST),
    objective: labels['sloth_id'],
    facts: [
      ...fact('State', status),
      ...fact('Severity', severity),
      ...fact('Service', service),
      ...budgetFacts(alerts.list, over),
      ...fact('Since', since === undefined ? undefined : timeFrom(since, now)),
      ...(over && since !== undefined && ended !== undefined ? endFacts(since, ended) : []),
      ...fact('Receiver', message.receiver),
      ...fact('Objective', labels['sloth_id']),
      ...fact('Alerts', countText(alerts)),
    ],
  };
}

const fact = (name: string, value: string | undefined): Fact[] =>
  value === undefined || value.trim() === '' ? [] : [{ name, value }];

const endFacts = (from: Milliseconds, to: Milliseconds): Fact[] =>
  fact('Ended', `${time(to)}, after ${spanText(milliseconds(Math.max(0, to - from)))}`);

const stateText = (state: string, by: string | undefined): string =>
  state === 'acknowledged' && by ? `acknowledged by ${by}` : state;

const nextText = (next: { who: readonly string[]; at: Milliseconds }, now: Milliseconds): string =>
  `${people(next.who)}, ${timeFrom(next.at, now)}`;

function people(names: readonly string[]): string {
  if (names.length === 0) return 'nobody';
  const more = names.length - PEOPLE_MOST;
  return `${names.slice(0, PEOPLE_MOST).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

const numberText = ({ incident, step, round, alerts }: IncidentMessage): string =>
  `#${incident.number}, ${countText(alerts)}, step ${step}${round > 1 ? ` of round ${round}` : ''}`;

const countText = ({ firing, resolved }: Message['alerts']): string =>
  resolved === 0
    ? `${firing} firing`
    : firing === 0
      ? `${resolved} resolved`
      : `${firing} firing, ${resolved} resolved`;

/** From the gravest alert that has them: the router's eye and Prometheus' say the same in different words. */
function budgetFacts(list: readonly ToldAlert[], over: boolean): Fact[] {
  const has = (names: readonly string[]) =>
    list.map(({ annotations }) => annotations).find((one) => names.some((name) => one[name]));
  const burn = has(['burn_rate', 'long_window']);
  const budget = has(['budget_left', 'budget_spent', 'budget_lasts', 'exhausted_in']);
  const rate = burn?.['burn_rate'];
  return [
    ...fact(
      over ? 'Last burn rate' : 'Burn rate',
      rate === undefined ? burn?.['long_window'] : `${rate} times what the budget allows`,
    ),
    ...fact('Error budget', budget && budgetText(budget)),
  ];
}

function budgetText(budget: Labels): string {
  const { budget_left: left, budget_spent: spent, budget_lasts: lasts, exhausted_in: exhausted } = budget;
  return [
    left === undefined ? undefined : `${left} left`,
    spent === undefined ? undefined : `${spent} spent in this rule's window`,
    lasts === undefined ? undefined : `a whole one lasts ${lasts} at this pace`,
    exhausted === undefined ? undefined : `exhausted in ${exhausted}`,
  ]
    .filter((part) => part !== undefined)
    .join(', ');
}

function gravest(list: readonly ToldAlert[], common: Labels): Severity {
  const all = list.length === 0 ? [common] : list.map(({ labels }) => labels);
  return all.map(severityOf).reduce((a, b) => (severityRank(b) > severityRank(a) ? b : a));
}

/** The gravest alert's own words, unless the title has said them. */
function descriptionOf(list: readonly ToldAlert[], title: string): string | undefined {
  const said = list.map(({ annotations }) => annotations['description'] ?? annotations['message']).find(Boolean);
  const text = said === undefined ? '' : cut(block(said), DESCRIPTION_MOST);
  return text === '' || text === title ? undefined : text;
}

/** Said elsewhere in the message, or for machines only. */
const PLAIN_LABELS = new Set([
  'alertname',
  'severity',
  'sloth_severity',
  'sloth_service',
  'sloth_slo',
  'sloth_id',
  'service',
]);

function alertLine({ status, labels, annotations, startsAt, endsAt }: ToldAlert, now: Milliseconds): AlertLine {
  const shown = Object.entries(labels).filter(([name]) => !PLAIN_LABELS.has(name));
  const parts = shown
    .slice(0, LABELS_MOST)
    .map(([name, value]) => `${cut(oneLine(name), LABEL_MOST)}=${cut(oneLine(value), LABEL_MOST)}`);
  if (shown.length > LABELS_MOST) parts.push(`and ${shown.length - LABELS_MOST} more labels`);
  return {
    status,
    name: cut(oneLine(labels['alertname'] ?? ''), NAME_MOST) || 'Alert',
    summary: cut(oneLine(annotations['summary'] ?? annotations['description'] ?? ''), SUMMARY_MOST),
    labels: parts.join(', '),
    since:
      status === 'resolved' && endsAt !== undefined
        ? `ended ${timeFrom(endsAt, now)}`
        : `since ${timeFrom(startsAt, now)}`,
  };
}

/** Nobody acknowledges or silences what is over. */
function linksOf(message: Message): Link[] {
  const { links, alerts } = message;
  const over = message.kind === 'group' ? message.status === 'resolved' : isOver(message);
  const taken = message.kind === 'incident' && message.incident.state === 'acknowledged';
  const all: readonly (readonly [label: string, url: string | undefined])[] = [
    ['Acknowledge', over || taken ? undefined : links.acknowledge],
    ['Silence', over ? undefined : links.silence],
    ['Runbook', links.runbook],
    ['Dashboard', links.dashboard],
    ['Source', alerts.list[0]?.generatorUrl],
    message.kind === 'incident' ? ['Incident', links.incident] : ['Alerts', links.external],
  ];
  return all.flatMap(([label, given]) => {
    const url = safeLink(given);
    return url === undefined ? [] : [{ label, url }];
  });
}
const isOver = ({ action }: IncidentMessage): boolean => action === 'resolve' || action === 'missed';

const earliest = (times: readonly Milliseconds[]): Milliseconds | undefined =>
  times.length === 0 ? undefined : milliseconds(Math.min(...times));
const latest = (times: readonly Milliseconds[]): Milliseconds | undefined =>
  times.length === 0 ? undefined : milliseconds(Math.max(...times));
