/** Performs a request's fate on one vendor's routes, and counts how each request ended. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Seconds } from '#kernel/units.ts';
import type { Fate, Garble, Vendor } from '#simulators/faults.ts';
import { pause, type Stage } from '#simulators/stage.ts';
import type { Outcome } from '#simulators/stats.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the vendor's documentation would call this call; a name in /stats and in a fault's `operation`. */
    operation?: string;
  }
}

export type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly type: string;
  readonly body: string;
};

export type Manners = {
  readonly vendor: Vendor;
  /** How this vendor words an error with this status. */
  refusal(status: number, retryAfter: Seconds | undefined): Answer;
  /** Valid JSON of the wrong shape, as this vendor might send on its worst day. */
  readonly wrongShape: Answer;
};

export const json = (status: number, body: unknown, headers?: Readonly<Record<string, string>>): Answer => ({
  status,
  type: 'application/json',
  body: JSON.stringify(body),
  ...(headers ? { headers } : {}),
});

export const text = (status: number, body: string, headers?: Readonly<Record<string, string>>): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body,
  ...(headers ? { headers } : {}),
});

export function give(reply: FastifyReply, answer: Answer): FastifyReply {
  return reply
    .code(answer.status)
    .headers(answer.headers ?? {})
    .type(answer.type)
    .send(answer.body);
}

const fates = new WeakMap<FastifyRequest, Fate>();
const operationOf = (request: FastifyRequest): string => request.routeOptions.config.operation ?? 'unknown';

/** Call it first inside the vendor's own plugin scope. */
export function misbehave(scope: FastifyInstance, stage: Stage, manners: Manners): void {
  const { vendor } = manners;
  scope.addHook('onRequest', async (request, reply) => {
    const operation = operationOf(request);
    const fate = stage.faults.decide(vendor, operation);
    fates.set(request, fate);
    switch (fate.kind) {
      case 'refused':
        stage.stats.count(vendor, operation, 'fault_refuse');
        reply.hijack();
        request.raw.socket.destroy();
        return reply;
      case 'hang':
        // The socket stays open and silent until the client gives up or the simulators close.
        stage.stats.count(vendor, operation, 'fault_hang');
        reply.hijack();
        request.raw.resume();
        return reply;
      case 'error':
        await pause(stage, fate.delay);
        return give(reply, withRetryAfter(manners.refusal(fate.status, fate.retryAfter), fate.retryAfter));
      case 'garbled':
        await pause(stage, fate.delay);
        return give(reply, nonsense(fate.how, manners));
      case 'served':
      case 'dropped':
        await pause(stage, fate.delay);
        return;
      default:
        return fate satisfies never;
    }
  });
  scope.addHook('onSend', async (request, reply, payload) => {
    const fate = fates.get(request);
    stage.stats.count(vendor, operationOf(request), outcomeOf(fate, reply.statusCode), reply.statusCode);
    // Whoever still waits while the simulators close is cut off, as a vanished vendor would: a 500 would be a lie.
    if (fate?.kind === 'dropped' || stage.closing.aborted) request.raw.socket.destroy();
    return payload;
  });
}

function outcomeOf(fate: Fate | undefined, status: number): Outcome {
  if (fate?.kind === 'error') return 'fault_error';
  if (fate?.kind === 'garbled') return 'fault_garble';
  if (fate?.kind === 'dropped') return 'fault_drop';
  if (status < 400) return 'answered';
  return status < 500 ? 'refused' : 'broken';
}

function withRetryAfter(answer: Answer, retryAfter: Seconds | undefined): Answer {
  if (retryAfter === undefined) return answer;
  return { ...answer, headers: { ...answer.headers, 'retry-after': String(retryAfter) } };
}

function nonsense(how: Garble, manners: Manners): Answer {
  switch (how) {
    case 'html':
      return {
        status: 200,
        type: 'text/html; charset=utf-8',
        body: '<!doctype html><title>Sign in</title><h1>Welcome to Hotel Wi-Fi</h1>',
      };
    case 'truncated':
      return { status: 200, type: 'application/json', body: '{"id":"x","data":[{"ind' };
    case 'shape':
      return manners.wrongShape;
    default:
      return how satisfies never;
  }
}

/** The token of `Authorization: Bearer …`; undefined when there is none. Any token will do. */
export function bearer(request: FastifyRequest): string | undefined {
  return /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
}
