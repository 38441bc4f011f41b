/** What is killed: on Postgres an API and two workers, embedded one service; and what stays: the vendors and the database. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import { openPglite } from '#kernel/pglite.ts';
import { openPostgres } from '#kernel/postgres.ts';
import { secret } from '#kernel/secret.ts';
import { milliseconds } from '#kernel/units.ts';
import { startRole, temporaryFolder } from '#test/kit/stack.ts';
import { freePort } from '#test/tools/postgres.ts';
import { type Member, type MemberSpec, type Role, startMember } from './member.ts';
import { type Relay, startRelay } from './relay.ts';
import { makeVendors, type Vendors } from './vendors.ts';

export type Engine = 'postgres' | 'pglite';

export type Fleet = AsyncDisposable & {
  readonly engine: Engine;
  readonly vendors: Vendors;
  readonly members: readonly Member[];
  /** Those of a kind that live at this moment. */
  living(role?: Role): Member[];
  /** The one that takes uploads. */
  readonly server: Member;
  api(): string;
  /** Postgres only: an embedded database belongs to its process. */
  readonly db: Db | undefined;
  /** Postgres only: the wire between the API and the database. */
  readonly relay: Relay | undefined;
  /** Processes that ended or did not start although nobody killed them. */
  readonly accidents: readonly string[];
  /** Stops all members, and opens the database to look into. */
  close(): Promise<Db>;
};

export type FleetOptions = {
  readonly engine: Engine;
  /** Postgres: a database of its own. */
  readonly databaseUrl?: string | undefined;
  readonly canaryEverySeconds: number;
  readonly env?: Readonly<Record<string, string>>;
};

const LIMITS = { statement: milliseconds(20_000), transaction: milliseconds(20_000) };
/** An attempt that a vendor's fault has spent must be told from one that a crash has not: few attempts show it soon. */
const STEP_ATTEMPTS = 2;

export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { engine, databaseUrl } = options;
  await using undo = new AsyncDisposableStack();
  const folder = temporaryFolder();
  undo.defer(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const simulators = await startRole('simulators', {
    BURNLINE_STATE: join(folder, 'vendors'),
    SIMULATORS_LATENCY: 'zero',
    LOG_LEVEL: 'info',
  });
  undo.defer(() => simulators.kill());
  const vendors = makeVendors(simulators.urls['simulators'] ?? '');
  const accidents: string[] = [];
  const members: Member[] = [];
  undo.defer(async () => {
    await Promise.all(members.map((member) => member.stop()));
  });
  const relay = databaseUrl === undefined ? undefined : undo.use(await startRelay(databaseUrl));
  const specs = await specsOf(options, { folder, vendorsPort: new URL(vendors.url).port, relay });
  // One after the other: the first brings the database up to date.
  for (const spec of specs) members.push(await startMember(spec, (text) => accidents.push(text)));
  const db = databaseUrl === undefined ? undefined : openDatabase(databaseUrl);
  undo.defer(async () => await db?.close());
  const server = members.find((member) => member.role !== 'worker');
  if (!server) throw new Error('Nobody takes uploads');
  const url = `http://127.0.0.1:${specs.find((spec) => spec.name === server.name)?.args[1]}`;
  const rest = undo.move();
  let reopened: Db | undefined;
  return {
    engine,
    vendors,
    members,
    living: (role) => members.filter((one) => one.alive() && (role === undefined || one.role === role)),
    server,
    api: () => url,
    db,
    relay,
    accidents,
    close: async () => {
      await Promise.all(members.map((member) => member.stop()));
      if (db) return db;
      reopened ??= await openPglite({ folder: join(folder, 'service'), limits: LIMITS, clock: systemClock });
      return reopened;
    },
    [Symbol.asyncDispose]: async () => {
      await reopened?.close();
      await rest.disposeAsync();
    },
  };
}

type Place = { readonly folder: string; readonly vendorsPort: string; readonly relay: Relay | undefined };

async function specsOf(options: FleetOptions, { folder, vendorsPort, relay }: Place): Promise<MemberSpec[]> {
  const env = {
    BURNLINE_STATE: folder,
    DATABASE_URL: options.databaseUrl,
    BURNLINE_VENDORS: 'simulated',
    SIMULATORS_PORT: vendorsPort,
    WEBHOOK_SECRET: 'a secret of the crash test',
    WEBHOOK_PRIVATE_HOSTS: '127.0.0.1',
    CANARY_EVERY_SECONDS: String(options.canaryEverySeconds),
    STEP_ATTEMPTS: String(STEP_ATTEMPTS),
    RATE_PER_SECOND: '100000',
    RATE_BURST: '100000',
    ...options.env,
  };
  const port = async (flag: string) => [flag, String(await freePort())];
  if (options.engine === 'pglite') {
    const args = [...(await port('--port')), ...(await port('--metrics-port'))];
    return [{ name: 'service', role: 'service', env, args }];
  }
  const worker = async (name: string): Promise<MemberSpec> => {
    return { name, role: 'worker', env: { ...env, WORKER_ID: name }, args: await port('--metrics-port') };
  };
  const api = { ...env, DATABASE_URL: relay?.url };
  return [{ name: 'api', role: 'api', env: api, args: await port('--port') }, await worker('w1'), await worker('w2')];
}

export function openDatabase(url: string): Db {
  return openPostgres({
    url: secret(url),
    poolSize: 6,
    limits: LIMITS,
    clock: systemClock,
    applicationName: 'crash-test',
  });
}
