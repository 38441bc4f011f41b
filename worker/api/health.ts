/** What machines ask all the time: alive, ready, metrics, and the API's own description. */

import { z } from 'zod';
import { EXPOSITION_TYPE, type Shown } from '#collector/exposition.ts';
import type { Telemetry } from '#collector/telemetry.ts';
import type { Db } from '#kernel/database.ts';
import { type Migration, pendingMigrations } from '#kernel/migrate.ts';
import type { App } from '#serving/app.ts';
import { healthSchema, readySchema } from './schemas.ts';

export type HealthRoutes = {
  readonly db: Db;
  readonly migrations: readonly Migration[];
  readonly telemetry: Telemetry;
  readonly shown: Shown;
  readonly circuits: () => Readonly<Record<string, string>>;
};

export type Readiness = z.infer<typeof readySchema>;

/** Asks the database and the migrations alone: a vendor's outage must not take the service out of the load balancer. */
export async function readiness(options: Omit<HealthRoutes, 'telemetry' | 'shown'>): Promise<Readiness> {
  const vendors = options.circuits();
  try {
    const pending = await pendingMigrations(options.db, options.migrations);
    if (pending > 0) return { status: 'not ready', database: 'migrations pending', vendors };
    return { status: 'ready', database: 'ok', vendors };
  } catch {
    return { status: 'not ready', database: 'unavailable', vendors };
  }
}

export function healthRoutes(app: App, options: HealthRoutes): void {
  const tags = ['operation'];
  const text = (type: string) => ({ 200: { description: 'OK', content: { [type]: { schema: z.string() } } } });
  app.get(
    '/healthz',
    { schema: { tags, summary: 'The process lives', security: [], response: { 200: healthSchema } } },
    async () => ({ status: 'ok' }) as const,
  );
  app.get(
    '/readyz',
    {
      schema: {
        tags,
        summary: 'The database answers and is up to date',
        security: [],
        response: { 200: readySchema, 503: readySchema },
      },
    },
    async (_request, reply) => {
      const state = await readiness(options);
      return reply.code(state.status === 'ready' ? 200 : 503).send(state);
    },
  );
  app.get(
    '/metrics',
    { schema: { tags, summary: 'Metrics as Prometheus text', security: [], response: text('text/plain') } },
    async (_request, reply) => {
      const exposition = await options.telemetry.exposition(options.shown);
      return reply
        .type(EXPOSITION_TYPE)
        .serializer((body: unknown) => String(body))
        .send(exposition);
    },
  );
  app.get(
    '/openapi.json',
    {
      schema: {
        tags,
        summary: 'This description',
        security: [],
        response: { 200: z.record(z.string(), z.unknown()) },
      },
    },
    async () => app.swagger() as unknown as Record<string, unknown>,
  );
}
