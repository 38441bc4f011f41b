/**
 * The OpenTelemetry SDK for traces and logs. Its context manager, propagator and providers are one per process by
 * design, so the first role started in a process starts it, later ones join, the last to stop stops it. (In production
 * a process has one role; tests put several into one.)
 *
 * No module is patched: outgoing `fetch` is seen through Node's diagnostics channels, incoming HTTP by Fastify's hooks
 * (http-server.ts), SQL at our own `Db` (database.ts). So the order of imports does not matter, no loader runs before
 * the program, and PGlite is seen like Postgres.
 */
import { context, type DiagLogger, DiagLogLevel, diag, logs, propagation, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { emptyResource, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, type LogRecordProcessor } from '@opentelemetry/sdk-logs';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { AlwaysOffSampler, AlwaysOnSampler, BatchSpanProcessor, type SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Log } from '#kernel/log.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Role } from './catalogue.ts';
import { redacting } from './redact.ts';

export type OtlpOptions = {
  /** Base URL of an OTLP/HTTP receiver; /v1/traces and /v1/logs are appended. */
  readonly endpoint: string;
  readonly headers?: Readonly<Record<string, Secret>>;
};

export type SdkOptions = {
  readonly role: Role;
  readonly instanceId: string;
  readonly version: string;
  readonly otlp: OtlpOptions | undefined;
  readonly sampled: boolean;
  readonly log: Log;
  readonly dropped: (count: number) => void;
};

/** Spans waiting to be sent; beyond it they are lost rather than the memory. About 1 kB each. */
const SPANS_WAITING_MAX = 4096;
const BATCH_MAX = 512;
/** How long a span waits for others, and how long one request to the receiver may take. */
const SEND_EVERY_MS = 1000;
const SEND_LIMIT_MS = 2500;

type Sdk = { readonly stop: () => Promise<void>; users: number };
let running: Promise<Sdk> | undefined;

/** The answer stops it; call it once. */
export async function startSdk(options: SdkOptions): Promise<() => Promise<void>> {
  if (running !== undefined && options.otlp !== undefined) {
    options.log.warn({ role: options.role }, 'Another role in this process has set up where spans go: it stays so');
  }
  running ??= begin(options);
  const mine = await running.catch((error: unknown) => {
    running = undefined;
    throw error;
  });
  mine.users++;
  return async () => {
    mine.users--;
    if (mine.users > 0) return;
    running = undefined;
    await mine.stop();
  };
}

async function begin(options: SdkOptions): Promise<Sdk> {
  const processors = options.otlp === undefined ? { spans: [], logs: [] } : await exporters(options.otlp);
  const outgoing = new UndiciInstrumentation({ requireParentforSpans: true });
  const node = makeNodeSdk(options, processors, outgoing);
  diag.setLogger(diagnosticsTo(options.log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  node.start();
  const stop = async () => {
    outgoing.disable();
    for (const api of [trace, context, propagation, logs]) api.disable();
    await node.shutdown();
  };
  return { stop, users: 0 };
}

type Processors = { readonly spans: readonly SpanProcessor[]; readonly logs: readonly LogRecordProcessor[] };

function makeNodeSdk(options: SdkOptions, processors: Processors, outgoing: UndiciInstrumentation): NodeSDK {
  return new NodeSDK({
    // Not the process detector: it would publish the command line.
    resourceDetectors: [envDetector],
    resource: emptyResource().merge(
      resourceFromAttributes({
        'service.namespace': 'burnline',
        'service.name': `burnline-${options.role}`,
        'service.version': options.version,
        'service.instance.id': options.instanceId,
      }),
    ),
    // The flag of a stranger's traceparent does not decide whether a document's way is kept.
    sampler: options.sampled ? new AlwaysOnSampler() : new AlwaysOffSampler(),
    // Outgoing requests carry the trace context alone: the baggage is between us and our rows, not for vendors.
    textMapPropagator: new W3CTraceContextPropagator(),
    spanProcessors: [redacting(processors.spans, options.dropped)],
    logRecordProcessors: [...processors.logs],
    metricReaders: [],
    instrumentations: [outgoing],
  });
}

/** Imported only where they are wanted: they cost a start-up some 15 ms. */
async function exporters({ endpoint, headers = {} }: OtlpOptions): Promise<Processors> {
  const [{ OTLPTraceExporter }, { OTLPLogExporter }] = await Promise.all([
    import('@opentelemetry/exporter-trace-otlp-proto'),
    import('@opentelemetry/exporter-logs-otlp-proto'),
  ]);
  const revealed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.reveal()]));
  const base = endpoint.replace(/\/+$/, '');
  const target = (path: string) => ({ url: `${base}${path}`, headers: revealed, timeoutMillis: SEND_LIMIT_MS });
  const batch = {
    maxQueueSize: SPANS_WAITING_MAX,
    maxExportBatchSize: BATCH_MAX,
    scheduledDelayMillis: SEND_EVERY_MS,
    exportTimeoutMillis: SEND_LIMIT_MS,
  };
  return {
    spans: [new BatchSpanProcessor({ ...batch, exporter: new OTLPTraceExporter(target('/v1/traces')) })],
    logs: [new BatchLogRecordProcessor({ ...batch, exporter: new OTLPLogExporter(target('/v1/logs')) })],
  };
}

/** What the SDK has to say, in our log. Only texts: its objects may hold a request with its headers. */
function diagnosticsTo(log: Log): DiagLogger {
  const say = (level: 'debug' | 'warn' | 'error') => (message: string) => {
    log[level]({ component: 'opentelemetry' }, message);
  };
  return { error: say('warn'), warn: say('warn'), info: say('debug'), debug: say('debug'), verbose: say('debug') };
}
