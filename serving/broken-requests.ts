/**
 * Requests that never reach a route: bytes that are no HTTP, headers over Node's limit, a sender that is too slow, an
 * address that cannot be decoded. They are answered by problem documents too, so that a client has one form to read.
 */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isCorrelationId } from '#collector/context.ts';
import type { Clock } from '#kernel/clock.ts';
import { type Random, uuidv7 } from '#kernel/random.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { PROBLEM_TYPE, PROBLEMS, problemBody, type Refusal, refuse, sendProblem } from './problems.ts';

type Sources = { readonly clock: Clock; readonly random: Random };
type ParserError = Error & { readonly code?: string; readonly reason?: string };
/** Node keeps the answer that a connection is busy with here; its own handler looks at it the same way. */
type Busy = Socket & { readonly _httpMessage?: { readonly headersSent: boolean } | null };

/** Fastify's `clientErrorHandler`. */
export function onBrokenConnection({ clock, random }: Sources) {
  return (error: ParserError, socket: Socket): void => {
    const answering = (socket as Busy)._httpMessage?.headersSent === true;
    if (error.code === 'ECONNRESET' || !socket.writable || answering) return void socket.destroy();
    const correlationId = uuidv7(clock.now(), random);
    const refusal = parserRefusal(error);
    const body = JSON.stringify(problemBody(refusal, correlationId));
    const { status } = PROBLEMS[refusal.problem];
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      `content-type: ${PROBLEM_TYPE}`,
      `content-length: ${Buffer.byteLength(body)}`,
      `x-correlation-id: ${correlationId}`,
      'x-content-type-options: nosniff',
      'cache-control: no-store',
      'connection: close',
    ];
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
  };
}

function parserRefusal({ code, reason, message }: ParserError): Refusal {
  if (code === 'HPE_HEADER_OVERFLOW') {
    return refuse('headers_too_large', 'Headers and address together may have 16 KiB');
  }
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return refuse('timeout', 'The request was not complete in time: send it faster, or less at once');
  }
  return refuse('bad_request', `This is not an HTTP/1.1 request: ${(reason ?? message).slice(0, 200)}`);
}

/** Fastify's `frameworkErrors`: before any hook has run, so the correlation ID is given here. */
export function onBrokenAddress({ clock, random }: Sources) {
  return (error: { code: string }, request: FastifyRequest, reply: FastifyReply): void => {
    const wished = request.headers['x-correlation-id'];
    request.correlationId = isCorrelationId(wished) ? wished : uuidv7(clock.now(), random);
    reply.header('x-correlation-id', request.correlationId).header('x-content-type-options', 'nosniff');
    const refusal =
      error.code === 'FST_ERR_MAX_PARAM_LENGTH'
        ? refuse('uri_too_long', 'A part of the address is too long to be an id')
        : refuse('bad_request', 'The address cannot be decoded: "%" must be followed by two hexadecimal digits');
    sendProblem(request, reply, refusal);
  };
}

type Hooks = {
  addHook(name: 'onSend', hook: (request: FastifyRequest, reply: FastifyReply) => Promise<void>): void;
  addHook(name: 'onResponse', hook: (request: FastifyRequest) => Promise<void>): void;
};

/** How long a body that nobody wants is still read, so that its sender comes to read why. */
const DRAIN_LIMIT = milliseconds(10_000);

/**
 * An answer that comes before the end of the body (too large, no right, a wrong part) leaves a sender that still sends.
 * Closing at once would make it see a broken connection instead of the answer; reading for ever would let it hold the
 * connection. So the rest is thrown away, for a while.
 */
export function drainUnread(app: Hooks, clock: Clock, limit: Milliseconds = DRAIN_LIMIT): void {
  // Fastify would close the connection of whoever sends too much in the middle of it.
  app.addHook('onSend', async ({ raw }, reply) => {
    if (!raw.complete) reply.removeHeader('connection');
  });
  app.addHook('onResponse', async ({ raw }) => {
    if (raw.complete || raw.destroyed) return;
    const over = new AbortController();
    raw.once('close', () => over.abort());
    raw.on('error', () => {});
    // Whoever began to read it may have stopped in the middle, and holds it back.
    raw.unpipe();
    raw.resume();
    clock.sleep(limit, over.signal).then(
      () => raw.socket.destroy(),
      () => {},
    );
  });
}
