/** Heartbeats in SQL. One statement each. */

import type { HeartbeatRow } from '#alerting/heartbeat.ts';
import type { Labels } from '#alerting/labels.ts';
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { present } from './alerts.ts';

/** An older beat that arrives later takes nothing back. */
export async function putBeats(q: Queryable, names: readonly string[], now: Milliseconds): Promise<void> {
  await q.query(
    `insert into alerting.heartbeats as h (name, since, beat_at)
     select name, $2::timestamptz, $2::timestamptz from unnest($1::text[]) as r (name) order by name
     on conflict (name) do update set beat_at = greatest(h.beat_at, excluded.beat_at)`,
    [names, instant(now)],
  );
}

/** From now on they are waited for. */
export async function expectBeats(q: Queryable, names: readonly string[], now: Milliseconds): Promise<void> {
  await q.query(
    `insert into alerting.heartbeats (name, since)
     select name, $2 from unnest($1::text[]) as r (name) order by name on conflict (name) do nothing`,
    [names, instant(now)],
  );
}

export async function heartbeatRows(q: Queryable): Promise<HeartbeatRow[]> {
  const rows = await q.query<HeartbeatRow>(
    `select name, since, beat_at as "beatAt", raised, raised_at as "raisedAt", config,
       held_until as "heldUntil" from alerting.heartbeats order by name`,
  );
  return rows.map((row) => present(row, ['beatAt', 'raised', 'raisedAt', 'config', 'heldUntil']));
}

/** Nobody was there to hear them: each has its time again. @returns how many. */
export async function excuseBeats(q: Queryable, now: Milliseconds): Promise<number> {
  const rows = await q.query('update alerting.heartbeats set since = $1 where since < $1 returning name', [
    instant(now),
  ]);
  return rows.length;
}

/** @param row by which it was judged. @returns false: it has beaten since. */
export async function raiseBeat(
  q: Queryable,
  { name, beatAt }: Pick<HeartbeatRow, 'name' | 'beatAt'>,
  labels: Labels,
  since: Milliseconds,
): Promise<boolean> {
  const rows = await q.query(
    `update alerting.heartbeats set raised = $2::jsonb, raised_at = coalesce(raised_at, $3)
     where name = $1 and beat_at is not distinct from $4::timestamptz returning name`,
    [name, labels, instant(since), beatAt === undefined ? null : instant(beatAt)],
  );
  return rows.length > 0;
}

/** That it is back was told. */
export async function lowerBeat(q: Queryable, name: string): Promise<void> {
  await q.query(
    `update alerting.heartbeats set raised = null, raised_at = null where name = $1 and beat_at >= raised_at`,
    [name],
  );
}

/**
 * Judged by these files from now on: those that are already, that nobody holds, or that were judged by `before`, the files
 * that this router had.
 * @returns those that are.
 */
export async function holdBeats(
  q: Queryable,
  names: readonly string[],
  { config, before, now, until }: BeatHold,
): Promise<string[]> {
  const rows = await q.query<{ name: string }>(
    `update alerting.heartbeats set config = $2, held_until = $5
     where name = any ($1::text[])
       and (config is null or config in ($2, $3) or held_until is null or held_until <= $4) returning name`,
    [names, config, before, instant(now), instant(until)],
  );
  return rows.map(({ name }) => name);
}

export type BeatHold = {
  readonly config: string;
  readonly before: string;
  readonly now: Milliseconds;
  readonly until: Milliseconds;
};

/** Unless somebody has taken it up meanwhile. */
export async function forgetBeat(q: Queryable, name: string, now: Milliseconds): Promise<void> {
  await q.query(`delete from alerting.heartbeats where name = $1 and (held_until is null or held_until <= $2)`, [
    name,
    instant(now),
  ]);
}
