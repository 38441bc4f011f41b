/** A receiver of OTLP/HTTP that keeps what came, and reads as much of the protobuf as tests need. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export type ReceivedSpan = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly name: string;
  readonly service: string;
};
export type Receiver = AsyncDisposable & {
  readonly url: string;
  spans(): readonly ReceivedSpan[];
  /** Everything that came, in one piece, to look for what must not be there. */
  everything(): Buffer;
  /** Answers 503 as long as it is away, and keeps nothing. */
  setAway(isAway: boolean): void;
};

export async function startReceiver(): Promise<Receiver> {
  const bodies: { path: string; body: Buffer }[] = [];
  let away = false;
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    if (away) return void response.writeHead(503).end();
    const body = Buffer.concat(pieces);
    const isPacked = request.headers['content-encoding'] === 'gzip';
    bodies.push({ path: request.url ?? '', body: isPacked ? gunzipSync(body) : body });
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans: () => bodies.filter(({ path }) => path === '/v1/traces').flatMap(({ body }) => readSpans(body)),
    everything: () => Buffer.concat(bodies.map(({ body }) => body)),
    setAway: (isAway) => {
      away = isAway;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Field numbers: opentelemetry-proto, trace/v1/trace.proto and common/v1/common.proto. */
function readSpans(body: Buffer): ReceivedSpan[] {
  return fields(body, 1).flatMap((resourceSpans) => {
    const [resource] = fields(resourceSpans, 1);
    const service = resource ? (attribute(resource, 'service.instance.id') ?? '') : '';
    return fields(resourceSpans, 2).flatMap((scopeSpans) =>
      fields(scopeSpans, 2).map((span) => ({
        traceId: hex(fields(span, 1)[0]),
        spanId: hex(fields(span, 2)[0]),
        parentId: hex(fields(span, 4)[0]),
        name: fields(span, 5)[0]?.toString() ?? '',
        service,
      })),
    );
  });
}

function attribute(message: Buffer, key: string): string | undefined {
  for (const pair of fields(message, 1)) {
    const value = fields(pair, 2)[0];
    if (fields(pair, 1)[0]?.toString() === key && value) return fields(value, 1)[0]?.toString();
  }
  return undefined;
}

const hex = (bytes: Buffer | undefined): string => bytes?.toString('hex') ?? '';

/** The length-delimited fields with this number. */
function fields(message: Buffer, wanted: number): Buffer[] {
  const found: Buffer[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const kind = tag % 8;
    if (kind === 0) varint();
    else if (kind === 1) at += 8;
    else if (kind === 5) at += 4;
    else {
      const length = varint();
      if (Math.floor(tag / 8) === wanted) found.push(message.subarray(at, at + length));
      at += length;
    }
  }
  return found;
}
