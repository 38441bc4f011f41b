/**
 * The loop of a worker: claims jobs as places fall free, runs them side by side, hands back what is undone when it stops.
 * What a job does is `carry-out.ts`; that a claim is still ours, `leases.ts`.
 */

import { describe } from '#kernel/errors.ts';
import { limited, within } from '#kernel/shutdown.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { type Lease, type Leases, makeLeases } from './leases.ts';
import { type Claim, claim, type Demand, handBack, JOBS_CHANNEL, LEASE, voidAllClaims } from './queue.ts';
import type { Surroundings } from './surroundings.ts';
import { isLeaseLost } from './transition.ts';

/** A hint may be lost; the poll is the truth, and this is how late it can be. */
const POLL = milliseconds(1_000);
/**
 * Between two claims, so that one statement takes what comes within a moment, instead of one for each upload and each place
 * that falls free: most of those would find nothing.
 */
const SPACING = milliseconds(20);
/** After the database failed. */
const PAUSE = milliseconds(500);
const PAUSE_MOST = milliseconds(60_000);
/** Work that has not stopped this long after it was told to is given up: its job runs elsewhere. */
const ABANDON_AFTER = milliseconds(5_000);

// An abort without a reason makes an error with a stack each time: several for each document.
const WOKEN = new Error('There may be work');
const OVER = new Error('The job is over');

export type Handler = {
  readonly queue: string;
  /** How many run side by side in this process. */
  readonly places: number;
  readonly limit: Milliseconds;
  /**
   * @param reserve asks for a place in another queue, to go straight on there; true: it is taken.
   * @returns the claim to go on with, in the place that was reserved.
   */
  run(claim: Claim, signal: AbortSignal, reserve: Reserve): Promise<Claim | undefined>;
};
export type Reserve = (queue: string) => boolean;

export type RunnerOptions = Surroundings & {
  readonly workerId: string;
  readonly handlers: readonly Handler[];
  /** This process alone has the database: claims found at the start are its own, from before it ended. */
  readonly sole: boolean;
};

export interface Runner {
  /** Looks for work now instead of at the next poll. */
  wake(): void;
  /** Resolves when the signal aborted and all work is done or handed back. */
  run(signal: AbortSignal, grace: Milliseconds): Promise<void>;
}

export function makeRunner(options: RunnerOptions): Runner {
  const { db, clock, shared, log, telemetry, sole } = options;
  const lost = (count: number) => telemetry.count('lease_lost_total', {}, count);
  const leases = makeLeases({ db, clock, shared, log, sole, onLost: lost });
  let alarm = new AbortController();
  const wake = () => alarm.abort(WOKEN);
  let stopped = false;
  const hands = makeHands(options, leases, wake, () => stopped);

  const untilDue = (due: Milliseconds | undefined): Milliseconds =>
    due === undefined ? POLL : (Math.min(POLL, Math.max(5, due - shared.now())) as Milliseconds);

  const loop = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      alarm = new AbortController();
      try {
        // It leaves nothing due where a place is free; what comes meanwhile rings the alarm.
        const due = await hands.take();
        await clock.sleep(SPACING, signal).catch(() => {});
        await clock.sleep(untilDue(due), AbortSignal.any([signal, alarm.signal])).catch(() => {});
      } catch (error) {
        log.warn({ reason: describe(error) }, 'cannot claim jobs');
        await clock.sleep(PAUSE, signal).catch(() => {});
      }
    }
  };

  const run = async (signal: AbortSignal, grace: Milliseconds) => {
    if (sole) await voidAllClaims(db, shared.now());
    const unlisten = await db.listen(JOBS_CHANNEL, wake).catch(() => async () => {});
    const stopBeat = new AbortController();
    const beating = leases.keep(stopBeat.signal);
    await loop(signal);
    stopped = true;
    await unlisten();
    await within(clock, grace, log, 'the work in hand', hands.idle());
    stopBeat.abort();
    await beating;
    const undone = await leases.handBackAll().catch(() => 0);
    if (undone > 0) log.info({ count: undone }, 'undone jobs were handed back');
  };
  return { wake, run };
}

