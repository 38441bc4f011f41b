/** What reached people: every message that Slack, PagerDuty or the mail server took, newest last. */
import type { Clock } from '#kernel/clock.ts';
import { type Bytes, mebibytes } from '#kernel/units.ts';

export const CHANNELS = ['slack', 'pagerduty', 'email'] as const;
export type Channel = (typeof CHANNELS)[number];
export const isChannel = (name: string): name is Channel => (CHANNELS as readonly string[]).includes(name);

export type Message = {
  /** ISO 8601, the simulators' clock. */
  readonly at: string;
  readonly channel: Channel;
  /** Where it was sent: the webhook's path or Slack channel, the routing key, the recipients. */
  readonly target: string;
  /** PagerDuty alone: what the event did. */
  readonly effect?: string;
  readonly body: unknown;
};

/** A storm of alerts must not fill the memory: the oldest go first, by number and by size. */
const MOST_MESSAGES = 10_000;
const MOST_BYTES: Bytes = mebibytes(128);

export type Inbox = {
  add(message: Omit<Message, 'at'>, size: number): void;
  list(channel?: Channel): readonly Message[];
  clear(): void;
};

export function makeInbox(
  clock: Clock,
  limits: { messages: number; bytes: number } = { messages: MOST_MESSAGES, bytes: MOST_BYTES },
): Inbox {
  let kept: { message: Message; size: number }[] = [];
  let size = 0;
  return {
    add: (message, bytes) => {
      kept.push({ message: { at: new Date(clock.now()).toISOString(), ...message }, size: bytes });
      size += bytes;
      let gone = 0;
      while (kept.length - gone > limits.messages || (size > limits.bytes && kept.length - gone > 1)) {
        size -= kept[gone]?.size ?? 0;
        gone++;
      }
      if (gone > 0) kept = kept.slice(gone);
    },
    list: (channel) => kept.map(({ message }) => message).filter((m) => channel === undefined || m.channel === channel),
    clear: () => {
      kept = [];
      size = 0;
    },
  };
}
