/** Nothing is served that the description does not have, and it says who may come without a key. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { makeKeys } from '#access/keys.ts';
import { silentTelemetry } from '#collector/silent.ts';
import { systemClock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import { silentLog } from '#kernel/log.ts';
import { seededRandom } from '#kernel/random.ts';
import { secret } from '#kernel/secret.ts';
import { mebibytes, milliseconds } from '#kernel/units.ts';
import type { App } from '#serving/app.ts';
import { keyRoutes } from '#serving/keys.ts';
import { registeredRoutes } from '#test/kit/openapi.ts';
import { makeApi } from './api.ts';

/** Nobody asks it: only the routes are looked at. */
const db = {
  engine: 'pglite',
  query: async () => [],
  tx: () => assert.fail('not called here'),
} as unknown as Db;
const QUOTA = { requestsPerMinute: 1, tokensPerMinute: 1, concurrency: 1 };
const vendor = { apiKey: secret('x'), baseUrl: 'http://127.0.0.1:9', quota: QUOTA };

async function api(t: TestContext, keyNeeded: boolean): Promise<App> {
  const clock = systemClock;
  const shared = { now: () => milliseconds(0), sync: async () => {} };
  const around = { db, clock, shared, random: seededRandom(1), log: silentLog, telemetry: silentTelemetry };
  const app = await makeApi(
    {
      authenticate: async () => assert.fail('not called here'),
      keyNeeded,
      rate: { perSecond: 1, burst: 1 },
      trustProxy: false,
      version: '1.2.3',
      uploadBytes: mebibytes(1),
      vendors: {
        timeout: milliseconds(1_000),
        llamaparse: { ...vendor, tier: 'fast', version: 'latest' },
        openai: { ...vendor, model: 'text-embedding-3-small', usdPerMillionTokens: undefined },
      },
      migrations: [],
      shown: 'all',
      wake: () => {},
      circuits: () => ({}),
    },
    around,
    new AbortController().signal,
  );
  keyRoutes(app, makeKeys(around));
  t.after(() => app.close());
  await app.ready();
  return app;
}

type Description = { readonly paths: Record<string, object>; readonly security: unknown; readonly info: object };

test('every route that is registered is in the description, and no other', async (t) => {
  const app = await api(t, true);
  const { paths } = app.swagger() as unknown as Description;
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  assert(described.length >= 14);
  assert.deepEqual(registeredRoutes(app).sort(), described.sort());
});

for (const [keyNeeded, security] of [
  [true, [{ key: [] }]],
  [false, [{ key: [] }, {}]],
] as const) {
  test(`the description says that a key is ${keyNeeded ? '' : 'not '}needed`, async (t) => {
    const described = (await api(t, keyNeeded)).swagger() as unknown as Description;
    assert.deepEqual(described.security, security);
    assert.equal((described.info as { version: string }).version, '1.2.3');
  });
}
