/** What the router watches: the objectives that are named or that ship, and the targets that show their counters. */
import { createHash } from 'node:crypto';
import { correctionOf } from '#alerting/correction.ts';
import type { Router } from '#alerting/router.ts';
import { loadCheckpoint, saveCheckpoint } from '#alerting/rows/checkpoints.ts';
import { correctionsInForce } from '#alerting/rows/corrections.ts';
import { makeWatch, type Watch } from '#alerting/watch.ts';
import { promqlSource } from '#alerting/watch-promql.ts';
import { scrapeSource, type WatchTarget } from '#alerting/watch-scrape.ts';
import type { Source } from '#alerting/watch-source.ts';
import { STALL_METRICS } from '#alerting/worker-gone.ts';
import type { Telemetry } from '#collector/telemetry.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import { Fault } from '#kernel/errors.ts';
import { addressesOf, http } from '#kernel/http.ts';
import type { Log } from '#kernel/log.ts';
import { type Secret, secret } from '#kernel/secret.ts';
import { type Milliseconds, milliseconds, seconds } from '#kernel/units.ts';
import type { Objective } from '#slo/objective.ts';
import { readObjectives } from '#slo/openslo/read.ts';
import type { Config } from './config.ts';
import { readFiles } from './slo-files.ts';

export type WatchParts = {
  readonly db: Db;
  readonly clock: Clock;
  readonly now: () => Milliseconds;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly receive: Router['receive'];
  readonly stop: AbortSignal;
};

/** With a configuration of one's own and neither objectives nor targets nor a server named, nothing is watched. */
export async function watchOf(config: Config, parts: WatchParts): Promise<Watch | undefined> {
  const { ROUTER_OBJECTIVES: files, ROUTER_SCRAPE: urls, ROUTER_PROMETHEUS_URL: server } = config;
  const named = files.length > 0 || urls.length > 0 || server !== undefined;
  if (config.ROUTER_CONFIG_FILE !== undefined && !named) return undefined;
  const { db, now } = parts;
  const objectives = objectivesOf(files);
  const name = checkpointName(objectives);
  return await makeWatch({
    ...parts,
    objectives,
    isShared: db.engine === 'postgres',
    source: server === undefined ? scraped(config, parts) : await read(config, server, parts),
    corrections: async () => (await correctionsInForce(db)).map(correctionOf),
    keep: {
      load: () => loadCheckpoint(db, name),
      save: (image) => saveCheckpoint(db, name, image, now()),
    },
  });
}

/** Routers of one store that watch different objectives, as while a release goes out, do not write over what the other knows. */
function checkpointName(objectives: readonly Objective[]): string {
  const ids = objectives.map(({ id }) => id).sort();
  return `watch/${createHash('sha256').update(ids.join('\n')).digest('hex').slice(0, 16)}`;
}

function scraped(config: Config, { telemetry, ...parts }: WatchParts): Source {
  const { ROUTER_SCRAPE: urls } = config;
  const targets = urls.length === 0 ? ownTargets(config) : urls.map(namedTarget);
  return scrapeSource({
    ...parts,
    telemetry,
    http,
    addresses: addressesOf,
    targets,
    own: () => telemetry.exposition('all'),
  });
}

/** Loaded only where it is used: most routers scrape. */
async function read(config: Config, url: string, { clock, ...parts }: WatchParts): Promise<Source> {
  const { countsBack, countsNow, jobsNamed, namesOf, stallNow } = await import('#prometheus/counts.ts');
  const { SETTLED } = await import('#prometheus/query.ts');
  const { makePromql } = await import('#prometheus/vendors/promql.ts');
  const every = seconds(config.ROUTER_PROMETHEUS_EVERY);
  const tenant = config.ROUTER_PROMETHEUS_TENANT;
  const options = { http, clock, url, ...authorizationOf(config), ...(tenant === undefined ? {} : { tenant }) };
  // A look must be over before the next; what is read at a start may take its time.
  const live = makePromql({ ...options, timeout: milliseconds(Math.max(2_000, every * 1_000 - 500)) });
  const patient = makePromql({ ...options, timeout: HISTORY_TIMEOUT });
  return promqlSource({
    ...parts,
    every,
    settled: SETTLED,
    server: {
      url,
      now: (objectives, at, signal) => countsNow(live, objectives, at, signal),
      stall: (at, signal) => stallNow(live, STALL_METRICS, at, signal),
      back: (objectives, span, signal) => countsBack(patient, objectives, span, signal),
      namesOf,
      jobsOf: jobsNamed,
    },
  });
}

const HISTORY_TIMEOUT = milliseconds(30_000);

function authorizationOf({ secrets, ROUTER_PROMETHEUS_USER: user }: Config): { readonly authorization?: Secret } {
  const { ROUTER_PROMETHEUS_TOKEN: token, ROUTER_PROMETHEUS_PASSWORD: password } = secrets;
  const whole = secrets.ROUTER_PROMETHEUS_AUTHORIZATION;
  if (whole !== undefined) return { authorization: whole };
  if (token !== undefined) return { authorization: secret(`Bearer ${token.reveal()}`) };
  if (user === undefined || password === undefined) return {};
  const named = Buffer.from(`${user}:${password.reveal()}`).toString('base64');
  return { authorization: secret(`Basic ${named}`) };
}

function objectivesOf(paths: readonly string[]): readonly Objective[] {
  const found = readFiles(paths);
  if (found.kind === 'usage') throw new Fault('objectives', `Cannot read objectives: ${found.message}`);
  const read = readObjectives(found.files, { strict: false, references: true });
  const faults = [...found.faults, ...read.faults].map((one) => `${one.file}:${one.line}:${one.column} ${one.message}`);
  if (faults.length > 0) throw new Fault('objectives', `Cannot read objectives:\n  ${faults.join('\n  ')}`);
  return read.objectives;
}

/** Of this stack: the worker's metrics and the API's. */
const ownTargets = (config: Config): WatchTarget[] => [
  { id: 'worker', url: `http://${config.METRICS_HOST}:${config.METRICS_PORT}/metrics`, each: false },
  { id: 'api', url: `http://${config.API_HOST}:${config.API_PORT}/metrics`, each: false },
];

/** `name=url`, or an address that is its own name; with `dns+` before the url, every address of its host. */
function namedTarget(text: string): WatchTarget {
  const [, name, dns, url = text] = /^(?:([\w.-]+)=)?(dns\+)?(https?:\/\/.+)$/.exec(text) ?? [];
  return { id: name ?? new URL(url).host, url, each: dns !== undefined };
}
