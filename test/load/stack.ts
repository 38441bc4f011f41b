/** A whole stack for a load test: embedded as `npm start` has it, or API, workers and router on a Postgres of its own. */
import { readFileSync } from 'node:fs';
import type { Target } from '#loadtests/loadtest.ts';
import { SAMPLES_FOLDER } from '#samples/catalogue.ts';
import { search, untilFinished, upload } from '#test/kit/client.ts';
import { FREE_PORTS, type Running, removeFolder, startRole, temporaryFolder } from '#test/kit/stack.ts';
import { findPostgres, startCluster } from '#test/tools/postgres.ts';

export type StackWish = {
  readonly database: 'embedded' | 'postgres';
  /** On Postgres. */
  readonly workers: number;
  /** Of the simulated vendors. */
  readonly latency: 'zero' | 'realistic';
  readonly env?: Readonly<Record<string, string>>;
};
export type Stack = AsyncDisposable & {
  readonly target: Target;
  readonly simulators: string;
  /** For whoever wants to break them. */
  readonly roles: Readonly<Record<string, Running>>;
};

/** The rate limit is one caller's, and this caller is all of them. */
const OPEN_TO_ALL = { RATE_PER_SECOND: '100000', RATE_BURST: '100000', CANARY_EVERY_SECONDS: '0' };
/** What they say would fill a pipe for hours; `ready` is said at info. */
const QUIET = { TRACES: 'off' };

export async function startStack(wish: StackWish): Promise<Stack> {
  await using undo = new AsyncDisposableStack();
  const state = temporaryFolder();
  undo.defer(() => removeFolder(state));
  const env = {
    ...OPEN_TO_ALL,
    ...QUIET,
    BURNLINE_STATE: state,
    BURNLINE_VENDORS: 'simulated',
    SIMULATORS_LATENCY: wish.latency,
    ...wish.env,
  };
  const started = wish.database === 'embedded' ? await embedded(undo, env) : await onPostgres(undo, env, wish.workers);
  await warmUp(started.target.url);
  const owned = undo.move();
  return { ...started, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Of each kind of document one: what a process does for the first time is a matter of its start, not of the load. */
const WARM = ['invoice.pdf', 'minutes.docx', 'product-page.html', 'runbook.md', 'shift-handover.txt'];

async function warmUp(api: string): Promise<void> {
  for (const name of WARM) {
    const { body } = await upload(api, readFileSync(new URL(`good/${name}`, SAMPLES_FOLDER)), name);
    await untilFinished(api, body.id);
  }
  await search(api, 'when is the invoice due?');
}

type Env = Readonly<Record<string, string>>;
type Started = Omit<Stack, keyof AsyncDisposable>;

async function embedded(undo: AsyncDisposableStack, env: Env): Promise<Started> {
  const stack = await startRole('start', env);
  undo.defer(async () => void (await stack.stop()));
  const { api = '', metrics = '', router = '', simulators = '' } = stack.urls;
  const target = { url: api, keys: [], metrics: [metrics], router: { url: router, key: undefined }, alone: true };
  return { target, simulators, roles: { start: stack } };
}

async function onPostgres(undo: AsyncDisposableStack, env: Env, workers: number): Promise<Started> {
  const found = findPostgres();
  if (found.kind === 'missing') throw new Error(`Postgres is missing: ${found.why}`);
  const cluster = undo.use(await startCluster(found.where, { fsync: true, settings: ['shared_buffers=256MB'] }));
  const start = async (role: string, more: Env, args = FREE_PORTS[role]): Promise<Running> => {
    const running = await startRole(role, { ...env, ...more }, args);
    undo.defer(async () => void (await running.stop()));
    return running;
  };
  const simulators = await start('simulators', {});
  const { simulators: vendors = '', smtp = '' } = simulators.urls;
  const shared = {
    SIMULATORS_PORT: new URL(vendors).port,
    DATABASE_URL: await cluster.create('documents'),
    WEBHOOK_SECRET: 'only-for-this-load-test',
  };
  const api = await start('api', shared);
  const roles: Record<string, Running> = { simulators, api };
  for (let i = 1; i <= workers; i++)
    roles[`worker-${i}`] = await start('worker', { ...shared, WORKER_ID: `worker-${i}` });
  const url = api.urls['api'] ?? '';
  const metrics = Object.entries(roles).flatMap(([name, { urls }]) =>
    name.startsWith('worker') ? [urls['metrics'] ?? ''] : [],
  );
  // One list: of a flag that is given twice, the last counts.
  const targets = [`api=${url}/metrics`, ...metrics.map((one, i) => `worker-${i + 1}=${one}/metrics`)];
  const ports = { SIMULATORS_PORT: shared.SIMULATORS_PORT, SIMULATORS_SMTP_PORT: new URL(smtp).port };
  const router = await start('router', ports, [...(FREE_PORTS['router'] ?? []), `--scrape=${targets.join()}`]);
  const target = {
    ...{ url, keys: [], metrics, alone: true },
    router: { url: router.urls['router'] ?? router.urls['url'] ?? '', key: undefined },
  };
  return { target, simulators: vendors, roles: { ...roles, router } };
}
