/** An upload by hand, byte by byte, for a server that dies in the middle of it. */
import { request } from 'node:http';
import type { Made } from './documents.ts';
import type { Sent } from './uploads.ts';

const BOUNDARY = 'crash-test-boundary';
const ANSWER_LIMIT = 20_000;

export type HalfUpload = {
  /** The id of a 202; undefined when the connection was cut or refused before an answer. */
  readonly answered: Promise<string | undefined>;
  /** Sends the rest. */
  finish(): void;
  /** Cuts the connection, as a client that loses its network. */
  cut(): void;
};

/** Sends all but the last bytes. */
export function beginUpload(api: string, made: Made, sent: Sent): Promise<HalfUpload> {
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="${made.name}"\r\n\r\n`;
  const tail = `\r\n--${BOUNDARY}--\r\n`;
  const held = Math.min(1_000, Math.floor(made.bytes.length / 2));
  const answered = Promise.withResolvers<string | undefined>();
  const outgoing = request(`${api}/v1/documents`, {
    method: 'POST',
    agent: false,
    timeout: ANSWER_LIMIT,
    headers: {
      'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
      'content-length': head.length + made.bytes.length + tail.length,
      'cache-control': 'no-cache',
      ...(sent.key === null ? {} : { 'idempotency-key': sent.key }),
    },
  });
  outgoing.on('timeout', () => outgoing.destroy());
  outgoing.on('error', () => answered.resolve(undefined));
  outgoing.on('response', async (incoming) => {
    let body = '';
    try {
      for await (const piece of incoming) body += String(piece);
      answered.resolve(incoming.statusCode === 202 ? (JSON.parse(body) as { id: string }).id : undefined);
    } catch {
      answered.resolve(undefined);
    }
  });
  const begun = Promise.withResolvers<HalfUpload>();
  const half: HalfUpload = {
    answered: answered.promise.then((id) => {
      if (id === undefined) sent.cut++;
      else sent.id ??= id;
      return id;
    }),
    finish: () => void outgoing.end(Buffer.concat([made.bytes.subarray(-held), Buffer.from(tail)])),
    cut: () => void outgoing.destroy(),
  };
  outgoing.write(Buffer.concat([Buffer.from(head), made.bytes.subarray(0, -held)]), () => begun.resolve(half));
  answered.promise.then(() => begun.resolve(half));
  return begun.promise;
}
