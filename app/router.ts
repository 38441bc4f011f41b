/** The role `router`: its store, its files, its loops and its server. */
import { join } from 'node:path';
import { makeKeys } from '#access/keys.ts';
import { comeBack, stayAlive } from '#alerting/alive.ts';
import { makeRouterApi } from '#alerting/api/api.ts';
import { makeLinks } from '#alerting/links.ts';
import type { MatcherMode } from '#alerting/matcher.ts';
import { makeNotify } from '#alerting/notify/notify.ts';
import { observeRouter } from '#alerting/observe.ts';
import { makeRouter } from '#alerting/router.ts';
import { keepFact } from '#alerting/rows/facts.ts';
import type { Setup } from '#alerting/setup.ts';
import { makeSqlStore } from '#alerting/store-sql.ts';
import { instrumentDb } from '#collector/database.ts';
import type { Db } from '#kernel/database.ts';
import { Fault } from '#kernel/errors.ts';
import { http } from '#kernel/http.ts';
import { systemRandom, uuidv7 } from '#kernel/random.ts';
import { type Secret, secret } from '#kernel/secret.ts';
import { listenOn } from '#kernel/serve.ts';
import { sharedClock } from '#kernel/shared-clock.ts';
import { within } from '#kernel/shutdown.ts';
import { milliseconds } from '#kernel/units.ts';
import { anonymousAllowed, type Config, routerAddress } from './config.ts';
import { openDatabase } from './database.ts';
import { VERSION } from './project.ts';
import { type RouterFiles, readSetup } from './router-files.ts';
import { shippedFiles } from './router-shipped.ts';
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
  const key = await signingKey(db, shared.now());
  const files = filesOf(config, key);
  let setup = firstSetup(files);
  const reload = async (): Promise<string | undefined> => {
    const read = readSetup(files);
    if (read.kind === 'faults') {
      log.error({ faults: read.faults.slice(0, 20) }, 'the new files are refused; the ones before stay in force');
      return read.faults.join('; ');
    }
    setup = read.setup;
    log.info({ version: setup.version }, 'the files were read again and are in force');
    return undefined;
  };
  const store = makeSqlStore(db);
  const newId = () => uuidv7(shared.now(), random);
  const router = makeRouter({
    store,
    db,
    clock,
    random,
    log,
    newId,
    setup: () => setup,
    now: shared.now,
    owner: newId(),
    notify: makeNotify({ http, clock, random, log }),
  });
  observeRouter(telemetry, db, shared.now);
  const watch = await watchOf(config, { db, clock, now: shared.now, log, telemetry, receive: router.receive });
  const startedAt = clock.now();
  let address = '';
  const keys = makeKeys({ db: db.foreground(), clock, random, log });
  const server = await makeRouterApi({
    db: db.foreground(),
    store: makeSqlStore(db.foreground()),
    setup: () => setup,
    now: shared.now,
    newId,
    mode: modeOf(config),
    receive: router.receive,
    answer: router.answer,
    signingKey: key,
    engine: () => watch?.engine(),
    reload,
    address: () => address,
    startedAt,
    version: VERSION,
    revision: VERSION,
    prefix: prefixOf(config),
    authenticate: authenticator(config, keys, clock),
    keyNeeded: anonymousAllowed(config) === 'nobody',
    rate: { perSecond: config.RATE_PER_SECOND, burst: config.RATE_BURST },
    trustProxy: config.TRUST_PROXY === 'on',
    clock,
    random,
    log,
    telemetry,
  });
  stack.defer(async () => {
    await within(clock, CLOSE_LIMIT, log, 'the server', server.close());
    server.server.closeAllConnections();
  });
  const { host, port } = routerAddress(config);
  const bound = await listenOn(server, host, port);
  address = new URL(bound).host;
  // Alertmanager's own words: programs that start it wait for this line.
  process.stderr.write(`ts=${new Date(clock.now()).toISOString()} level=info msg="Listening on" address=${address}\n`);
  process.on('SIGHUP', () => void (config.supervised ? undefined : reload()));
  await comeBack(db, shared.now(), log);
  const work = Promise.all([router.run(stop), watch?.run(stop), stayAlive(db, clock, shared.now, log, stop)]);
  log.info({ router: bound, folder: url === undefined ? folder : undefined }, 'router is ready');
  tellReady({ router: bound });
  await Promise.race([work, untilStopped(stop)]);
  log.info({}, 'router stops');
  await within(clock, CLOSE_LIMIT, log, 'what is being sent', work);
}

const modeOf = ({ ROUTER_FEATURES: features }: Config): MatcherMode =>
  features.includes('classic-mode') ? 'classic' : features.includes('utf8-strict-mode') ? 'utf8' : 'default';

function prefixOf({ ROUTER_PREFIX: prefix, ROUTER_EXTERNAL_URL: external }: Config): string {
  const path = prefix ?? (external === undefined ? '' : new URL(external).pathname);
  return path.replace(/\/+$/, '');
}

function firstSetup(files: RouterFiles): Setup {
  const read = readSetup(files);
  if (read.kind === 'setup') return read.setup;
  throw new Fault('router_files', `Cannot start: ${read.faults.length} fault(s)\n  ${read.faults.join('\n  ')}`);
}

function filesOf(config: Config, key: Secret): RouterFiles {
  const { host, port } = routerAddress(config);
  const external =
    config.ROUTER_EXTERNAL_URL ?? `http://${host === '0.0.0.0' ? 'localhost' : host}:${port}${prefixOf(config)}`;
  const shipped = shippedFiles(config);
  const { ROUTER_CONFIG_FILE: file, ROUTER_ONCALL_FILE: oncall } = config;
  const nobody = file === undefined ? shipped.oncall : '';
  return {
    config: file === undefined ? { shipped: shipped.config } : { file },
    oncall: oncall === undefined ? { shipped: nobody } : { file: oncall },
    mode: modeOf(config),
    links: makeLinks(external, key),
  };
}

/** Made once and kept with what it signs for, so that every router of a store believes the links of the others. */
async function signingKey(db: Db, now: ReturnType<Runtime['clock']['now']>): Promise<Secret> {
  const fresh = Buffer.from(systemRandom.bytes(KEY_BYTES)).toString('hex');
  return secret(await keepFact(db, 'signing-key', fresh, now));
}
