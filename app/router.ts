/** The role `router`: its store, its files, its loops and its server. */
import { join } from 'node:path';
import { makeKeys } from '#access/keys.ts';
import { makeRouterApi } from '#alerting/api/api.ts';
import { makeLinks } from '#alerting/links.ts';
import { makeNotify } from '#alerting/notify/notify.ts';
import type { OncallWarning } from '#alerting/oncall/check.ts';
import { makeRouter } from '#alerting/router.ts';
import { keepFact } from '#alerting/rows/facts.ts';
import type { Setup } from '#alerting/setup.ts';
import { makeSqlStore } from '#alerting/store-sql.ts';
import { instrumentDb } from '#collector/database.ts';
import type { Db } from '#kernel/database.ts';
import { Fault } from '#kernel/errors.ts';
import { http } from '#kernel/http.ts';
import type { Log } from '#kernel/log.ts';
import { systemRandom, uuidv7 } from '#kernel/random.ts';
import { type Secret, secret } from '#kernel/secret.ts';
import { listenOn } from '#kernel/serve.ts';
import { sharedClock } from '#kernel/shared-clock.ts';
import { within } from '#kernel/shutdown.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { anonymousAllowed, type Config, routerAddress } from './config.ts';
import { openDatabase } from './database.ts';
import { VERSION } from './project.ts';
import { type RouterFiles, readSetup } from './router-files.ts';
import { modeOf, sourcesOf } from './router-shipped.ts';
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
  const files = filesOf(config, await signingKey(db, shared.now()));
  let setup = firstSetup(files, shared.now(), log);
  const reload = async (): Promise<string | undefined> => {
    const read = readSetup(files, shared.now());
    if (read.kind === 'faults') {
      log.error({ faults: read.faults.slice(0, 20) }, 'the new files are refused; the ones before stay in force');
      return read.faults.join('; ');
    }
    setup = read.setup;
    tellWarnings(read.warnings, log);
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
  const work = router.run(stop);
  log.info({ router: bound, folder: url === undefined ? folder : undefined }, 'router is ready');
  tellReady({ router: bound });
  await Promise.race([work, untilStopped(stop)]);
  log.info({}, 'router stops');
  await within(clock, CLOSE_LIMIT, log, 'what is being sent', work);
}

function prefixOf({ ROUTER_PREFIX: prefix, ROUTER_EXTERNAL_URL: external }: Config): string {
  const path = prefix ?? (external === undefined ? '' : new URL(external).pathname);
  return path.replace(/\/+$/, '');
}

function firstSetup(files: RouterFiles, now: Milliseconds, log: Log): Setup {
  const read = readSetup(files, now);
  if (read.kind === 'setup') {
    tellWarnings(read.warnings, log);
    return read.setup;
  }
  throw new Fault('router_files', `Cannot start: ${read.faults.length} fault(s)\n  ${read.faults.join('\n  ')}`);
}

function tellWarnings(warnings: readonly OncallWarning[], log: Log): void {
  for (const { field, message } of warnings) log.warn({ field }, `oncall.yaml: ${field}: ${message}`);
}

function filesOf(config: Config, key: Secret): RouterFiles {
  const { host, port } = routerAddress(config);
  const external =
    config.ROUTER_EXTERNAL_URL ?? `http://${host === '0.0.0.0' ? 'localhost' : host}:${port}${prefixOf(config)}`;
  return { ...sourcesOf(config), links: makeLinks(external, key) };
}

/** Made once and kept with what it signs for, so that every router of a store believes the links of the others. */
async function signingKey(db: Db, now: ReturnType<Runtime['clock']['now']>): Promise<Secret> {
  const fresh = Buffer.from(systemRandom.bytes(KEY_BYTES)).toString('hex');
  return secret(await keepFact(db, 'signing-key', fresh, now));
}
