/** The role `router`: its store, its files, its loops and its server. */
import { join } from 'node:path';
import { makeKeys } from '#access/keys.ts';
import { comeBack } from '#alerting/alive.ts';
import { makeRouterApi, type RouterApi } from '#alerting/api/api.ts';
import { makeNotify } from '#alerting/notify/notify.ts';
import { observeRouter } from '#alerting/observe.ts';
import { regroup } from '#alerting/regroup.ts';
import { makeRouter } from '#alerting/router.ts';
import { keepFact } from '#alerting/rows/facts.ts';
import { makeSqlStore } from '#alerting/store-sql.ts';
import { instrumentDb } from '#collector/database.ts';
import type { Db } from '#kernel/database.ts';
import { http } from '#kernel/http.ts';
import { increasingIds, systemRandom } from '#kernel/random.ts';
import { type Secret, secret } from '#kernel/secret.ts';
import { listenOn } from '#kernel/serve.ts';
import { sharedClock } from '#kernel/shared-clock.ts';
import { within } from '#kernel/shutdown.ts';
import { milliseconds } from '#kernel/units.ts';
import type { App } from '#serving/app.ts';
import { anonymousAllowed, type Config, routerAddress } from './config.ts';
import { openDatabase } from './database.ts';
import { VERSION } from './project.ts';
import { runLoops } from './router-loops.ts';
import { filesOf, holdSetup, prefixOf } from './router-setup.ts';
import { modeOf } from './router-shipped.ts';
import { watchOf } from './router-watch.ts';
import { type Runtime, tellReady, untilStopped } from './runtime.ts';
import { authenticator } from './wiring.ts';

const CLOSE_LIMIT = milliseconds(3_000);
const KEY_BYTES = 32;

export async function runRouter(config: Config, runtime: Runtime): Promise<void> {
  const { clock, log, telemetry, stop, random } = runtime;
  await using stack = new AsyncDisposableStack();
  const url = config.secrets.ROUTER_DATABASE_URL;
  const folder = config.ROUTER_STORAGE ?? join(config.BURNLINE_STATE, 'router');
  const db = instrumentDb(await openDatabase({ name: 'router', url, folder }, config, clock, log), telemetry, clock);
  stack.defer(() => db.close());
  const shared = await sharedClock(db, clock);
  // Whole milliseconds, as the store keeps them.
  const now = () => milliseconds(Math.floor(shared.now()));
  const key = await signingKey(db, now());
  const newId = increasingIds(now, random);
  const setup = holdSetup({
    files: filesOf(config, key),
    log,
    now,
    took: async (fresh) => {
      await regroup(store, fresh, now());
      router.wake();
    },
  });
  const store = makeSqlStore(db);
  const notify = makeNotify({ http, clock, random, log });
  const router = makeRouter({
    store,
    db,
    clock,
    random,
    log,
    newId,
    setup: setup.current,
    now,
    owner: newId(),
    notify,
  });
  observeRouter(telemetry, db, now);
  const watch = await watchOf(config, { db, clock, now, log, telemetry, receive: router.receive });
  const { server, url: bound } = await serve(config, runtime, {
    db: db.foreground(),
    store: makeSqlStore(db.foreground()),
    setup: setup.current,
    now,
    newId,
    receive: router.receive,
    answer: router.answer,
    signingKey: key,
    engine: () => watch?.engine(),
    reload: setup.reload,
  });
  stack.defer(async () => {
    await within(clock, CLOSE_LIMIT, log, 'the server', server.close());
    server.server.closeAllConnections();
  });
  process.on('SIGHUP', () => void (config.supervised ? undefined : setup.reload()));
  await comeBack(db, now(), log);
  // The files may have been changed while no router was there.
  await regroup(store, setup.current(), now());
  const parts = { db, clock, now, log, telemetry, newId, notify, router, watch, setup: setup.current };
  const work = runLoops(parts, stop);
  log.info({ router: bound, folder: url === undefined ? folder : undefined }, 'router is ready');
  tellReady({ router: bound });
  await Promise.race([work, untilStopped(stop)]);
  log.info({}, 'router stops');
  await within(clock, CLOSE_LIMIT, log, 'what is being sent', work);
}

type Served = Pick<
  RouterApi,
  'db' | 'store' | 'setup' | 'now' | 'newId' | 'receive' | 'answer' | 'signingKey' | 'engine' | 'reload'
>;

async function serve(config: Config, runtime: Runtime, served: Served): Promise<{ server: App; url: string }> {
  const { clock, log, random } = runtime;
  let address = '';
  const server = await makeRouterApi({
    ...runtime,
    ...served,
    mode: modeOf(config),
    address: () => address,
    startedAt: clock.now(),
    version: VERSION,
    revision: VERSION,
    prefix: prefixOf(config),
    authenticate: authenticator(config, makeKeys({ db: served.db, clock, random, log }), clock),
    keyNeeded: anonymousAllowed(config) === 'nobody',
    rate: { perSecond: config.RATE_PER_SECOND, burst: config.RATE_BURST },
    trustProxy: config.TRUST_PROXY === 'on',
  });
  const { host, port } = routerAddress(config);
  const url = await listenOn(server, host, port);
  address = new URL(url).host;
  // Alertmanager's own words: programs that start it wait for this line.
  process.stderr.write(`ts=${new Date(clock.now()).toISOString()} level=info msg="Listening on" address=${address}\n`);
  return { server, url };
}

/** Made once and kept with what it signs for, so that every router of a store believes the links of the others. */
async function signingKey(db: Db, now: ReturnType<Runtime['clock']['now']>): Promise<Secret> {
  const fresh = Buffer.from(systemRandom.bytes(KEY_BYTES)).toString('hex');
  return secret(await keepFact(db, 'signing-key', fresh, now));
}
