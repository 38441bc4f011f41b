/**
 * The router's own eye: asks its source every few seconds, lets the SLO engine judge, and sends what it says through the
 * same door as everybody else's alerts. What it knows is kept each minute, so that a restart forgets nothing.
 */
import type { Clock } from '#kernel/clock.ts';
import { describe } from '#kernel/errors.ts';
import type { Log } from '#kernel/log.ts';
import { type Milliseconds, milliseconds, toSeconds } from '#kernel/units.ts';
import { type Engine, newEngine, tick } from '#slo/engine.ts';
import { checkpoint, restore } from '#slo/engine-checkpoint.ts';
import { settleCorrections } from '#slo/engine-corrections.ts';
import type { Correction } from '#slo/ledger/corrections.ts';
import type { Objective } from '#slo/objective.ts';
import type { Alert } from './alert.ts';
import { type EyeView, newOwnEye, noteLook, ownEye } from './eye.ts';
import { newPresence, notePresence, servicesDown } from './service-down.ts';
import { alertOf, endOf, type Said, saidOf } from './verdict-alerts.ts';
import type { Source, SourceShown } from './watch-source.ts';
import { workerGone } from './worker-gone.ts';

export type WatchOptions = {
  readonly objectives: readonly Objective[];
  readonly source: Source;
  readonly clock: Clock;
  readonly now: () => Milliseconds;
  readonly log: Log;
  readonly receive: (alerts: readonly Alert[]) => Promise<void>;
  /** Other routers may watch the same and say it by the same store. */
  readonly isShared: boolean;
  /** What shall not count, in the order in which it was entered. */
  readonly corrections: () => Promise<readonly Correction[]>;
  readonly keep: {
    load(): Promise<Uint8Array | undefined>;
    save(bytes: Uint8Array): Promise<void>;
  };
};

export interface Watch {
  readonly engine: () => Engine;
  readonly source: SourceShown;
  /** Does it see anything? */
  readonly eye: () => EyeView;
  /** Whoever starts the service again has given it up: nobody needs to wait any longer. */
  serviceGivenUp(): void;
  /** Takes in the corrections that are in force now; else, or where the store fails, they are looked for every half minute. */
  correct(): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
}

const RENEW_EVERY = milliseconds(60_000);
const KEEP_EVERY = milliseconds(60_000);
/** Another router of the same store may have taken one. */
const CORRECT_EVERY = milliseconds(30_000);

export async function makeWatch(options: WatchOptions): Promise<Watch> {
  const { clock, log, now, source } = options;
  const engine = (await restoreEngine(options)) ?? newEngine(options.objectives, toSeconds(now()));
  const standing = makeStanding(options);
  const presence = newPresence();
  const eye = newOwnEye(now());
  let gone: Said | undefined;
  const round = async () => {
    const look = await source.look(engine);
    const at = now();
    notePresence(presence, look, at);
    noteLook(eye, look, at);
    tick(engine, toSeconds(look.at));
    const said = [...engine.watched.values()].flatMap((watched) => saidOf(engine, watched, at) ?? []);
    if (look.samples !== undefined) gone = workerGone(look.samples, at);
    const down = servicesDown(engine, presence, source.every, at);
    await standing.tell([...down, ...said, ...(gone === undefined ? [] : [gone])]);
  };
  const settle = async () => {
    try {
      settleCorrections(engine, await options.corrections(), toSeconds(now()));
    } catch (error) {
      log.warn({ reason: describe(error) }, 'cannot read what shall not count; it is tried again');
    }
  };
  let settling = Promise.resolve();
  // One after the other: what was read before somebody else's change must not be applied after it.
  const correct = async () => {
    settling = settling.then(settle);
    await settling;
  };
  const save = async () => await options.keep.save(checkpoint(engine, toSeconds(now())));
  return {
    engine: () => engine,
    source: source.shown,
    eye: () => ownEye(eye, source.every, now()),
    serviceGivenUp: () => {
      presence.givenUp = true;
    },
    correct,
    run: async (signal) => {
      // Reading what was may take its time: the router answers meanwhile.
      await source.begin(engine);
      if (signal.aborted) return;
      // After the first look at once: what was counted until the next one would be lost to a kill.
      let kept = Number.NEGATIVE_INFINITY;
      let corrected = Number.NEGATIVE_INFINITY;
      while (!signal.aborted) {
        const began = clock.steady();
        if (began - corrected >= CORRECT_EVERY) {
          corrected = began;
          await correct();
        }
        await round().catch((error: unknown) =>
          log.error({ reason: describe(error) }, 'the watch could not say what it saw'),
        );
        if (clock.steady() - kept >= KEEP_EVERY) {
          kept = clock.steady();
          await save().catch((error: unknown) =>
            log.warn({ reason: describe(error) }, 'cannot keep what the watch knows'),
          );
        }
        const rest = Math.max(0, source.every * 1_000 - (clock.steady() - began));
        await clock.sleep(rest as Milliseconds, signal).catch(() => {});
      }
      await save().catch((error: unknown) => log.warn({ reason: describe(error) }, 'cannot keep what the watch knows'));
    },
  };
}

async function restoreEngine({ objectives, keep, now, log }: WatchOptions): Promise<Engine | undefined> {
  const bytes = await keep.load();
  if (bytes === undefined) return undefined;
  const restored = restore(bytes, objectives, toSeconds(now()));
  if (restored.kind === 'restored') return restored.value;
  log.error({ reason: restored.reason }, 'what the watch knew cannot be read; it begins anew');
  return undefined;
}

/** What was said last: what is new is told, what goes on is renewed, what is over is ended. */
function makeStanding({ receive, now, isShared }: WatchOptions) {
  const standing = new Map<string, { readonly alert: Alert; readonly at: Milliseconds }>();
  let absentBefore = new Set<string>();
  return {
    tell: async (said: readonly Said[]) => {
      const at = now();
      const alerts = said.map((one) => alertOf(one, at));
      const present = new Set(alerts.map(({ fingerprint }) => fingerprint));
      const due = alerts.filter(({ fingerprint }) => at - (standing.get(fingerprint)?.at ?? 0) >= RENEW_EVERY);
      const absent = [...standing.values()].filter(({ alert }) => !present.has(alert.fingerprint));
      // Not at the first look: another router that has yet to see the end would renew what is over, and page anew.
      const over = absent.filter(({ alert }) => !isShared || absentBefore.has(alert.fingerprint));
      absentBefore = new Set(absent.map(({ alert }) => alert.fingerprint));
      const all = [...due, ...over.map(({ alert }) => endOf(alert, at))];
      if (all.length === 0) return;
      await receive(all);
      // Only what was taken is remembered: the rest is said again at the next round.
      for (const alert of due) standing.set(alert.fingerprint, { alert, at });
      for (const { alert } of over) standing.delete(alert.fingerprint);
    },
  };
}
