/**
 * Asks any server that speaks Prometheus' HTTP API: Prometheus, Mimir, Thanos, VictoriaMetrics. By POST, since a long
 * query does not fit into an address. Each call has a limit in time, bytes, series and samples; what goes wrong is a
 * Fault whose code says whose fault it is.
 *
 * Source: https://prometheus.io/docs/prometheus/latest/querying/api/
 */
import { z } from 'zod';
import type { Clock } from '#kernel/clock.ts';
import { describe, Fault } from '#kernel/errors.ts';
import { type Http, readLimited } from '#kernel/http.ts';
import { parseRetryAfter } from '#kernel/retry.ts';
import type { Secret } from '#kernel/secret.ts';
import { type Bytes, type Milliseconds, mebibytes, milliseconds, type Seconds } from '#kernel/units.ts';

export type PromqlFault =
  | 'promql_unreachable'
  | 'promql_timeout'
  /** Our query is wrong, or we may not ask: asking again is the same again. */
  | 'promql_refused'
  /** The server is busy, starting, or gives up on the query. */
  | 'promql_unavailable'
  | 'promql_malformed';

export type Point = { readonly at: Milliseconds; readonly value: number };
export type Series = { readonly labels: Readonly<Record<string, string>>; readonly points: readonly Point[] };
/** Warnings do not make an answer wrong, but a partial one of Thanos comes with nothing else. */
export type Answer = { readonly series: readonly Series[]; readonly warnings: readonly string[] };

export type Promql = {
  /** What `query` is at `at`; of a range selector, its raw samples. */
  instant(query: string, at: Milliseconds, signal?: AbortSignal): Promise<Answer>;
  /** What `query` was at `from` and each `step` after it, up to `to`. */
  range(
    query: string,
    span: { from: Milliseconds; to: Milliseconds; step: Seconds },
    signal?: AbortSignal,
  ): Promise<Answer>;
};

export type PromqlOptions = {
  readonly http: Http;
  readonly clock: Clock;
  /** Up to what stands before `/api/v1`: `http://mimir:8080/prometheus`. */
  readonly url: string;
  readonly authorization?: Secret;
  /** Mimir's X-Scope-OrgID. */
  readonly tenant?: string;
  readonly timeout?: Milliseconds;
};

/** Less than the pause between two looks, so that a slow server does not pile up questions. */
const TIMEOUT = milliseconds(10_000);
/** 10,000 series of one sample are 2 MB; a day of 15 s of 100 series is 15. */
const ANSWER_MOST: Bytes = mebibytes(32);
const ERROR_MOST: Bytes = mebibytes(1);
const SERIES_MOST = 50_000;
const SAMPLES_MOST = 2_000_000;
const WARNINGS_MOST = 10;
const WISH_MOST = milliseconds(300_000);
const TEXT_MOST = 500;

const point = z.tuple([z.number(), z.string()]);
const labels = z.record(z.string(), z.string());
const data = z.discriminatedUnion('resultType', [
  z.object({ resultType: z.literal('vector'), result: z.array(z.object({ metric: labels, value: point.optional() })) }),
  z.object({
    resultType: z.literal('matrix'),
    result: z.array(z.object({ metric: labels, values: z.array(point).default([]) })),
  }),
  z.object({ resultType: z.literal('scalar'), result: point }),
]);
const success = z.object({ status: z.literal('success'), data, warnings: z.array(z.string()).nullish() });
const failure = z.object({ status: z.literal('error'), errorType: z.string(), error: z.string() });

