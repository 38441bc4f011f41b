/** A crash test on one engine: steady upload, kill upon kill, then quiet, then the verdict. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, seededRandom } from '#kernel/random.ts';
import { untilFinished } from '#test/kit/client.ts';
import { KINDS, type Kind, PLACEHOLDER } from './documents.ts';
import { type Chunk, type Facts, listSeen, readChunks, readExported, readStored } from './evidence.ts';
import { type Engine, type Fleet, startFleet } from './fleet.ts';
import { type Hang, hang } from './hung.ts';
import { judge } from './judge.ts';
import type { Member } from './member.ts';
import { type Moment, pickOne, type Scene } from './moments.ts';
import { PGLITE_MOMENTS } from './moments-pglite.ts';
import { POSTGRES_MOMENTS } from './moments-postgres.ts';
import { cutAndRepeat } from './moments-server.ts';
import { startReceiver } from './receiver.ts';
import { type Failure, fail } from './rules.ts';
import { measureTakeover } from './takeover.ts';
import { makeUploads } from './uploads.ts';
import type { WeatherName } from './vendors.ts';

export type RunOptions = {
  readonly engine: Engine;
  readonly databaseUrl?: string | undefined;
  readonly kills: number;
  readonly seed: number;
  readonly uploadsPerSecond: number;
  /** The vendors' state while the kills go on, one after the other. */
  readonly weathers: readonly WeatherName[];
  readonly canaryEverySeconds: number;
  /** Hung workers, and kills whose takeover is measured (Postgres). */
  readonly hangs: readonly Hang['how'][];
  readonly takeovers: number;
  /** Ends the database itself as a power cut would, and starts it again (Postgres). */
  readonly powerCut?: () => Promise<void>;
  readonly powerCuts?: number;
  readonly tell: (line: string) => void;
};

export type Kill = { readonly moment: string; readonly member: string };
export type RunResult = {
  readonly engine: Engine;
  readonly kills: readonly Kill[];
  /** Moments that did not come in time: those kills came at random instead. */
  readonly missed: readonly string[];
  readonly takeovers: readonly number[];
  readonly hangs: readonly Hang[];
  readonly facts: Facts;
  readonly failures: readonly Failure[];
  readonly seconds: number;
};

/** From SIGKILL to the restart at least this long. */
const PAUSE = 500;
const PAUSE_SPREAD = 700;
/** About so long the database stays up between its ends. */
const POWER_FOR = 3_000;
const QUIET_WITHIN = 150_000;
const UNFINISHED = ['queued', 'parsing', 'chunking', 'embedding', 'storing'];
/** Beside each kill, this share of uploads is cut by the client. */
const CUTS = 0.25;

type Book = { kills: Kill[]; missed: string[]; moment: string };

export async function runEngine(options: RunOptions): Promise<RunResult> {
  const { engine, tell } = options;
  const begun = performance.now();
  await using receiver = await startReceiver();
  await using fleet = await startFleet(options);
  const random = seededRandom(options.seed);
  const uploads = makeUploads({
    api: fleet.api,
    webhookUrl: receiver.url,
    random: seededRandom(options.seed + 1),
    perSecond: options.uploadsPerSecond,
  });
  const book: Book = { kills: [], missed: [], moment: '' };
  const scene: Scene = { fleet, uploads, receiver, random, ...makeKill(book, random) };
  tell(`${engine}: ${fleet.members.map(({ name }) => name).join(', ')} and the vendors are up`);
  const expected = await undisturbed(scene);

  const stop = new AbortController();
  const stream = uploads.run(stop.signal);
  await killAll(options, scene, book);
  const hangs: Hang[] = [];
  await fleet.vendors.setWeather('zero');
  for (const how of options.hangs.filter((one) => one === 'under load')) hangs.push(...(await hang(scene, how)));
  for (let i = 0; i < (options.powerCuts ?? 0); i++) {
    await sleep(POWER_FOR * (0.5 + random.next()));
    await options.powerCut?.();
  }
  stop.abort();
  await stream;
  for (const how of options.hangs.filter((one) => one !== 'under load')) {
    await untilQuiet(scene);
    hangs.push(...(await hang(scene, how)));
  }
  book.moment = 'while the other worker is idle';
  const takeovers: number[] = [];
  for (let i = 0; i < options.takeovers; i++) {
    await untilQuiet(scene);
    takeovers.push((await measureTakeover(scene)) ?? Number.POSITIVE_INFINITY);
    if (i % 10 === 9) tell(`${engine}: ${i + 1} takeovers measured`);
  }
  const quiet = await untilQuiet(scene);
  tell(`${engine}: ${quiet ? 'all is quiet' : `NOT quiet after ${QUIET_WITHIN / 1000} s`}`);
  const facts = await gather(scene, () => fleet.close(), expected, options.weathers.includes('storm'));
  const failures = [...judge(facts), ...beside(options, { fleet, hangs, takeovers })];
  const seconds = (performance.now() - begun) / 1000;
  return { engine, ...book, takeovers, hangs, facts, failures, seconds };
}

