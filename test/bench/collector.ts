/**
 * `npm run bench:collector [-- --seconds 60 --connections 4 --memory 1500 --wait 10s]`: how many spans the real Collector
 * takes with the file that ships, on two cores. The spans are those of a real run: the embedded stack sends its own to a
 * server that keeps the requests, and these are sent again and again, each time as other traces. Its backends take all and
 * keep nothing. Generator and backends run on the same cores, so what the Collector's own CPU time says is told beside
 * what came through. Prints a Markdown table for docs/benchmarks.md.
 */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { upload } from '#test/kit/client.ts';
import { removeFolder, startRole, temporaryFolder } from '#test/kit/stack.ts';
import { findOtelcol } from '#test/tools/otelcol.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    connections: { type: 'string', default: '4' },
    memory: { type: 'string', default: '1500' },
    wait: { type: 'string', default: '10s' },
  },
});
const DOCUMENTS = 40;

/** Where a span's ids stand in OTLP's protobuf: fields 1 and 2 of opentelemetry.proto.trace.v1.Span, 16 and 8 bytes. */
function spansIn(body: Buffer): number[] {
  const places: number[] = [];
  for (let at = body.indexOf('\x0a\x10', 0, 'latin1'); at >= 0; at = body.indexOf('\x0a\x10', at + 1, 'latin1')) {
    if (body[at + 18] === 0x12 && body[at + 19] === 0x08) places.push(at + 2);
  }
  return places;
}

type Batch = { readonly body: Buffer; readonly places: readonly number[] };

/** What the roles really send while documents go through. */
async function record(): Promise<Batch[]> {
  const batches: Batch[] = [];
  const server = await listen((path, body) => {
    const plain = body[0] === 0x1f && body[1] === 0x8b ? gunzipSync(body) : body;
    const places = path === '/v1/traces' ? spansIn(plain) : [];
    if (places.length > 0) batches.push({ body: plain, places });
  });
  const state = temporaryFolder();
  const stack = await startRole('start', {
    BURNLINE_STATE: state,
    SIMULATORS_LATENCY: 'zero',
    OTEL_EXPORTER_OTLP_ENDPOINT: server.url,
  });
  for (let i = 0; i < DOCUMENTS; i++) await upload(stack.urls['api'] ?? '', `document ${i} of the record`, 'a.txt');
  await new Promise((resolve) => setTimeout(resolve, 15_000));
  await stack.stop();
  await server.close();
  removeFolder(state);
  return batches;
}

async function listen(take: (path: string, body: Buffer) => void) {
  const server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      take(request.url ?? '', Buffer.concat(pieces));
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('Cannot listen');
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The same spans as those of other traces: each keeps its neighbours. */
function renewed({ body, places }: Batch): Buffer {
  const copy = Buffer.from(body);
  const mask = randomBytes(8);
  for (const place of places) for (let i = 0; i < 8; i++) copy[place + i] = (copy[place + i] ?? 0) ^ (mask[i] ?? 0);
  return copy;
}

type Sent = { spans: number; refused: number };

async function send(url: string, batches: readonly Batch[], until: number, sent: Sent): Promise<void> {
  for (let i = 0; performance.now() < until; i++) {
    const batch = batches[i % batches.length];
    if (batch === undefined) return;
    const answer = await fetch(`${url}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: renewed(batch) as BodyInit,
      signal: AbortSignal.timeout(30_000),
    });
    await answer.arrayBuffer();
    if (answer.ok) sent.spans += batch.places.length;
    else {
      sent.refused++;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function readMetric(page: string, name: string): Promise<number> {
  const text = await (await fetch(page)).text();
  const lines = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))];
  return lines.reduce((sum, [, value]) => sum + Number(value), 0);
}

const otelcol = findOtelcol();
if (otelcol.kind === 'missing') throw new Error(`otelcol is needed: ${otelcol.why}`);
process.env['TEST_TOOL_OTELCOL'] = otelcol.where;
const { startCollector } = await import('#test/kit/collector.ts');
const batches = await record();
const spans = batches.reduce((sum, { places }) => sum + places.length, 0);
const bytes = batches.reduce((sum, { body }) => sum + body.length, 0);
const backend = await listen(() => {});
const collector = await startCollector({
  GOMAXPROCS: '2',
  COLLECTOR_MEMORY_MIB: values.memory,
  SAMPLING_WAIT: values.wait,
  TRACES_OTLP_URL: backend.url,
  METRICS_OTLP_URL: backend.url,
  LOGS_OTLP_URL: backend.url,
});
const sent: Sent = { spans: 0, refused: 0 };
const length = Number(values.seconds) * 1_000;
const [began, cpu] = [performance.now(), await readMetric(collector.metrics, 'otelcol_process_cpu_seconds')];
await Promise.all(
  Array.from({ length: Number(values.connections) }, () => send(collector.url, batches, began + length, sent)),
);
const seconds = (performance.now() - began) / 1_000;
const used = (await readMetric(collector.metrics, 'otelcol_process_cpu_seconds')) - cpu;
const resident = await readMetric(collector.metrics, 'otelcol_process_memory_rss');
await collector[Symbol.asyncDispose]();
await backend.close();
const perSecond = (value: number) => Math.round(value).toLocaleString('en');
process.stdout.write(`
| ${perSecond(seconds)} s, ${values.connections} connections, batches of ${Math.round(spans / batches.length)} spans (${Math.round(bytes / spans)} bytes each) | |
| --- | ---: |
| spans in the record for each document | ${(spans / DOCUMENTS).toFixed(0)} |
| spans taken a second, generator on the same two cores | ${perSecond(sent.spans / seconds)} |
| cores that the Collector had | ${(used / seconds).toFixed(2)} |
| spans a second of its own CPU time, two cores | ${perSecond((sent.spans / used) * 2)} |
| CPU a span | ${((used / sent.spans) * 1e6).toFixed(0)} µs |
| requests refused for memory (${values.memory} MiB) | ${sent.refused} |
| memory at the end | ${Math.round(resident / 2 ** 20)} MiB |
`);
