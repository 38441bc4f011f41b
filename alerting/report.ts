/**
 * An incident's report in Markdown, from what was written down while it happened. What only people know is left open for
 * them, under its heading. Pure.
 *
 * Headings after the post-mortem template of the SRE book: https://sre.google/sre-book/example-postmortem/
 */
import type { Milliseconds } from '#kernel/units.ts';
import { seconds } from '#kernel/units.ts';
import { duration } from '#slo/verdict.ts';
import type { Change } from './change.ts';
import type { TimelineEntry } from './rows/incidents.ts';
import type { NotificationEntry } from './rows/notifications.ts';
import type { Incident } from './store.ts';

const OPEN = '_To be filled in._';

export function reportOf(
  incident: Incident,
  timeline: readonly TimelineEntry[],
  sent: readonly NotificationEntry[],
  changes: readonly Change[],
  now: Milliseconds,
): string {
  const { number, title, message } = incident;
  const suppressed = timeline.filter(({ kind }) => kind === 'suppressed');
  const lines = [
    `# Incident #${number}: ${plain(title)}`,
    '',
    ...summary(incident, timeline, now),
    '## Impact',
    '',
    ...impact(incident),
    '',
    '## Detection',
    '',
    ...message.alerts.list.slice(0, 5).map(({ labels, annotations }) => {
      const why = annotations['description'] ?? annotations['summary'] ?? '';
      return `- ${plain(labels['alertname'] ?? 'alert')}${labels['eye'] ? `, seen by ${plain(labels['eye'])}` : ''}: ${plain(why)}`;
    }),
    '',
    '## Changes in the two hours before, and until its end',
    '',
    ...(changes.length === 0 ? ['None that we were told of.'] : changes.map(changeLine)),
    '',
    '## Timeline',
    '',
    '| at (UTC) | what | why |',
    '| --- | --- | --- |',
    ...timeline.map(
      ({ at, kind, because, actor }) =>
        `| ${time(at)} | ${kind}${actor === undefined ? '' : ` (${plain(actor)})`} | ${plain(because)} |`,
    ),
    '',
    '## Responders',
    '',
    ...responders(incident, timeline, sent),
    '',
    '## What was suppressed',
    '',
    ...(suppressed.length === 0
      ? ['Nothing.']
      : suppressed.map(({ at, because }) => `- ${time(at)}: ${plain(because)}`)),
    '',
    '## Root cause',
    '',
    OPEN,
    '',
    '## What went well, what went wrong',
    '',
    OPEN,
    '',
    '## Follow-ups',
    '',
    `- [ ] ${OPEN}`,
    '',
  ];
  return lines.join('\n');
}

function summary(incident: Incident, timeline: readonly TimelineEntry[], now: Milliseconds): string[] {
  const { severity, state, service, objective } = incident;
  const ended = incident.resolvedAt ?? now;
  return [
    '## Summary',
    '',
    '| | |',
    '| --- | --- |',
    row('State', state),
    row('Severity', severity),
    row('Service', service),
    row('Objective', objective ?? 'none'),
    row('Began', time(firstAt(timeline, incident))),
    row('Opened', time(incident.openedAt)),
    row(
      'Acknowledged',
      incident.acknowledgedAt === undefined
        ? 'nobody'
        : `${time(incident.acknowledgedAt)} by ${plain(incident.acknowledgedBy ?? '')}`,
    ),
    row('Ended', incident.resolvedAt === undefined ? 'not yet' : time(incident.resolvedAt)),
    row(
      'Time to acknowledge',
      incident.acknowledgedAt === undefined ? 'none' : span(incident.openedAt, incident.acknowledgedAt),
    ),
    row('Time to resolve', span(incident.openedAt, ended)),
    '',
  ];
}

const row = (name: string, value: string): string => `| ${name} | ${plain(value)} |`;
const time = (at: Milliseconds): string =>
  new Date(at)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, '');
const span = (from: Milliseconds, to: Milliseconds): string => duration(seconds(Math.max(0, to - from) / 1_000));
/** An alert's sender or a person wrote it: it must not become a table's cell of its own, or a page. */
const plain = (text: string): string =>
  text
    .replace(/[\r\n]+/g, ' ')
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;');

function firstAt(timeline: readonly TimelineEntry[], incident: Incident): Milliseconds {
  const starts = incident.message.alerts.list.map(({ startsAt }) => startsAt);
  return [...timeline.map(({ at }) => at), ...starts].reduce((a, b) => (a < b ? a : b), incident.openedAt);
}

function changeLine({ at, summary, source, service, links }: Change): string {
  const where = service === undefined ? plain(source) : `${plain(source)}, ${plain(service)}`;
  const to = links.map(({ href, text }) => ` [${plain(text ?? 'link').replaceAll(/[[\]]/g, '')}](<${plain(href)}>)`);
  return `- ${time(at)}: ${plain(summary)} (${where})${to.join('')}`;
}

function impact({ alerts, message }: Incident): string[] {
  const notes = message.alerts.list.map(({ annotations }) => annotations);
  const spent = notes.map((one) => one['budget_spent']).find((one) => one !== undefined);
  const rate = notes.map((one) => one['burn_rate']).find((one) => one !== undefined);
  return [
    `- ${alerts === 1 ? '1 alert' : `${alerts} alerts`} took part.`,
    ...(spent === undefined ? [] : [`- Error budget spent in the rule's window when it was raised: ${plain(spent)}.`]),
    ...(rate === undefined ? [] : [`- Burn rate when it was raised: ${plain(rate)} times what the objective allows.`]),
    `- Who was affected: ${OPEN}`,
  ];
}

function responders(
  { acknowledgedBy, message }: Incident,
  timeline: readonly TimelineEntry[],
  sent: readonly NotificationEntry[],
): string[] {
  const acting = new Set(timeline.flatMap(({ actor }) => (actor === undefined ? [] : [actor])));
  if (acknowledgedBy !== undefined) acting.add(acknowledgedBy);
  const delivered = sent.filter(({ state }) => state === 'delivered').length;
  const refused = sent.filter(({ state }) => state === 'refused').length;
  return [
    `- Paged: ${message.paged.map(plain).join(', ') || 'nobody'}.`,
    `- Answered: ${[...acting].map(plain).join(', ') || 'nobody'}.`,
    `- Messages: ${delivered} delivered, ${refused} refused, ${sent.length} in all.`,
  ];
}
