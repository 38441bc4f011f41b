/**
 * How long would a document wait that came now? Judged by the work that is there and the speed it is done at when nothing
 * hinders it: an outage of a vendor is not counted, since the durable queue is there to absorb it.
 */
import type { Queryable } from '#kernel/database.ts';
import type { SharedClock } from '#kernel/shared-clock.ts';
import { type Milliseconds, milliseconds, minutes, type Seconds, seconds, toMilliseconds } from '#kernel/units.ts';
import { countUnfinished } from './rows/documents.ts';
import { listWorkers, type WorkerRow } from './rows/workers.ts';

export const WAIT_MOST = minutes(15);
/** However fast the workers are: what one database should hold of unfinished documents. */
export const UNFINISHED_MOST = 100_000;
export const WORKER_SEEN_WITHIN = milliseconds(10_000);
/** Before a worker has measured anything. */
const SERVICE_GUESS = seconds(1);

export type Load = { readonly unfinished: number; readonly wait: Seconds; readonly overloaded: boolean };

/**
 * Little's law the other way round: the work in the system divided by the places that do it. With no worker alive the wait
 * is unknown; the document is kept all the same, and the missing worker is a page of its own.
 */
export function estimateLoad(unfinished: number, workers: readonly WorkerRow[]): Load {
  const rate = workers.reduce((sum, { slots, serviceSeconds }) => {
    return sum + slots / (serviceSeconds > 0 ? serviceSeconds : SERVICE_GUESS);
  }, 0);
  const wait = seconds(rate === 0 ? 0 : unfinished / rate);
  return { unfinished, wait, overloaded: wait > WAIT_MOST || unfinished >= UNFINISHED_MOST };
}

export async function readLoad(q: Queryable, shared: SharedClock): Promise<Load> {
  const counts = await countUnfinished(q);
  const unfinished = counts.reduce((sum, { count }) => sum + count, 0);
  const since = (shared.now() - WORKER_SEEN_WITHIN) as Milliseconds;
  return estimateLoad(unfinished, await listWorkers(q, since));
}

/** Beside the quarter of an hour that an upload will wait it is little; sooner, the refusals cost what the documents need. */
const COME_BACK_LEAST = seconds(30);
const COME_BACK_MOST = seconds(300);

/** When an overloaded service will have room again, roughly: what is over the limit must first be done. */
export const comeBackAfter = ({ wait }: Load): Milliseconds =>
  toMilliseconds(seconds(Math.min(COME_BACK_MOST, Math.max(COME_BACK_LEAST, wait - WAIT_MOST))));

/** Whoever waits for so long need not ask more often than at half of it. */
const ASK_AGAIN_LEAST = seconds(2);
const ASK_AGAIN_MOST = seconds(30);

/**
 * When to ask again for a document that came `age` ago; undefined: as often as one likes. Under load everybody's questions
 * would otherwise take the very time that their documents need.
 */
export function askAgainAfter({ wait }: Load, age: Milliseconds): Milliseconds | undefined {
  const half = (wait - age / 1_000) / 2;
  return half < ASK_AGAIN_LEAST ? undefined : toMilliseconds(seconds(Math.min(ASK_AGAIN_MOST, half)));
}
