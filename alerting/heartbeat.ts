/** Whether something that should say that it is alive has said so. Pure; the loop is `heartbeats.ts`. */
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { Labels } from './labels.ts';
import { matchesAll } from './matcher.ts';
import type { Heartbeat, Oncall } from './oncall/model.ts';
import { EYE, type Said } from './verdict-alerts.ts';

export const MISSING_ALERT = 'HeartbeatMissing';

/** What is stored of one. */
export type HeartbeatRow = {
  readonly name: string;
  /** Absence counts from here: it was first expected then, or no router was there before. */
  readonly since: Milliseconds;
  readonly beatAt: Milliseconds | undefined;
  readonly raised: Labels | undefined;
  readonly raisedAt: Milliseconds | undefined;
  /** The version of the files by which it is judged, and until when a router with them is taken to be there. */
  readonly config: string | undefined;
  readonly heldUntil: Milliseconds | undefined;
};

/** A router renews its hold in time; one that has other files leaves the heartbeat alone as long as it lasts. */
export const HOLD = milliseconds(30_000);

/** What nobody holds any more, or has held yet for as long as that would take. */
export const isFree = ({ heldUntil, since, beatAt }: HeartbeatRow, now: Milliseconds): boolean =>
  (heldUntil ?? Math.max(since, beatAt ?? 0) + HOLD) <= now;

/** The heartbeats for which an alert with these labels is a beat. */
export function beatsBy({ heartbeats }: Pick<Oncall, 'heartbeats'>, labels: Labels): string[] {
  if (heartbeats.size === 0) return [];
  return [...heartbeats.values()]
    .filter(({ alert }) => alert !== undefined && matchesAll(alert, labels))
    .map(({ name }) => name);
}

/** It is missing from then on; undefined: it is not expected before it has come once. */
export function dueAt(heartbeat: Heartbeat, { since, beatAt }: HeartbeatRow): Milliseconds | undefined {
  if (heartbeat.fromFirstBeat && beatAt === undefined) return undefined;
  return milliseconds(Math.max(since, beatAt ?? 0) + heartbeat.every + heartbeat.grace);
}

export type HeartbeatState =
  /** It beats, or still has time. */
  | { readonly kind: 'due'; readonly at: Milliseconds | undefined }
  | { readonly kind: 'missing'; readonly since: Milliseconds }
  /** It was said to be missing, and has beaten since. */
  | { readonly kind: 'back' };

/** What was said to be missing stays so until a beat: that a router was away is no beat. */
export function stateOf(heartbeat: Heartbeat, row: HeartbeatRow, now: Milliseconds): HeartbeatState {
  const { beatAt, raisedAt } = row;
  if (raisedAt !== undefined) {
    return beatAt !== undefined && beatAt >= raisedAt ? { kind: 'back' } : { kind: 'missing', since: raisedAt };
  }
  const at = dueAt(heartbeat, row);
  return at !== undefined && now >= at ? { kind: 'missing', since: at } : { kind: 'due', at };
}

export function missing({ name, severity, labels, every }: Heartbeat, row: HeartbeatRow, since: Milliseconds): Said {
  const last = row.beatAt === undefined ? 'never' : `last at ${new Date(row.beatAt).toISOString()}`;
  return {
    labels: { ...labels, alertname: MISSING_ALERT, heartbeat: name, severity, eye: EYE },
    annotations: {
      summary: summaryOf(name),
      description: `it came ${last}; expected every ${every / 1_000} s`,
    },
    since,
  };
}

export const summaryOf = (name: string): string => `The heartbeat ${name} is missing`;
