/**
 * One request as it is written: `fetch` would mend path tricks, refuse methods and count a body by itself, and what a target
 * makes of just those is looked at here. Follows nothing, tries nothing again. `makePolite` is for whoever only wants an answer.
 */
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Clock } from '#kernel/clock.ts';
import { Fault } from '#kernel/errors.ts';
import { parseRetryAfter } from '#kernel/retry.ts';
import { type Bytes, type Milliseconds, mebibytes, milliseconds } from '#kernel/units.ts';

export type Ask = {
  readonly method?: string;
  /** From the slash on, as it goes over the wire. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** False: without the key. */
  readonly known?: boolean;
  /** Claims so many bytes, sends only `body`, and waits for an answer. */
  readonly claims?: number;
};
export type Said = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** What the text holds as JSON; undefined: none. */
  readonly json: unknown;
  /** From the first byte written to the last byte read. */
  readonly ms: Milliseconds;
};
export type Wire = (ask: Ask) => Promise<Said>;
export type At = {
  readonly url: string;
  readonly key: string | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

const TIMEOUT = 30_000;
const ANSWER_MOST: Bytes = mebibytes(8);
const TRIES = 6;
const WAIT_FIRST = milliseconds(500);
const WAIT_MOST = milliseconds(30_000);

/** @throws {Fault} `unanswered`: no connection, none in time, or an answer without end. */
export function makeWire({ url, key, clock, signal }: At): Wire {
  const target = new URL(url);
  const base = target.pathname.replace(/\/+$/, '');
  const send = target.protocol === 'https:' ? requestHttps : requestHttp;
  return async ({ method = 'GET', path, headers = {}, body, known = true, claims }) => {
    const begun = clock.steady();
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]);
    const length = claims ?? (body === undefined ? undefined : Buffer.byteLength(body));
    const own = {
      ...(known && key !== undefined ? { authorization: `Bearer ${key}` } : {}),
      ...(length === undefined ? {} : { 'content-length': String(length) }),
      ...headers,
    };
    try {
      return await new Promise<Said>((done, fail) => {
        const outgoing = send(target, { method, path: `${base}${path}`, headers: own, signal: limit });
        outgoing.on('error', fail);
        outgoing.on('response', (incoming) => {
          readWhole(incoming)
            .then((text) => done(saidOf(incoming, text, milliseconds(clock.steady() - begun))), fail)
            // What was claimed is not sent after all.
            .finally(() => claims !== undefined && outgoing.destroy());
        });
        if (claims === undefined) outgoing.end(body);
        else outgoing.write(body ?? '');
      });
    } catch (cause) {
      signal.throwIfAborted();
      throw new Fault('unanswered', `${method} ${path} at ${target.origin} is not answered`, { cause });
    }
  };
}

async function readWhole(incoming: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of incoming as AsyncIterable<Buffer>) {
    size += piece.length;
    if (size > ANSWER_MOST) throw new Error(`the answer has more than ${ANSWER_MOST} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

function saidOf({ statusCode = 0, headers }: IncomingMessage, text: string, ms: Milliseconds): Said {
  const flat = Object.entries(headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')] as const);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {}
  return { status: statusCode, headers: Object.fromEntries(flat), text, json, ms };
}

/**
 * Comes back when it is told to, so that a target which is busy, or guards itself, is not taken for a broken one.
 * @param onError told of each answer of a fault, and of each that did not come, although it is asked again.
 */
export function makePolite(wire: Wire, { clock, signal }: Pick<At, 'clock' | 'signal'>, onError = () => {}): Wire {
  return async (ask) => {
    for (let attempt = 1; ; attempt++) {
      const said = await wire(ask).catch((error: unknown) => {
        if (signal.aborted || attempt >= TRIES || ask.claims !== undefined) throw error;
        return undefined;
      });
      if (said === undefined || said.status >= 500) onError();
      const isPassing = said === undefined || said.status === 429 || said.status === 502 || said.status === 503;
      if (said !== undefined && (!isPassing || attempt >= TRIES)) return said;
      const wish = parseRetryAfter(said?.headers['retry-after'], clock.now(), WAIT_MOST) ?? milliseconds(0);
      await clock.sleep(milliseconds(Math.max(wish, WAIT_FIRST * attempt)), signal);
    }
  };
}
