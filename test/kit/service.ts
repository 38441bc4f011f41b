/** A running document service with vendors of its own that can be broken and mended, and a look into its database. */
import { join } from 'node:path';
import { systemClock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import { silentLog } from '#kernel/log.ts';
import { openPglite } from '#kernel/pglite.ts';
import { openPostgres } from '#kernel/postgres.ts';
import { secret } from '#kernel/secret.ts';
import { instantParser } from '#simulators/harness.ts';
import { startSimulators } from '#simulators/start.ts';
import { json } from './client.ts';
import { freshDatabase, LIMITS, POSTGRES_URL } from './database.ts';
import { type Running, removeFolder, startRole, temporaryFolder } from './stack.ts';

export type Store = 'embedded' | 'Postgres';
/** Where the run has a Postgres, on both. */
export const STORES: readonly Store[] = ['embedded', ...(POSTGRES_URL ? (['Postgres'] as const) : [])];

export type Service = AsyncDisposable & {
  readonly api: string;
  readonly metrics: string;
  readonly state: string;
  readonly running: Running;
  readonly simulators: string;
  /** What the service needs in its environment; for a second role beside it. */
  readonly env: Readonly<Record<string, string>>;
  /** Makes a vendor misbehave: docs/simulators.md has the plans. */
  break(vendor: 'llamaparse' | 'openai', plan: object): Promise<void>;
  mend(): Promise<void>;
  /** The tables as they are. Ends the service first where it alone can open them. */
  look<T>(work: (db: Db) => Promise<T>): Promise<T>;
};

export type ServiceOptions = {
  readonly store?: Store;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** The simulator reads documents as it does under `npm start`; default: it says at once that all is well. */
  readonly readsDocuments?: true;
  /** Before it starts: its folder or database is there, the service is not. */
  readonly prepare?: (env: Readonly<Record<string, string>>) => Promise<void>;
};

const FREE = ['--port', '0', '--metrics-port', '0'];

export async function startService(options: ServiceOptions = {}): Promise<Service> {
  await using undo = new AsyncDisposableStack();
  const state = temporaryFolder();
  undo.defer(() => removeFolder(state));
  const simulators = await startSimulators({
    host: '127.0.0.1',
    port: 0,
    smtpPort: 0,
    folder: join(state, 'simulators'),
    seed: 1,
    latency: 'zero',
    clock: systemClock,
    log: silentLog,
    parser: options.readsDocuments ? undefined : instantParser,
  });
  undo.defer(() => simulators.close());
  const database = options.store === 'Postgres' ? await freshDatabase() : undefined;
  const env: Record<string, string> = {
    BURNLINE_STATE: state,
    BURNLINE_VENDORS: 'simulated',
    SIMULATORS_PORT: new URL(simulators.url).port,
    CANARY_EVERY_SECONDS: '0',
    ...(database === undefined ? {} : { DATABASE_URL: database }),
    ...options.env,
  };
  await options.prepare?.(env);
  const running = await startRole('service', env, [...FREE, ...(options.args ?? [])]);
  undo.defer(() => running.kill());
  const owned = undo.move();
  return {
    api: running.urls['api'] ?? '',
    metrics: running.urls['metrics'] ?? '',
    state,
    running,
    simulators: simulators.url,
    env,
    break: async (vendor, plan) => {
      const { status, body } = await json('PUT', `${simulators.url}/faults/${vendor}`, plan);
      if (status >= 300) throw new Error(`Cannot break ${vendor}: ${JSON.stringify(body)}`);
    },
    mend: async () => void (await json('DELETE', `${simulators.url}/faults`)),
    look: async (work) => {
      if (database === undefined) await running.stop();
      const db = await openStore(state, database);
      try {
        return await work(db);
      } finally {
        await db.close();
      }
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export async function openStore(state: string, database?: string): Promise<Db> {
  const common = { limits: LIMITS, clock: systemClock };
  if (database === undefined) return await openPglite({ ...common, folder: join(state, 'service'), fsync: false });
  return openPostgres({ ...common, url: secret(database), poolSize: 2, applicationName: 'look' });
}

/** What a caller who reads `application/problem+json` gets. */
export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly correlationId: string;
};