function makeKill(book: Book, random: Random): Pick<Scene, 'kill' | 'killTwice'> {
  const write = (victim: Member) => book.kills.push({ moment: book.moment, member: victim.name });
  const pause = () => PAUSE + random.next() * PAUSE_SPREAD;
  return {
    kill: (...victims) => {
      for (const victim of victims) {
        if (!victim?.alive()) continue;
        victim.die(pause());
        write(victim);
      }
    },
    killTwice: async (victim, after) => {
      if (!victim.alive()) return false;
      write(victim);
      const again = (await victim.dieTwice(pause(), after)) === 'killed while starting';
      if (again) write(victim);
      return again;
    },
  };
}

/** One of each kind, before anything is killed: what their chunks must be. */
async function undisturbed({ uploads, fleet }: Scene): Promise<Map<string, Chunk[]>> {
  const one = async (kind: Kind): Promise<[Kind, Chunk[]]> => {
    const { id = '', marker } = await uploads.send(kind);
    await untilFinished(fleet.api(), id);
    const blank = (text: string) => text.replaceAll(marker, PLACEHOLDER);
    const chunks = await readChunks(fleet.api(), id);
    return [kind, chunks.map((chunk) => ({ ...chunk, text: blank(chunk.text), heading: blank(chunk.heading) }))];
  };
  return new Map(await Promise.all(KINDS.map(one)));
}

async function killAll(options: RunOptions, scene: Scene, book: Book): Promise<void> {
  const { engine, kills, weathers, tell } = options;
  const moments = Object.entries(engine === 'postgres' ? POSTGRES_MOMENTS : PGLITE_MOMENTS);
  let turns: [string, Moment][] = [];
  const cuts: Promise<void>[] = [];
  while (book.kills.length < kills) {
    const done = book.kills.length;
    const weather = weathers[Math.floor((done / kills) * weathers.length)] ?? 'zero';
    if (weather !== scene.fleet.vendors.weather()) await scene.fleet.vendors.setWeather(weather);
    // Every moment once, in a new order each time.
    if (turns.length === 0) turns = shuffle(scene.random, moments);
    const [name, moment] = turns.pop() ?? ['', async () => false];
    book.moment = name;
    if (scene.random.next() < CUTS) cuts.push(cutAndRepeat(scene));
    if (!(await moment(scene))) book.missed.push(name);
    if (book.kills.length === done) scene.kill(pickOne(scene.random, scene.fleet.living()));
    if (Math.floor(book.kills.length / 10) > Math.floor(done / 10)) tell(progress(options, scene, book, weather));
    // Somebody must be there to be killed next.
    while (scene.fleet.living().length === 0) await sleep(50);
  }
  await Promise.all(cuts);
}

