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

export type WatchTarget = {
  readonly id: string;
  readonly url: string;
  /** Each address that its host's name has is a target of its own, as long as the name has it: replicas. */
  readonly each: boolean;
};
export type ScrapeOptions = {
  readonly targets: readonly WatchTarget[];
  readonly http: Http;
  readonly addresses: (host: string, timeout: Milliseconds) => Promise<string[]>;
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
const NAMES_LIMIT = milliseconds(2_000);
/** Of one name; a name that has more is no name of replicas. */
const ADDRESSES_MOST = 200;

export function scrapeSource(options: ScrapeOptions): Source {
  const { http } = options;
  const find = makeFinder(options);
  let wanted: Wanted | undefined;
  let listed = '';
  const list = (engine: Engine, targets: readonly Found[]) => {
    const ids = [...targets.map(({ id }) => id), OWN];
    if (ids.join() === listed) return;
    listed = ids.join();
    retarget(
      engine,
      ids.map((id) => ({ id, interval: SCRAPE_EVERY })),
      toSeconds(options.now()),
    );
  };
  return {
    shown: { kind: 'scrape', targets: options.targets.map(({ url }) => url) },
    every: SCRAPE_EVERY,
    begin: async (engine) => {
      list(engine, await find());
    },
    look: async (engine) => {
      // The objectives do not change while it runs: what is wanted of a scrape is found once.
      wanted ??= wantedNames([...engine.book.plan.wanted.names, ...Object.values(STALL_METRICS)]);
      const watched = { engine, wanted };
      const targets = await find();
      list(engine, targets);
      const seen = await Promise.all([
        scrape(options, watched, OWN, async () => ({ text: await options.own(), format: 'text' })),
        ...targets.map(async ({ id, url }) => await scrape(options, watched, id, () => ask(http, url))),
      ]);
      const others = seen.slice(1);
      return {
        at: options.now(),
        samples: others.some(isRead) ? seen.flatMap((one) => (isRead(one) ? one.samples : [])) : undefined,
        answered: new Map(targets.map(({ id }, i) => [id, others[i] !== undefined && isRead(others[i])])),
        about: new Map(targets.map(({ id, url }, i) => [id, { url, ...becauseOf(others[i]) }])),
        heard: true,
      };
    },
  };
}

const isRead = (one: Exposition): one is Extract<Exposition, { kind: 'samples' }> => one.kind === 'samples';

function becauseOf(one: Exposition | undefined): { because?: string } {
  if (one === undefined || isRead(one)) return {};
  return { because: one.line === 0 ? one.reason : `line ${one.line}: ${one.reason}` };
}

type Found = Pick<WatchTarget, 'id' | 'url'>;

/**
 * The targets as they are now. What a name does not have any more was taken away; a name that has none, or that nobody
 * tells of, keeps what it had: those that do not answer then are missed.
 */
function makeFinder({ targets, addresses, log }: ScrapeOptions): () => Promise<Found[]> {
  const known = new Map<string, readonly string[]>();
  const findOne = async ({ id, url, each }: WatchTarget): Promise<Found[]> => {
    if (!each) return [{ id, url }];
    try {
      const found = await addresses(new URL(url).hostname, NAMES_LIMIT);
      if (found.length > 0) known.set(id, found.slice(0, ADDRESSES_MOST));
    } catch (error) {
      log.debug({ target: id, reason: describe(error) }, 'a name has no address');
    }
    const now = known.get(id);
    // Asked by its name it does not answer either, and is missed from the start.
    if (now === undefined) return [{ id, url }];
    return now.map((address) => {
      const one = new URL(url);
      one.hostname = address;
      return { id: `${id}/${address}`, url: one.href };
    });
  };
  return async () => (await Promise.all(targets.map(findOne))).flat();
}

type Watched = { readonly engine: Engine; readonly wanted: Wanted };
type Answer = { readonly text: string; readonly format: Format };

/** @returns what it answered, or why it could not be read. */
async function scrape(
  { log, now, telemetry }: ScrapeOptions,
  { engine, wanted }: Watched,
  target: string,
  read: () => Promise<Answer>,
): Promise<Exposition> {
  const exposition = await read().then(
    ({ text, format }) => readSamples(text, format, wanted),
    (error: unknown): Exposition => ({ kind: 'fault', line: 0, reason: describe(error) }),
  );
  enter(engine, { target, at: toSeconds(now()), interval: SCRAPE_EVERY }, exposition);
  telemetry.count('watch_scrapes_total', { outcome: exposition.kind === 'samples' ? 'read' : 'missing' });
  if (exposition.kind === 'fault') {
    log.debug({ target, line: exposition.line, reason: exposition.reason }, 'a scrape is missing');
  }
  return exposition;
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
