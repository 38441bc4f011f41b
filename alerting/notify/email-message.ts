/**
 * A message as e-mail, in text and HTML. Pure.
 *
 * The Message-ID is the outbox row's, so that a repeat is the same mail to every mailbox, and the mails of an incident
 * are a thread by References (RFC 5322 §3.6.4). Auto-Submitted keeps holiday replies away (RFC 3834).
 */
import type { Circumstances } from '#alerting/message.ts';
import { cut, escapeHtml, oneLine } from './text.ts';
import type { Link, Told } from './told.ts';

const SUBJECT_MOST = 200;
/** RFC 5322 lets a thread be shortened in its middle: the first says which it is, the last where it stands. */
const THREAD_MOST = 20;

export type EmailMessage = {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly messageId: string;
  readonly inReplyTo: string | undefined;
  readonly references: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
};

export function emailMessage(told: Told, { id, thread }: Circumstances): EmailMessage {
  const references = (thread.length > THREAD_MOST ? [...thread.slice(0, 1), ...thread.slice(1 - THREAD_MOST)] : thread)
    .filter((one) => one !== id)
    .map(messageIdOf);
  const urgent = told.severity === 'critical' && !told.over;
  return {
    subject: cut(oneLine(told.headline), SUBJECT_MOST),
    text: textOf(told),
    html: htmlOf(told),
    messageId: messageIdOf(id),
    inReplyTo: references.at(-1),
    references,
    headers: {
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
      ...(urgent ? { Importance: 'high', 'X-Priority': '1' } : {}),
    },
  };
}

const messageIdOf = (id: string): string => `<${id.replace(/[^\w.-]/g, '')}@burnline>`;

function textOf({ headline, notices, facts, description, alerts, more, links }: Told): string {
  const lines = [headline, ...notices.map((notice) => `! ${notice}`), ''];
  for (const { label, url } of links) lines.push(`${label}: ${url}`);
  if (links.length > 0) lines.push('');
  const width = Math.max(0, ...facts.map(({ name }) => name.length));
  for (const { name, value } of facts) lines.push(`${`${name}:`.padEnd(width + 1)} ${value}`);
  if (description !== undefined) lines.push('', description);
  if (alerts.length > 0) lines.push('');
  for (const { status, name, summary, labels, since } of alerts) {
    lines.push(`- ${name} (${status}, ${since})`);
    for (const line of [summary, labels]) if (line !== '') lines.push(`  ${line}`);
  }
  if (more > 0) lines.push(moreText(more));
  return `${lines.join('\n')}\n`;
}

const moreText = (more: number): string => `and ${more} more alert${more === 1 ? '' : 's'}`;

const COLOUR = { critical: '#b3261e', warning: '#9a6700', info: '#3b5b8c' } as const;

/** No style sheet and no picture: mail programs drop the one and hide the other. */
function htmlOf({ headline, severity, over, notices, facts, description, alerts, more, links }: Told): string {
  const colour = over ? '#1a7f37' : COLOUR[severity];
  const rows = facts.map(
    ({ name, value }) =>
      `<tr><td style="padding:2px 12px 2px 0;color:#666;vertical-align:top">${escapeHtml(name)}</td><td>${escapeHtml(value)}</td></tr>`,
  );
  const items = alerts.map(({ status, name, summary, labels, since }) => {
    const rest = [summary, labels].filter(Boolean).map((line) => `<br>${escapeHtml(line)}`);
    return `<li><b>${escapeHtml(name)}</b> ${status}, ${escapeHtml(since)}${rest.join('')}</li>`;
  });
  return [
    '<!doctype html><html><body style="font-family:sans-serif;font-size:15px;line-height:1.4">',
    `<h2 style="font-size:18px;color:${colour};margin:0 0 8px">${escapeHtml(headline)}</h2>`,
    ...notices.map((notice) => `<p><b>${escapeHtml(notice)}</b></p>`),
    links.length > 0 ? `<p>${links.map(linkHtml).join(' ')}</p>` : '',
    `<table style="border-collapse:collapse;font-size:15px">${rows.join('')}</table>`,
    description === undefined ? '' : `<p>${escapeHtml(description).replaceAll('\n', '<br>')}</p>`,
    items.length > 0 ? `<ul>${items.join('')}</ul>` : '',
    more > 0 ? `<p>${moreText(more)}</p>` : '',
    '</body></html>',
  ]
    .filter(Boolean)
    .join('\n');
}

const BUTTON = 'display:inline-block;padding:10px 14px;margin:0 6px 6px 0;border:1px solid #888;border-radius:6px';
const linkHtml = ({ label, url }: Link): string =>
  `<a href="${escapeHtml(url)}" style="${BUTTON}">${escapeHtml(label)}</a>`;
