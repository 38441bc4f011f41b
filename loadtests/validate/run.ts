/**
 * The checks against a target, in one order, and what they found. Nothing is judged here: recording and comparing see the same.
 * What was uploaded is erased at the end, also after a failure, if the key may.
 */
import type { Clock } from '#kernel/clock.ts';
import { describe, Fault } from '#kernel/errors.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { CHECKS, type CheckName, type CheckResult } from './facts.ts';
import { concurrency, documents, eraseAll, erasure, idempotency, rejections } from './lives.ts';
import { performance } from './pace.ts';
import { contract, headers, health, metrics, rateLimit, refusals } from './surface.ts';
import { ERRORS } from './troubles.ts';
import { type Check, field, makeBook, type Visit } from './visit.ts';
import { type At, makePolite, makeWire, type Wire } from './wire.ts';

const MAKE: Record<CheckName, Check> = {
  health,
  contract,
  metrics,
  headers,
  refusals,
  documents,
  rejections,
  idempotency,
  concurrency,
  performance,
  'rate-limit': rateLimit,
  erasure,
};

export type RunOptions = {
  readonly url: string;
  readonly key: string | undefined;
  /** Of a worker of the target, where its own /metrics does not hold everything. */
  readonly metricsUrl: string | undefined;
  readonly checks: readonly CheckName[];
  readonly run: string;
  readonly within: Milliseconds;
  readonly rateRequests: number;
  readonly repetitions: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onCheck: (check: CheckName, number: number, of: number) => void;
};
export type Seen = {
  /** Of the target. */
  readonly version: string;
  readonly results: readonly CheckResult[];
  /** Documents that could not be erased. */
  readonly left: readonly string[];
};

/** @throws {Fault} `unready`: nothing answers, or not to this key. */
export async function runChecks(options: RunOptions): Promise<Seen> {
  const visit = visitOf(options);
  const version = await meet(visit, options.url);
  const chosen = CHECKS.filter((check) => options.checks.includes(check));
  const results: CheckResult[] = [];
  try {
    for (const [i, check] of chosen.entries()) {
      options.onCheck(check, i + 1, chosen.length);
      results.push(await make(check, visit));
    }
  } finally {
    // Without the signal: who breaks it off wants its documents gone too.
    const { ask } = visitOf({ ...options, signal: new AbortController().signal });
    await eraseAll({ ...visit, ask }).catch(() => {});
  }
  return { version, results, left: [...visit.left] };
}

function visitOf(options: RunOptions): Visit {
  const { url, key, metricsUrl, clock, signal, run, within, rateRequests, repetitions } = options;
  const wire = (at: Pick<At, 'url' | 'key'>): [once: Wire, polite: Wire] => {
    const whole = { ...at, clock, signal };
    const once = makeWire(whole);
    return [once, makePolite(once, whole)];
  };
  const [askOnce, ask] = wire({ url, key });
  const askMetrics = metricsUrl === undefined ? undefined : wire({ url: metricsUrl, key: undefined })[0];
  return { ask, askOnce, askMetrics, clock, signal, run, within, rateRequests, repetitions, left: new Set() };
}

async function meet({ askOnce, ask }: Visit, url: string): Promise<string> {
  await askOnce({ path: '/healthz' }).catch((cause: unknown) => {
    throw new Fault('unready', `Cannot validate ${url}: nothing answers; does it run?`, { cause });
  });
  const { status } = await ask({ path: '/v1/documents?limit=1' });
  if (status === 401 || status === 403) {
    throw new Fault('unready', `Cannot validate ${url}: it answers ${status}; is the key right, and a writer’s?`);
  }
  const info = field(await ask({ path: '/openapi.json' }), 'info') as { version?: unknown } | undefined;
  return typeof info?.version === 'string' ? info.version : 'unknown';
}

async function make(check: CheckName, visit: Visit): Promise<CheckResult> {
  const book = makeBook(check);
  const ask = makePolite(visit.askOnce, visit, () => book.trouble(ERRORS));
  const begun = visit.clock.steady();
  try {
    await MAKE[check]({ ...visit, ask }, book);
    book.fact('answered', true);
  } catch (error) {
    visit.signal.throwIfAborted();
    if (!(error instanceof Fault)) throw error;
    // One line that says so is more than a hundred facts that are missing.
    book.fact('answered', false);
    book.notSeen('', describe(error));
  }
  return book.result(milliseconds(visit.clock.steady() - begun));
}
