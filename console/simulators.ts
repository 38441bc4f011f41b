/** The vendors' simulators under `npm start`: what they received, and switches to break one. Elsewhere there is nothing here. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { audit } from '#access/audit.ts';
import type { Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { type App, authorised } from '#serving/app.ts';
import { type Doer, deedOf } from '#serving/deed.ts';
import { problems } from '#serving/problems.ts';
import { askUpstream, type Upstream } from './upstream.ts';

export type SimulatorRoutes = {
  readonly simulators: Upstream | undefined;
  readonly db: Queryable;
  readonly now: () => Milliseconds;
};

const messageSchema = z
  .object({
    at: z.string(),
    channel: z.string(),
    target: z.string().describe('where it was sent: a webhook’s path, a routing key, recipients'),
    effect: z.string().optional().describe('of PagerDuty: what the event did'),
    body: z.unknown(),
  })
  .meta({ id: 'SimulatedMessage' });
export type SimulatedMessage = z.infer<typeof messageSchema>;
const plan = z.record(z.string(), z.unknown());
const faultsSchema = z
  .record(z.string(), plan.nullable())
  .describe('by vendor: how it misbehaves; docs/simulators.md has the plans')
  .meta({ id: 'SimulatedFaults' });
export type SimulatedFaults = z.infer<typeof faultsSchema>;

const inboxQuery = z.strictObject({
  channel: z.enum(['slack', 'pagerduty', 'email']).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});
const vendor = z.object({ vendor: z.string().regex(/^[a-z]{1,40}$/) });
const tags = ['simulators'];

export function simulatorRoutes(app: App, prefix: string, routes: SimulatorRoutes): void {
  const { simulators } = routes;
  if (simulators === undefined) return;
  const path = `${prefix}/api/v1/simulators`;
  const ask = async <T>(
    { correlationId }: FastifyRequest,
    at: string,
    schema: z.ZodType<T>,
    method: 'GET' | 'PUT' | 'DELETE' = 'GET',
    body?: unknown,
  ): Promise<T> => await askUpstream(simulators, at, { method, schema, correlationId, body });
  app.get(
    `${path}/inbox`,
    {
      onRequest: authorised('incidents:read'),
      schema: {
        tags,
        querystring: inboxQuery,
        summary: 'What reached people, the last of it, newest last',
        response: { 200: z.array(messageSchema), ...problems() },
      },
    },
    async (request) => {
      const { channel, limit } = request.query;
      const query = new URLSearchParams({ limit: String(limit), ...(channel === undefined ? {} : { channel }) });
      return await ask(request, `/inbox?${query}`, z.array(messageSchema));
    },
  );
  app.get(
    `${path}/faults`,
    {
      onRequest: authorised('incidents:read'),
      schema: { tags, summary: 'Which vendor misbehaves, and how', response: { 200: faultsSchema, ...problems() } },
    },
    async (request) => await ask(request, '/faults', faultsSchema),
  );
  changeRoutes(app, path, routes, ask);
}

type AskSimulators = <T>(
  request: FastifyRequest,
  at: string,
  schema: z.ZodType<T>,
  method: 'PUT' | 'DELETE',
  body?: unknown,
) => Promise<T>;

function changeRoutes(app: App, path: string, { db, now }: SimulatorRoutes, ask: AskSimulators): void {
  const onRequest = authorised('router:configure');
  const record = async (doer: Doer, action: string, target: string) =>
    await audit(db, deedOf(doer, action, target, now()));
  app.put(
    `${path}/faults/:vendor`,
    {
      onRequest,
      schema: {
        tags,
        params: vendor,
        body: plan,
        summary: 'Breaks a vendor from now on',
        response: { 200: plan, ...problems('not_found', 'too_large', 'unsupported_media_type', 'uri_too_long') },
      },
    },
    async (request) => {
      const { vendor: name } = request.params;
      const set = await ask(request, `/faults/${name}`, plan, 'PUT', request.body);
      await record(request, 'simulators:break', name);
      return set;
    },
  );
  const endings: readonly [at: string, summary: string, action: string][] = [
    ['/faults', 'All vendors are well again', 'simulators:mend'],
    ['/inbox', 'Empties the inbox', 'simulators:empty'],
  ];
  for (const [at, summary, action] of endings) {
    app.delete(
      `${path}${at}`,
      { onRequest, schema: { tags, summary, response: { 204: z.null(), ...problems() } } },
      async (request, reply) => {
        await ask(request, at, z.null(), 'DELETE');
        await record(request, action, 'all');
        return await reply.code(204).send(null);
      },
    );
  }
  app.delete(
    `${path}/faults/:vendor`,
    {
      onRequest,
      schema: {
        tags,
        params: vendor,
        summary: 'One vendor is well again',
        response: { 204: z.null(), ...problems('not_found', 'uri_too_long') },
      },
    },
    async (request, reply) => {
      const { vendor: name } = request.params;
      await ask(request, `/faults/${name}`, z.null(), 'DELETE');
      await record(request, 'simulators:mend', name);
      return await reply.code(204).send(null);
    },
  );
}