function shuffle<T>(random: Random, items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function progress({ engine, kills }: RunOptions, { uploads }: Scene, book: Book, weather: WeatherName): string {
  const { sent } = uploads;
  const accepted = sent.filter(({ id }) => id !== undefined).length;
  const cut = sent.reduce((sum, one) => sum + one.cut, 0);
  const line = `${sent.length} uploads, ${accepted} accepted, ${cut} connections cut; vendors: ${weather}`;
  return `${engine}: ${String(book.kills.length).padStart(3)} of ${kills} kills; ${line}`;
}

/** All processes live and nothing is left to do. @returns false when that did not come. */
async function untilQuiet({ fleet, uploads, receiver }: Scene): Promise<boolean> {
  for (const member of fleet.members) await member.up();
  const wantsWebhook = new Set(uploads.sent.filter(({ webhook }) => webhook).map(({ sha256 }) => sha256));
  const begun = performance.now();
  while (performance.now() - begun < QUIET_WITHIN) {
    const seen = await listSeen(fleet.api());
    const busy = seen.some(({ status }) => UNFINISHED.includes(status));
    const untold = seen.some(({ id, sha256 }) => wantsWebhook.has(sha256) && !receiver.told.has(id));
    const jobs = await fleet.db?.query(`select 1 from worker.jobs where queue = 'webhook' limit 1`);
    if (!busy && !untold && (jobs ?? []).length === 0) return true;
    await sleep(250);
  }
  return false;
}

async function gather(
  scene: Scene,
  close: Fleet['close'],
  expected: Map<string, Chunk[]>,
  faults: boolean,
): Promise<Facts> {
  const { fleet, uploads, receiver } = scene;
  const seen = await listSeen(fleet.api());
  const chunks = new Map<string, Chunk[]>();
  for (const { id, status } of seen) if (status === 'completed') chunks.set(id, await readChunks(fleet.api(), id));
  const working = fleet.members.filter(({ role }) => role !== 'api');
  const exported = await readExported(working.map((member) => member.metrics()));
  const db = await close();
  const stored = await readStored(db);
  const vendors = await fleet.vendors.stats();
  return { sent: uploads.sent, seen, chunks, expected, told: receiver.told, stored, vendors, exported, faults };
}

/** A job may wait this long for another worker (docs/crash-test.md); of hung ones it is told, not judged by. */
const TAKEOVER_LIMIT = 3_000;
/** What a log may not hold: somebody found what should not be there to be found. */
const UNWANTED =
  /a request failed|had no job|jobs of finished documents were removed|ended without a result|did not stop when told to/;
/** But for this: the database itself was ended. */
const WITHOUT_DATABASE = /"reason":"Database: .*"a job ended without a result"/;

function beside(
  options: RunOptions,
  { fleet, hangs, takeovers }: { fleet: Fleet; hangs: readonly Hang[]; takeovers: readonly number[] },
): Failure[] {
  const slow = takeovers.filter((ms) => ms > TAKEOVER_LIMIT).map((ms) => `${Math.round(ms)} ms`);
  const stuck = hangs
    .filter(({ takeoverMs }) => takeoverMs === undefined)
    .map(({ documentId, how }) => `${documentId} (${how})`);
  const deaf = hangs.filter(({ lost }) => lost === 0).map(({ documentId, how }) => `${documentId} (${how})`);
  const wrote = hangs.flatMap(({ documentId, wrote: lines }) => lines.map((line) => `${documentId}: ${line}`));
  const missing = options.hangs.length - hangs.length;
  const excused = (line: string) => options.powerCut !== undefined && WITHOUT_DATABASE.test(line);
  const lines = fleet.members
    .flatMap((member: Member) => member.complaints())
    .filter((line) => UNWANTED.test(line) && !excused(line));
  return [
    ...fail('a process ends only when it is killed, and starts again', fleet.accidents),
    ...fail(`a killed worker's job is started elsewhere within ${TAKEOVER_LIMIT} ms`, slow),
    ...fail("a hung worker's job is started elsewhere while it hangs", stuck),
    ...fail('a worker that wakes hears that its claims are lost', deaf),
    ...fail('a worker that wakes writes nothing to what another one has in hand', wrote),
    ...fail('each hung worker was caught with a job', missing === 0 ? [] : [`${missing} were not`]),
    ...fail('nobody finds in the logs what should not be there', [...new Set(lines)].slice(0, 5)),
  ];
}
