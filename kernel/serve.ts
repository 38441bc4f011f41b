/** Listening, with an error a person understands. */
import type { AddressInfo } from 'node:net';
import { Fault } from './errors.ts';

type Listening = {
  listen(options: { host: string; port: number }): Promise<string>;
  readonly server: { address(): AddressInfo | string | null };
};

/** @returns the base URL. @throws {Fault} `port_in_use`, `address_unusable`. */
export async function listenOn(app: Listening, host: string, port: number): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new Fault('port_in_use', `Cannot listen on ${host}:${port}: another program does. Choose another port`, {
        cause,
      });
    }
    if (code === 'EADDRNOTAVAIL' || code === 'EACCES') {
      throw new Fault('address_unusable', `Cannot listen on ${host}:${port}: ${code}`, { cause });
    }
    throw cause;
  }
  const address = app.server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
}
