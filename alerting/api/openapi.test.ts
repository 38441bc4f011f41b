/** Nothing is served that the description does not have, and it has every status that a route can answer. */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { makeKeys } from '#access/keys.ts';
import type { Setup } from '#alerting/setup.ts';
import type { Store } from '#alerting/store.ts';
import { silentTelemetry } from '#collector/silent.ts';
import { besideRouter, consoleRoutes } from '#console/console.ts';
import { openPages } from '#console/page-routes.ts';
import type { Upstream } from '#console/upstream.ts';
import { systemClock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import { http } from '#kernel/http.ts';
import { silentLog } from '#kernel/log.ts';
import { seededRandom } from '#kernel/random.ts';
import { secret } from '#kernel/secret.ts';
import { milliseconds } from '#kernel/units.ts';
import type { App } from '#serving/app.ts';
import { registeredRoutes } from '#test/kit/openapi.ts';
import { makeRouterApi } from './api.ts';

const never = () => assert.fail('not called here');
/** Nobody asks it: only the routes are looked at. */
const db = { engine: 'pglite', query: async () => [], tx: never } as unknown as Db;
/** Pages for people: a signed link’s, and the console’s. */
const LINKS = ['get', 'post'].map((method) => `${method} /incidents/{id}/{action}`);
const pagesOf = (prefix: string): string[] => [
  ...LINKS.map((link) => link.replace(' ', ` ${prefix}`)),
  ...openPages(prefix).map((path) => `get ${path.replace(/:(\w+)/g, '{$1}')}`),
];

/** So that the routes of `npm start` are looked at too. */
const simulators: Upstream = {
  what: 's',
  url: 'http://127.0.0.1:1',
  key: undefined,
  gone: 'unavailable',
  timeout: milliseconds(1),
  http,
  log: silentLog,
};

async function api(t: TestContext, prefix: string): Promise<App> {
  const around = { db, clock: systemClock, random: seededRandom(1), log: silentLog, telemetry: silentTelemetry };
  const app = await makeRouterApi({
    ...around,
    keys: makeKeys(around),
    store: {} as Store,
    setup: () => ({}) as Setup,
    now: () => milliseconds(0),
    newId: never,
    mode: 'default',
    receive: never,
    answer: never,
    hear: never,
    pagerdutySecrets: [secret('x')],
    signingKey: secret('x'),
    engine: () => undefined,
    source: () => undefined,
    eye: never,
    correct: async () => {},
    overridden: never,
    runbooks: new Map(),
    reload: never,
    address: () => '',
    startedAt: milliseconds(0),
    version: '1.2.3',
    revision: '1',
    prefix,
    authenticate: never,
    keyNeeded: true,
    rate: { perSecond: 1, burst: 1 },
    trustProxy: false,
    beside: besideRouter(prefix),
  });
  consoleRoutes(app, prefix, {
    site: { prefix, external: undefined },
    sessions: { begin: never, find: never, end: never },
    authenticate: never,
    setup: () => ({}) as Setup,
    now: () => milliseconds(0),
    version: '1.2.3',
    embedded: false,
    dist: '/nowhere',
    ...{ db, documents: undefined, simulators },
    links: { grafana: null, traces: null },
  });
  t.after(() => app.close());
  await app.ready();
  return app;
}

type Answer = { readonly description: string; readonly content?: Record<string, unknown> };
type Operation = {
  readonly summary?: string;
  readonly operationId: string;
  readonly responses: Record<string, Answer>;
};
type Description = { readonly paths: Record<string, Record<string, Operation>> };

const operationsOf = (app: App) =>
  Object.entries((app.swagger() as unknown as Description).paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [`${method} ${path}`, operation] as const),
  );

for (const prefix of ['', '/am']) {
  test(`every route under "${prefix}" is in the description, and no other`, async (t) => {
    const app = await api(t, prefix);
    const described = operationsOf(app).map(([name]) => name);
    assert(described.length >= 25);
    assert.deepEqual(registeredRoutes(app).sort(), [...described, ...pagesOf(prefix)].sort());
  });
}

/** Source: prometheus/alertmanager api/v2/openapi.yaml. */
const ALERTMANAGERS = {
  getStatus: 'get /api/v2/status',
  getReceivers: 'get /api/v2/receivers',
  getSilences: 'get /api/v2/silences',
  postSilences: 'post /api/v2/silences',
  getSilence: 'get /api/v2/silence/{id}',
  deleteSilence: 'delete /api/v2/silence/{id}',
  getAlerts: 'get /api/v2/alerts',
  postAlerts: 'post /api/v2/alerts',
  getAlertGroups: 'get /api/v2/alerts/groups',
};

test('Alertmanager’s operations have its names', async (t) => {
  const found = operationsOf(await api(t, '')).map(([name, { operationId }]) => [operationId, name] as const);
  const theirs = Object.fromEntries(found.filter(([, name]) => name.includes('/api/v2/')));
  assert.deepEqual(theirs, ALERTMANAGERS);
});

test('each says what it does, and what each answer means and looks like', async (t) => {
  const operations = operationsOf(await api(t, ''));
  const ids = operations.map(([, { operationId }]) => operationId);
  assert.equal(new Set(ids).size, ids.length, ids.join());
  for (const [name, { summary, responses }] of operations) {
    assert(summary, name);
    const open = /\/-\/(healthy|ready)|\/metrics|\/openapi/.test(name);
    // Known by a signature, which allows one thing.
    const signed = name.includes('/inbound/');
    const statuses = [
      '400',
      '500',
      '503',
      ...(open ? [] : ['401', '429']),
      ...(open || signed ? [] : ['403']),
      ...(name.startsWith('post') ? ['413', '415'] : []),
    ];
    for (const status of statuses) {
      assert(responses[status], `${name} ${status}`);
      const wanted = name.includes('/api/v2/') ? 'application/json' : 'application/problem+json';
      assert.deepEqual(Object.keys(responses[status]?.content ?? {}), [wanted], `${name} ${status}`);
    }
    for (const { description } of Object.values(responses)) assert.notEqual(description, 'Default Response');
  }
});
