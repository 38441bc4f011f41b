/** The role `router`: its store, its files, its loops and its server. */
import { makeBasicUsers } from '#access/basic-users.ts';
import { makeKeys } from '#access/keys.ts';
import { makeSessions } from '#access/sessions.ts';
import { comeBack } from '#alerting/alive.ts';
import { makeRouterApi, type RouterApi } from '#alerting/api/api.ts';
import { NO_EYE } from '#alerting/eye.ts';
import { makeLinks } from '#alerting/links.ts';
import { makeNotify } from '#alerting/notify/notify.ts';
import { observeRouter } from '#alerting/observe.ts';
import { makeOverrides } from '#alerting/overrides.ts';
import { regroup } from '#alerting/regroup.ts';
import { makeRouter } from '#alerting/router.ts';
import { keepFact } from '#alerting/rows/facts.ts';
import { insertConfigured } from '#alerting/rows/incidents.ts';
import type { Setup } from '#alerting/setup.ts';
import type { Store } from '#alerting/store.ts';
import { makeSqlStore } from '#alerting/store-sql.ts';
import { expectPages, tallied } from '#alerting/tally.ts';
import type { Watch } from '#alerting/watch.ts';
import { instrumentDb } from '#collector/database.ts';
import { besideRouter, consoleRoutes } from '#console/console.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import { describe } from '#kernel/errors.ts';
import { http } from '#kernel/http.ts';
import type { Log } from '#kernel/log.ts';
import { increasingIds, systemRandom } from '#kernel/random.ts';
import { type Secret, secret } from '#kernel/secret.ts';
import { sharedClock } from '#kernel/shared-clock.ts';
import { within } from '#kernel/shutdown.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import type { App } from '#serving/app.ts';
import { type EarlyServer, listenEarly } from '#serving/early-server.ts';
import { anonymousAllowed, type Config, routerAddress } from './config.ts';
import { consoleOptions } from './console.ts';
import { openRouterDatabase, routerFolder } from './database.ts';
import { VERSION } from './project.ts';
import { runLoops } from './router-loops.ts';
import { externalUrl, holdSetup, lateLinks, prefixOf, tellDeadLinks } from './router-setup.ts';
import { modeOf, pagerdutySecretsOf, shippedRunbooks, sourcesOf } from './router-shipped.ts';
import { watchOf } from './router-watch.ts';
import { onTold, type Runtime, tellReady, untilStopped } from './runtime.ts';
import { goodUntil, readWebConfig, type WebConfig } from './web-config.ts';
import { authenticator, instrumentsOf } from './wiring.ts';

const CLOSE_LIMIT = milliseconds(3_000);
const KEY_BYTES = 32;

export async function runRouter(config: Config, runtime: Runtime): Promise<void> {
  const { clock, log, telemetry, stop, random } = runtime;
  await using stack = new AsyncDisposableStack();
  let time: Pick<Clock, 'now'> = clock;
  // Whole milliseconds, as the store keeps them.
  const now = () => milliseconds(Math.floor(time.now()));
  const links = lateLinks();
  const setup = holdSetup({
    files: { ...sourcesOf(config), links },
    log,
    now,
    took: async (fresh) => {
      await putInForce({ db, store, telemetry }, fresh, now());
      router.wake();
    },
  });
  const web = config.ROUTER_WEB_CONFIG_FILE === undefined ? undefined : readWebConfig(config.ROUTER_WEB_CONFIG_FILE);
  const early = await listen(config, runtime, web);
  stack.defer(() => early.server.closeAllConnections());
  const db = instrumentDb(await openRouterDatabase(config, clock, log), instrumentsOf(config, runtime));
  stack.defer(() => db.close());
  time = await sharedClock(db, clock);
  const key = await signingKey(db, now());
  links.become(makeLinks(externalUrl(config, early.url), key));
  tellDeadLinks(setup.current(), log);
  const newId = increasingIds(now, random);
  const store = tallied(makeSqlStore(db), telemetry);
  const notify = makeNotify({ http, clock, random, log });
  const around = { store, db, clock, random, log, newId, now, notify, setup: setup.current };
  const router = makeRouter({ ...around, owner: newId() });
  const overrides = makeOverrides({ ...around, apply: setup.override });
  observeRouter(telemetry, db, now);
  if (web?.tls !== undefined) telemetry.set('tls_certificate_expiry_timestamp_seconds', {}, goodUntil(web.tls) / 1_000);
  const watch = await watchOf(config, { db, clock, now, log, telemetry, stop, receive: router.receive });
  onTold(({ name }) => {
    if (name === 'service') watch?.serviceGivenUp();
  });
  const server = await serve(config, runtime, early, web, {
    db: db.foreground(),
    store: makeSqlStore(db.foreground()),
    setup: setup.current,
    now,
    newId,
    receive: router.receive,
    answer: router.answer,
    hear: router.hear,
    pagerdutySecrets: pagerdutySecretsOf(config),
    signingKey: key,
    ...watchedBy(watch),
    overridden: overrides.refresh,
    reload: setup.reload,
  });
  stack.defer(async () => {
    await within(clock, CLOSE_LIMIT, log, 'the server', Promise.all([server.close(), early.close()]));
    early.server.closeAllConnections();
  });
  if (!config.supervised) reloadOnHangUp(setup.reload, log);
  await Promise.all([comeBack(db, now(), log), overrides.refresh()]);
  // The files may have been changed while no router was there.
  await putInForce({ db, store, telemetry }, setup.current(), now());
  early.open();
  const parts = { ...around, db, telemetry, router, watch, overrides, catchUp: setup.catchUp };
  const work = runLoops(parts, stop);
  const folder = config.secrets.ROUTER_DATABASE_URL === undefined ? routerFolder(config) : undefined;
  log.info({ router: early.url, folder }, 'router is ready');
  tellReady({ router: early.url });
  await Promise.race([work, untilStopped(stop)]);
  log.info({}, 'router stops');
  await within(clock, CLOSE_LIMIT, log, 'what is being sent', work);
}

