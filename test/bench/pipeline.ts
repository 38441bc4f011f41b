/** One run of the pipeline: real processes, N documents, what came of it. Used by bench:worker and by hand. */
import { setTimeout as sleep } from 'node:timers/promises';
import { call, upload } from '#test/kit/client.ts';
import { cpuSeconds, residentMegabytes } from '#test/kit/processes.ts';
import { type Running, removeFolder, startRole, temporaryFolder } from '#test/kit/stack.ts';
import type { Cluster } from '#test/tools/postgres.ts';

export type Shape = {
  readonly engine: 'pglite' | 'postgres';
  readonly workers: number;
  readonly latency: 'zero' | 'realistic';
  readonly documents: number;
  /** Uploads open at once; the queue must never run dry, and the API must not be what is measured. */
  readonly uploaders: number;
  readonly env?: Readonly<Record<string, string>>;
};

export type Measured = {
  readonly perSecond: number;
  readonly steps: Readonly<Record<string, { p50: number; p95: number }>>;
  readonly total: { p50: number; p95: number };
  readonly memory: number;
  readonly cpu: Readonly<Record<string, number>>;
  readonly startMs: number;
};

const QUIET = { LOG_LEVEL: 'warn', CANARY_EVERY_SECONDS: '0', RATE_PER_SECOND: '100000', RATE_BURST: '100000' };
/** Three paragraphs, so that a document has one or two chunks; a counter makes each one new to every cache. */
const text = (n: number): string =>
  `# Report ${n}\n\n${`The pump at station ${n} was checked and found in order. `.repeat(20)}\n\n## Measures\n\n${`Valve ${n % 97} was closed at noon and opened again in the evening. `.repeat(20)}\n`;

export async function runPipeline(shape: Shape, cluster: Cluster | undefined): Promise<Measured> {
  const state = temporaryFolder();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => removeFolder(state));
  const simulators = await startRole('simulators', {
    BURNLINE_STATE: state,
    SIMULATORS_LATENCY: shape.latency,
    LOG_LEVEL: 'info',
  });
  stack.use(simulators);
  const port = new URL(simulators.urls['simulators'] ?? '').port;
  const begun = performance.now();
  const { api, roles } = await startRoles(
    shape,
    cluster,
    { ...QUIET, BURNLINE_STATE: state, BURNLINE_VENDORS: 'simulated', SIMULATORS_PORT: port, ...shape.env },
    stack,
  );
  const startMs = performance.now() - begun;
  await warmUp(api);
  const cpuOf = ({ running }: Named) => cpuSeconds(running.process.pid ?? 0);
  const before = roles.map(cpuOf);
  const from = performance.now();
  const ids = await uploadAll(api, shape);
  await untilAllFinished(api);
  const spent = (performance.now() - from) / 1000;
  const cpu = Object.fromEntries(roles.map((role, i) => [`${role.name}`, cpuOf(role) - (before[i] ?? 0)]));
  const timelines = await readTimelines(api, ids);
  const memory = Math.max(...roles.map(({ running }) => residentMegabytes(running.process.pid ?? 0)));
  for (const { running } of roles) await running.stop();
  return { perSecond: shape.documents / spent, ...timelines, memory, cpu, startMs };
}

type Named = { readonly name: string; readonly running: Running };

async function startRoles(
  shape: Shape,
  cluster: Cluster | undefined,
  env: Readonly<Record<string, string>>,
  stack: AsyncDisposableStack,
): Promise<{ api: string; roles: Named[] }> {
  // The log at level info is only read for the line that says "ready".
  const start = async (role: string, more: Record<string, string>): Promise<Named> => {
    const running = await startRole(role, { ...env, ...more, LOG_LEVEL: 'info' });
    stack.use(running);
    return { name: more['WORKER_ID'] ?? role, running };
  };
  if (shape.engine === 'pglite') {
    const service = await start('service', {});
    return { api: service.running.urls['api'] ?? '', roles: [service] };
  }
  if (!cluster) throw new Error('There is no Postgres for this run');
  const url = await cluster.create(`bench_${Date.now()}`);
  const shared = { DATABASE_URL: url, WEBHOOK_SECRET: 'only-for-this-benchmark' };
  const api = await start('api', shared);
  const workers: Named[] = [];
  for (let i = 0; i < shape.workers; i++) workers.push(await start('worker', { ...shared, WORKER_ID: `w${i}` }));
  return { api: api.running.urls['api'] ?? '', roles: [api, ...workers] };
}

async function warmUp(api: string): Promise<void> {
  for (let i = 0; i < 10; i++) await upload(api, text(1_000_000 + i), 'warm.md');
  await untilAllFinished(api);
}

let made = 0;
async function uploadAll(api: string, shape: Shape): Promise<string[]> {
  const ids: string[] = [];
  let left = shape.documents;
  const one = async () => {
    while (left > 0) {
      left--;
      const n = made++;
      const answer = await upload(api, text(n), `report-${n}.md`, { headers: { 'cache-control': 'no-cache' } });
      if (answer.status !== 202) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
      ids.push(answer.body.id);
    }
  };
  await Promise.all(Array.from({ length: shape.uploaders }, one));
  return ids;
}

/** Asks seldom, and in the order of the line, so that the asking is no load: what stands behind `queued` can wait. */
async function untilAllFinished(api: string): Promise<void> {
  for (const status of ['queued', 'parsing', 'chunking', 'embedding', 'storing']) {
    while ((await call<{ items: unknown[] }>(`${api}/v1/documents?status=${status}&limit=1`)).body.items.length > 0) {
      await sleep(100);
    }
  }
}

type Entry = { readonly at: string; readonly from: string | null; readonly to: string };

async function readTimelines(api: string, ids: readonly string[]): Promise<Pick<Measured, 'steps' | 'total'>> {
  const sample = ids.filter((_, i) => i % Math.max(1, Math.floor(ids.length / 300)) === 0);
  const spans = new Map<string, number[]>();
  const add = (name: string, ms: number) => spans.set(name, [...(spans.get(name) ?? []), ms]);
  for (const id of sample) {
    const { timeline } = (await call<{ timeline: readonly Entry[] }>(`${api}/v1/documents/${id}`)).body;
    for (let i = 1; i < timeline.length; i++) {
      const [before, now] = [timeline[i - 1], timeline[i]];
      if (before && now) add(before.to, Date.parse(now.at) - Date.parse(before.at));
    }
    const [first, last] = [timeline[0], timeline.at(-1)];
    if (first && last) add('total', Date.parse(last.at) - Date.parse(first.at));
  }
  const both = (values: number[]) => ({ p50: quantile(values, 0.5), p95: quantile(values, 0.95) });
  const total = both(spans.get('total') ?? []);
  spans.delete('total');
  return { steps: Object.fromEntries([...spans].map(([name, values]) => [name, both(values)])), total };
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}
