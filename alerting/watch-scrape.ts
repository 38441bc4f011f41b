/** The source that asks each target itself, and the router's own metrics: it promises something too. */
import type { Telemetry } from '#collector/telemetry.ts';
import { describe, Fault } from '#kernel/errors.ts';
import { type Http, readLimited } from '#kernel/http.ts';
import type { Log } from '#kernel/log.ts';
import { type Milliseconds, mebibytes, milliseconds, seconds, toSeconds } from '#kernel/units.ts';
import { type Engine, enter, retarget } from '#slo/engine.ts';
import {
  type Exposition,
  type Format,
  formatOf,
  readSamples,
  type Wanted,
  wantedNames,
} from '#slo/exposition/read-samples.ts';
import type { Source } from './watch-source.ts';
import { STALL_METRICS } from './worker-gone.ts';

export type WatchTarget = { readonly id: string; readonly url: string };
export type ScrapeOptions = {
  readonly targets: readonly WatchTarget[];
  readonly http: Http;
  readonly now: () => Milliseconds;
  readonly log: Log;
  readonly telemetry: Telemetry;
  readonly own: () => Promise<string>;
};

/** The router as a target of its own. */
const OWN = 'router';
const SCRAPE_EVERY = seconds(5);
const SCRAPE_LIMIT = milliseconds(4_000);
const SCRAPE_BYTES = mebibytes(32);

export function scrapeSource(options: ScrapeOptions): Source {
  const { targets, http } = options;
  let wanted: Wanted | undefined;
  return {
    shown: { kind: 'scrape', targets: targets.map(({ url }) => url) },
    every: SCRAPE_EVERY,
    begin: async (engine) => {
      const listed = [...targets.map(({ id }) => id), OWN].map((id) => ({ id, interval: SCRAPE_EVERY }));
      retarget(engine, listed, toSeconds(options.now()));
    },
    look: async (engine) => {
      // The objectives do not change while it runs: what is wanted of a scrape is found once.
      wanted ??= wantedNames([...engine.book.plan.wanted.names, ...Object.values(STALL_METRICS)]);
      const watched = { engine, wanted };
      const seen = await Promise.all([
        scrape(options, watched, OWN, async () => ({ text: await options.own(), format: 'text' })),
        ...targets.map(async ({ id, url }) => await scrape(options, watched, id, () => ask(http, url))),
      ]);
      const others = seen.slice(1);
      return {
        at: options.now(),
        samples: others.some((read) => read !== undefined) ? seen.flatMap((read) => read?.samples ?? []) : undefined,
        answered: new Map(targets.map(({ id }, i) => [id, others[i] !== undefined])),
        heard: true,
      };
    },
  };
}

type Watched = { readonly engine: Engine; readonly wanted: Wanted };
type Answer = { readonly text: string; readonly format: Format };

/** @returns what it answered, if it could be read. */
async function scrape(
  { log, now, telemetry }: ScrapeOptions,
  { engine, wanted }: Watched,
  target: string,
  read: () => Promise<Answer>,
): Promise<Extract<Exposition, { kind: 'samples' }> | undefined> {
  const exposition = await read().then(
    ({ text, format }) => readSamples(text, format, wanted),
    (error: unknown): Exposition => ({ kind: 'fault', line: 0, reason: describe(error) }),
  );
  enter(engine, { target, at: toSeconds(now()), interval: SCRAPE_EVERY }, exposition);
  telemetry.count('watch_scrapes_total', { outcome: exposition.kind === 'samples' ? 'read' : 'missing' });
  if (exposition.kind === 'samples') return exposition;
  log.debug({ target, line: exposition.line, reason: exposition.reason }, 'a scrape is missing');
  return undefined;
}

/** @throws {Error} saying why there is no answer. */
async function ask(http: Http, url: string): Promise<Answer> {
  const response = await http(url, {
    timeout: SCRAPE_LIMIT,
    headers: { accept: 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5' },
  });
  const text = Buffer.from(await readLimited(response, SCRAPE_BYTES)).toString('utf8');
  if (!response.ok) throw new Fault('scrape_refused', `status ${response.status}`);
  return { text, format: formatOf(response.headers.get('content-type') ?? '') ?? 'text' };
}
