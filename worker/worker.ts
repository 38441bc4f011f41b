/** A worker, put together: its steps, their vendors, the loop that runs them and what it does beside. */

import { STEPS } from '#collector/catalogue-documents.ts';
import type { Telemetry } from '#collector/telemetry.ts';
import type { Secret } from '#kernel/secret.ts';
import { type Milliseconds, mebibytes, milliseconds, type Seconds, seconds } from '#kernel/units.ts';
import { dropCanaryPlan, makeCanary, planCanary } from './canary.ts';
import { type CarryOut, makeCarryOut } from './carry-out.ts';
import { POLICY, type Policy } from './decide.ts';
import type { Step } from './document.ts';
import { keepHouse } from './housekeeping.ts';
import { makeIsolatedParser } from './parsers/isolated.ts';
import type { Format } from './parsers/sniff.ts';
import { embeddingPrice, type Tier } from './prices.ts';
import type { Claim } from './queue.ts';
import type { Quota } from './rows/vendor-limits.ts';
import { type Handler, makeRunner } from './runner.ts';
import { makeChunkStep } from './steps/chunk.ts';
import { makeEmbedStep } from './steps/embed.ts';
import { makeParseStep } from './steps/parse.ts';
import { makeStoreStep } from './steps/store.ts';
import type { Surroundings } from './surroundings.ts';
import { type Gateway, makeGateway } from './vendors/gateway.ts';
import { makeLlamaParse } from './vendors/llamaparse.ts';
import { makeEmbedder } from './vendors/openai.ts';
import { makeWebhook } from './webhooks.ts';

export type VendorSettings = {
  readonly timeout: Milliseconds;
  readonly llamaparse: {
    readonly apiKey: Secret;
    readonly baseUrl: string;
    readonly tier: Tier;
    readonly version: string;
    readonly quota: Quota;
  };
  readonly openai: {
    readonly apiKey: Secret;
    readonly baseUrl: string;
    readonly model: string;
    readonly usdPerMillionTokens: number | undefined;
    readonly quota: Quota;
  };
};

export type WorkerSettings = {
  readonly workerId: string;
  readonly places: Readonly<Record<Step, number>>;
  readonly localFormats: readonly Format[];
  readonly cache: boolean;
  /** Undefined: no canaries. */
  readonly canaryEvery: Milliseconds | undefined;
  readonly webhookSecret: Secret;
  readonly webhookPrivateHosts: readonly string[];
  readonly vendors: VendorSettings;
  readonly policy?: Policy;
  /** This process alone has the database (PGlite). */
  readonly sole: boolean;
};

export interface DocumentWorker {
  /** Looks for work now: for whoever put some into the same process' database. */
  wake(): void;
  run(signal: AbortSignal, grace: Milliseconds): Promise<void>;
  circuits(): Readonly<Record<string, string>>;
}

/** A step that takes longer than this is told to stop. Vendor calls have limits of their own, far below. */
const STEP_LIMITS: Readonly<Record<Step, Milliseconds>> = {
  parse: milliseconds(120_000),
  chunk: milliseconds(120_000),
  embed: milliseconds(300_000),
  store: milliseconds(300_000),
};
const WEBHOOK_PLACES = 4;
const SIDE_LIMIT = milliseconds(30_000);
const LOCAL_PARSER_LIMITS = {
  time: milliseconds(60_000),
  memory: mebibytes(768),
  output: mebibytes(16),
  /** Each is a process of about 100 MB, kept warm; more than cores would only wait for each other. */
  concurrency: 4,
};

export function makeEmbedderWithGateway(vendors: VendorSettings, around: Surroundings) {
  const { openai, timeout } = vendors;
  return {
    embedder: makeEmbedder({ ...openai, timeout, telemetry: around.telemetry }),
    gateway: makeGateway({ ...around, vendor: 'openai', quota: openai.quota, timeout }),
    price: embeddingPrice(openai.model, openai.usdPerMillionTokens),
  };
}