export function makePromql(options: PromqlOptions): Promql {
  const base = options.url.replace(/\/+$/, '');
  const ask = async (path: string, form: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Answer> => {
    const timeout = options.timeout ?? TIMEOUT;
    // The server is told as well, or it would go on with what nobody waits for.
    const body = new URLSearchParams({ ...form, timeout: `${timeout}ms` }).toString();
    try {
      const response = await options.http(`${base}/api/v1/${path}`, {
        method: 'POST',
        body,
        timeout,
        headers: headersOf(options),
        ...(signal === undefined ? {} : { signal }),
      });
      if (!response.ok) throw await refusal(response, options.clock.now());
      return answerOf(await readLimited(response, ANSWER_MOST));
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw error instanceof Fault ? error : unreachable(base, timeout, error);
    }
  };
  return {
    instant: (query, at, signal) => ask('query', { query, time: secondsText(at) }, signal),
    range: (query, { from, to, step }, signal) =>
      ask('query_range', { query, start: secondsText(from), end: secondsText(to), step: String(step) }, signal),
  };
}

const secondsText = (at: Milliseconds): string => (at / 1000).toFixed(3);

function headersOf({ authorization, tenant }: PromqlOptions): Record<string, string> {
  return {
    'content-type': 'application/x-www-form-urlencoded',
    accept: 'application/json',
    ...(authorization === undefined ? {} : { authorization: authorization.reveal() }),
    ...(tenant === undefined ? {} : { 'x-scope-orgid': tenant }),
  };
}

function unreachable(base: string, timeout: Milliseconds, cause: unknown): Fault<PromqlFault> {
  if (cause instanceof Error && cause.name === 'TimeoutError') {
    return new Fault('promql_timeout', `Cannot read from ${base}: no answer within ${timeout} ms`, {
      retryable: true,
      cause,
    });
  }
  return new Fault('promql_unreachable', `Cannot reach ${base}: ${describe(cause)}`, { retryable: true, cause });
}

/** 503 is a query that was given up on, 422 one that cannot be executed, 400 one that cannot be read. */
async function refusal(response: Response, now: Milliseconds): Promise<Fault<PromqlFault>> {
  const { status, headers } = response;
  const text = await readLimited(response, ERROR_MOST).then(
    (bytes) => Buffer.from(bytes).toString('utf8'),
    () => '',
  );
  const told = failure.safeParse(parsed(text)).data;
  const because = told === undefined ? text.trim() : `${told.errorType}: ${told.error}`;
  const message = `The PromQL server answered ${status}: ${because.slice(0, TEXT_MOST) || 'no reason given'}`;
  const later = status === 429 || status === 408 || status >= 500;
  const wish = later ? parseRetryAfter(headers.get('retry-after'), now, WISH_MOST) : undefined;
  return new Fault(later ? 'promql_unavailable' : 'promql_refused', message, {
    retryable: later,
    fields: { status },
    ...(wish === undefined ? {} : { retryAfter: wish }),
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @throws {Fault} `promql_malformed` */
function answerOf(bytes: Uint8Array): Answer {
  const read = success.safeParse(parsed(Buffer.from(bytes).toString('utf8')));
  if (!read.success) {
    const [first] = read.error.issues;
    throw malformed(`${first?.path.join('.') || 'the whole'}: ${first?.message}`);
  }
  const series = seriesOf(read.data.data);
  if (series.length > SERIES_MOST) throw malformed(`${series.length} series, the most is ${SERIES_MOST}`);
  const count = series.reduce((sum, { points }) => sum + points.length, 0);
  if (count > SAMPLES_MOST) throw malformed(`${count} samples, the most is ${SAMPLES_MOST}`);
  return { series, warnings: (read.data.warnings ?? []).slice(0, WARNINGS_MOST) };
}

const malformed = (what: string): Fault<PromqlFault> =>
  new Fault('promql_malformed', `Cannot use the PromQL server's answer: ${what}`);

function seriesOf(found: z.infer<typeof data>): Series[] {
  switch (found.resultType) {
    case 'scalar':
      return [{ labels: {}, points: [pointOf(found.result)] }];
    case 'vector':
      // A native histogram has no `value`: it is no counter that we count by.
      return found.result.flatMap(({ metric, value }) => (value ? [{ labels: metric, points: [pointOf(value)] }] : []));
    case 'matrix':
      return found.result.map(({ metric, values }) => ({ labels: metric, points: values.map(pointOf) }));
    default:
      return found satisfies never;
  }
}

const SPECIAL: Readonly<Record<string, number>> = {
  '+Inf': Number.POSITIVE_INFINITY,
  Inf: Number.POSITIVE_INFINITY,
  '-Inf': Number.NEGATIVE_INFINITY,
};

const pointOf = ([at, value]: readonly [number, string]): Point => ({
  at: milliseconds(Math.round(at * 1000)),
  value: SPECIAL[value] ?? Number(value),
});
