/**
 * `npm run bench:worker`: the document service as a whole, real processes, simulated vendors. Prints Markdown tables for
 * docs/benchmarks.md. `--quick` for a look, `--only pipeline|telemetry|start|api|memory` for a part.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { call, upload } from '#test/kit/client.ts';
import { startReceiver } from '#test/kit/otlp.ts';
import { residentMegabytes } from '#test/kit/processes.ts';
import { removeFolder, startRole, temporaryFolder } from '#test/kit/stack.ts';
import { type Cluster, findPostgres, startCluster } from '#test/tools/postgres.ts';
import { type Measured, quantile, runPipeline, type Shape } from './pipeline.ts';

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, only: { type: 'string' } } });
const DOCUMENTS = values.quick ? 100 : 400;
const ROUNDS = values.quick ? 1 : 3;
const UPLOADERS = 16;
const print = (line: string) => process.stdout.write(`${line}\n`);
const round = (n: number, digits = 1) => n.toFixed(digits);
const median = (all: readonly number[]) => quantile(all, 0.5);

const SHAPES: readonly Omit<Shape, 'documents' | 'uploaders'>[] = [
  { engine: 'pglite', workers: 1, latency: 'zero' },
  { engine: 'pglite', workers: 1, latency: 'realistic' },
  { engine: 'postgres', workers: 1, latency: 'zero' },
  { engine: 'postgres', workers: 2, latency: 'zero' },
  { engine: 'postgres', workers: 4, latency: 'zero' },
  { engine: 'postgres', workers: 1, latency: 'realistic' },
  { engine: 'postgres', workers: 4, latency: 'realistic' },
];
const STATES = ['queued', 'parsing', 'chunking', 'embedding', 'storing'] as const;

async function pipeline(cluster: Cluster): Promise<void> {
  print(
    `\n| engine, workers, vendors (${DOCUMENTS} documents of two chunks) | documents/s | worker CPU ms each | ${STATES.join(' | ')} | whole way p50/p95 ms |`,
  );
  print(`| --- | ---: | ---: | ${STATES.map(() => '---:').join(' | ')} | ---: |`);
  for (const shape of SHAPES) {
    const run = await runPipeline({ ...shape, documents: DOCUMENTS, uploaders: UPLOADERS }, cluster);
    const cpu = Object.entries(run.cpu)
      .filter(([name]) => name !== 'api')
      .reduce((sum, [, seconds]) => sum + seconds, 0);
    const steps = STATES.map(
      (name) => `${round(run.steps[name]?.p50 ?? Number.NaN, 0)}/${round(run.steps[name]?.p95 ?? Number.NaN, 0)}`,
    );
    const name = `${shape.engine}, ${shape.workers}, ${shape.latency}`;
    print(
      `| ${name} | ${round(run.perSecond)} | ${round((cpu * 1000) / DOCUMENTS)} | ${steps.join(' | ')} | ${round(run.total.p50, 0)}/${round(run.total.p95, 0)} |`,
    );
  }
}

/** Interleaved, so that a slow minute of the machine hits all. */
async function telemetry(cluster: Cluster): Promise<void> {
  const shape = {
    engine: 'postgres',
    workers: 1,
    latency: 'zero',
    documents: DOCUMENTS,
    uploaders: UPLOADERS,
  } as const;
  await using receiver = await startReceiver();
  const ways: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    off: { METRICS: 'off', TRACES: 'off' },
    'on, no receiver configured': {},
    'on, spans and logs sent by OTLP': { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
    'the same, a span for each statement': {
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      TRACES_SLOW_STATEMENT_MS: '0',
    },
  };
  const runs = new Map<string, Measured[]>(Object.keys(ways).map((name) => [name, []]));
  for (let n = 0; n < ROUNDS; n++) {
    for (const [name, env] of Object.entries(ways)) runs.get(name)?.push(await runPipeline({ ...shape, env }, cluster));
  }
  const rate = (name: string) => median((runs.get(name) ?? []).map((run) => run.perSecond));
  const cpu = (name: string) => median((runs.get(name) ?? []).map((run) => ((run.cpu['w0'] ?? 0) * 1000) / DOCUMENTS));
  print(
    `\n| telemetry (median of ${ROUNDS}, interleaved) | documents/s | of off | worker CPU ms each | CPU over off |\n| --- | ---: | ---: | ---: | ---: |`,
  );
  for (const name of runs.keys()) {
    const over = `${round((cpu(name) / cpu('off') - 1) * 100)} %`;
    print(
      `| ${name} | ${round(rate(name))} | ${(rate(name) / rate('off')).toFixed(2)} | ${round(cpu(name))} | ${over} |`,
    );
  }
}

async function startUp(): Promise<void> {
  const cache = temporaryFolder();
  const times: Record<string, number[]> = {
    'first ever (no image)': [],
    'new folder, image there': [],
    'warm, same folder': [],
  };
  const timed = async (name: string, state: string) => {
    const begun = performance.now();
    await using stack = await startRole('start', { BURNLINE_STATE: state, BURNLINE_CACHE: cache });
    times[name]?.push((performance.now() - begun) / 1000);
    await stack.stop('SIGINT');
  };
  for (let n = 0; n < ROUNDS; n++) {
    removeFolder(cache);
    const state = temporaryFolder();
    await timed('first ever (no image)', state);
    const second = temporaryFolder();
    await timed('new folder, image there', second);
    await timed('warm, same folder', second);
    removeFolder(state);
    removeFolder(second);
  }
  removeFolder(cache);
  print(`\n| npm start until ready | s, median of ${ROUNDS} |\n| --- | ---: |`);
  for (const [name, all] of Object.entries(times)) print(`| ${name} | ${round(median(all))} |`);
}

