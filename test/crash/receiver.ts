/** The uploader's own server, which is told when a document is at its end. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export type Receiver = AsyncDisposable & {
  readonly url: string;
  /** How often each document's end was told. */
  readonly told: ReadonlyMap<string, number>;
  /** Answers this much later. */
  setDelay(ms: number): void;
  /** Resolves with the document of the next post, when it has come and is not answered yet; undefined when none comes. */
  next(limit: number): Promise<string | undefined>;
};

export async function startReceiver(): Promise<Receiver> {
  const told = new Map<string, number>();
  const waiting = new Set<(documentId: string) => void>();
  let delay = 0;
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    for await (const piece of request) body += String(piece);
    const { id } = JSON.parse(body) as { id: string };
    told.set(id, (told.get(id) ?? 0) + 1);
    for (const tell of waiting) tell(id);
    await sleep(delay);
    response.writeHead(204).end();
  };
  const server = createServer((request, response) => {
    // A post whose sender was killed in the middle of it told nothing.
    take(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('Cannot listen for webhooks');
  return {
    url: `http://127.0.0.1:${address.port}/done`,
    told,
    setDelay: (ms) => {
      delay = ms;
    },
    next: async (limit) => {
      const { promise, resolve } = Promise.withResolvers<string>();
      waiting.add(resolve);
      const stop = new AbortController();
      const none = sleep(limit, undefined, { signal: stop.signal }).catch(() => undefined);
      try {
        return await Promise.race([promise, none]);
      } finally {
        stop.abort();
        waiting.delete(resolve);
      }
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
