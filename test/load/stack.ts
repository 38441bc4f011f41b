/** A whole stack for a load test: embedded as `npm start` has it, or API, workers and router on a Postgres of its own. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Target } from '#loadtests/loadtest.ts';
import { SAMPLES_FOLDER } from '#samples/catalogue.ts';
import { openDatabase } from '#test/crash/fleet.ts';
import { type Member, type Role, startMember } from '#test/crash/member.ts';
import { burnline } from '#test/kit/cli.ts';
import { search, untilFinished, upload } from '#test/kit/client.ts';
import { childrenOf, FREE_PORTS, removeFolder, startRole, temporaryFolder } from '#test/kit/stack.ts';
import { type Cluster, findPostgres, freePort, startCluster } from '#test/tools/postgres.ts';
import { accidentsOf, supervised } from './supervised.ts';

export type StackWish = {
  readonly database: 'embedded' | 'postgres';
  /** On Postgres. */
  readonly workers: number;
  /** Of the simulated vendors. */
  readonly latency: 'zero' | 'realistic';
  /** Beside the default one: each gets a key. */
  readonly tenants?: readonly string[];
  /** Where the database is: embedded with all of the state, on Postgres its data. Not removed. Default: a folder of its own. */
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string>>;
};
export type Stack = AsyncDisposable & {
  readonly target: Target;
  readonly simulators: string;
  /** For whoever wants to break them: all but the simulators. Each keeps its port. */
  readonly members: readonly Member[];
  readonly cluster: Cluster | undefined;
  readonly databaseUrl: string | undefined;
  /** By tenant. */
  readonly keys: ReadonlyMap<string, string>;
  /** Processes that ended or did not start although nobody killed them. */
  readonly accidents: readonly string[];
  /** By name, as they are now; each with its children. */
  processes(): ReadonlyMap<string, number>;
  /** The folder of whatever is not in Postgres. */
  readonly state: string;
  /** Bytes of each table in Postgres, indexes with it. */
  tables(): Promise<readonly (readonly [string, number])[]>;
};

/** The rate limit is one caller's, and this caller is all of them. */
const OPEN_TO_ALL = { RATE_PER_SECOND: '100000', RATE_BURST: '100000', CANARY_EVERY_SECONDS: '0' };
/** What they say would fill a pipe for hours; `ready` is said at info. */
const QUIET = { TRACES: 'off' };

