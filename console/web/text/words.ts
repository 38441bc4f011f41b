/** The router's words, as people say them. Pure. */
import type { Notification } from '#console/web/data/wire.ts';
import { plural, span } from './format.ts';

const KINDS: Readonly<Record<string, string>> = {
  received: 'Received',
  grouped: 'Grouped',
  suppressed: 'Suppressed',
  opened: 'Opened',
  joined: 'Alert joined',
  paged: 'Paged',
  escalated: 'Escalated',
  nobody: 'Nobody on call',
  unreached: 'Nobody was reached',
  sent: 'Sent',
  refused: 'Refused',
  retried: 'Tried again',
  acknowledged: 'Acknowledged',
  reopened: 'Opened again',
  snoozed: 'Snoozed',
  noted: 'Note',
  configured: 'Configuration changed',
  edited: 'Report edited',
  resolved: 'Resolved',
};

export const kindWords = (kind: string): string => KINDS[kind] ?? kind;

type Tone = 'ok' | 'critical' | 'warning' | 'info';
const TONES: Readonly<Record<string, Tone>> = {
  delivered: 'ok',
  refused: 'critical',
  pending: 'warning',
  sending: 'warning',
  superseded: 'info',
};

export const notificationTone = ({ state }: Pick<Notification, 'state'>): Tone => TONES[state] ?? 'info';

type Sent = Pick<Notification, 'createdAt' | 'finishedAt' | 'attempts' | 'mayRepeat' | 'error' | 'state'>;

/** How long it took, how often it was tried, and why it was not taken. */
export function sentWords({ createdAt, finishedAt, attempts, mayRepeat, error, state }: Sent): string {
  const parts = [
    ...(finishedAt === null || state === 'superseded'
      ? []
      : [`after ${span(Date.parse(finishedAt) - Date.parse(createdAt))}`]),
    ...(attempts > 1 ? [plural(attempts, 'attempt')] : []),
    ...(mayRepeat ? ['it may have arrived twice'] : []),
    ...(error === null ? [] : [error]),
  ];
  return parts.join(', ');
}

/**
 * The file that a link to a runbook names. @param link such as `https://…/docs/runbooks/WorkerGone.md#first`
 * @returns its name without `.md`; undefined: the link leads to something else.
 */
export function runbookOf(link: string | null): string | undefined {
  const [, name] = /([A-Za-z0-9_-]{1,100})(?:\.md)?(?:[#?].*)?$/.exec(link ?? '') ?? [];
  return name;
}
