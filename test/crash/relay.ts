/**
 * A wire between the API and its Postgres that can be held: the database has committed, and the API does not hear of it.
 * So the moment between a commit and its answer lasts as long as it takes to kill somebody in it.
 */
import { connect, createServer, type Socket } from 'node:net';

export type Relay = AsyncDisposable & {
  readonly url: string;
  /** From now on, what follows a commit is held back. Resolves with the first; undefined when none comes in time. */
  holdCommits(limit: number): Promise<true | undefined>;
  release(): void;
};

/** CommandComplete, in PostgreSQL's protocol: the type, the length, the tag and a zero. */
const COMMITTED = Buffer.from('C\0\0\0\x0bCOMMIT\0', 'latin1');

export async function startRelay(databaseUrl: string): Promise<Relay> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let holding: (() => void) | undefined;
  let held: (() => void)[] = [];
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    let stopped = false;
    const go = () => {
      stopped = false;
    };
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.setNoDelay();
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    client.on('data', (data) => upstream.write(data));
    upstream.on('data', (data) => {
      if (holding && data.includes(COMMITTED)) {
        if (!stopped) held.push(go);
        stopped = true;
        holding();
      }
      if (stopped) held.push(() => void (client.destroyed || client.write(data)));
      else client.write(data);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('Cannot listen for the API');
  const url = new URL(databaseUrl);
  url.port = String(address.port);
  return {
    url: url.href,
    holdCommits: async (limit) => {
      const first = Promise.withResolvers<true | undefined>();
      holding = () => first.resolve(true);
      const late = setTimeout(() => first.resolve(undefined), limit);
      const found = await first.promise;
      clearTimeout(late);
      return found;
    },
    release: () => {
      holding = undefined;
      for (const send of held) send();
      held = [];
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
