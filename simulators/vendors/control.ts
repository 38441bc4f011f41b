/** What the vendors do not have: the switches and the window. Faults, the inbox, counters, liveness. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { isVendor, parsePlan, VENDORS } from '#simulators/faults.ts';
import { CHANNELS, isChannel } from '#simulators/inbox.ts';
import type { Stage } from '#simulators/stage.ts';

export function controlRoutes(app: FastifyInstance, stage: Stage): void {
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/stats', async () => stage.stats.snapshot());
  app.delete('/stats', async (_request, reply) => {
    stage.stats.reset();
    return reply.code(204).send();
  });
  inboxRoutes(app, stage);
  faultRoutes(app, stage);
}

function inboxRoutes(app: FastifyInstance, stage: Stage): void {
  app.get('/inbox', async (request, reply) => {
    const { channel, limit = '0' } = request.query as { channel?: string | string[]; limit?: string | string[] };
    if (typeof limit !== 'string' || !/^\d{1,6}$/.test(limit)) {
      return problem(reply, 400, `Cannot list ${JSON.stringify(limit)} messages: right would be a whole number`);
    }
    // None: all of them.
    const last = (messages: readonly unknown[]) => messages.slice(-Number(limit));
    if (channel === undefined) return last(stage.inbox.list());
    if (typeof channel === 'string' && isChannel(channel)) return last(stage.inbox.list(channel));
    return problem(reply, 400, `Cannot list the inbox of "${channel}": right would be ${CHANNELS.join(', ')}`);
  });
  app.delete('/inbox', async (_request, reply) => {
    stage.inbox.clear();
    return reply.code(204).send();
  });
}

function faultRoutes(app: FastifyInstance, stage: Stage): void {
  app.get('/faults', async () => stage.faults.snapshot());
  app.delete('/faults', async (_request, reply) => {
    stage.faults.clear();
    stage.log.info({}, 'All vendors are well again');
    return reply.code(204).send();
  });
  app.put<{ Params: { vendor: string } }>('/faults/:vendor', async (request, reply) => {
    const { vendor } = request.params;
    if (!isVendor(vendor)) return unknownVendor(reply, vendor);
    const parsed = parsePlan(vendor, request.body);
    if (parsed.kind === 'invalid') {
      const first = parsed.errors[0];
      const detail = `Cannot set faults for ${vendor}: ${first?.field} is ${first?.found}, right would be ${first?.right}`;
      return problem(reply, 400, detail, { errors: parsed.errors });
    }
    stage.faults.set(vendor, parsed.plan);
    stage.log.info({ vendor, plan: parsed.plan }, 'Vendor misbehaves from now on');
    return stage.faults.snapshot()[vendor];
  });
  app.delete<{ Params: { vendor: string } }>('/faults/:vendor', async (request, reply) => {
    const { vendor } = request.params;
    if (!isVendor(vendor)) return unknownVendor(reply, vendor);
    stage.faults.clear(vendor);
    return reply.code(204).send();
  });
}

function unknownVendor(reply: FastifyReply, name: string): FastifyReply {
  return problem(reply, 404, `Cannot find the vendor "${name}": right would be ${VENDORS.join(', ')}`);
}

/** RFC 9457. */
export function problem(reply: FastifyReply, status: number, detail: string, more: object = {}): FastifyReply {
  return reply
    .code(status)
    .type('application/problem+json')
    .send(JSON.stringify({ title: status === 404 ? 'Not found' : 'Bad request', status, detail, ...more }));
}
