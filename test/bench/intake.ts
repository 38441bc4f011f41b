/**
 * `npm run bench:intake [-- --quick] [--batch 64] [--only list]`: alerts a second that are taken, durable for us, in memory for
 * Alertmanager, from the same sender, one after the other, in rounds. Prints a Markdown table for docs/benchmarks.md.
 * With `--only list`: how long it takes to list 100,000 alerts, and the memory for it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { cpuSeconds, residentMegabytes } from '#test/kit/processes.ts';
import { startRole, temporaryFolder } from '#test/kit/stack.ts';
import { findAlertmanager } from '#test/tools/alertmanager.ts';
import { findPostgres, freePort, startCluster } from '#test/tools/postgres.ts';
import { measureListing } from './listing.ts';
import { quantile } from './pipeline.ts';

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    batch: { type: 'string' },
    rounds: { type: 'string' },
    without: { type: 'string' },
    only: { type: 'string' },
  },
});
const ALERTS = values.quick ? 2_000 : 10_000;
const ROUNDS = Number(values.rounds ?? (values.quick ? 1 : 3));
const BATCHES = values.batch === undefined ? [1, 64, 256] : [Number(values.batch)];
/** One Prometheus sends one batch at a time; four of them. */
const SENDERS = 4;

const CONFIG = `route: {receiver: nobody, group_by: [service], group_wait: 1h, group_interval: 1h}
receivers: [{name: nobody}]
`;

type Target = {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  /** Of its database, where that is another process. */
  readonly storePid?: number;
  readonly end: () => Promise<void>;
};
/** CPU is in ms for 1,000 alerts. */
type Measured = { readonly perSecond: number; readonly cpu: number; readonly storeCpu: number };

const alertOf = (run: string, i: number) => ({
  labels: {
    alertname: `Alert${i % 50}`,
    service: `service-${i % 20}`,
    severity: 'warning',
    instance: `10.0.${Math.floor(i / 250)}.${i % 250}:9100`,
    job: 'node',
    run,
  },
  annotations: {
    summary: `something is wrong with instance ${i}`,
    description: 'a sentence of the usual length of a description',
  },
  generatorURL: 'http://prometheus.example:9090/graph?g0.expr=up+%3D%3D+0',
});

function post(agent: Agent, url: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      `${url}/api/v2/alerts`,
      {
        method: 'POST',
        agent,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      },
      (incoming) => {
        incoming.resume();
        incoming.on('end', () => resolve(incoming.statusCode ?? 0));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

async function measure(target: Target, batch: number, round: number): Promise<Measured> {
  const agent = new Agent({ keepAlive: true, maxSockets: SENDERS });
  const count = batch === 1 ? ALERTS / 5 : ALERTS;
  const bodies: string[] = [];
  for (let i = 0; i < count; i += batch) {
    const items = Array.from({ length: Math.min(batch, count - i) }, (_, k) => alertOf(`${batch}-${round}`, i + k));
    bodies.push(JSON.stringify(items));
  }
  let next = 0;
  const cpuNow = () => [target.pid, target.storePid].map((pid) => (pid === undefined ? 0 : cpuSeconds(pid)));
  const before = cpuNow();
  const began = performance.now();
  const sender = async () => {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
      const status = await post(agent, target.url, body);
      if (status !== 200) throw new Error(`${target.name} refused a batch: ${status}`);
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  const perSecond = count / ((performance.now() - began) / 1_000);
  agent.destroy();
  const [cpu = 0, storeCpu = 0] = cpuNow().map((after, i) => ((after - (before[i] ?? 0)) * 1_000_000) / count);
  return { perSecond, cpu, storeCpu };
}

async function router(name: string, folder: string, env: Record<string, string>, storePid?: number): Promise<Target> {
  const config = join(folder, 'alertmanager.yml');
  writeFileSync(config, CONFIG);
  const running = await startRole(
    'router',
    { BURNLINE_STATE: folder, RATE_PER_SECOND: '100000', RATE_BURST: '100000', ...env },
    ['--web.listen-address=127.0.0.1:0', `--config.file=${config}`, '--log.level=info'],
  );
  return {
    name,
    url: running.urls['router'] ?? '',
    pid: running.process.pid ?? 0,
    ...(storePid === undefined ? {} : { storePid }),
    end: async () => {
      await running.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function alertmanager(folder: string): Promise<Target | undefined> {
  const found = findAlertmanager('alertmanager');
  if (found.kind === 'missing') return undefined;
  const config = join(folder, 'alertmanager.yml');
  writeFileSync(config, CONFIG);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child: ChildProcess = spawn(
    found.where,
    [
      `--config.file=${config}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--cluster.listen-address=',
      '--log.level=error',
    ],
    { stdio: 'ignore' },
  );
  for (let i = 0; i < 200; i++) {
    if (
      await fetch(`${url}/-/ready`).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      break;
    await sleep(50);
  }
  return {
    name: 'Alertmanager 0.34, in memory',
    url,
    pid: child.pid ?? 0,
    end: async () => {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const postgres = findPostgres(18);
const cluster = postgres.kind === 'found' ? await startCluster(postgres.where, { fsync: true }) : undefined;
const targets: Target[] = [];
if (cluster) {
  const env = { ROUTER_DATABASE_URL: cluster.url };
  targets.push(await router('router on Postgres, durable', temporaryFolder(), env, cluster.pid()));
}
if (values.without !== 'pglite') targets.push(await router('router on PGlite, durable', temporaryFolder(), {}));
// It has no pages to be measured.
const peer = values.only === 'list' ? undefined : await alertmanager(temporaryFolder());
if (peer) targets.push(peer);

if (values.only === 'list') {
  // Longer than the measuring takes.
  const endsAt = new Date(Date.now() + 3_600_000).toISOString();
  const many = (from: number, count: number) =>
    Array.from({ length: count }, (_, k) => ({ ...alertOf('list', from + k), endsAt }));
  for (const target of targets) {
    await measureListing(target, many, values.quick ? 10_000 : 100_000);
    await target.end();
  }
  await cluster?.stop();
  process.exit();
}

const results = new Map<string, Measured[]>();
for (let round = 0; round < ROUNDS; round++) {
  for (const batch of BATCHES) {
    for (const target of targets) {
      const key = `${target.name}\n${batch}`;
      results.set(key, [...(results.get(key) ?? []), await measure(target, batch, round)]);
    }
  }
}
process.stdout.write(
  `\n| alerts a second; CPU ms for 1,000, its own + Postgres' (${ROUNDS} rounds, ${SENDERS} senders) | ${BATCHES.map((one) => `batch ${one}`).join(' | ')} | memory MB after |\n`,
);
process.stdout.write(`| --- | ${BATCHES.map(() => '---:').join(' | ')} | ---: |\n`);
for (const target of targets) {
  const cells = BATCHES.map((batch) => {
    const measured = results.get(`${target.name}\n${batch}`) ?? [];
    const median = (of: keyof Measured) =>
      quantile(
        measured.map((one) => one[of]),
        0.5,
      ).toFixed(0);
    return `${median('perSecond')}; ${median('cpu')} + ${median('storeCpu')}`;
  });
  process.stdout.write(`| ${target.name} | ${cells.join(' | ')} | ${residentMegabytes(target.pid).toFixed(0)} |\n`);
}
for (const target of targets) await target.end();
await cluster?.stop();
