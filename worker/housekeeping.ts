/**
 * What a worker does beside jobs: proves that it lives, finds what is nowhere, and clears up. Every worker does all of it;
 * each statement is safe to run in several places at once.
 */

import type { Clock } from '#kernel/clock.ts';
import { describe } from '#kernel/errors.ts';
import type { Log } from '#kernel/log.ts';
import { days, hours, type Milliseconds, milliseconds, type Seconds, toMilliseconds } from '#kernel/units.ts';
import { documentKey, isUnfinished, STEP_OF } from './document.ts';
import { dropOrphans, enqueue, trimHistory, vacuumHotTables } from './queue.ts';
import { sweepContents } from './rows/contents.ts';
import { addTimeline, findForgotten } from './rows/documents.ts';
import { closeAbandoned, uploadedJob } from './rows/vendor-calls.ts';
import { touchWorker } from './rows/workers.ts';
import type { Surroundings } from './surroundings.ts';

const TOUCH_EVERY = milliseconds(2_000);
const REAP_EVERY = milliseconds(10_000);
const VACUUM_EVERY = milliseconds(15_000);
const SWEEP_EVERY = milliseconds(10 * 60_000);
/** A transition is one transaction, so a document without a job is a fault at any moment; the pause spares the database. */
const FORGOTTEN_AFTER = milliseconds(5_000);
const FORGOTTEN_AT_ONCE = 100;
const ABANDONED_UPLOAD = toMilliseconds(hours(1));
/** Far longer than a call may take. */
const ABANDONED_CALL = milliseconds(15 * 60_000);
const HISTORY = toMilliseconds(days(7));

export type HousekeepingOptions = Surroundings & {
  readonly workerId: string;
  readonly places: number;
  readonly serviceSeconds: () => Seconds;
};

export async function keepHouse(options: HousekeepingOptions, signal: AbortSignal): Promise<void> {
  const { db, shared, workerId, places } = options;
  const startedAt = shared.now();
  const touch = async () => {
    await shared.sync();
    const serviceSeconds = options.serviceSeconds();
    await touchWorker(db.relaxed, { id: workerId, startedAt, lastSeen: shared.now(), slots: places, serviceSeconds });
  };
  const sweep = async () => {
    await sweepContents(db, (shared.now() - ABANDONED_UPLOAD) as Milliseconds);
    await closeAbandoned(db, (shared.now() - ABANDONED_CALL) as Milliseconds);
    await trimHistory(db, (shared.now() - HISTORY) as Milliseconds);
  };
  await Promise.all([
    every(options, TOUCH_EVERY, signal, 'worker heartbeat', touch),
    every(options, REAP_EVERY, signal, 'reaper', () => reap(options)),
    every(options, VACUUM_EVERY, signal, 'vacuum', () => vacuumHotTables(db)),
    every(options, SWEEP_EVERY, signal, 'sweep', sweep),
  ]);
}

/** Gives a job to every unfinished document that has none, and takes away jobs that lead nowhere. */
export async function reap({ db, shared, log, telemetry }: HousekeepingOptions): Promise<number> {
  const now = shared.now();
  const forgotten = await findForgotten(db, (now - FORGOTTEN_AFTER) as Milliseconds, FORGOTTEN_AT_ONCE);
  for (const document of forgotten) {
    if (!isUnfinished(document.status)) continue;
    const step = STEP_OF[document.status];
    const because = 'had no job: found by the reaper and taken up again';
    await db.tx(async (q) => {
      const payload = step === 'parse' ? await uploadedJob(q, document.id) : {};
      const job = { queue: step, key: documentKey(document.id), documentId: document.id, payload, availableAt: now };
      if ((await enqueue(q, [job], now)) === 0) return;
      const { status, attempts } = document;
      await addTimeline(q, document.id, { at: now, from: status, to: status, attempt: attempts, because });
    });
    telemetry.count('jobs_reclaimed_total', { reason: 'job_missing' });
    log.error({ documentId: document.id, status: document.status }, 'an unfinished document had no job');
  }
  const orphans = await dropOrphans(db);
  if (orphans > 0) log.warn({ count: orphans }, 'jobs of finished documents were removed');
  return forgotten.length;
}

/** Runs `work` now and then every `span`; its failure is told and changes nothing. */
export async function every(
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  span: Milliseconds,
  signal: AbortSignal,
  name: string,
  work: () => Promise<unknown>,
): Promise<void> {
  while (!signal.aborted) {
    await work().catch((error: unknown) => {
      if (!signal.aborted) log.warn({ reason: describe(error) }, `${name} failed`);
    });
    await clock.sleep(span, signal).catch(() => {});
  }
}
