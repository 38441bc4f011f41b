/** What the router watches: the objectives that are named or that ship, and the targets that show their counters. */

import type { Router } from '#alerting/router.ts';
import { loadCheckpoint, saveCheckpoint } from '#alerting/rows/checkpoints.ts';
import { makeWatch, type Watch } from '#alerting/watch.ts';
import { scrapeSource, type WatchTarget } from '#alerting/watch-scrape.ts';
import type { Telemetry } from '#collector/telemetry.ts';
import type { Clock } from '#kernel/clock.ts';
import type { Db } from '#kernel/database.ts';
import { Fault } from '#kernel/errors.ts';
import { http } from '#kernel/http.ts';
import type { Log } from '#kernel/log.ts';
import type { Milliseconds } from '#kernel/units.ts';
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
};

/** With a configuration of one's own and neither objectives nor targets named, nothing is watched. */
export async function watchOf(config: Config, parts: WatchParts): Promise<Watch | undefined> {
  const { ROUTER_OBJECTIVES: files, ROUTER_SCRAPE: urls } = config;
  if (config.ROUTER_CONFIG_FILE !== undefined && files.length === 0 && urls.length === 0) return undefined;
  const { db, now, telemetry } = parts;
  return await makeWatch({
    ...parts,
    objectives: objectivesOf(files),
    source: scrapeSource({
      ...parts,
      http,
      targets: urls.length === 0 ? ownTargets(config) : urls.map(namedTarget),
      own: () => telemetry.exposition('all'),
    }),
    keep: {
      load: () => loadCheckpoint(db, 'watch'),
      save: (image) => saveCheckpoint(db, 'watch', image, now()),
    },
  });
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
  { id: 'worker', url: `http://${config.METRICS_HOST}:${config.METRICS_PORT}/metrics` },
  { id: 'api', url: `http://${config.API_HOST}:${config.API_PORT}/metrics` },
];

/** `name=url`, or an address that is its own name. */
function namedTarget(text: string): WatchTarget {
  const named = /^([\w.-]+)=(https?:\/\/.+)$/.exec(text);
  if (named?.[1] !== undefined && named[2] !== undefined) return { id: named[1], url: named[2] };
  return { id: new URL(text).host, url: text };
}
