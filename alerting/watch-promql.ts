/**
 * The source that asks a PromQL server (Prometheus, Mimir, Thanos, VictoriaMetrics), which has scraped the targets. An
 * answer that is missing is no health: what it is about is blind. At a first start the ledgers are filled from what the
 * server remembers, so that budgets are right at once; after a pause, from that pause.
 */
import type { Telemetry } from '#collector/telemetry.ts';
import { describe } from '#kernel/errors.ts';
import type { Log } from '#kernel/log.ts';
import {
  type Milliseconds,
  milliseconds,
  minutes,
  type Seconds,
  seconds,
  toMilliseconds,
  toSeconds,
} from '#kernel/units.ts';
import { type Engine, retarget } from '#slo/engine.ts';
import { beginHistory, dismissGone, endHistory, enterRead, GONE, isEmpty } from '#slo/engine-history.ts';
import type { CounterVisit } from '#slo/feed-counters.ts';
import { longestPeriod } from '#slo/ledger/account.ts';
import type { Objective } from '#slo/objective.ts';
import type { Look, Source } from './watch-source.ts';
import type { StallSample } from './worker-gone.ts';

/** What is asked of the server; `prometheus/counts.ts` is one. */
export type CountsServer = {
  /** For people: without a name and a password. */
  readonly url: string;
  now(objectives: readonly Objective[], at: Milliseconds, signal: AbortSignal): Promise<CountsNow>;
  stall(at: Milliseconds, signal: AbortSignal): Promise<readonly StallSample[]>;
  back(objectives: readonly Objective[], span: HistorySpan, signal: AbortSignal): AsyncIterable<Stretch>;
  /** The names that an objective's counters have, and the jobs that it names. */
  namesOf(objective: Objective): readonly string[];
  jobsOf(objective: Objective): readonly string[];
};
export type CountsNow = {
  readonly visits: readonly CounterVisit[];
  /** Objectives whose answer is missing, and why. */
  readonly missing: ReadonlyMap<string, string>;
  /** Of each target, `job instance`, whether its last scrape went well; undefined: that is not known. */
  readonly up: ReadonlyMap<string, boolean> | undefined;
};
export type HistorySpan = { readonly from: Seconds; readonly to: Seconds; readonly finest: Seconds };
export type Stretch = { readonly step: Seconds; readonly visits: readonly CounterVisit[] };

export type PromqlSourceOptions = {
  readonly server: CountsServer;
  readonly every: Seconds;
  /** Younger than this, a scrape may not be stored yet. */
  readonly settled: Seconds;
  readonly now: () => Milliseconds;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly stop: AbortSignal;
};

/** Servers are scraped this often at most, as a rule: history that is finer would be the same value again and again. */
const FINEST = seconds(15);
/** A start does not wait for ever for what was. */
const HISTORY_LIMIT = milliseconds(90_000);
/** Of longer periods the rest is learnt as it comes: servers seldom keep more. */
const HISTORY_MOST = seconds(92 * 86_400);

export function promqlSource(options: PromqlSourceOptions): Source {
  const { server, every, now, log } = options;
  const shown = new Map<string, Seconds>();
  let heard = true;
  let filled = false;
  const begin = async (engine: Engine) => {
    // What was scraped before is the server's to tell of from now on, under names of its own.
    without(engine, (target) => !target.includes(' '), toSeconds(now()));
    filled = await fill(options, engine, shown);
    endHistory(engine, toSeconds(now()));
  };
  return {
    shown: { kind: 'promql', url: server.url },
    every,
    begin,
    look: async (engine) => {
      const at = milliseconds(now() - toMilliseconds(options.settled));
      const signal = AbortSignal.any([options.stop, AbortSignal.timeout(toMilliseconds(every) * 2)]);
      const [read, samples] = await Promise.all([
        server.now(engine.book.plan.objectives, at, signal),
        server.stall(at, signal).catch(() => undefined),
      ]);
      const answered = read.missing.size < engine.book.plan.objectives.length;
      if (answered && !filled) await begin(engine);
      if (answered !== heard) tellHearing(log, server.url, answered, read);
      heard = answered;
      const [reason] = read.missing.values();
      const unheard = answered || reason === undefined ? {} : { unheard: reason };
      return { ...takeIn(options, engine, read, shown, toSeconds(at)), at, heard, samples, ...unheard };
    },
  };
}

function tellHearing(log: Log, server: string, heard: boolean, { missing }: CountsNow): void {
  const [reason] = missing.values();
  if (heard) log.info({ server }, 'the PromQL server answers again');
  else log.warn({ server, reason }, 'the PromQL server does not answer: nothing is seen');
}

