/**
 * Telemetry of one role: metrics by the catalogue, spans, correlation. `startTelemetry` is called once, by the
 * composition root, before the first request and the first job; everything else gets the `Telemetry` as an argument.
 */
import type { Clock } from '#kernel/clock.ts';
import { describe } from '#kernel/errors.ts';
import type { Log } from '#kernel/log.ts';
import { within } from '#kernel/shutdown.ts';
import type { Milliseconds } from '#kernel/units.ts';
import type { Role } from './catalogue.ts';
import { bridgedLog } from './log-bridge.ts';
import { type Metrics, makeMetrics } from './metrics.ts';
import { observeRuntime } from './runtime.ts';
import { type OtlpOptions, startSdk } from './sdk.ts';
import { type Tracing, tracing } from './tracing.ts';

export type { ActiveSpan, SpanOptions } from './tracing.ts';

export type TelemetryOptions = {
  readonly role: Role;
  /** Stable across restarts where the role has such a name (WORKER_ID); becomes service.instance.id. */
  readonly instanceId: string;
  readonly version: string;
  /** Spans and log lines go there. Without it nothing leaves, and trace ids are real all the same. */
  readonly otlp?: OtlpOptions;
  readonly log: Log;
  readonly clock: Clock;
  readonly metricsEnabled: boolean;
  readonly tracesEnabled: boolean;
  /** Tests and development: an attribute outside its closed set throws instead of reading `other`. */
  readonly strict?: boolean;
};

export interface Telemetry extends Metrics, Tracing {
  readonly role: Role;
  /** The same log; its lines also leave by OTLP, where that is configured. */
  bridgeLog(log: Log): Log;
  /** Sends what is left, for at most `FLUSH_LIMIT`. Stopping twice is stopping once. */
  stop(): Promise<void>;
}

/** A receiver that is gone costs the SDK 8.5 s of tries; a stop must not wait for it. */
export const FLUSH_LIMIT = 3000 as Milliseconds;

export async function startTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { role, clock, log } = options;
  const metrics = makeMetrics({ role, clock, log, enabled: options.metricsEnabled, strict: options.strict ?? false });
  const dropped = (signal: 'span' | 'log') => (count: number) =>
    metrics.count('telemetry_attributes_dropped_total', { signal }, count);
  const stopSdk = await startSdk({
    role,
    instanceId: options.instanceId,
    version: options.version,
    otlp: options.otlp,
    // Nobody would read what is recorded; the ids are real all the same.
    sampled: options.tracesEnabled && options.otlp !== undefined,
    log,
    dropped: dropped('span'),
  });
  metrics.set('process_start_time_seconds', {}, clock.now() / 1000);
  metrics.set('burnline_build_info', { version: options.version, role }, 1);
  const stopRuntime = observeRuntime(metrics);
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    stopRuntime();
    await within(clock, FLUSH_LIMIT, log, 'sending the last telemetry', Promise.all([stopSdk(), metrics.stop()]));
  };
  return {
    ...metrics,
    ...tracing,
    role,
    bridgeLog: (other) => (options.otlp === undefined ? other : bridgedLog(other, dropped('log'))),
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

/**
 * For `uncaughtException` and `unhandledRejection`: says what happened, sends what is left, ends with 1. The program's
 * state is unknown by then, so nothing else is tried.
 */
export function crashHandler(
  telemetry: Pick<Telemetry, 'stop'>,
  log: Log,
  exit: (code: number) => void,
): (error: unknown) => Promise<void> {
  let crashed = false;
  return async (error) => {
    if (crashed) return;
    crashed = true;
    log.error({ err: error, reason: describe(error) }, 'Crashed');
    await telemetry.stop().catch(() => {});
    exit(1);
  };
}
