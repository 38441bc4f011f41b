/**
 * The router's own eye: asks each target every few seconds, lets the SLO engine judge, and sends what it says through the
 * same door as everybody else's alerts. What it knows is kept each minute, so that a restart forgets nothing.
 */
import type { Telemetry } from '#collector/telemetry.ts';
import type { Clock } from '#kernel/clock.ts';
import { describe, Fault } from '#kernel/errors.ts';
import { type Http, readLimited } from '#kernel/http.ts';
import type { Log } from '#kernel/log.ts';
import { type Milliseconds, mebibytes, milliseconds, type Seconds, seconds } from '#kernel/units.ts';
import { type Engine, enter, newEngine, tick } from '#slo/engine.ts';
import { checkpoint, restore } from '#slo/engine-checkpoint.ts';
import {
  type Exposition,
  type Format,
  formatOf,
  readSamples,
  type Wanted,
  wantedNames,
} from '#slo/exposition/read-samples.ts';
import type { Objective } from '#slo/objective.ts';
import type { Alert } from './alert.ts';
import { alertOf, endOf, type Said, saidOf } from './verdict-alerts.ts';
import { WORKER_METRICS, workerGone } from './worker-gone.ts';

export type WatchTarget = { readonly id: string; readonly url: string };
export type WatchOptions = {
  readonly objectives: readonly Objective[];
  readonly targets: readonly WatchTarget[];
  readonly clock: Clock;
  readonly now: () => Milliseconds;
  readonly http: Http;
  readonly log: Log;
  readonly telemetry: Telemetry;
  /** The router's own metrics: it promises something too. */
  readonly own: () => Promise<string>;
  readonly receive: (alerts: readonly Alert[]) => Promise<void>;
  readonly keep: {
    load(): Promise<Uint8Array | undefined>;
    save(bytes: Uint8Array): Promise<void>;
  };
};

export interface Watch {
  readonly engine: () => Engine;
  run(signal: AbortSignal): Promise<void>;
}

/** The router as a target of its own. */
const OWN = 'router';
export const SCRAPE_EVERY = seconds(5);
const SCRAPE_LIMIT = milliseconds(4_000);
const SCRAPE_BYTES = mebibytes(32);
const RENEW_EVERY = milliseconds(60_000);
const KEEP_EVERY = milliseconds(60_000);

export async function makeWatch(options: WatchOptions): Promise<Watch> {
  const { clock, log, now, http } = options;
  const engine = await startEngine(options);
  const watched = { engine, wanted: wantedNames([...engine.book.plan.wanted.names, ...WORKER_METRICS]) };
  const standing = makeStanding(options);
  const round = async () => {
    const seen = await Promise.all([
      ...options.targets.map((target) => scrape(options, watched, target.id, () => ask(http, target.url))),
      scrape(options, watched, OWN, async () => ({ text: await options.own(), format: 'text' })),
    ]);
    tick(engine, inSeconds(now()));
    const said = [...engine.watched.values()].flatMap((watched) => saidOf(engine, watched, now()) ?? []);
    const gone = workerGone(
      seen.flatMap((one) => one?.samples ?? []),
      now(),
    );
    await standing.tell(gone === undefined ? said : [...said, gone]);
  };
  const save = async () => await options.keep.save(checkpoint(engine, inSeconds(now())));
  return {
    engine: () => engine,
    run: async (signal) => {
      let kept = clock.steady();
      while (!signal.aborted) {
        const began = clock.steady();
        await round().catch((error: unknown) =>
          log.error({ reason: describe(error) }, 'the watch could not say what it saw'),
        );
        if (clock.steady() - kept >= KEEP_EVERY) {
          kept = clock.steady();
          await save().catch((error: unknown) =>
            log.warn({ reason: describe(error) }, 'cannot keep what the watch knows'),
          );
        }
        const rest = Math.max(0, SCRAPE_EVERY * 1_000 - (clock.steady() - began));
        await clock.sleep(rest as Milliseconds, signal).catch(() => {});
      }
      await save().catch((error: unknown) => log.warn({ reason: describe(error) }, 'cannot keep what the watch knows'));
    },
  };
}

const inSeconds = (at: Milliseconds): Seconds => seconds(at / 1_000);

async function startEngine({ objectives, targets, keep, now, log }: WatchOptions): Promise<Engine> {
  const listed = [...targets.map(({ id }) => id), OWN].map((id) => ({ id, interval: SCRAPE_EVERY }));
  const fresh = () => newEngine(objectives, inSeconds(now()), { targets: listed });
  const bytes = await keep.load();
  if (bytes === undefined) return fresh();
  const restored = restore(bytes, objectives, inSeconds(now()));
  if (restored.kind === 'restored') return restored.value;
  log.error({ reason: restored.reason }, 'what the watch knew cannot be read; it begins anew');
  return fresh();
}

/** The objectives do not change while it runs: what is wanted of a scrape is found once. */
type Watched = { readonly engine: Engine; readonly wanted: Wanted };
type Answer = { readonly text: string; readonly format: Format };

/** @returns what it answered, if it could be read. A target that does not answer is the engine's to notice. */
async function scrape(
  { log, now, telemetry }: WatchOptions,
  { engine, wanted }: Watched,
  target: string,
  read: () => Promise<Answer>,
): Promise<Extract<Exposition, { kind: 'samples' }> | undefined> {
  const exposition = await read().then(
    ({ text, format }) => readSamples(text, format, wanted),
    (error: unknown): Exposition => ({ kind: 'fault', line: 0, reason: describe(error) }),
  );
  enter(engine, { target, at: inSeconds(now()), interval: SCRAPE_EVERY }, exposition);
  telemetry.count('watch_scrapes_total', { outcome: exposition.kind === 'samples' ? 'read' : 'missing' });
  if (exposition.kind === 'samples') return exposition;
  log.debug({ target, line: exposition.line, reason: exposition.reason }, 'a scrape is missing');
  return undefined;
}

/** @throws {Error} saying why there is no answer. */
async function ask(http: Http, url: string): Promise<Answer> {
  const response = await http(url, {
    timeout: SCRAPE_LIMIT,
    headers: { accept: 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5' },
  });
  const text = Buffer.from(await readLimited(response, SCRAPE_BYTES)).toString('utf8');
  if (!response.ok) throw new Fault('scrape_refused', `status ${response.status}`);
  return { text, format: formatOf(response.headers.get('content-type') ?? '') ?? 'text' };
}

/** What was said last: what is new is told, what goes on is renewed, what is over is ended. */
function makeStanding({ receive, now }: WatchOptions) {
  const standing = new Map<string, { readonly alert: Alert; readonly at: Milliseconds }>();
  return {
    tell: async (said: readonly Said[]) => {
      const at = now();
      const alerts = said.map((one) => alertOf(one, at));
      const present = new Set(alerts.map(({ fingerprint }) => fingerprint));
      const due = alerts.filter(({ fingerprint }) => at - (standing.get(fingerprint)?.at ?? 0) >= RENEW_EVERY);
      const over = [...standing.values()].filter(({ alert }) => !present.has(alert.fingerprint));
      const all = [...due, ...over.map(({ alert }) => endOf(alert, at))];
      if (all.length === 0) return;
      await receive(all);
      // Only what was taken is remembered: the rest is said again at the next round.
      for (const alert of due) standing.set(alert.fingerprint, { alert, at });
      for (const { alert } of over) standing.delete(alert.fingerprint);
    },
  };
}
