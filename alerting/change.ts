/**
 * A release, or another change that may explain what breaks next: kept, told to PagerDuty, shown in the reports of the
 * incidents around it. Its row and its messages are one transaction. Who is told: docs/adr/0008.
 */
import { createHash } from 'node:crypto';
import { type AuditEntry, audit } from '#access/audit.ts';
import type { Db } from '#kernel/database.ts';
import { hours, type Milliseconds, milliseconds, toMilliseconds } from '#kernel/units.ts';
import { type Addressed, ofReceiver } from './destination.ts';
import type { Labels } from './labels.ts';
import type { ChangeMessage } from './message.ts';
import { post } from './outbox.ts';
import { routesOf } from './route.ts';
import { changesAround, findChange, insertChange } from './rows/changes.ts';
import { insertNotifications } from './rows/notifications.ts';
import type { Setup } from './setup.ts';
import type { Incident } from './store.ts';

export type Change = Omit<ChangeMessage, 'kind'> & {
  /** Undefined: of no service alone. */
  readonly service: string | undefined;
  readonly createdBy: string;
};

const BEFORE = toMilliseconds(hours(2));
/** In a report. */
const SHOWN_MOST = 50;

export type ChangeKeeper = {
  readonly db: Db;
  readonly setup: () => Setup;
  readonly now: () => Milliseconds;
  readonly newId: () => string;
};

/**
 * Durable when it resolves.
 *
 * @param audited who tells it, for the audit trail.
 * @param key what is told again under it is the same change: a pipeline that got no answer asks again.
 * @returns it as it is kept, and where it is told.
 */
export async function keepChange(
  { db, setup, now, newId }: ChangeKeeper,
  draft: Omit<Change, 'id'>,
  audited: (id: string) => AuditEntry,
  key?: string,
): Promise<{ readonly change: Change; readonly told: readonly string[] }> {
  const change: Change = { ...draft, id: key === undefined ? newId() : idOfKey(key) };
  const { id, at, summary, source, links, details, service } = change;
  const message: ChangeMessage = { kind: 'change', id, at, summary, source, links, details };
  const to = whoIsTold(setup(), service);
  // The least that the outbox has: whoever is to be woken goes first.
  const drafts = to.map((one) => ({
    ...({ to: one, incidentId: undefined, groupId: `change/${id}`, action: 'change', priority: 2, message } as const),
  }));
  const kept = await db.tx(async (q) => {
    const at = now();
    if (!(await insertChange(q, change, at))) return await findChange(q, id);
    const { add } = post(drafts, [], at, newId);
    if (add.length > 0) await insertNotifications(q, add);
    await audit(q, audited(id));
    return change;
  });
  return { change: kept ?? change, told: to.map(({ destination }) => destination) };
}

const idOfKey = (key: string): string => createHash('sha256').update(key).digest('hex').slice(0, 32);

/**
 * Each PagerDuty integration, once for each key, of the receivers that a critical alert of this service is routed to and of
 * those that their policies name; without a service, of all receivers.
 */
export function whoIsTold({ config, oncall }: Setup, service: string | undefined): Addressed[] {
  const names = service === undefined ? [...config.receivers.keys()] : receiversOf({ config, oncall }, service);
  const seen = new Set<string>();
  return [...new Set(names)]
    .flatMap((name) => ofReceiver(name, config.receivers.get(name)?.integrations ?? []))
    .filter(({ integration }) => {
      if (integration.kind !== 'pagerduty') return false;
      const account = `${integration.url}\n${integration.routingKey.reveal()}`;
      return !seen.has(account) && seen.add(account);
    });
}

function receiversOf({ config, oncall }: Pick<Setup, 'config' | 'oncall'>, service: string): string[] {
  const labels: Labels = { alertname: 'Change', service, sloth_service: service, severity: 'critical' };
  return routesOf(config.root, labels).flatMap(({ receiver }) => {
    const targets = (oncall.policies.get(receiver)?.steps ?? []).flatMap((step) => step.targets);
    return [receiver, ...targets.filter(({ kind }) => kind === 'receiver').map(({ name }) => name)];
  });
}

/** From two hours before it was opened to its end. */
export async function changesOf(db: Db, incident: Incident, now: Milliseconds): Promise<Change[]> {
  const { openedAt, resolvedAt, service } = incident;
  const from = milliseconds(openedAt - BEFORE);
  return await changesAround(db, { from, to: resolvedAt ?? now, service }, SHOWN_MOST);
}
