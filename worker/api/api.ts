/** The document API, put together. */

import type { Authenticate } from '#access/authenticator.ts';
import type { Shown } from '#collector/exposition.ts';
import type { Migration } from '#kernel/migrate.ts';
import type { Rate } from '#kernel/token-bucket.ts';
import { type Bytes, milliseconds } from '#kernel/units.ts';
import { type App, makeApp } from '#serving/app.ts';
import { type Load, readLoad } from '#worker/load.ts';
import type { Surroundings } from '#worker/surroundings.ts';
import { makeEmbedderWithGateway, type VendorSettings } from '#worker/worker.ts';
import { documentRoutes } from './documents.ts';
import { healthRoutes } from './health.ts';
import { pulseRoutes } from './pulse.ts';
import { searchRoutes } from './search.ts';

export type ApiSettings = {
  readonly authenticate: Authenticate;
  readonly keyNeeded: boolean;
  readonly rate: Rate;
  readonly trustProxy: boolean;
  readonly version: string;
  readonly uploadBytes: Bytes;
  readonly vendors: VendorSettings;
  readonly migrations: readonly Migration[];
  readonly shown: Shown;
  /** In one process with a worker: what to call when there is work, and what that worker's circuits say. */
  readonly wake: () => void;
  readonly circuits: () => Readonly<Record<string, string>>;
};

const DESCRIBED = {
  title: 'Burnline document API',
  description: 'Documents in, searchable chunks out, and the whole way visible.',
};
/** The load is read at most this often, however many uploads come. */
const LOAD_FRESH = milliseconds(1_000);

export async function makeApi(settings: ApiSettings, around: Surroundings, stopping: AbortSignal): Promise<App> {
  const { db, shared, random, telemetry, log } = around;
  const app = await makeApp({
    ...settings,
    ...around,
    described: { ...DESCRIBED, version: settings.version },
    onRateLimited: ({ method, routeOptions }) => {
      if (method !== 'POST' || routeOptions.url !== '/v1/documents') return;
      telemetry.count('uploads_refused_total', { reason: 'rate_limited' });
    },
  });
  const load = remembered(around, () => readLoad(db, shared));
  const embedding = makeEmbedderWithGateway(settings.vendors, around);
  const circuits = () => ({ ...settings.circuits(), 'openai (search)': embedding.gateway.circuit() });
  healthRoutes(app, { db, migrations: settings.migrations, telemetry, shown: settings.shown, circuits });
  pulseRoutes(app, { db, shared, circuits });
  documentRoutes(app, {
    db,
    shared,
    random,
    telemetry,
    log,
    limits: { bytes: settings.uploadBytes },
    load,
    wake: settings.wake,
  });
  searchRoutes(app, { db, ...embedding, stopping });
  return app;
}

function remembered({ clock }: Surroundings, read: () => Promise<Load>): () => Promise<Load> {
  let last: { at: number; value: Promise<Load> } | undefined;
  return async () => {
    const now = clock.steady();
    if (last && now - last.at < LOAD_FRESH) return await last.value;
    const value = read();
    last = { at: now, value };
    value.catch(() => {
      last = undefined;
    });
    return await value;
  };
}