export async function startStack(wish: StackWish): Promise<Stack> {
  await using undo = new AsyncDisposableStack();
  const own = temporaryFolder();
  undo.defer(() => removeFolder(own));
  const state = (wish.database === 'embedded' ? wish.folder : undefined) ?? join(own, 'state');
  const env = {
    ...OPEN_TO_ALL,
    ...QUIET,
    BURNLINE_STATE: state,
    BURNLINE_VENDORS: 'simulated',
    SIMULATORS_LATENCY: wish.latency,
    ...wish.env,
  };
  const started = await (wish.database === 'embedded' ? embedded(undo, env, wish) : onPostgres(undo, env, wish));
  await warmUp(started.target.url);
  const owned = undo.move();
  return { ...started, state, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** By the store itself, which a running embedded service would not share. */
async function makeKeys(tenants: readonly string[] | undefined, env: Env): Promise<Map<string, string>> {
  const keys = new Map<string, string>();
  for (const tenant of tenants ?? []) {
    const args = ['keys', 'create', '--name', 'load', '--roles', 'writer', '--tenant', tenant];
    const { code, stdout, stderr } = await burnline(args, env);
    if (code !== 0) throw new Error(`Cannot make a key of ${tenant}: ${stderr}`);
    keys.set(tenant, stdout.trim());
  }
  return keys;
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
type Started = Omit<Stack, keyof AsyncDisposable | 'state'>;

async function embedded(undo: AsyncDisposableStack, env: Env, { tenants }: StackWish): Promise<Started> {
  const keys = await makeKeys(tenants, env);
  // A router that was given 0 would listen elsewhere after a restart; the others keep what they found.
  const listen = ['--web.listen-address', `127.0.0.1:${await freePort()}`];
  const stack = await startRole('start', env, [...(FREE_PORTS['start'] ?? []).slice(0, -2), ...listen]);
  undo.defer(async () => void (await stack.stop()));
  const { api = '', metrics = '', router = '', simulators = '' } = stack.urls;
  const target = { url: api, keys: [], metrics: [metrics], router: { url: router, key: undefined }, alone: true };
  const pid = stack.process.pid ?? 0;
  const members = [
    supervised({ parent: pid, role: 'service', health: `${api}/readyz`, metrics }),
    supervised({ parent: pid, role: 'router', health: `${router}/-/ready`, metrics: router }),
  ];
  const processes = () => new Map(childrenOf(pid).map((child) => [child.role, child.pid]));
  const accidents = accidentsOf(stack.process, members);
  const nothing = { cluster: undefined, databaseUrl: undefined, tables: async () => [] };
  return { target, simulators, members, keys, accidents, processes, ...nothing };
}

const TABLES = `select relname as name, pg_total_relation_size(relid)::float8 as bytes from pg_stat_user_tables order by 2 desc`;

async function onPostgres(undo: AsyncDisposableStack, env: Env, wish: StackWish): Promise<Started> {
  const found = findPostgres();
  if (found.kind === 'missing') throw new Error(`Postgres is missing: ${found.why}`);
  const settings = ['shared_buffers=256MB'];
  const cluster = undo.use(await startCluster(found.where, { fsync: true, settings, folder: wish.folder }));
  const databaseUrl = await cluster.create('documents');
  const accidents: string[] = [];
  const members: Member[] = [];
  const start = async (name: string, role: Role, more: Env, args: readonly string[]): Promise<void> => {
    const member = await startMember({ name, role, env: { ...env, ...more }, args }, (text) => accidents.push(text));
    undo.defer(async () => void (await member.stop()));
    members.push(member);
  };
  const simulators = await startRole('simulators', env);
  undo.defer(async () => void (await simulators.stop()));
  const { simulators: vendors = '', smtp = '' } = simulators.urls;
  const ports = { SIMULATORS_PORT: new URL(vendors).port, SIMULATORS_SMTP_PORT: new URL(smtp).port };
  const shared = { ...ports, DATABASE_URL: databaseUrl, WEBHOOK_SECRET: 'only-for-this-load-test' };
  const keys = await makeKeys(wish.tenants, { ...env, DATABASE_URL: databaseUrl });
  const [apiPort, routerPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${apiPort}`;
  await start('api', 'api', shared, ['--port', String(apiPort)]);
  const metrics: string[] = [];
  for (let i = 1; i <= wish.workers; i++) {
    const port = await freePort();
    metrics.push(`http://127.0.0.1:${port}`);
    const name = `worker-${i}`;
    await start(name, 'worker', { ...shared, WORKER_ID: name }, ['--metrics-port', String(port)]);
  }
  // One list: of a flag that is given twice, the last counts.
  const targets = [`api=${url}/metrics`, ...metrics.map((one, i) => `worker-${i + 1}=${one}/metrics`)];
  const listen = `--web.listen-address=127.0.0.1:${routerPort}`;
  await start('router', 'router', ports, [listen, `--scrape=${targets.join()}`]);
  const router = { url: `http://127.0.0.1:${routerPort}`, key: undefined };
  const target = { url, keys: [], metrics, alone: true, router };
  const db = openDatabase(databaseUrl);
  undo.defer(async () => await db.close());
  const processes = () =>
    new Map(
      [
        ...members.map((one) => [one.name, one.pid()] as const),
        ...([
          ['simulators', simulators.process.pid],
          ['postgres', cluster.pid()],
        ] as const),
      ].filter((entry): entry is [string, number] => entry[1] !== undefined),
    );
  const tables = async () =>
    (await db.query<{ name: string; bytes: number }>(TABLES)).map(
      ({ name, bytes }) => [`table ${name}`, bytes] as const,
    );
  return { target, simulators: vendors, members, cluster, databaseUrl, keys, accidents, processes, tables };
}
