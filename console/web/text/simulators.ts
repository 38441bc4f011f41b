/** What the simulators hold, and what can be broken there, in words. Pure. */

export type InboxMessage = {
  readonly at: string;
  readonly channel: 'slack' | 'pagerduty' | 'email';
  readonly target: string;
  readonly effect?: string;
  readonly body: unknown;
};

export const VENDORS = [
  { name: 'llamaparse', title: 'LlamaParse' },
  { name: 'openai', title: 'OpenAI' },
  { name: 'slack', title: 'Slack' },
  { name: 'pagerduty', title: 'PagerDuty' },
  { name: 'smtp', title: 'E-mail (SMTP)' },
] as const;

type Fault = { readonly words: string; readonly plan: object; readonly only?: readonly string[] };
const HTTP = ['llamaparse', 'openai', 'slack', 'pagerduty'];
export const FAULTS: readonly Fault[] = [
  { words: 'Answers 500', plan: { errorRate: 1, status: 500 }, only: HTTP },
  { words: 'Half fails', plan: { errorRate: 0.5, status: 500 }, only: HTTP },
  { words: 'Hangs', plan: { hang: true } },
  { words: 'Slow by 5 s', plan: { latencyMs: 5_000 } },
  { words: 'Too many requests', plan: { errorRate: 1, status: 429, retryAfterSeconds: 10 }, only: HTTP },
  { words: 'Refuses to connect', plan: { refuse: true } },
];

/** What a person would read of it: its texts in order, whatever the channel's wire calls them. */
export function bodyText({ channel, body, effect }: InboxMessage): string {
  if (channel === 'email') {
    const { subject = '', text = '' } = body as { subject?: string; text?: string };
    return `${subject}\n${text}`.trim();
  }
  const found: string[] = effect === undefined ? [] : [effect];
  const { blocks, attachments, ...rest } = body as { blocks?: unknown; attachments?: unknown };
  // What stands beside blocks is for notifications alone: the same once more.
  collect(blocks === undefined && attachments === undefined ? rest : { blocks, attachments }, found);
  return [...new Set(found)].map(channel === 'slack' ? unescaped : String).join('\n');
}

/** Slack has its text with these three escaped, and shows them as they were. */
const unescaped = (text: string): string =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

/** Names under which the vendors' wires have what people read. */
const READ = new Set(['text', 'summary', 'title', 'source', 'severity', 'event_action', 'value']);
const DEEPEST = 8;

function collect(value: unknown, found: string[], depth = 0): void {
  if (depth > DEEPEST || typeof value !== 'object' || value === null) return;
  const { href, text } = value as { href?: unknown; text?: unknown };
  if (typeof href === 'string') {
    found.push(typeof text === 'string' ? `<${href}|${text}>` : href);
    return;
  }
  for (const [name, inner] of Object.entries(value)) {
    if (typeof inner === 'string') {
      if (READ.has(name) && inner !== '') found.push(inner);
    } else collect(inner, found, depth + 1);
  }
}

export type Piece = { readonly text: string; readonly href?: string };

/** Cut at its web addresses, as a mail program does; also those that Slack writes as `<address|words>`. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(/<(https?:\/\/[^|>\s]+)\|([^>]*)>|https?:\/\/[^\s<>"|)]+/g)) {
    if (match.index > at) found.push({ text: text.slice(at, match.index) });
    const [whole, address, words] = match;
    found.push(address === undefined ? { text: whole, href: whole } : { text: words ?? address, href: address });
    at = match.index + whole.length;
  }
  if (at < text.length) found.push({ text: text.slice(at) });
  return found;
}
