/** docker-compose.yml as a team brings it up, on an engine of the tests' own, with simulators for every vendor. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { until } from '#test/kit/alertmanager.ts';
import type { DockerEngine, RunOptions } from '#test/tools/docker-engine.ts';
import { freePort } from '#test/tools/postgres.ts';

/** Without what no registry of packages has: Tempo, Loki, Grafana. */
const SERVICES = ['api', 'worker', 'router', 'simulators', 'prometheus', 'otel-collector', 'postgres-exporter'];
const UP_WITHIN = 400_000;
const READY_WITHIN = 120_000;
const PORTS = ['API', 'ROUTER', 'PROMETHEUS', 'GRAFANA', 'SIMULATORS'] as const;

export type Platform = AsyncDisposable & {
  readonly urls: {
    readonly api: string;
    readonly router: string;
    readonly prometheus: string;
    readonly simulators: string;
  };
  compose(args: readonly string[], options?: RunOptions): Promise<string>;
  /** The image, which all roles share. */
  build(): Promise<void>;
  up(): Promise<void>;
  /** Makes a key in a role's container, as its operator does. */
  key(role: 'api' | 'router', roles: string): Promise<string>;
  containers(service: string): Promise<string[]>;
};

export async function openPlatform(engine: DockerEngine): Promise<Platform> {
  const folder = mkdtempSync(join(tmpdir(), 'burnline-compose-'));
  const override = join(folder, 'override.json');
  writeFileSync(override, JSON.stringify(overrides()));
  const ports = Object.fromEntries(
    await Promise.all(PORTS.map(async (name) => [name, String(await freePort())] as const)),
  );
  const env = Object.fromEntries(PORTS.map((name) => [`${name}_PUBLISHED_PORT`, ports[name]]));
  const files = ['--env-file', 'deploy/compose/simulated.env', '-f', 'docker-compose.yml', '-f', override];
  const compose = async (args: readonly string[], options: RunOptions = {}) =>
    await engine.docker(['compose', ...files, ...args], { ...options, env: { ...env, ...options.env } });
  const url = (name: (typeof PORTS)[number]) => `http://127.0.0.1:${ports[name]}`;
  return {
    urls: { api: url('API'), router: url('ROUTER'), prometheus: url('PROMETHEUS'), simulators: url('SIMULATORS') },
    compose,
    build: async () => void (await compose(['build', 'migrate'], { timeout: UP_WITHIN })),
    up: async () => {
      await compose(['up', '-d', '--no-build', ...SERVICES], { timeout: UP_WITHIN });
      for (const ready of [`${url('API')}/readyz`, `${url('ROUTER')}/-/ready`, `${url('PROMETHEUS')}/-/ready`]) {
        await until(ready, async () => (await fetch(ready)).ok || undefined, READY_WITHIN);
      }
    },
    key: async (role, roles) => {
      const args = ['burnline', 'keys', 'create', ...(role === 'router' ? ['--router'] : []), '--name', 'a person'];
      return (await compose(['exec', '-T', role, ...args, '--roles', roles])).trim();
    },
    containers: async (service) => (await compose(['ps', '-q', service])).trim().split('\n').filter(Boolean),
    [Symbol.asyncDispose]: async () => {
      await compose(['--profile', 'loadtest', 'down', '-v', '--timeout', '5']).catch(() => {});
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type ComposeFile = {
  readonly services: Readonly<Record<string, { readonly build?: unknown; readonly profiles?: string[] }>>;
};

/** The engine of the tests gives containers no way outside: what is built uses the machine's. */
function overrides(): object {
  const { services } = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as ComposeFile;
  const built = Object.entries(services).filter(([, { build }]) => build !== undefined);
  return { services: Object.fromEntries(built.map(([name]) => [name, { build: { context: '.', network: 'host' } }])) };
}
