/** The roles of the document service: api, worker, or both in one process (service). */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { type Keys, makeKeys } from '#access/keys.ts';
import { observeConnections } from '#collector/connections.ts';
import { instrumentDb } from '#collector/database.ts';
import { systemRandom } from '#kernel/random.ts';
import { type Secret, secret } from '#kernel/secret.ts';
import { listenOn } from '#kernel/serve.ts';
import { sharedClock } from '#kernel/shared-clock.ts';
import { within } from '#kernel/shutdown.ts';
import { type Bytes, milliseconds } from '#kernel/units.ts';
import { type App, makeApp } from '#serving/app.ts';
import { keyRoutes } from '#serving/keys.ts';
import { makeApi } from '#worker/api/api.ts';
import { healthRoutes } from '#worker/api/health.ts';
import { observeCounters, observeDatabase, observeWorkers } from '#worker/observe-database.ts';
import type { Surroundings } from '#worker/surroundings.ts';
import { type DocumentWorker, makeDocumentWorker } from '#worker/worker.ts';
import { anonymousAllowed, type Config } from './config.ts';
import { migrationsOf, openServiceDatabase } from './database.ts';
import { VERSION } from './project.ts';
import { type Runtime, tellReady, untilStopped } from './runtime.ts';
import { authenticator, instrumentsOf, vendorSettings, workerSettings } from './wiring.ts';

/** Somebody waits for the API's answers; a step can wait a little where both share a machine. Its parsers inherit it. */
const WORKER_NICENESS = 5;

/** A server that waits for its clients' connections would wait for ever. */
const CLOSE_LIMIT = milliseconds(3_000);

export async function runDocuments(config: Config, runtime: Runtime): Promise<void> {
  const { clock, log, stop } = runtime;
  const { role } = config;
  if (role === 'worker') setPriority(WORKER_NICENESS);
  await using stack = new AsyncDisposableStack();
  const db = instrumentDb(await openServiceDatabase(config, clock, log), instrumentsOf(config, runtime));
  stack.defer(() => db.close());
  const around: Surroundings = { ...runtime, db, shared: await sharedClock(db, clock) };
  const working = role === 'worker' || role === 'service';
  const serving = role === 'api' || role === 'service';
  const worker = working ? makeDocumentWorker(workerSettings(config, webhookSecret(config)), around) : undefined;
  observe(config, around);

  const urls: Record<string, string> = {};
  const servers: App[] = [];
  const close = async (app: App) => {
    await within(clock, CLOSE_LIMIT, log, 'the server', app.close());
    app.server.closeAllConnections();
  };
  stack.defer(async () => void (await Promise.all(servers.map(close))));
  const api = serving ? await makeServer(config, around, worker, stop) : undefined;
  if (api) {
    servers.push(api);
    urls['api'] = await listenOn(api, config.API_HOST, config.API_PORT);
  }
  if (worker) {
    const metrics = await makeMetricsServer(config, around, worker);
    servers.push(metrics);
    urls['metrics'] = await listenOn(metrics, config.METRICS_HOST, config.METRICS_PORT);
  }
  // The worker ends by itself only when it fails for good; then the process must end too, and be started again.
  const work = worker?.run(stop, milliseconds(config.STOP_LIMIT_MS));
  log.info({ ...urls, workerId: working ? config.workerId : undefined }, `${role} is ready`);
  tellReady(urls);
  await (work ? Promise.race([work, untilStopped(stop)]) : untilStopped(stop));
  log.info({}, `${role} stops`);
  // No new work; the metrics stay until the last count of the drain.
  if (api) await close(api);
  await work;
}

function observe(config: Config, { telemetry, db, shared }: Surroundings): void {
  observeWorkers(telemetry, db);
  if (config.role !== 'worker') {
    observeDatabase(telemetry, db, shared);
    observeConnections(telemetry, db);
  }
  if (config.role !== 'api') observeCounters(telemetry, db, config.workerId);
}

async function makeServer(
  config: Config,
  around: Surroundings,
  worker: DocumentWorker | undefined,
  stop: AbortSignal,
): Promise<App> {
  // Somebody waits for every answer of the API, and for no step of the worker.
  const foreground = { ...around, db: around.db.foreground() };
  const keys = makeKeys(foreground);
  const api = await makeApi(
    {
      authenticate: authenticator(config, keys, around.clock),
      keyNeeded: anonymousAllowed(config) === 'nobody',
      rate: { perSecond: config.RATE_PER_SECOND, burst: config.RATE_BURST },
      trustProxy: config.TRUST_PROXY === 'on',
      version: VERSION,
      uploadBytes: config.UPLOAD_MAX_BYTES as Bytes,
      vendors: vendorSettings(config),
      migrations: migrationsOf('service'),
      shown: config.role === 'service' ? 'http' : 'all',
      wake: () => worker?.wake(),
      circuits: () => worker?.circuits() ?? {},
    },
    foreground,
    stop,
  );
  keyRoutes(api, keys);
  return api;
}

async function makeMetricsServer(config: Config, around: Surroundings, worker: DocumentWorker): Promise<App> {
  const keys: Keys = makeKeys(around);
  const app = await makeApp({
    ...around,
    authenticate: authenticator(config, keys, around.clock),
    keyNeeded: false,
    rate: { perSecond: config.RATE_PER_SECOND, burst: config.RATE_BURST },
    trustProxy: false,
    described: { title: 'Burnline worker', description: 'Its metrics and its health.', version: VERSION },
  });
  const shown = config.role === 'service' ? 'rest' : 'all';
  healthRoutes(app, { ...around, migrations: migrationsOf('service'), shown, circuits: worker.circuits });
  return app;
}

const SECRET_BYTES = 32;

/** Given (config.ts demands it where workers share a Postgres), or made once and kept beside the embedded database. */
function webhookSecret(config: Config): Secret {
  const given = config.secrets.WEBHOOK_SECRET;
  if (given) return given;
  const file = join(config.BURNLINE_STATE, 'webhook-secret');
  mkdirSync(config.BURNLINE_STATE, { recursive: true });
  try {
    writeFileSync(file, Buffer.from(systemRandom.bytes(SECRET_BYTES)).toString('hex'), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return secret(readFileSync(file, 'utf8').trim());
}
