/**
 * Large bodies, or such as do not say how large they are, one or two at a time: while they are read and taken apart each is
 * a multiple of its size in memory. The others wait unread, and come back later when that takes long.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '#kernel/clock.ts';
import { mebibytes, milliseconds } from '#kernel/units.ts';
import { refuse } from '#serving/problems.ts';

/** Far above what Prometheus sends at once. */
const HEAVY = mebibytes(2);
const AT_ONCE = 2;
const WAITING_MOST = 100;
const PATIENCE = milliseconds(10_000);
const AGAIN_AFTER = milliseconds(5_000);

export function holdBack(clock: Clock): (request: FastifyRequest, reply: FastifyReply) => Promise<void> {
  let inside = 0;
  const waiting = new Set<() => void>();
  /** The place goes to whoever waits longest. */
  const leave = (): void => {
    const [next] = waiting;
    if (next === undefined) inside--;
    else next();
  };
  return async ({ headers }, reply) => {
    const size = headers['content-length'];
    if (size !== undefined && Number(size) <= HEAVY) return;
    if (inside < AT_ONCE) inside++;
    else await turn(clock, waiting);
    // Who went while waiting will not go again.
    if (reply.raw.destroyed) leave();
    else reply.raw.once('close', leave);
  };
}

/** @throws {Refusal} when it takes long. */
async function turn(clock: Clock, waiting: Set<() => void>): Promise<void> {
  const busy = refuse('unavailable', 'Other large bodies are being read', { retryAfter: AGAIN_AFTER });
  if (waiting.size >= WAITING_MOST) throw busy;
  const called = new AbortController();
  const call = (): void => {
    waiting.delete(call);
    called.abort();
  };
  waiting.add(call);
  await clock.sleep(PATIENCE, called.signal).catch(() => {});
  waiting.delete(call);
  if (!called.signal.aborted) throw busy;
}
