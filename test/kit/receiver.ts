/** A server of somebody else's that we call: keeps what came, and answers as told. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type Received = {
  readonly at: number;
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
};
export type Reaction = (request: Received, response: ServerResponse) => void;
export type Receiver = AsyncDisposable & {
  readonly url: string;
  readonly received: readonly Received[];
  /** Replaces what it answers from now on. */
  react(reaction: Reaction): void;
  /** @throws when there are not that many in time. */
  until(count: number, limit?: number): Promise<readonly Received[]>;
};

const answerOk: Reaction = (_request, response) => void response.writeHead(200).end();

export async function startReceiver(first: Reaction = answerOk): Promise<Receiver> {
  let reaction = first;
  const received: Received[] = [];
  const server = createServer((incoming, response) => {
    const pieces: Buffer[] = [];
    incoming.on('data', (piece: Buffer) => pieces.push(piece));
    incoming.on('error', () => {});
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming;
      const request = { at: Date.now(), method, url, headers, body: Buffer.concat(pieces) };
      received.push(request);
      reaction(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    react: (next) => {
      reaction = next;
    },
    until: async (count, limit = 20_000) => {
      const begun = performance.now();
      while (received.length < count) {
        if (performance.now() - begun > limit) throw new Error(`${received.length} of ${count} came in ${limit} ms`);
        await sleep(10);
      }
      return received;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
