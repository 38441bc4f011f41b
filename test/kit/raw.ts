/** HTTP by hand: bytes on a socket, for what no client would send. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type RawAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};
/** Bytes to send, or a number of milliseconds to wait. */
export type Script = readonly (string | Uint8Array | number)[];

const LIMIT = 30_000;

/** Sends the script and reads one answer. Undefined: the connection ended without one. */
export async function exchange(url: string, script: Script, limit = LIMIT): Promise<RawAnswer | undefined> {
  await using line = await open(url);
  const sent = play(line.socket, script);
  const answer = await line.answer(limit);
  await sent;
  return answer;
}

/** Sends the script and breaks the connection, as a client does that is switched off. */
export async function breakOff(url: string, script: Script): Promise<void> {
  await using line = await open(url);
  await play(line.socket, script);
}

async function play(socket: Socket, script: Script): Promise<void> {
  for (const step of script) {
    if (socket.destroyed || socket.closed) return;
    if (typeof step === 'number') await sleep(step);
    else if (!socket.write(step)) await drained(socket);
  }
}

const drained = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.once('drain', resolve);
    socket.once('close', () => resolve());
  });

export type Line = AsyncDisposable & {
  readonly socket: Socket;
  answer(limit: number): Promise<RawAnswer | undefined>;
  /** Everything, when the other side has closed. */
  whole(): Promise<string>;
};

export async function open(url: string): Promise<Line> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  let text = '';
  let ended = false;
  socket.setEncoding('latin1');
  socket.on('data', (data) => {
    text += data;
  });
  socket.on('close', () => {
    ended = true;
  });
  return {
    socket,
    answer: async (limit) => {
      const begun = performance.now();
      for (;;) {
        const answer = parseAnswer(text, ended);
        if (answer) return answer;
        if (ended) return undefined;
        if (performance.now() - begun > limit) throw new Error(`no answer within ${limit} ms, but "${text}"`);
        await sleep(5);
      }
    },
    whole: async () => {
      if (!ended) await new Promise((resolve) => socket.once('close', resolve));
      return text;
    },
    [Symbol.asyncDispose]: async () => void socket.destroy(),
  };
}

function parseAnswer(text: string, ended: boolean): RawAnswer | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const body = text.slice(end + 4);
  const length = headers['content-length'];
  if (length === undefined ? !ended && headers['transfer-encoding'] !== undefined : body.length < Number(length)) {
    return undefined;
  }
  const status = Number(first.split(' ')[1]);
  // 100 Continue comes before the answer.
  if (status === 100) return parseAnswer(body, ended);
  return { status, headers, body: Buffer.from(body, 'latin1').toString() };
}

export type Part = {
  readonly name: string;
  readonly filename?: string;
  readonly type?: string;
  readonly bytes: Uint8Array | string;
};
export const BOUNDARY = 'burnline-test-boundary';

/** A multipart body, exactly as given: in this order, with nothing that a client would mend. */
export function multipartBody(parts: readonly Part[], boundary = BOUNDARY): Buffer {
  const pieces = parts.flatMap(({ name, filename, type, bytes }) => [
    `--${boundary}\r\ncontent-disposition: form-data; name="${name}"`,
    filename === undefined ? '' : `; filename="${filename}"`,
    type === undefined ? '' : `\r\ncontent-type: ${type}`,
    '\r\n\r\n',
    bytes,
    '\r\n',
  ]);
  return Buffer.concat([...pieces, `--${boundary}--\r\n`].map((piece) => Buffer.from(piece as string)));
}

/** The head of an upload's request. `length` is what it claims to send. */
export function uploadHead(length: number, headers: Readonly<Record<string, string>> = {}): string {
  const all = {
    host: 'localhost',
    'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
    'content-length': String(length),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return `POST /v1/documents HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

export async function postParts(
  api: string,
  parts: readonly Part[],
  headers: Readonly<Record<string, string>> = {},
): Promise<RawAnswer> {
  const body = multipartBody(parts);
  const answer = await exchange(api, [uploadHead(body.length, headers), body]);
  if (!answer) throw new Error('the connection ended without an answer');
  return answer;
}
