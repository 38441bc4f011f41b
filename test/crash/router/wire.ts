/**
 * A wire between a router and its Postgres that reads both sides: PostgreSQL's protocol 3.0, as far as statements and the
 * ends of their answers go. When the awaited step is reached the process is killed and nothing more is passed on.
 * Source: https://www.postgresql.org/docs/18/protocol-message-formats.html
 */
import { connect, createServer, type Socket } from 'node:net';
import { makeTrail } from './steps.ts';

export type Wire = AsyncDisposable & { readonly url: string };

type Message = { readonly type: string; readonly body: Buffer };

/** Cuts a stream into messages: a letter, a length that counts itself, a body. The first of a client has no letter. */
function makeCutter(startup: boolean) {
  let rest: Buffer = Buffer.alloc(0);
  let first = startup;
  return function* (data: Buffer): Generator<Message & { raw: Buffer }> {
    rest = rest.length === 0 ? data : Buffer.concat([rest, data]);
    for (;;) {
      const head = first ? 0 : 1;
      if (rest.length < head + 4) return;
      const size = head + rest.readInt32BE(head);
      if (rest.length < size) return;
      const raw = rest.subarray(0, size);
      rest = rest.subarray(size);
      yield { type: first ? 'startup' : String.fromCharCode(raw[0] ?? 0), body: raw.subarray(head + 4), raw };
      first = false;
    }
  };
}

function strings(body: Buffer): string[] {
  return body.toString('utf8').split('\0');
}

/** @param reached kills the process; called before anything more of this connection is passed on. */
export async function startWire(
  databaseUrl: string,
  awaited: () => string | undefined,
  reached: () => void,
): Promise<Wire> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    const cut = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay();
      socket.on('error', cut);
      socket.on('close', () => {
        sockets.delete(socket);
        cut();
      });
    }
    const reader = makeReader(awaited);
    client.on('data', (data) => pass(data, reader.asked, upstream));
    upstream.on('data', (data) => pass(data, reader.answered, client));
    function pass(data: Buffer, read: (data: Buffer) => Iterable<Buffer | 'reached'>, to: Socket): void {
      for (const piece of read(data)) {
        if (to.destroyed) return;
        if (piece === 'reached') {
          reached();
          cut();
          return;
        }
        to.write(piece);
      }
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('Cannot listen for a router');
  const url = new URL(databaseUrl);
  url.port = String(address.port);
  return {
    url: url.href,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Both directions of one connection. */
function makeReader(awaited: () => string | undefined) {
  const trail = makeTrail(awaited);
  const prepared = new Map<string, string>();
  const clients = makeCutter(true);
  const servers = makeCutter(false);
  let rows = 0;
  let isReady = false;
  return {
    asked: function* (data: Buffer): Generator<Buffer | 'reached'> {
      for (const { type, body, raw } of clients(data)) {
        if (type === 'P') {
          const [name = '', text = ''] = strings(body);
          prepared.set(name, text);
        }
        const text = type === 'Q' ? strings(body)[0] : type === 'B' ? prepared.get(strings(body)[1] ?? '') : undefined;
        if (text !== undefined && trail.asked(text)) yield 'reached';
        yield raw;
      }
    },
    answered: function* (data: Buffer): Generator<Buffer | 'reached'> {
      for (const { type, body, raw } of servers(data)) {
        if (type === 'C') rows = Number(/(\d+)\0$/.exec(body.toString('latin1'))?.[1] ?? 0);
        if (type === 'Z') {
          // The first one ends the greeting. Each statement of ours has a Sync of its own, so it has one of its own too.
          if (isReady && trail.answered(rows)) yield 'reached';
          isReady = true;
          rows = 0;
        }
        yield raw;
      }
    },
  };
}
