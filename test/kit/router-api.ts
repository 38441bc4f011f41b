/** The router's whole API on a real socket, over a desk whose time is told to it. */
import type { AddressInfo } from 'node:net';
import { makeKeys } from '#access/keys.ts';
import type { Principal, Role } from '#access/roles.ts';
import { answer } from '#alerting/answer.ts';
import { makeRouterApi, type RouterApi } from '#alerting/api/api.ts';
import { NO_EYE } from '#alerting/eye.ts';
import { hear } from '#alerting/inbound.ts';
import { receive } from '#alerting/intake.ts';
import { overridesFrom } from '#alerting/rows/overrides.ts';
import { withOverrides } from '#alerting/setup.ts';
import { makeSqlStore } from '#alerting/store-sql.ts';
import { silentTelemetry } from '#collector/silent.ts';
import { systemClock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import { silentLog } from '#kernel/log.ts';
import { seededRandom } from '#kernel/random.ts';
import { secret } from '#kernel/secret.ts';
import { milliseconds } from '#kernel/units.ts';
import { type Desk, T0 } from './alerting.ts';

export type TestApi = AsyncDisposable & {
  readonly url: string;
  /** Who asks; may be changed. */
  readonly principal: { roles: Role[]; subject: string };
  /** @returns the body as JSON, or as text where it is none. */
  ask<T>(
    path: string,
    options?: { method?: string; body?: unknown; headers?: Record<string, string> },
  ): Promise<Asked<T>>;
};
export type Asked<T> = { readonly status: number; readonly body: T; readonly headers: Headers };

export async function openRouterApi(db: Db, desk: Desk, more: Partial<RouterApi> = {}): Promise<TestApi> {
  const around = { db, clock: systemClock, random: seededRandom(1), log: silentLog, telemetry: silentTelemetry };
  const now = () => milliseconds(T0 + desk.time);

  const principal = { roles: ['operator'] as Role[], subject: 'ada' };
  const app = await makeRouterApi({
    ...around,
    keys: makeKeys(around),
    store: makeSqlStore(db),
    setup: () => desk.setup,
    now,
    newId: desk.around.newId,
    mode: 'default',
    receive: async (alerts) => void (await receive(desk.around.store, desk.setup, alerts, now())),
    answer: (id, given) => answer(desk.around, id, given),
    hear: (event) => hear(desk.around, event),
    pagerdutySecrets: [secret('x')],
    signingKey: secret('x'),
    engine: () => undefined,
    source: () => undefined,
    eye: () => NO_EYE,
    correct: async () => {},
    runbooks: new Map([['Down', '# Down\n']]),
    overridden: async () => {
      desk.setup = withOverrides(desk.setup, await overridesFrom(db, now()));
    },
    reload: async () => undefined,
    address: () => '127.0.0.1:0',
    startedAt: now(),
    version: '1.2.3',
    revision: '1',
    prefix: '',
    authenticate: async () => ({ kind: 'known', principal: known(principal) }),
    keyNeeded: true,
    rate: { perSecond: 10_000, burst: 10_000 },
    trustProxy: false,
    ...more,
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  return {
    url,
    principal,
    ask: async (path, { method = 'GET', body, headers } = {}) => {
      const json = body === undefined ? {} : { body: JSON.stringify(body) };
      const type = body === undefined ? {} : { 'content-type': 'application/json' };
      const response = await fetch(`${url}${path}`, { method, ...json, headers: { ...type, ...headers } });
      const text = await response.text();
      const isJson = /json/.test(response.headers.get('content-type') ?? '');
      return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as never };
    },
    [Symbol.asyncDispose]: async () => await app.close(),
  };
}

const known = ({ roles, subject }: TestApi['principal']): Principal => ({
  tenant: 'default',
  subject,
  roles,
  via: 'key',
});