/** What routes ask of the watch, where there is one. */
const watchedBy = (watch: Watch | undefined) => ({
  engine: () => watch?.engine(),
  source: () => watch?.source,
  eye: () => watch?.eye() ?? NO_EYE,
  correct: async () => await watch?.correct(),
});

/** The store may be away, or be closed meanwhile by a stop: no reason to end as if the router had failed. */
function reloadOnHangUp(reload: () => Promise<unknown>, log: Log): void {
  process.on('SIGHUP', () => {
    reload().catch((error: unknown) => log.error({ reason: describe(error) }, 'cannot follow the new files'));
  });
}

/** What is there already is judged by the files anew, and the open incidents say so. */
async function putInForce(
  { db, store, telemetry }: { readonly db: Db; readonly store: Store } & Pick<Runtime, 'telemetry'>,
  setup: Setup,
  now: Milliseconds,
): Promise<void> {
  expectPages(telemetry, setup);
  await regroup(store, setup, now);
  await insertConfigured(db, setup.version, now);
}

/** At once: opening the store takes longer than all the rest, and whoever started the router waits for this. */
async function listen(config: Config, { clock }: Runtime, web: WebConfig | undefined): Promise<EarlyServer> {
  const { host, port } = routerAddress(config);
  const early = await listenEarly(host, port, web?.tls);
  const { host: address } = new URL(early.url);
  // Alertmanager's own words: programs that start it wait for this line.
  process.stderr.write(`ts=${new Date(clock.now()).toISOString()} level=info msg="Listening on" address=${address}\n`);
  return early;
}

type Served = Pick<
  RouterApi,
  | 'db'
  | 'store'
  | 'setup'
  | 'now'
  | 'newId'
  | 'receive'
  | 'answer'
  | 'hear'
  | 'pagerdutySecrets'
  | 'signingKey'
  | 'engine'
  | 'source'
  | 'eye'
  | 'correct'
  | 'overridden'
  | 'reload'
>;

async function serve(
  config: Config,
  runtime: Runtime,
  early: EarlyServer,
  web: WebConfig | undefined,
  served: Served,
): Promise<App> {
  const { clock, log, random } = runtime;
  const users = web === undefined || web.users.size === 0 ? undefined : makeBasicUsers(web.users);
  const { db, now, setup } = served;
  const keys = makeKeys({ db, clock, random, log });
  const sessions = makeSessions({ db, now, random });
  const authenticate = authenticator(config, keys, clock, { users, sessions });
  const prefix = prefixOf(config);
  const site = { prefix, external: config.ROUTER_EXTERNAL_URL };
  const server = await makeRouterApi({
    ...runtime,
    ...served,
    mode: modeOf(config),
    runbooks: shippedRunbooks(),
    address: () => new URL(early.url).host,
    startedAt: clock.now(),
    version: VERSION,
    revision: VERSION,
    prefix,
    site,
    beside: besideRouter(prefix),
    authenticate,
    keys,
    keyNeeded: users !== undefined || anonymousAllowed(config) === 'nobody',
    rate: { perSecond: config.RATE_PER_SECOND, burst: config.RATE_BURST },
    trustProxy: config.TRUST_PROXY === 'on',
    early,
  });
  consoleRoutes(server, prefix, { ...consoleOptions(config, log), site, sessions, authenticate, setup, now, db });
  await server.ready();
  return server;
}

/** Made once and kept with what it signs for, so that every router of a store believes the links of the others. */
async function signingKey(db: Db, now: ReturnType<Runtime['clock']['now']>): Promise<Secret> {
  const fresh = Buffer.from(systemRandom.bytes(KEY_BYTES)).toString('hex');
  return secret(await keepFact(db, 'signing-key', fresh, now));
}
