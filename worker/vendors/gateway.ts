/**
 * The one way to a vendor: admission by the shared quota and the ledger row in one transaction, then circuit, bulkhead and
 * time limit around the call, then the ledger's end, for the caller to write together with the result.
 */
import {
  BrokenCircuitError,
  BulkheadRejectedError,
  bulkhead,
  CircuitState,
  circuitBreaker,
  handleWhen,
  SamplingBreaker,
  wrap,
} from 'cockatiel';
import type { Telemetry } from '#collector/telemetry.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Queryable } from '#kernel/database.ts';
import { Fault } from '#kernel/errors.ts';
import { type Random, uuidv7 } from '#kernel/random.ts';
import type { SharedClock } from '#kernel/shared-clock.ts';
import { limited } from '#kernel/shutdown.ts';
import { type Milliseconds, milliseconds, type Usd, usd } from '#kernel/units.ts';
import { type Outcome, outcomeOfFault } from '#worker/decide.ts';
import { type CallEnd, endCall, startCall } from '#worker/rows/vendor-calls.ts';
import { admit, configureLimits, observe, type Quota } from '#worker/rows/vendor-limits.ts';
import { fromClientError, METRIC_OUTCOME, UNHEALTHY, type Vendor, type VendorCode } from './faults.ts';

/** How long the circuit stays open before one call may try. */
const CIRCUIT_PROBE_AFTER = milliseconds(5_000);
/** Open when more than half of the calls of this span failed, and there were enough to tell. */
const CIRCUIT_SPAN = milliseconds(10_000);
const CIRCUIT_THRESHOLD = 0.5;
const CIRCUIT_MIN_PER_SECOND = 0.5;

export type GatewayOptions = {
  readonly vendor: Vendor;
  readonly quota: Quota;
  readonly timeout: Milliseconds;
  readonly clock: Clock;
  readonly shared: SharedClock;
  readonly random: Random;
  readonly telemetry: Telemetry;
};

export type Spend = {
  readonly documentId: string | null;
  readonly tenant: string;
  readonly step: string;
  readonly operation: string;
  /** Tokens to take from the quota. */
  readonly tokens: number;
  readonly expectedCost: Usd;
};

/** Runs a write in the caller's fenced transaction; what it returns comes back. */
export type Save = <T>(write: (q: Queryable) => Promise<T>) => Promise<T>;

export type Billed = Omit<CallEnd, 'at' | 'outcome'>;
export type Called<T> =
  /** `record` ends the ledger row, in the caller's transaction. */
  | { readonly kind: 'answered'; readonly value: T; record(q: Queryable, billed: Billed): Promise<void> }
  | { readonly kind: 'refused'; readonly outcome: Outcome; record(q: Queryable): Promise<void> };

export interface Gateway {
  readonly vendor: Vendor;
  /** A call that costs: admitted, written down, made. `work` throws what its client throws. */
  spend<T>(
    spend: Spend,
    save: Save,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<Called<T>>;
  /** A call that is free, such as asking for a result: only circuit, bulkhead and time limit. */
  ask<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<Called<T>>;
  circuit(): 'closed' | 'half-open' | 'open';
  /** Writes the configured quota down. A vendor's headers may lower or raise it later. */
  configure(q: Queryable): Promise<void>;
}

export function makeGateway(options: GatewayOptions): Gateway {
  const { vendor, quota, shared } = options;
  const call = makeCall(options);
  const breaker = makeBreaker();
  const policy = wrap(bulkhead(quota.concurrency, 0), breaker);

  // One at a time: they would wait for the vendor's row anyway, each with a connection and the lock of its job, and were
  // this process to hang, each would hold up all other workers in turn.
  let last: Promise<unknown> = Promise.resolve();
  const start = async (id: string, spend: Spend, save: Save): Promise<void> => {
    const admitted = last.then(() =>
      save(async (q) => {
        const now = shared.now();
        const writeDown = () => startCall(q, { ...spend, id, vendor, at: now });
        return await admit(q, { vendor, quota, tokens: spend.tokens, now }, writeDown);
      }),
    );
    last = admitted.catch(() => {});
    const admission = await admitted;
    if (admission.kind === 'granted') return;
    throw new Fault(QUOTA_WAIT, admission.because, { retryAfter: admission.wait });
  };

  return {
    vendor,
    circuit: () => CIRCUIT_WORDS[breaker.state],
    configure: (q) => configureLimits(q, vendor, quota, shared.now()),
    ask: async (signal, work) => {
      try {
        const value = await policy.execute(() => call(signal, work));
        return { kind: 'answered', value, record: async () => {} };
      } catch (error) {
        if (signal.aborted) throw error;
        const record = (q: Queryable) => observeFault(q, vendor, error, shared);
        return { kind: 'refused', outcome: asOutcome(vendor, error), record };
      }
    },
    spend: async (spend, save, signal, work) => {
      const id = uuidv7(shared.now(), options.random);
      let started = false;
      try {
        const value = await policy.execute(async () => {
          await start(id, spend, save);
          started = true;
          return await call(signal, work);
        });
        const record = (q: Queryable, billed: Billed) =>
          endCall(q, id, { ...billed, at: shared.now(), outcome: 'completed' });
        return { kind: 'answered', value, record };
      } catch (error) {
        if (signal.aborted) throw error;
        const record = async (q: Queryable) => {
          const end = failedCall(error, spend, shared.now());
          if (started) await endCall(q, id, end);
          if (started && end.wasted) countWaste(options.telemetry, vendor, end.cost);
          await observeFault(q, vendor, error, shared);
        };
        return { kind: 'refused', outcome: asOutcome(vendor, error), record };
      }
    },
  };
}

/** One call under its time limit, measured, its failure told in our words. */
function makeCall({ vendor, timeout, clock, shared, telemetry }: GatewayOptions) {
  return async <T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const started = clock.steady();
    using limit = limited(clock, signal, timeout);
    const measure = (outcome: MetricOutcome) => {
      telemetry.record('vendor_request_duration_seconds', { vendor, outcome }, (clock.steady() - started) / 1000);
    };
    try {
      const value = await work(limit.signal);
      measure('ok');
      return value;
    } catch (error) {
      if (signal.aborted) {
        measure('aborted');
        throw signal.reason;
      }
      const fault = fromClientError(vendor, limit.isOver() ? limit.signal.reason : error, shared.now());
      measure(METRIC_OUTCOME[fault.code]);
      throw fault;
    }
  };
}

