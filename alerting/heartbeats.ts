/**
 * Heartbeats: looks each second which of them are missing, and says so by the same door as everybody else's alerts. Any
 * number of routers do it on one store: what they say has one fingerprint. Where their files differ, each judges what it holds.
 */
import type { Clock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import { describe } from '#kernel/errors.ts';
import type { Log } from '#kernel/log.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { Alert } from './alert.ts';
import { type HeartbeatRow, HOLD, isFree, missing, stateOf, summaryOf } from './heartbeat.ts';
import { fingerprint, type Labels } from './labels.ts';
import type { Heartbeat } from './oncall/model.ts';
import {
  type BeatHold,
  expectBeats,
  forgetBeat,
  heartbeatRows,
  holdBeats,
  lowerBeat,
  raiseBeat,
} from './rows/heartbeats.ts';
import type { Setup } from './setup.ts';
import { alertOf, endOf } from './verdict-alerts.ts';

export type HeartbeatOptions = {
  readonly db: Db;
  readonly clock: Clock;
  readonly now: () => Milliseconds;
  readonly log: Log;
  readonly setup: () => Setup;
  readonly receive: (alerts: readonly Alert[]) => Promise<void>;
};

export interface Heartbeats {
  /** Looks once. */
  look(): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
}

const EVERY = milliseconds(1_000);
/** Said again while it lasts, since it came without an end. */
const RENEW_EVERY = milliseconds(60_000);

export function makeHeartbeats(options: HeartbeatOptions): Heartbeats {
  const { db, clock, log, now, setup } = options;
  /** When this process last said that one is missing, by fingerprint. */
  const said = new Map<string, Milliseconds>();
  let settled = '';
  let looked = milliseconds(0);
  const look = async () => {
    const { oncall, version } = setup();
    const expected = oncall.heartbeats;
    const at = now();
    // Nothing is expected: what other files expected is ended when nobody has them any more.
    if (expected.size === 0 && settled === version && at - looked < HOLD) return;
    let rows = await heartbeatRows(db);
    const known = new Set(rows.map(({ name }) => name));
    const fresh = [...expected.keys()].filter((name) => !known.has(name));
    if (fresh.length > 0) {
      await expectBeats(db, fresh, at);
      rows = await heartbeatRows(db);
    }
    const mine = await hold(db, rows, expected, { config: version, before: settled, now: at });
    for (const row of rows) {
      const heartbeat = expected.get(row.name);
      if (heartbeat === undefined ? isFree(row, at) : mine.has(row.name)) await judge(options, heartbeat, row, said);
    }
    settled = version;
    looked = at;
  };
  return {
    look,
    run: async (signal) => {
      while (!signal.aborted) {
        await look().catch((error: unknown) => log.warn({ reason: describe(error) }, 'cannot look at the heartbeats'));
        await clock.sleep(EVERY, signal).catch(() => {});
      }
    },
  };
}

/** @returns those that are judged by these files. Written to only when a hold is half over, or to be taken. */
async function hold(
  { relaxed }: Db,
  rows: readonly HeartbeatRow[],
  expected: ReadonlyMap<string, Heartbeat>,
  wish: Omit<BeatHold, 'until'>,
): Promise<ReadonlySet<string>> {
  const { config, now } = wish;
  const lasting = (row: HeartbeatRow) => row.config === config && (row.heldUntil ?? 0) - now > HOLD / 2;
  const wanted = rows.filter(({ name }) => expected.has(name));
  const names = wanted.filter((row) => !lasting(row)).map(({ name }) => name);
  const until = milliseconds(now + HOLD);
  const taken = names.length === 0 ? [] : await holdBeats(relaxed, names, { ...wish, until });
  return new Set([...taken, ...wanted.filter(lasting).map(({ name }) => name)]);
}

async function judge(
  options: HeartbeatOptions,
  heartbeat: Heartbeat | undefined,
  row: HeartbeatRow,
  said: Map<string, Milliseconds>,
): Promise<void> {
  const { db, now, log } = options;
  const { name } = row;
  if (heartbeat === undefined) {
    if (row.raised !== undefined) await end(options, row, row.raised, said);
    return await forgetBeat(db, name, now());
  }
  const state = stateOf(heartbeat, row, now());
  switch (state.kind) {
    case 'due':
      return;
    case 'missing':
      return await raise(options, heartbeat, row, state.since, said);
    case 'back':
      if (row.raised !== undefined) await end(options, row, row.raised, said);
      log.info({ heartbeat: name }, 'a heartbeat is back');
      return await lowerBeat(db, name);
    default:
      return state satisfies never;
  }
}

async function raise(
  options: HeartbeatOptions,
  heartbeat: Heartbeat,
  row: HeartbeatRow,
  since: Milliseconds,
  said: Map<string, Milliseconds>,
): Promise<void> {
  const { db, now, log } = options;
  const at = now();
  const alert = alertOf(missing(heartbeat, row, since), at);
  const last = said.get(alert.fingerprint);
  if (row.raised !== undefined && last !== undefined && at - last < RENEW_EVERY) return;
  // A reload gave it other labels.
  const before = row.raised;
  if (before !== undefined && fingerprint(before) !== alert.fingerprint) await end(options, row, before, said);
  await options.receive([alert]);
  said.set(alert.fingerprint, at);
  if (row.raised === undefined) log.warn({ heartbeat: row.name }, 'a heartbeat is missing');
  // It came while this was said, and another router has told the end already: what was said last must be that.
  if (!(await raiseBeat(db, row, alert.labels, since))) await end(options, row, alert.labels, said);
}

async function end(
  { receive, now }: HeartbeatOptions,
  row: HeartbeatRow,
  labels: Labels,
  said: Map<string, Milliseconds>,
): Promise<void> {
  const at = now();
  const since = row.raisedAt ?? at;
  const annotations = { summary: summaryOf(row.name) };
  const alert = endOf(alertOf({ labels, annotations, since }, at), at);
  await receive([alert]);
  said.delete(alert.fingerprint);
}
