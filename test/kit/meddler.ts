/** Stands between a client and the document API, and lies about single requests: what a lost document looks like from outside. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type Meddling = {
  /** This upload (from 1) is answered 202, and nobody hears of it. */
  readonly swallowed?: number;
  /** This upload is taken, and its client is told 400. */
  readonly denied?: number;
  /** Answers to GET are so many milliseconds late. */
  readonly lateMs?: number;
  /** No answer has this header. */
  readonly drops?: string;
  /** Each so-many-eth GET (from 1) is answered 503. */
  readonly failing?: number;
  /** Whoever shows a key is let in, whatever the key. */
  readonly trusting?: boolean;
};
export type Meddler = AsyncDisposable & { readonly url: string; readonly invented: readonly string[] };

export async function startMeddler(
  api: string,
  { swallowed, denied, lateMs = 0, drops = '', failing = 0, trusting = false }: Meddling,
): Promise<Meddler> {
  const target = new URL(api);
  const invented: string[] = [];
  let [uploads, reads] = [0, 0];
  const pass = (incoming: IncomingMessage, outgoing: ServerResponse, status?: number) => {
    const { method, url } = incoming;
    const { authorization, ...rest } = incoming.headers;
    const headers = trusting || authorization === undefined ? rest : { ...rest, authorization };
    const onward = request({ host: target.hostname, port: target.port, method, path: url, headers }, (answer) => {
      const { [drops]: _dropped, ...kept } = answer.headers;
      outgoing.writeHead(status ?? answer.statusCode ?? 502, kept);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    // A body that was promised and never came must not be waited for.
    outgoing.on('close', () => incoming.complete || onward.destroy());
    incoming.pipe(onward);
  };
  const server = createServer(async (incoming, outgoing) => {
    if (incoming.method === 'GET') {
      if (++reads % failing === 0) return void outgoing.writeHead(503).end();
      await sleep(lateMs);
    }
    if (incoming.method !== 'POST' || incoming.url !== '/v1/documents') return pass(incoming, outgoing);
    uploads++;
    if (uploads === denied) return pass(incoming, outgoing, 400);
    if (uploads !== swallowed) return pass(incoming, outgoing);
    const id = randomUUID();
    invented.push(id);
    incoming.resume();
    incoming.on('end', () => {
      outgoing.writeHead(202, { 'content-type': 'application/json' });
      outgoing.end(JSON.stringify({ id, status: 'queued', correlationId: 'none' }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    invented,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
