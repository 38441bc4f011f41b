/** How it goes just now, for whoever looks at it all the time: the console, `burnline top`. */
import { z } from 'zod';
import type { Db } from '#kernel/database.ts';
import type { SharedClock } from '#kernel/shared-clock.ts';
import { milliseconds } from '#kernel/units.ts';
import { type App, authorised } from '#serving/app.ts';
import { problems } from '#serving/problems.ts';
import { WORKER_SEEN_WITHIN } from '#worker/load.ts';
import { countUnfinished, oldestOf } from '#worker/rows/documents.ts';
import { countFinished, vendorPulses } from '#worker/rows/pulse.ts';
import { listWorkers } from '#worker/rows/workers.ts';

export type PulseRoutes = {
  readonly db: Db;
  readonly shared: SharedClock;
  readonly circuits: () => Readonly<Record<string, string>>;
};

/** Long enough for a rate, short enough for now. */
const LATELY = milliseconds(300_000);

const count = z.int().min(0);
export const pulseSchema = z
  .object({
    at: z.iso.datetime(),
    seconds: z.number().describe('how long "lately" is: what is counted below began or ended within it'),
    finished: z.object({ completed: count, rejected: count, failed: count }).describe('of your tenant, lately'),
    unfinished: z.record(z.string(), count).describe('by status, of all tenants'),
    oldestUnfinishedSeconds: z.number().nullable(),
    workers: z.array(z.object({ id: z.string(), lastSeen: z.iso.datetime(), alive: z.boolean() })),
    vendors: z.array(
      z.object({
        vendor: z.string(),
        calls: count,
        failed: count,
        p95Seconds: z.number().nullable(),
        costUsd: z.number(),
      }),
    ),
    circuits: z.record(z.string(), z.string()).describe('as the process sees them that was asked'),
  })
  .meta({ id: 'Pulse' });

/** A worker that was gone for longer is of no interest. */
const REMEMBERED = milliseconds(3_600_000);

export function pulseRoutes(app: App, { db, shared, circuits }: PulseRoutes): void {
  app.get(
    '/v1/pulse',
    {
      onRequest: authorised('documents:read'),
      schema: {
        tags: ['operation'],
        summary: 'What ended lately, what waits, who works, how the vendors answer',
        response: { 200: pulseSchema, ...problems() },
      },
    },
    async ({ principal: { tenant } }) => {
      const now = shared.now();
      const since = milliseconds(now - LATELY);
      const finished = new Map((await countFinished(db, tenant, since)).map((one) => [one.outcome, one.count]));
      const unfinished = await countUnfinished(db);
      const oldest = oldestOf(unfinished);
      const workers = await listWorkers(db, milliseconds(now - REMEMBERED));
      return {
        at: new Date(now).toISOString(),
        seconds: LATELY / 1_000,
        finished: {
          completed: finished.get('completed') ?? 0,
          rejected: finished.get('rejected') ?? 0,
          failed: finished.get('failed') ?? 0,
        },
        unfinished: Object.fromEntries(unfinished.map(({ status, count }) => [status, count])),
        oldestUnfinishedSeconds: oldest === undefined ? null : Math.max(0, (now - oldest) / 1_000),
        workers: workers.map(({ id, lastSeen }) => ({
          id,
          lastSeen: new Date(lastSeen).toISOString(),
          alive: now - lastSeen <= WORKER_SEEN_WITHIN,
        })),
        vendors: (await vendorPulses(db, tenant, since)).map(({ p95, ...one }) => ({
          ...one,
          p95Seconds: p95 === null ? null : p95 / 1_000,
        })),
        circuits: { ...circuits() },
      };
    },
  );
}
