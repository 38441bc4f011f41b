/**
 * A message in Block Kit. Pure.
 *
 * Links are text, not buttons: a button of an incoming webhook shows a warning sign when it is pressed, since no app
 * answers it, and nobody should wonder at three in the morning whether the acknowledgement went through (slackapi/node-slack-sdk issue 869).
 * Limits: docs.slack.dev, Block Kit reference; the sum of all blocks is observed, not documented.
 */

import { cut } from './text.ts';
import { type Link, REPEAT_NOTICE, type Told } from './told.ts';

const HEADER_MOST = 150;
const FIELDS_MOST = 10;
const TEXT_MOST = 3_000;
const LINK_USUAL = 500;
/** All blocks as JSON; Slack refuses from about 13,200 on. */
export const BLOCKS_MOST = 13_000;

/** How much is told when all of it does not fit: less and less. */
const DETAILS = [
  { alerts: 5, words: 800, labels: true, longLinks: true },
  { alerts: 5, words: 300, labels: false, longLinks: true },
  { alerts: 3, words: 0, labels: false, longLinks: true },
  { alerts: 0, words: 0, labels: false, longLinks: false },
] as const;
type Detail = (typeof DETAILS)[number];

export type Section = { type: 'section'; text: { type: 'mrkdwn'; text: string } };
export type Block =
  | Section
  | { type: 'header'; text: { type: 'plain_text'; text: string; emoji: false } }
  | { type: 'section'; fields: { type: 'mrkdwn'; text: string }[] }
  | { type: 'context'; elements: { type: 'mrkdwn'; text: string }[] }
  | { type: 'divider' };

export type SlackMessage = {
  /** What a notification, a screen reader and a telephone's lock screen show. */
  readonly text: string;
  readonly blocks: Block[];
  readonly channel?: string;
  readonly username?: string;
  /** Slack's own visit to a link would be nobody's acknowledgement, and its preview noise. */
  readonly unfurl_links: false;
  readonly unfurl_media: false;
};

export type Sender = { readonly channel: string | undefined; readonly username: string | undefined };

export function slackMessage(told: Told, mayRepeat: boolean, { channel, username }: Sender): SlackMessage {
  const notices = mayRepeat ? [...told.notices, REPEAT_NOTICE] : told.notices;
  const versions = DETAILS.map((detail) => blocksOf(told, notices, detail));
  const blocks = versions.find((one) => JSON.stringify(one).length <= BLOCKS_MOST) ?? versions.at(-1) ?? [];
  return {
    text: textOf(told, notices),
    blocks,
    ...(channel === undefined ? {} : { channel }),
    ...(username === undefined ? {} : { username }),
    unfurl_links: false,
    unfurl_media: false,
  };
}

function textOf({ headline, facts, links }: Told, notices: readonly string[]): string {
  const lines = [headline, ...notices, ...facts.map(({ name, value }) => `${name}: ${value}`)].map((line) =>
    escapeMrkdwn(line),
  );
  return fit(
    [
      ...lines,
      ...links
        .map(linkText)
        .filter((text) => text.length <= LINK_USUAL)
        .slice(0, 1),
    ].join('\n'),
    TEXT_MOST,
  );
}

function blocksOf(told: Told, notices: readonly string[], detail: Detail): Block[] {
  const { headline, facts, description, more } = told;
  const blocks: Block[] = [
    { type: 'header', text: { type: 'plain_text', text: cut(headline, HEADER_MOST), emoji: false } },
  ];
  if (notices.length > 0) blocks.push(section(notices.map((notice) => `*${escapeMrkdwn(notice)}*`).join('\n')));
  blocks.push(...linkSections(told.links, detail.longLinks));
  for (let i = 0; i < facts.length; i += FIELDS_MOST) {
    const fields = facts
      .slice(i, i + FIELDS_MOST)
      .map(({ name, value }) => mrkdwn(`*${name}*\n${escapeMrkdwn(value)}`));
    blocks.push({ type: 'section', fields });
  }
  if (description !== undefined && detail.words > 0) blocks.push(section(escapeMrkdwn(cut(description, detail.words))));
  const alerts = told.alerts.slice(0, detail.alerts);
  if (alerts.length > 0) blocks.push({ type: 'divider' });
  for (const { status, name, summary, labels, since } of alerts) {
    const title = `*${escapeMrkdwn(name)}* ${status}, ${since}`;
    const rest = [summary, detail.labels ? labels : ''].filter(Boolean).map((line) => `\n${escapeMrkdwn(line)}`);
    blocks.push(section(`${title}${rest.join('')}`));
  }
  const unsaid = more + told.alerts.length - alerts.length;
  if (unsaid > 0)
    blocks.push({ type: 'context', elements: [mrkdwn(`and ${unsaid} more alert${unsaid === 1 ? '' : 's'}`)] });
  return blocks;
}

/** Those of a usual length on one line; a long one on a line of its own, since half a link leads nowhere. */
function linkSections(links: readonly Link[], long: boolean): Section[] {
  const usual = links.map(linkText).filter((text) => text.length <= LINK_USUAL);
  const rest = links.map(linkText).filter((text) => text.length > LINK_USUAL && text.length <= TEXT_MOST);
  return [...(usual.length > 0 ? [usual.join('  ·  ')] : []), ...(long ? rest : [])].map(section);
}

const mrkdwn = (text: string): { type: 'mrkdwn'; text: string } => ({ type: 'mrkdwn', text });
const section = (text: string): Section => ({ type: 'section', text: mrkdwn(fit(text, TEXT_MOST)) });
const linkText = ({ label, url }: Link): string =>
  `<${escapeMrkdwn(url.replaceAll('|', '%7C'))}|${escapeMrkdwn(label)}>`;

/** Slack's three: nothing else of a stranger's text can become a link, a mention or a command. */
export const escapeMrkdwn = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Cuts what is escaped already, and not in the middle of an entity or a link. */
function fit(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most - 1).replace(/(?:&[a-z]*|<[^>]*|[\ud800-\udbff])$/, '')}…`;
}
