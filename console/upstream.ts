/**
 * A server that the router asks in a person's name: one known address each, nothing of the browser's request goes on but
 * what a route has read, and nothing of the answer comes back but what its schema has.
 */
import { z } from 'zod';
import { describe } from '#kernel/errors.ts';
import { type Http, readLimited } from '#kernel/http.ts';
import type { Log } from '#kernel/log.ts';
import type { Secret } from '#kernel/secret.ts';
import { type Milliseconds, mebibytes, milliseconds } from '#kernel/units.ts';
import { PROBLEMS, type ProblemCode, type Refusal, refuse } from '#serving/problems.ts';

export type Upstream = {
  /** In words, for whoever reads that it is not there. */
  readonly what: string;
  readonly url: string;
  readonly key: Secret | undefined;
  /** When it does not answer, or not as it should. */
  readonly gone: ProblemCode;
  /** A person waits. */
  readonly timeout: Milliseconds;
  readonly http: Http;
  readonly log: Log;
};
export type Ask<T> = {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: unknown;
  readonly schema: z.ZodType<T>;
  readonly correlationId: string;
};

const ANSWER_MOST = mebibytes(8);
const BACK_AFTER = milliseconds(2_000);

const problem = z.object({ detail: z.string(), code: z.string().optional() });

/** @throws {Refusal} in words: what the other side said, or that it is away. */
export async function askUpstream<T>(upstream: Upstream, path: string, ask: Ask<T>): Promise<T> {
  const { status, text, retryAfter } = await send(upstream, path, ask);
  const body = parsed(text);
  if (status < 200 || status > 299) throw refused(upstream, status, body, retryAfter);
  const read = ask.schema.safeParse(body);
  if (read.success) return read.data;
  upstream.log.warn({ url: upstream.url, path, reason: z.prettifyError(read.error).slice(0, 500) }, 'a strange answer');
  throw refuse(upstream.gone, `${upstream.what} answers something else than it should: is its address right?`);
}

async function send<T>(upstream: Upstream, path: string, { method = 'GET', body, correlationId }: Ask<T>) {
  const { url, key, timeout, http, log } = upstream;
  try {
    const answer = await http(`${url.replace(/\/+$/, '')}${path}`, {
      method,
      timeout,
      headers: {
        accept: 'application/json',
        'x-correlation-id': correlationId,
        ...(key === undefined ? {} : { authorization: `Bearer ${key.reveal()}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = Buffer.from(await readLimited(answer, ANSWER_MOST)).toString('utf8');
    return { status: answer.status, text, retryAfter: Number(answer.headers.get('retry-after')) };
  } catch (error) {
    log.warn({ url, path, reason: describe(error) }, `${upstream.what} does not answer`);
    const late = error instanceof Error && error.name === 'TimeoutError';
    const why = late ? `did not answer within ${timeout / 1_000} s` : 'cannot be reached just now';
    throw refuse(upstream.gone, `${upstream.what} ${why}`, { retryAfter: BACK_AFTER });
  }
}

/** What was wrong with the question is passed on; what is wrong over there, or between us, is not the asker's fault. */
function refused({ what, gone }: Upstream, status: number, body: unknown, retryAfter: number): Refusal {
  const { data } = problem.safeParse(body);
  const detail = (data?.detail ?? `it answered ${status}`).slice(0, 2_000);
  if (status === 401) return refuse(gone, `${what} does not take the router’s own key: ${detail}`);
  if (status === 403) return refuse('forbidden', `${what} does not let the router’s own key do that: ${detail}`);
  const code = codeOf(status, data?.code);
  if (code === undefined) return refuse(gone, `${what} has a fault: ${detail}`, { retryAfter: BACK_AFTER });
  return refuse(code, detail, retryAfter > 0 ? { retryAfter: milliseconds(retryAfter * 1_000) } : {});
}

const CODES: Readonly<Record<number, ProblemCode>> = { 400: 'bad_request', 404: 'not_found', 429: 'rate_limited' };

function codeOf(status: number, said: string | undefined): ProblemCode | undefined {
  const known = Object.entries(PROBLEMS).find(([code, one]) => code === said && one.status === status && status < 500);
  return known === undefined ? CODES[status] : (known[0] as ProblemCode);
}

function parsed(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return undefined;
  }
}
