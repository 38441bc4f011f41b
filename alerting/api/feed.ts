/**
 * What changes, as it changes: the store is asked once a second for all who listen together, and only while somebody does.
 * A row may be committed a little after the time that it bears, so some seconds are asked for again and what was told is
 * remembered. Whoever comes back is told from some seconds before what they saw last: everything at least once.
 */
import { changedIncidents } from '#alerting/rows/incidents.ts';
import { changedNotifications } from '#alerting/rows/notifications.ts';
import { type ChangedRow, changedOverrides } from '#alerting/rows/overrides.ts';
import { changedSilences } from '#alerting/rows/silences.ts';
import type { Setup } from '#alerting/setup.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import { describe } from '#kernel/errors.ts';
import type { Log } from '#kernel/log.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { Engine } from '#slo/engine.ts';
import { shown } from './v1-incidents.ts';
import { notificationShown } from './v1-notifications.ts';
import { verdictShown } from './v1-slos.ts';

export type FeedOptions = {
  readonly db: Db;
  readonly now: () => Milliseconds;
  readonly clock: Clock;
  readonly log: Log;
  readonly engine: () => Engine | undefined;
  readonly setup: () => Pick<Setup, 'version'>;
};
export type Change = {
  readonly type: 'incident' | 'notification' | 'verdict' | 'silence' | 'oncall' | 'gap' | 'here';
  /** Of the same thing as it then was: told once. */
  readonly key: string;
  readonly at: Milliseconds;
  readonly data: object;
};
export type Listener = {
  hear(change: Change): void;
  /** All that was changed until then is told. */
  here(at: Milliseconds): void;
};

export interface Feed {
  /** @param last what the listener saw last; undefined: from now on. @returns leaves. */
  join(listener: Listener, last: Milliseconds | undefined): Promise<() => void>;
  size(): number;
}

const POLL = milliseconds(1_000);
const OVERLAP = 5_000;
/** Whoever hears nothing for two or three times as long knows that what they see is old. */
const HERE_EVERY = 5_000;
/** Of each kind and poll; where there are more, those who listen are told to list anew. */
const CHANGES_MOST = 2_000;

export function makeFeed(options: FeedOptions): Feed {
  const { clock, now, log, engine, setup } = options;
  const listeners = new Set<Listener>();
  const told = new Map<string, Milliseconds>();
  const verdicts = makeVerdicts(engine, now);
  let running: Promise<void> | undefined;
  let files = '';
  /** Up to when everything was seen; undefined: nobody listens. */
  let seen: Milliseconds | undefined;
  const tell = (change: Change) => {
    for (const one of listeners) one.hear(change);
  };
  /** @param say false: what was there before anybody listened. */
  const poll = async (say: boolean) => {
    const at = now();
    // Also what changed while the store could not be asked.
    const since = milliseconds((seen ?? at) - OVERLAP);
    for (const [key, at] of told) if (at < since - OVERLAP) told.delete(key);
    const { changes, isWhole } = await changesSince(options, since);
    if (say && !isWhole) tell(gap(now()));
    for (const change of changes) {
      if (told.has(change.key)) continue;
      // Not its own time: what took the place of another message bears that one's.
      told.set(change.key, now());
      if (say) tell(change);
    }
    for (const change of verdicts.changed()) if (say) tell(change);
    // Other files: other people and schedules.
    const { version } = setup();
    if (say && version !== files) tell(named('oncall', { id: version, at }));
    files = version;
    seen = at;
  };
  const run = async () => {
    let [said, isFailing] = [clock.steady(), false];
    while (listeners.size > 0) {
      await clock.sleep(POLL);
      try {
        await poll(true);
        isFailing = false;
        if (clock.steady() - said < HERE_EVERY || seen === undefined) continue;
        said = clock.steady();
        for (const one of listeners) one.here(seen);
      } catch (error) {
        if (!isFailing) log.warn({ reason: describe(error) }, 'cannot see what changes');
        isFailing = true;
      }
    }
    running = undefined;
    seen = undefined;
  };
  return {
    size: () => listeners.size,
    join: async (listener, last) => {
      if (running === undefined) await poll(false);
      listeners.add(listener);
      running ??= run();
      for (const change of verdicts.current()) listener.hear(change);
      if (last !== undefined) await catchUp(options, listener, milliseconds(last - OVERLAP));
      if (seen !== undefined) listener.here(seen);
      return () => void listeners.delete(listener);
    },
  };
}

async function catchUp(options: FeedOptions, listener: Listener, since: Milliseconds): Promise<void> {
  const { changes, isWhole } = await changesSince(options, since);
  if (!isWhole) return listener.hear(gap(options.now()));
  for (const change of changes) listener.hear(change);
}

const gap = (at: Milliseconds): Change => ({
  type: 'gap',
  key: 'gap',
  at,
  data: { because: `more than ${CHANGES_MOST} changes were missed: list anew` },
});

async function changesSince(
  { db }: FeedOptions,
  since: Milliseconds,
): Promise<{ readonly changes: Change[]; readonly isWhole: boolean }> {
  const [changed, sent] = [
    await changedIncidents(db, since, CHANGES_MOST),
    await changedNotifications(db, since, CHANGES_MOST),
  ];
  const [silences, overrides] = [
    await changedSilences(db, since, CHANGES_MOST),
    await changedOverrides(db, since, CHANGES_MOST),
  ];
  const incidents = changed.map(({ incident, at }): Change => {
    const { id, state, step, round } = incident;
    return { type: 'incident', key: `${id}@${at}/${state}/${round}/${step}`, at, data: shown(incident) };
  });
  const notifications = sent.map((one): Change => {
    const isDone = one.finishedAt !== undefined;
    const key = `${one.id}@${isDone ? one.state : 'decided'}`;
    return { type: 'notification', key, at: one.finishedAt ?? one.createdAt, data: notificationShown(one) };
  });
  return {
    changes: [
      ...incidents,
      ...notifications,
      ...silences.map((one) => named('silence', one)),
      ...overrides.map((one) => named('oncall', one)),
    ].sort((a, b) => a.at - b.at),
    isWhole: [changed, sent, silences, overrides].every(({ length }) => length < CHANGES_MOST),
  };
}

/** Which it is, and no more: whoever shows some asks anew. */
const named = (type: 'silence' | 'oncall', { id, at }: ChangedRow): Change => ({
  type,
  key: `${type} ${id}@${at}`,
  at,
  data: { id },
});

/** They live in this process: whoever joins is told how they are. */
function makeVerdicts(engine: FeedOptions['engine'], now: FeedOptions['now']) {
  let known = new Map<string, string>();
  const current = (): Change[] =>
    [...(engine()?.watched.values() ?? [])].flatMap(({ objective: { id, service }, verdict, since }): Change[] => {
      if (verdict === undefined) return [];
      const data = { id, service, ...verdictShown(verdict, since) };
      const key = `${id}@${verdict.kind}/${data.severity}/${data.rule}`;
      return [{ type: 'verdict', key, at: now(), data }];
    });
  return {
    current,
    changed: (): Change[] => {
      const all = current();
      const before = known;
      const idOf = (key: string): string => key.slice(0, key.lastIndexOf('@'));
      known = new Map(all.map(({ key }) => [idOf(key), key]));
      return all.filter(({ key }) => before.get(idOf(key)) !== key);
    },
  };
}