type MetricOutcome = (typeof METRIC_OUTCOME)[VendorCode] | 'ok' | 'aborted';
/** The quota said no: nothing was called, so the circuit must not hear of it. */
const QUOTA_WAIT = 'quota_wait';

const CIRCUIT_WORDS = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.HalfOpen]: 'half-open',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
} as const;

function makeBreaker() {
  const unhealthy = (error: unknown) => error instanceof Fault && UNHEALTHY.includes(error.code as VendorCode);
  return circuitBreaker(handleWhen(unhealthy), {
    halfOpenAfter: CIRCUIT_PROBE_AFTER,
    breaker: new SamplingBreaker({
      threshold: CIRCUIT_THRESHOLD,
      duration: CIRCUIT_SPAN,
      minimumRps: CIRCUIT_MIN_PER_SECOND,
    }),
  });
}

/** A timeout or a cut connection may have been billed all the same; an answer with an error is not. */
function failedCall(error: unknown, spend: Spend, at: Milliseconds): CallEnd {
  const fault = error instanceof Fault ? error : undefined;
  const unclear =
    fault?.code === 'vendor_timeout' || fault?.code === 'vendor_unreachable' || fault?.code === 'vendor_nonsense';
  const cost = unclear ? spend.expectedCost : usd(0);
  const status = fault?.fields['status'];
  return {
    at,
    outcome: 'failed',
    cost,
    wasted: unclear,
    ...(typeof status === 'number' ? { httpStatus: status } : {}),
  };
}

/** Money that bought nothing: it counts as cost, and as waste. */
export function countWaste(telemetry: Telemetry, vendor: Vendor, cost: Usd): void {
  telemetry.count('document_cost_usd_total', { vendor }, cost);
  telemetry.count('document_cost_wasted_usd_total', { vendor }, cost);
}

async function observeFault(q: Queryable, vendor: Vendor, error: unknown, shared: SharedClock): Promise<void> {
  if (!(error instanceof Fault) || error.code !== 'vendor_rate_limited') return;
  await observe(q, vendor, { blockedFor: error.retryAfter ?? DEFAULT_RATE_WAIT }, shared.now());
}

/** A 429 without Retry-After. */
const DEFAULT_RATE_WAIT = milliseconds(1_000);
const BULKHEAD_WAIT = milliseconds(100);

function asOutcome(vendor: Vendor, error: unknown): Outcome {
  if (error instanceof BrokenCircuitError) {
    return { kind: 'blocked', because: `the circuit to ${vendor} is open: its last calls failed` };
  }
  if (error instanceof BulkheadRejectedError) {
    return { kind: 'deferred', wait: BULKHEAD_WAIT, because: `as many calls to ${vendor} as allowed are open here` };
  }
  if (!(error instanceof Fault)) throw error;
  if (error.code === QUOTA_WAIT) {
    return { kind: 'deferred', wait: error.retryAfter ?? DEFAULT_RATE_WAIT, because: error.message };
  }
  if (error.code === 'vendor_rate_limited') {
    return { kind: 'deferred', wait: error.retryAfter ?? DEFAULT_RATE_WAIT, because: `${vendor} asked to wait (429)` };
  }
  return outcomeOfFault(error);
}
