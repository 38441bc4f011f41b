/**
 * Keys by the running service where there is one, else by its store. The embedded database can be open in one process
 * only, so a running service must be asked; a Postgres can always be asked directly.
 */
import { isLoopback } from '#access/addresses.ts';
import { makeKeys } from '#access/keys.ts';
import type { Principal, Role } from '#access/roles.ts';
import { type Clock, systemClock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import { Fault } from '#kernel/errors.ts';
import { http } from '#kernel/http.ts';
import { type Log, silentLog } from '#kernel/log.ts';
import { systemRandom } from '#kernel/random.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { type Config, environment, readConfig } from './config.ts';

export type KeyView = {
  readonly id: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
};
export type KeyWish = {
  readonly name: string;
  readonly roles: readonly Role[];
  readonly expiresAt: Milliseconds | undefined;
};
export interface KeysClient extends AsyncDisposable {
  create(wish: KeyWish): Promise<{ readonly id: string; readonly key: string }>;
  list(): Promise<readonly KeyView[]>;
  revoke(id: string): Promise<boolean>;
}

const TIMEOUT = milliseconds(10_000);
const PROBE = milliseconds(1_000);

/** Whose keys: the document service and the router have a store each. */
export type KeysOf = 'service' | 'router';
type Side = {
  /** The variable that says where it runs. */
  readonly named: 'BURNLINE_URL' | 'BURNLINE_ROUTER_URL';
  readonly usual: string;
  readonly health: string;
  readonly path: string;
  /** The variable of its Postgres. */
  readonly database: 'DATABASE_URL' | 'ROUTER_DATABASE_URL';
  readonly open: (config: Config, clock: Clock, log: Log) => Promise<Db>;
};

async function sideOf(of: KeysOf, env: ReturnType<typeof environment>): Promise<Side> {
  const { openRouterDatabase, openServiceDatabase } = await import('./database.ts');
  if (of === 'service') {
    const usual = `http://127.0.0.1:${env['API_PORT'] ?? '8080'}`;
    const [health, path] = ['/healthz', '/v1/keys'];
    return { named: 'BURNLINE_URL', usual, health, path, database: 'DATABASE_URL', open: openServiceDatabase };
  }
  const [usual, health, path] = ['http://127.0.0.1:9093', '/-/healthy', '/api/v1/keys'];
  const database = 'ROUTER_DATABASE_URL';
  return { named: 'BURNLINE_ROUTER_URL', usual, health, path, database, open: openRouterDatabase };
}

/** @throws {Fault} when neither the service nor the store can be reached. */
export async function connectKeys(who: Principal, of: KeysOf = 'service'): Promise<KeysClient> {
  const env = environment();
  const side = await sideOf(of, env);
  const given = env[side.named]?.replace(/\/+$/, '');
  const base = given ?? side.usual;
  if (env[side.database] === undefined && (await isUp(`${base}${side.health}`))) {
    if (who.tenant !== 'default' && env['BURNLINE_KEY'] === undefined) {
      throw new Fault(
        'tenant_unreachable',
        `The running service makes keys of the caller's own tenant: stop it, or set BURNLINE_KEY to an admin key of ${who.tenant}`,
      );
    }
    return overHttp(base, side.path, env['BURNLINE_KEY']);
  }
  if (given !== undefined && env[side.database] === undefined && !isLocal(given)) {
    // The store of this machine is another one.
    throw new Fault('service_unreachable', `Cannot reach the ${of} at ${given} (${side.named})`);
  }
  return await overStore(who, side);
}

function isLocal(url: string): boolean {
  const name = URL.parse(url)?.hostname.replace(/^\[|\]$/g, '') ?? '';
  return name === 'localhost' || isLoopback(name);
}

async function isUp(health: string): Promise<boolean> {
  const answer = await http(health, { timeout: PROBE }).catch(() => undefined);
  return answer?.ok ?? false;
}

function overHttp(base: string, under: string, key: string | undefined): KeysClient {
  const call = async (method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<Response> => {
    const answer = await http(`${base}${under}${path}`, {
      method,
      timeout: TIMEOUT,
      headers: {
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (answer.ok || answer.status === 404) return answer;
    const { detail } = (await answer.json().catch(() => ({}))) as { detail?: string };
    throw new Fault(
      'service_refused',
      `The service at ${base} answered ${answer.status}: ${detail ?? 'no reason given'}`,
    );
  };
  return {
    create: async ({ name, roles, expiresAt }) => {
      const expiry = expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() };
      return (await (await call('POST', '', { name, roles, ...expiry })).json()) as { id: string; key: string };
    },
    list: async () => (await (await call('GET', '')).json()) as KeyView[],
    revoke: async (id) => (await call('DELETE', `/${encodeURIComponent(id)}`)).status !== 404,
    [Symbol.asyncDispose]: async () => {},
  };
}

async function overStore(who: Principal, { open }: Side): Promise<KeysClient> {
  const db = await open(storeConfig(), systemClock, silentLog);
  const keys = makeKeys({ db, clock: systemClock, random: systemRandom, log: silentLog });
  const { tenant, subject: by } = who;
  const iso = (at: Milliseconds | null | undefined) => (at == null ? null : new Date(at).toISOString());
  return {
    create: async ({ name, roles, expiresAt }) => {
      const wish = { tenant, by, name, roles, ...(expiresAt === undefined ? {} : { expiresAt }) };
      const { facts, key } = await keys.create(wish);
      return { id: facts.id, key: key.reveal() };
    },
    list: async () =>
      (await keys.list(tenant)).map(({ id, name, roles, expiresAt, revokedAt }) => ({
        id,
        name,
        roles,
        expiresAt: iso(expiresAt),
        revokedAt: iso(revokedAt),
      })),
    revoke: (id) => keys.revoke(tenant, id, by),
    [Symbol.asyncDispose]: () => db.close(),
  };
}

/** Only the database's settings matter here; a missing vendor key must not keep anybody from making an API key. */
export function storeConfig(): Config {
  const outcome = readConfig('simulators');
  if (outcome.kind === 'config') return outcome.config;
  const [first] = outcome.faults;
  throw new Fault('config', `${first?.setting} ${first?.message}`);
}