function takeIn(
  { server, every, telemetry, log }: PromqlSourceOptions,
  engine: Engine,
  { visits, missing, up }: CountsNow,
  shown: Map<string, Seconds>,
  at: Seconds,
): Pick<Look, 'answered'> {
  const { objectives, wanted } = engine.book.plan;
  const heard = missing.size < objectives.length;
  telemetry.count('watch_scrapes_total', { outcome: heard ? 'read' : 'missing' });
  for (const [id, reason] of missing) log.debug({ objective: id, reason }, 'an answer is missing');
  const failed = objectives.filter(({ id }) => missing.has(id)).flatMap((one) => server.namesOf(one));
  const asked = failed.length === 0 ? undefined : { asked: wanted.names.difference(new Set(failed)) };
  for (const { target, values } of visits) {
    enterRead(engine, { target, at, interval: every, ...asked }, values);
    shown.set(target, at);
  }
  if (heard) forgetUnlisted(engine, new Set(visits.map(({ target }) => target)), up, shown, at);
  if (up !== undefined) keepAwaiting(engine, server, up, at);
  const answers = (target: string) => shown.get(target) === at || up?.get(target) === true;
  return { answered: new Map([...engine.targets.keys()].map((target) => [target, answers(target)])) };
}

/**
 * A target that neither shows anything nor is listed by the server, while another of its job does, was taken away: it is
 * not blindness. Where the server tells of no targets at all, an hour says the same.
 */
function forgetUnlisted(
  engine: Engine,
  seen: ReadonlySet<string>,
  up: CountsNow['up'],
  shown: Map<string, Seconds>,
  at: Seconds,
): void {
  const jobs = new Set([...seen].map(jobOf));
  const gone = [...engine.targets.keys()].filter((target) => {
    if (seen.has(target) || !jobs.has(jobOf(target))) return false;
    const listed = up !== undefined && [...up.keys()].some((one) => jobOf(one) === jobOf(target));
    return listed ? !up.has(target) : at - (shown.get(target) ?? at) > GONE;
  });
  for (const target of gone) shown.delete(target);
  if (gone.length > 0) without(engine, (target) => gone.includes(target), at);
}

function without(engine: Engine, gone: (target: string) => boolean, at: Seconds): void {
  const left = [...engine.targets].filter(([id]) => !gone(id)).map(([id, interval]) => ({ id, interval }));
  retarget(engine, left, at);
}

const jobOf = (target: string): string => target.slice(0, target.lastIndexOf(' '));

/** A target of its job that answers and has counted nothing yet is new, not blind: so says the other eye too. */
function keepAwaiting(engine: Engine, server: CountsServer, up: ReadonlyMap<string, boolean>, at: Seconds): void {
  const answering = new Set([...up].flatMap(([target, well]) => (well ? [jobOf(target)] : [])));
  for (const one of engine.counted.values()) {
    if (server.jobsOf(one.judged.objective).some((job) => answering.has(job))) one.awaitedSince = at;
  }
}

/** Brings into the ledgers what the server remembers and the engine does not know. @returns whether it need not be tried again. */
async function fill(
  { server, every, settled, now, log, stop }: PromqlSourceOptions,
  engine: Engine,
  newest: Map<string, Seconds>,
): Promise<boolean> {
  const { objectives } = engine.book.plan;
  const fresh = isEmpty(engine);
  const to = seconds(toSeconds(now()) - settled);
  const period = Math.max(minutes(1), ...objectives.map(({ window }) => longestPeriod(window)));
  const from = fresh ? seconds(to - Math.min(period, HISTORY_MOST)) : engine.away?.from;
  if (from === undefined || from >= to || objectives.length === 0) return true;
  if (fresh) beginHistory(engine, from);
  const signal = AbortSignal.any([stop, AbortSignal.timeout(HISTORY_LIMIT)]);
  let count = 0;
  let moment: Seconds = from;
  try {
    const span = { from, to, finest: seconds(Math.max(FINEST, every)) };
    for await (const { step, visits } of server.back(objectives, span, signal)) {
      for (const { at, target, values } of visits) {
        enterRead(engine, { target, at, interval: step }, values);
        if (at !== moment) dismissGone(engine, newest, at);
        moment = at;
        newest.set(target, at);
        count++;
      }
    }
    log.info({ server: server.url, visits: count, seconds: to - from }, 'what was is read from the PromQL server');
  } catch (error) {
    const what = count > 0 ? 'cannot read all of what was' : 'cannot read what was; it is tried again';
    log.error({ server: server.url, visits: count, reason: describe(error) }, what);
    if (count === 0) return false;
  } finally {
    for (const target of newest.keys()) if (engine.targets.has(target)) engine.targets.set(target, every);
  }
  return true;
}
