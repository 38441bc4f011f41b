/** How many series a worker costs a Prometheus: one that has met all that vendors and documents do to it. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '#test/kit/alertmanager.ts';
import { call, json, untilFinished, upload } from '#test/kit/client.ts';
import { freshDatabase, POSTGRES_URL } from '#test/kit/database.ts';
import { removeFolder, startRole, temporaryFolder } from '#test/kit/stack.ts';

/** Aims of docs/benchmarks.md. */
const MOST = { worker: 500, api: 1_000 };
/** A rate limit first: after the others a circuit may be open, and nobody calls for a while. */
const FAULTS = [
  { status: 429, retryAfterSeconds: 0 },
  { status: 500 },
  { status: 400 },
  { status: 402 },
  { dropAfterAccept: true },
  { garble: true },
];

const LIMITED = /vendor_request_duration_seconds_count\{[^}]*outcome="rate_limited"/;
const seriesOf = (page: string): string[] => page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

/** The names that cost the most, for whoever has to look. */
function most(series: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const line of series) {
    const name = /^\w+/.exec(line)?.[0] ?? '';
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const top = [...counts].sort(([, a], [, b]) => b - a).slice(0, 8);
  return top.map(([name, count]) => `${name} ${count}`).join(', ');
}

test('a busy worker shows at most 500 series', {
  skip: !POSTGRES_URL && 'no Postgres',
  timeout: 120_000,
}, async (t) => {
  const state = temporaryFolder();
  await using simulators = await startRole('simulators', { BURNLINE_STATE: state, SIMULATORS_LATENCY: 'zero' });
  const faults = `${simulators.urls['simulators']}/faults`;
  const env = {
    BURNLINE_STATE: state,
    DATABASE_URL: await freshDatabase(),
    BURNLINE_VENDORS: 'simulated',
    SIMULATORS_PORT: new URL(simulators.urls['simulators'] ?? '').port,
    CANARY_EVERY_SECONDS: '1',
    WEBHOOK_SECRET: 'only-for-this-very-test',
  };
  await using server = await startRole('api', env);
  await using worker = await startRole('worker', env);
  const api = server.urls['api'] ?? '';
  const metrics = async () => (await call<string>(`${worker.urls['metrics']}/metrics`)).body;
  const files = globSync('samples/documents/*/*');
  const ids: string[] = [];
  const send = async (path: string, headers: Record<string, string> = {}) => {
    const { body } = await upload(api, readFileSync(path), basename(path), { headers });
    ids.push(body.id);
  };
  for (const path of files) await send(path);
  for (const fault of FAULTS) {
    for (const vendor of ['llamaparse', 'openai']) await json('PUT', `${faults}/${vendor}`, fault);
    for (const path of files.slice(0, 6)) await send(path, { 'cache-control': 'no-cache' });
    if (fault.status === 429)
      await until('a rate limit is met', async () => LIMITED.test(await metrics()) || undefined);
    else await sleep(1_500);
  }
  await json('DELETE', faults);
  await send(files[0] ?? '', { 'cache-control': 'no-cache' });
  await untilFinished(api, ids.at(-1) ?? '');
  for (const path of ['/v1/documents?limit=5', '/v1/documents/nothing', '/nowhere', '/v1/search']) {
    await call(`${api}${path}`);
  }
  const shown = {
    worker: seriesOf(await metrics()),
    api: seriesOf((await call<string>(`${api}/metrics`)).body),
  };
  for (const [role, limit] of Object.entries(MOST)) {
    const series = shown[role as keyof typeof shown];
    const told = `${role}: ${series.length} series, the most is ${limit}: ${most(series)}`;
    t.diagnostic(told);
    assert(series.length <= limit, told);
  }
  await Promise.all([worker.stop(), server.stop()]);
  removeFolder(state);
});
