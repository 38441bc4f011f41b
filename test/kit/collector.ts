/** The real OpenTelemetry Collector with our file, on free ports, in front of receivers that keep what it sends. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { freePort } from '#test/tools/postgres.ts';
import { until } from './alertmanager.ts';
import { type Receiver, startReceiver } from './otlp.ts';
import { removeFolder, temporaryFolder } from './stack.ts';

export const OTELCOL = process.env['TEST_TOOL_OTELCOL'];
export const COLLECTOR_FILE = 'collector/collector.yaml';

export type Collector = AsyncDisposable & {
  /** Base URL of OTLP over HTTP. */
  readonly url: string;
  /** Its own metrics. */
  readonly metrics: string;
  readonly traces: Receiver;
  readonly logs: Receiver;
  readonly points: Receiver;
  /** kill -9, and started again on the same folder and ports. */
  crash(): Promise<void>;
  restart(): Promise<void>;
  output(): string;
};

export async function startCollector(
  settings: Readonly<Record<string, string>> = {},
  program = OTELCOL ?? '',
): Promise<Collector> {
  const folder = temporaryFolder();
  const [traces, logs, points] = await Promise.all([startReceiver(), startReceiver(), startReceiver()]);
  const [http, grpc, health, metrics] = await Promise.all(Array.from({ length: 4 }, freePort));
  const env = {
    PATH: process.env['PATH'],
    OTLP_HTTP_LISTEN: `127.0.0.1:${http}`,
    OTLP_GRPC_LISTEN: `127.0.0.1:${grpc}`,
    COLLECTOR_HEALTH_LISTEN: `127.0.0.1:${health}`,
    COLLECTOR_METRICS_PORT: String(metrics),
    COLLECTOR_STORAGE: join(folder, 'queue'),
    TRACES_OTLP_URL: traces.url,
    LOGS_OTLP_URL: logs.url,
    METRICS_OTLP_URL: points.url,
    ...settings,
  };
  let output = '';
  const start = async () => {
    const child = spawn(program, ['--config', COLLECTOR_FILE], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.on('data', (data: Buffer) => {
      output = (output + data.toString()).slice(-200_000);
    });
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    const isUp = async () => (await fetch(`http://127.0.0.1:${health}`)).ok || undefined;
    await Promise.race([
      until('the Collector is up', isUp),
      ended.then(() => Promise.reject(new Error(`the Collector ended:\n${output.slice(-4_000)}`))),
    ]);
    return async () => {
      child.kill('SIGKILL');
      await ended;
    };
  };
  let kill = await start();
  return {
    url: `http://127.0.0.1:${http}`,
    metrics: `http://127.0.0.1:${metrics}/metrics`,
    traces,
    logs,
    points,
    crash: async () => await kill(),
    restart: async () => {
      kill = await start();
    },
    output: () => output,
    [Symbol.asyncDispose]: async () => {
      await kill();
      for (const receiver of [traces, logs, points]) await receiver[Symbol.asyncDispose]();
      removeFolder(folder);
    },
  };
}

type Attributes = Readonly<Record<string, string>>;
export type Span = {
  readonly trace: string;
  readonly name?: string;
  readonly seconds?: number;
  readonly isError?: boolean;
  readonly message?: string;
  readonly attributes?: Attributes;
  readonly event?: Attributes;
};

/** OTLP's JSON, as anybody's worker may send it. @throws unless it is taken. */
export async function sendSpans(url: string, spans: readonly Span[], resource: Attributes = {}): Promise<void> {
  const end = Date.now();
  const wire = spans.map(({ trace, name = 'act', seconds = 0.01, isError, message = '', attributes, event }) => ({
    traceId: trace,
    spanId:
      trace.slice(0, 8) +
      Math.floor(Math.random() * 2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    name,
    kind: 1,
    startTimeUnixNano: `${end - seconds * 1_000}000000`,
    endTimeUnixNano: `${end}000000`,
    attributes: pairs(attributes),
    events: event === undefined ? [] : [{ name: 'exception', timeUnixNano: `${end}000000`, attributes: pairs(event) }],
    status: { code: isError ? 2 : 0, message },
  }));
  const body = { resourceSpans: [{ resource: { attributes: pairs(resource) }, scopeSpans: [{ spans: wire }] }] };
  await post(`${url}/v1/traces`, body);
}

export async function sendLogs(url: string, lines: readonly string[], attributes: Attributes = {}): Promise<void> {
  const logRecords = lines.map((text) => ({
    timeUnixNano: `${Date.now()}000000`,
    severityText: 'INFO',
    body: { stringValue: text },
    attributes: pairs(attributes),
  }));
  await post(`${url}/v1/logs`, { resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
}

const pairs = (attributes: Attributes = {}) =>
  Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } }));

async function post(url: string, body: object): Promise<void> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
}