/** The places of this process, and the jobs in them. */
function makeHands(options: RunnerOptions, leases: Leases, freed: () => void, stopping: () => boolean) {
  const { db, shared, telemetry, workerId } = options;
  const handlers = new Map(options.handlers.map((handler) => [handler.queue, handler]));
  const busy = new Map<string, number>();
  const running = new Set<Promise<void>>();
  const occupy = (queue: string, by: number) => busy.set(queue, (busy.get(queue) ?? 0) + by);

  const demands = (): Demand[] =>
    [...handlers.values()]
      .map(({ queue, places }) => ({ queue, limit: places - (busy.get(queue) ?? 0) }))
      .filter(({ limit }) => limit > 0);

  const isFree = (queue: string) => (busy.get(queue) ?? 0) < (handlers.get(queue)?.places ?? 0);

  /** In a place that is occupied already. */
  const start = (one: Claim, handler: Handler) => {
    let reserved: string | undefined;
    let over = false;
    const reserve = (queue: string): boolean => {
      if (over || stopping() || !isFree(queue)) return false;
      occupy(queue, 1);
      reserved = queue;
      return true;
    };
    const work = runGuarded(options, handler, leases.hold(one), reserve).then((next) => {
      over = true; // a handler that was given up may still ask
      leases.drop(one);
      occupy(one.queue, -1);
      running.delete(work);
      const handlerOfNext = next && handlers.get(next.queue);
      if (handlerOfNext) start(next, handlerOfNext);
      else if (reserved !== undefined) occupy(reserved, -1);
      freed();
    });
    running.add(work);
  };
  return {
    demands,
    idle: async () => {
      while (running.size > 0) await Promise.all(running);
    },
    /** Claims what is due, up to the free places, and starts it. @returns when more may be due where a place is free. */
    take: async (): Promise<Milliseconds | undefined> => {
      const wanted = demands();
      if (wanted.length === 0) return undefined;
      const held = leases.held();
      const { claims, nextDue } = await claim(db.relaxed, wanted, {
        owner: workerId,
        now: shared.now(),
        lease: LEASE,
        held,
      });
      for (const one of claims) {
        const handler = handlers.get(one.queue);
        if (!handler) continue;
        telemetry.record('job_wait_duration_seconds', {}, Math.max(0, shared.now() - one.dueAt) / 1000);
        occupy(one.queue, 1);
        start(one, handler);
      }
      return nextDue;
    },
  };
}

/** Never rejects, and always ends: work that does not stop when told to is left behind, and can write nothing. */
async function runGuarded(
  options: RunnerOptions,
  handler: Handler,
  { claim: one, signal }: Lease,
  reserve: Reserve,
): Promise<Claim | undefined> {
  const { db, clock, shared, log } = options;
  const about = { jobId: one.id, queue: handler.queue };
  using limit = limited(clock, signal, handler.limit);
  const work = handler.run(one, limit.signal, reserve).catch(async (error: unknown) => {
    if (isLeaseLost(error)) return undefined; // somebody else has it: there is nothing to hand back
    log.error({ ...about, reason: describe(error) }, 'a job ended without a result');
    const pause = Math.min(PAUSE * 2 ** one.interruptions, PAUSE_MOST);
    const later = (shared.now() + pause) as Milliseconds;
    await handBack(db, [one], later, true).catch(() => {}); // else its lease runs out
    return undefined;
  });
  const done = new AbortController();
  const abandoned = clock.sleep((handler.limit + ABANDON_AFTER) as Milliseconds, done.signal).then(
    () => {
      log.error(about, 'a job did not stop when told to: given up');
      return undefined;
    },
    () => work,
  );
  const next = await Promise.race([work, abandoned]);
  done.abort(OVER);
  return next;
}
