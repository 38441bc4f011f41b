/**
 * A server that listens before what it serves is there: whoever starts it knows at once that it is coming, and whoever
 * asks early waits for its answer.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { listenOn } from '#kernel/serve.ts';
import { HEADERS_LIMIT, REQUEST_LIMIT } from './limits.ts';

/** What a server of TLS shows and asks. */
export type Tls = {
  readonly cert: string;
  readonly key: string;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
};

export type EarlyServer = {
  readonly server: Server;
  readonly url: string;
  /** Fastify's `serverFactory`: what will answer. */
  adopt(handler: RequestListener): Server;
  /** It is ready: those who wait are answered, in their order. */
  open(): void;
  /** Takes nobody new; done when all are answered. */
  close(): Promise<void>;
};

/** Prometheus and Grafana ask with a few; more at once is a flood. */
const WAITING_MOST = 1_000;
/** Longer than any proxy keeps a connection that it may use again. */
const KEEP_ALIVE = 72_000;

/** @throws {Fault} `port_in_use`, `address_unusable`. */
export async function listenEarly(host: string, port: number, tls: Tls | undefined): Promise<EarlyServer> {
  // A missing Host header is refused by the app, with a body that says so.
  const options = { headersTimeout: HEADERS_LIMIT, requestTimeout: REQUEST_LIMIT, requireHostHeader: false };
  const server = tls === undefined ? createServer(options) : createSecureServer({ ...options, ...tls });
  server.keepAliveTimeout = KEEP_ALIVE;
  server.timeout = REQUEST_LIMIT;
  const waiting: [IncomingMessage, ServerResponse][] = [];
  const wait = (request: IncomingMessage, response: ServerResponse): void => {
    if (waiting.length < WAITING_MOST) waiting.push([request, response]);
    else response.writeHead(503, { 'retry-after': '1', connection: 'close' }).end();
  };
  server.on('request', wait);
  let answer: RequestListener | undefined;
  const listen = (at: { host: string; port: number }) =>
    new Promise<string>((resolve, reject) => {
      server.once('error', reject);
      server.listen(at, () => resolve(''));
    });
  const url = await listenOn({ listen, server }, host, port);
  server.removeAllListeners('error');
  return {
    server,
    url: tls === undefined ? url : url.replace(/^http:/, 'https:'),
    adopt: (handler) => {
      answer = handler;
      return server;
    },
    open: () => {
      if (answer === undefined) return;
      server.off('request', wait);
      server.on('request', answer);
      for (const [request, response] of waiting.splice(0)) answer(request, response);
    },
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      await closed;
    },
  };
}
