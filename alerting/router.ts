/**
 * The router's loops: one that decides what falls due, some that send. Both sleep until the next time that stands in the
 * store, so a wait of a second is a second, and whatever is decided wakes them. A hint from another router is only a hint:
 * the store is asked once a second anyway.
 */
import type { Clock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import { describe } from '#kernel/errors.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { Alert } from './alert.ts';
import { type Answer, answer } from './answer.ts';
import { claimOne, type Deliverer, deliver } from './delivery.ts';
import { gather } from './gather.ts';
import { flushOne } from './groups.ts';
import { type Heard, hear, type Inbound } from './inbound.ts';
import { escalateOne } from './incidents.ts';
import { receive } from './intake.ts';
import type { Incident } from './store.ts';

const POLL = milliseconds(1_000);
/** After the store failed. */
const PAUSE = milliseconds(500);
/** Alerts that are stored in one transaction, and such transactions at once. */
const TOGETHER_MOST = 512;
const LANES = 2;
/** The second goes with no less: each costs the same journeys and a commit. Measured: a seventh less CPU. */
const WORTH = 128;
/** Messages under way at once. */
const PLACES = 16;
export const DUE_CHANNEL = 'alerting_due';

export type RouterOptions = Deliverer & {
  readonly clock: Clock;
  /** Other routers on the same database are told by it, and tell. */
  readonly db: Db | undefined;
};

export interface Router {
  /** Durable when it resolves. */
  receive(alerts: readonly Alert[]): Promise<void>;
  answer(incidentId: string, given: Answer): Promise<Incident | undefined>;
  /** Somebody did something elsewhere. Durable when it resolves. */
  hear(event: Inbound): Promise<Heard>;
  /** Something may be due now. */
  wake(): void;
  /** Steady time at which what was due was last looked for, without a failure; at first, when it was made. */
  wentRound(): Milliseconds;
  run(signal: AbortSignal): Promise<void>;
}

export function makeRouter(options: RouterOptions): Router {
  const { clock, db } = options;
  const deciding = makeBell(clock, options.now);
  const sending = makeBell(clock, options.now);
  const wake = () => {
    deciding.ring();
    sending.ring();
  };
  let round = clock.steady();
  const tellOthers = async () => {
    // On PGlite there are no others.
    if (db?.engine === 'postgres') await db.query(`select pg_notify('${DUE_CHANNEL}', '')`).catch(() => {});
  };
  const decide = async (): Promise<boolean> => {
    // One of each: in a storm some group is always due, and nobody's next step waits for its end.
    const flushed = await flushOne(options);
    const escalated = await escalateOne(options);
    round = clock.steady();
    if (!flushed && !escalated) return false;
    sending.ring();
    return true;
  };
  const sender = makeSender(options, wake);
  const enter = gather<Alert>(
    async (alerts) => {
      const at = await receive(options.store, options.setup(), alerts, options.now());
      if (at === undefined) return;
      deciding.ringBefore(at);
      // Another router holds what it is asked for by itself within a poll.
      if (at <= options.now() + POLL) await tellOthers();
    },
    TOGETHER_MOST,
    db?.engine === 'postgres' ? LANES : 1,
    WORTH,
  );
  return {
    wake,
    wentRound: () => round,
    receive: async (alerts) => {
      if (alerts.length > 0) await enter(alerts);
    },
    answer: async (incidentId, given) => {
      const incident = await answer(options, incidentId, given);
      wake();
      return incident;
    },
    hear: async (event) => {
      const heard = await hear(options, event);
      if (heard.outcome === 'taken') wake();
      return heard;
    },
    run: async (signal) => {
      const unlisten = db === undefined ? undefined : await db.listen(DUE_CHANNEL, wake).catch(() => undefined);
      await Promise.all([
        repeat(options, 'decide', deciding, decide, signal),
        repeat(options, 'send', sending, () => sender.next(signal), signal),
      ]);
      await sender.done();
      await unlisten?.();
    },
  };
}

/** Works as long as there is work, and sleeps until there is. */
async function repeat(
  { clock, log, store, now }: RouterOptions,
  name: string,
  bell: Bell,
  work: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const heard = bell.count();
    try {
      if (await work()) continue;
      const due = await store.nextDue();
      const wait = due === undefined ? POLL : Math.max(1, Math.min(POLL, due - now()));
      await bell.wait(heard, wait as Milliseconds, signal);
    } catch (error) {
      if (signal.aborted) break;
      log.warn({ reason: describe(error) }, `cannot ${name}`);
      await clock.sleep(PAUSE, signal).catch(() => {});
    }
  }
}

/** As many messages at once as there are places; what is slow holds its own place only. */
function makeSender(options: RouterOptions, wake: () => void) {
  const underWay = new Set<Promise<void>>();
  return {
    done: () => Promise.all(underWay),
    next: async (signal: AbortSignal): Promise<boolean> => {
      if (underWay.size >= PLACES) await Promise.race(underWay);
      const claimed = await claimOne(options);
      if (claimed === undefined) return false;
      const sent = deliver(options, claimed, signal)
        // What waited behind it may go now, and a refusal may have brought the next step forward.
        .then(wake, (error: unknown) => {
          // Its claim runs out: it is sent again, marked as what it may be, a repeat.
          options.log.error({ notification: claimed.id, reason: describe(error) }, 'cannot mark what was sent');
        })
        .finally(() => underWay.delete(sent));
      underWay.add(sent);
      return true;
    },
  };
}

/** A bell that is not missed by whoever was busy when it rang. */
type Bell = {
  ring(): void;
  /** Only if whoever sleeps would sleep longer than that. */
  ringBefore(at: Milliseconds): void;
  count(): number;
  /** Until it rings, or rang since `heard`, or the time is over. */
  wait(heard: number, most: Milliseconds, signal: AbortSignal): Promise<void>;
};

function makeBell(clock: Clock, now: () => Milliseconds): Bell {
  let rings = 0;
  let ringing = new AbortController();
  let sleepsUntil: number | undefined;
  const ring = () => {
    rings++;
    ringing.abort();
  };
  return {
    ring,
    // Nobody sleeps: whoever works looks for what is due before sleeping.
    ringBefore: (at) => {
      if (sleepsUntil === undefined) rings++;
      else if (at < sleepsUntil) ring();
    },
    count: () => rings,
    wait: async (heard, most, signal) => {
      if (heard !== rings) return;
      if (ringing.signal.aborted) ringing = new AbortController();
      sleepsUntil = now() + most;
      await clock.sleep(most, AbortSignal.any([signal, ringing.signal])).catch(() => {});
      sleepsUntil = undefined;
    },
  };
}
