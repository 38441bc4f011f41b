/** A router's crash test on one engine: a steady stream of alerts, kill upon kill, then calm, then the verdict. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Random, seededRandom } from '#kernel/random.ts';
import type { Engine } from '#test/crash/fleet.ts';
import type { Member } from '#test/crash/member.ts';
import { type Failure, fail } from '#test/crash/rules.ts';
import { type Facts, type Kill, readStored } from './evidence.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { judge } from './judge.ts';
import { type Moment, PGLITE_MOMENTS, POSTGRES_MOMENTS, type Scene } from './moments.ts';
import { CHANNELS, startReceivers } from './receivers.ts';
import { makeClient } from './stories.ts';

export type RunOptions = {
  readonly engine: Engine;
  readonly databaseUrl?: string | undefined;
  readonly kills: number;
  readonly seed: number;
  /** Only those whose name holds it. */
  readonly only?: string | undefined;
  readonly tell: (line: string) => void;
};
export type RunResult = {
  readonly engine: Engine;
  readonly seed: number;
  readonly kills: readonly Kill[];
  readonly missed: readonly string[];
  readonly takeovers: readonly number[];
  readonly facts: Facts;
  readonly failures: readonly Failure[];
  readonly seconds: number;
};

const PAUSE = 250;
const PAUSE_SPREAD = 700;
/** Slack takes one message a second, and some wait for their turn. */
const CALM_WITHIN = 240_000;
const TAKEOVER_LIMIT = 10_000;

export async function runRouters(options: RunOptions): Promise<RunResult> {
  const { engine, seed, tell } = options;
  const begun = performance.now();
  const random = seededRandom(seed);
  await using receivers = await startReceivers();
  await using fleet = await startFleet(engine, receivers, options.databaseUrl);
  const client = makeClient({ fleet, receivers, random: seededRandom(seed + 1) });
  const book = { kills: [] as Kill[], missed: [] as string[], moment: '' };
  const takeovers: number[] = [];
  const tookOver = (ms: number) => void takeovers.push(ms);
  const scene: Scene = { fleet, receivers, client, random, tookOver, ...makeKill(book, random) };
  tell(`${engine}: ${fleet.members.map(({ name }) => name).join(', ')} up`);
  const stop = new AbortController();
  const stream = client.run(stop.signal);
  await killAll(options, scene, book);
  stop.abort();
  await stream;
  const told = await calm(scene, () => client.stories.every((story) => isTold(scene, story)));
  tell(`${engine}: ${told ? 'all was told' : `NOT all was told after ${CALM_WITHIN / 1_000} s`}`);
  const firing = await firingAlerts(fleet);
  const shown = await Promise.all(fleet.members.map((member) => shownBy(fleet, member)));
  await client.endAll(firing);
  const ended = await calm(scene, () => true);
  tell(`${engine}: ${ended ? 'all has ended' : `NOT all has ended after ${CALM_WITHIN / 1_000} s`}`);
  const facts: Facts = {
    stories: client.stories,
    silences: client.silences,
    arrived: receivers.arrived,
    kills: book.kills,
    stored: await readStored(await fleet.close()),
    firing: new Set(firing.map((labels) => labels['service'] ?? '')),
    generation: client.generation(),
    configs: shown.map(({ config }) => config),
    inForce: shown.map(({ silences }) => silences),
  };
  const slow = takeovers.filter((ms) => ms > TAKEOVER_LIMIT).map((ms) => `${ms} ms`);
  const failures = [
    ...judge(facts),
    ...fail('a process ends only when it is killed, and starts again', fleet.accidents),
    ...fail(`another router goes on within ${TAKEOVER_LIMIT} ms`, slow),
  ];
  const seconds = (performance.now() - begun) / 1_000;
  return { engine, seed, kills: book.kills, missed: book.missed, takeovers, facts, failures, seconds };
}

type Book = { readonly kills: Kill[]; readonly missed: string[]; moment: string };

function makeKill(book: Book, random: Random): Pick<Scene, 'kill' | 'killTwice'> {
  const write = ({ name }: Member) => book.kills.push({ at: Date.now(), moment: book.moment, member: name });
  const short = () => PAUSE + random.next() * PAUSE_SPREAD;
  return {
    kill: (victim, pause = short()) => {
      if (!victim?.alive()) return;
      victim.die(pause);
      write(victim);
    },
    killTwice: async (victim, after) => {
      if (!victim.alive()) return false;
      write(victim);
      const again = (await victim.dieTwice(short(), after)) === 'killed while starting';
      if (again) write(victim);
      return again;
    },
  };
}