/** Fifty a second is more than two cores process, twenty they keep up with. */
const RATES = [50, 20] as const;
/** Until the compiler has seen the way: reported by itself, since a deployment has such seconds too. */
const COLD_SECONDS = 3;

async function api(cluster: Cluster): Promise<void> {
  print(
    `\n| API, uploads/s and as many status reads/s, worker busy with them | upload p50/p95/p99 ms | status p50/p95/p99 ms | first ${COLD_SECONDS} s after a start: upload, status |\n| --- | ---: | ---: | ---: |`,
  );
  for (const engine of ['pglite', 'postgres'] as const) {
    for (const rate of RATES) {
      const [cold, warm] = await arrivalsAt(engine, rate, cluster);
      const show = (all: readonly number[]) => [0.5, 0.95, 0.99].map((q) => round(quantile(all, q))).join(' / ');
      const first = `${show(cold.uploads)}, ${show(cold.reads)}`;
      print(`| ${engine}, ${rate} | ${show(warm.uploads)} | ${show(warm.reads)} | ${first} |`);
    }
  }
}

async function arrivalsAt(
  engine: 'pglite' | 'postgres',
  rate: number,
  cluster: Cluster,
): Promise<readonly [cold: Answered, warm: Answered]> {
  const state = temporaryFolder();
  await using simulators = await startRole('simulators', { BURNLINE_STATE: state });
  const env: Record<string, string> = {
    BURNLINE_STATE: state,
    BURNLINE_VENDORS: 'simulated',
    SIMULATORS_PORT: new URL(simulators.urls['simulators'] ?? '').port,
    RATE_PER_SECOND: '10000',
    RATE_BURST: '10000',
    CANARY_EVERY_SECONDS: '0',
  };
  if (engine === 'postgres')
    Object.assign(env, {
      DATABASE_URL: await cluster.create(`api_${Date.now()}`),
      WEBHOOK_SECRET: 'only-for-this-benchmark',
    });
  await using server = await startRole(engine === 'postgres' ? 'api' : 'service', env);
  await using worker = engine === 'postgres' ? await startRole('worker', env) : undefined;
  const base = server.urls['api'] ?? '';
  const cold = await arrivals(base, rate, COLD_SECONDS);
  const warm = await arrivals(base, rate, values.quick ? 5 : 20);
  await worker?.stop();
  await server.stop();
  await simulators.stop();
  removeFolder(state);
  return [cold, warm];
}

type Answered = { readonly uploads: number[]; readonly reads: number[] };

/** Arrivals at a fixed rate, whether or not the last one was answered: a closed loop would hide the waiting. */
async function arrivals(base: string, rate: number, seconds: number): Promise<Answered> {
  const uploads: number[] = [];
  const reads: number[] = [];
  const pending: Promise<void>[] = [];
  let last = '';
  const timed = async (into: number[], work: () => Promise<unknown>) => {
    const from = performance.now();
    await work();
    into.push(performance.now() - from);
  };
  const begun = performance.now();
  for (let n = 0; n < rate * seconds; n++) {
    await sleep(Math.max(0, begun + (n * 1000) / rate - performance.now()));
    pending.push(
      timed(uploads, async () => {
        const answer = await upload(base, `# Note ${n}\n\nPump ${n} is in order.`, `note-${n}.md`);
        if (answer.status !== 202) throw new Error(`upload answered ${answer.status}`);
        last = answer.body.id;
      }),
    );
    if (last !== '') pending.push(timed(reads, () => call(`${base}/v1/documents/${last}`)));
  }
  await Promise.all(pending);
  return { uploads, reads };
}

async function memory(): Promise<void> {
  const state = temporaryFolder();
  const documents = values.quick ? 200 : 1_000;
  await using simulators = await startRole('simulators', { BURNLINE_STATE: state, SIMULATORS_LATENCY: 'zero' });
  const port = new URL(simulators.urls['simulators'] ?? '').port;
  await using service = await startRole('service', {
    BURNLINE_STATE: state,
    BURNLINE_VENDORS: 'simulated',
    SIMULATORS_PORT: port,
    RATE_PER_SECOND: '10000',
    RATE_BURST: '10000',
    LOG_LEVEL: 'info',
  });
  const base = service.urls['api'] ?? '';
  const resident = () => residentMegabytes(service.process.pid ?? 0);
  print('\n| memory of the embedded service | MB resident |\n| --- | ---: |');
  print(`| at the start | ${round(resident(), 0)} |`);
  for (let done = 0; done < documents; done += 100) {
    await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        upload(base, `# Note ${done + i}\n\nPump ${done + i} is in order.`, 'note.md'),
      ),
    );
    while ((await call<{ items: unknown[] }>(`${base}/v1/documents?status=parsing&limit=1`)).body.items.length > 0)
      await sleep(50);
  }
  print(`| after ${documents} documents | ${round(resident(), 0)} |`);
  await service.stop();
  await simulators.stop();
  removeFolder(state);
}

const found = findPostgres();
if (found.kind === 'missing') throw new Error(`Cannot measure without Postgres: ${found.why}`);
const cluster = await startCluster(found.where, { fsync: true, settings: ['shared_buffers=256MB'] });
const parts: Readonly<Record<string, () => Promise<void>>> = {
  pipeline: () => pipeline(cluster),
  telemetry: () => telemetry(cluster),
  start: startUp,
  api: () => api(cluster),
  memory,
};
try {
  for (const [name, part] of Object.entries(parts)) {
    if (values.only !== undefined && values.only !== name) continue;
    process.stderr.write(`${name} …\n`);
    await part();
  }
} finally {
  await cluster.stop();
}
process.exit(0);