export function makeDocumentWorker(settings: WorkerSettings, around: Surroundings): DocumentWorker {
  const { db, clock, shared, telemetry } = around;
  const { vendors, workerId } = settings;
  const embedding = makeEmbedderWithGateway(vendors, around);
  const { llamaparse: parsing, timeout } = vendors;
  const parseGateway = makeGateway({ ...around, vendor: 'llamaparse', quota: parsing.quota, timeout });
  const parser = makeIsolatedParser({ clock, limits: LOCAL_PARSER_LIMITS });
  const carryOut = makeCarryOut({
    ...around,
    workerId,
    policy: settings.policy ?? POLICY,
    steps: {
      parse: makeParseStep({
        ...around,
        gateway: parseGateway,
        llamaparse: makeLlamaParse({ ...parsing, timeout }),
        tier: parsing.tier,
        local: parser,
        localFormats: new Set(settings.localFormats),
        cache: settings.cache,
        embedding: embedding.embedder.fingerprint,
      }),
      chunk: makeChunkStep(db, embedding.embedder.fingerprint),
      embed: makeEmbedStep({ ...around, ...embedding }),
      store: makeStoreStep(),
    },
  });
  const handlers = [...stepHandlers(settings, carryOut.run), ...sideHandlers(settings, around)];
  const runner = makeRunner({ ...around, workerId, handlers, sole: settings.sole });
  const gateways: readonly Gateway[] = [parseGateway, embedding.gateway];
  observeGateways(telemetry, gateways);

  const places = STEPS.reduce((sum, step) => sum + settings.places[step], 0);
  const house = {
    ...around,
    workerId,
    places,
    serviceSeconds: () => bottleneck(settings.places, carryOut.busySeconds()),
  };
  return {
    wake: runner.wake,
    circuits: () => Object.fromEntries(gateways.map((gateway) => [gateway.vendor, gateway.circuit()])),
    run: async (signal, grace) => {
      for (const gateway of gateways) await gateway.configure(db);
      if (settings.canaryEvery === undefined) await dropCanaryPlan(db);
      else await planCanary(db, shared.now());
      await Promise.all([runner.run(signal, grace), keepHouse(house, signal)]);
      await parser.close();
    },
  };
}

function stepHandlers(settings: WorkerSettings, run: CarryOut['run']): Handler[] {
  return STEPS.map((step) => ({
    queue: step,
    places: settings.places[step],
    limit: STEP_LIMITS[step],
    run: (claim, signal, reserve) => run(step, claim, signal, reserve),
  }));
}

function sideHandlers(settings: WorkerSettings, around: Surroundings): Handler[] {
  const webhook = makeWebhook({
    ...around,
    secret: settings.webhookSecret,
    allowedPrivateHosts: settings.webhookPrivateHosts,
  });
  const side = (
    queue: string,
    places: number,
    work: (claim: Claim, signal: AbortSignal) => Promise<void>,
  ): Handler => ({
    queue,
    places,
    limit: SIDE_LIMIT,
    run: async (claim, signal) => {
      await work(claim, signal);
      return undefined;
    },
  });
  const handlers = [side('webhook', WEBHOOK_PLACES, webhook)];
  if (settings.canaryEvery !== undefined) {
    const canary = makeCanary({ ...around, workerId: settings.workerId, every: settings.canaryEvery });
    handlers.push(side('canary', 1, canary));
  }
  return handlers;
}

/**
 * A line of steps is as fast as its slowest: the time that one document keeps one of all places busy, if every place were
 * as slow as that step's. 0 before anything was measured.
 */
export function bottleneck(places: Readonly<Record<Step, number>>, busy: ReadonlyMap<Step, Seconds>): Seconds {
  const all = STEPS.reduce((sum, step) => sum + places[step], 0);
  const slowest = Math.max(0, ...[...busy].map(([step, spent]) => spent / places[step]));
  return seconds(all * slowest);
}

const CIRCUIT_VALUES = { closed: 0, 'half-open': 1, open: 2 } as const;

function observeGateways(telemetry: Telemetry, gateways: readonly Gateway[]): void {
  telemetry.observe('vendor_circuit_state', () =>
    gateways.map(({ vendor, circuit }) => ({ value: CIRCUIT_VALUES[circuit()], attributes: { vendor } })),
  );
}