async function killAll({ engine, kills, only = '', tell }: RunOptions, scene: Scene, book: Book): Promise<void> {
  const all = Object.entries(engine === 'postgres' ? POSTGRES_MOMENTS : PGLITE_MOMENTS);
  const moments = all.filter(([name]) => name.includes(only));
  let turns: [string, Moment][] = [];
  while (book.kills.length < kills) {
    const done = book.kills.length;
    // With nobody left to kill it would go on for ever.
    const [accident] = scene.fleet.accidents;
    if (accident !== undefined) throw new Error(`after ${done} kills: ${accident}`);
    // Every moment once, in a new order each time.
    if (turns.length === 0) turns = shuffle(scene.random, moments);
    const [name, moment] = turns.pop() ?? ['', async () => false];
    book.moment = name;
    if (!(await moment(scene))) book.missed.push(name);
    if (Math.floor(book.kills.length / 20) > Math.floor(done / 20)) {
      tell(
        `${engine}: ${book.kills.length} kills, ${scene.client.stories.length} stories, ${scene.receivers.arrived.length} arrived`,
      );
    }
  }
}

const shuffle = <T>(random: Random, items: readonly T[]): T[] =>
  items
    .map((item) => ({ item, at: random.next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);

type Story = Scene['client']['stories'][number];

/** What was accepted has arrived wherever its first message leads. */
function isTold({ receivers, client }: Scene, story: Story): boolean {
  if (story.kind === 'silenced' || !story.alerts.some(({ answered }) => answered)) return true;
  if (story.kind === 'generation') return client.isTold(story) !== undefined;
  const target = `${story.kind === 'critical' ? 'pager' : 'team'}-${story.team}`;
  const mine = receivers.arrived.filter((one) => one.target === target && one.text.includes(story.marker));
  const second = receivers.arrived.some((one) => one.target === 'second' && one.text.includes(story.marker));
  return CHANNELS.every((channel) => mine.some((one) => one.channel === channel)) && (!story.held || second);
}

/** All live, nothing waits to be sent, and so it stays for longer than a group's interval. */
async function calm(scene: Scene, also: () => boolean): Promise<boolean> {
  const { fleet } = scene;
  for (const member of fleet.members) await member.up();
  const begun = performance.now();
  let since: number | undefined;
  while (performance.now() - begun < CALM_WITHIN) {
    const isCalm = also() && !(await isWaiting(fleet));
    since = isCalm ? (since ?? performance.now()) : undefined;
    if (since !== undefined && performance.now() - since > STAYS_CALM) return true;
    await sleep(250);
  }
  return false;
}
const STAYS_CALM = 4_000;

async function isWaiting(fleet: Fleet): Promise<boolean> {
  const { items } = await get<{ items: { state: string }[] }>(
    fleet,
    fleet.members[0],
    '/api/v1/notifications?limit=500',
  );
  return items.some(({ state }) => state === 'pending' || state === 'sending');
}

async function get<T>(fleet: Fleet, member: Member | undefined, path: string): Promise<T> {
  if (member === undefined) throw new Error('Nobody is there to be asked');
  const response = await fetch(`${fleet.urlOf(member)}${path}`, { signal: AbortSignal.timeout(20_000) });
  if (response.status !== 200) throw new Error(`${path}: answered ${response.status}`);
  return (await response.json()) as T;
}

async function firingAlerts(fleet: Fleet): Promise<Record<string, string>[]> {
  const alerts = await get<{ labels: Record<string, string> }[]>(fleet, fleet.members[0], '/api/v2/alerts');
  return alerts.map(({ labels }) => labels);
}

async function shownBy(fleet: Fleet, member: Member): Promise<{ config: string; silences: Set<string> }> {
  const status = await get<{ config: { original: string } }>(fleet, member, '/api/v2/status');
  const silences = await get<{ id: string; status: { state: string } }[]>(fleet, member, '/api/v2/silences');
  const active = silences.filter((one) => one.status.state === 'active').map(({ id }) => id);
  return { config: status.config.original, silences: new Set(active) };
}
