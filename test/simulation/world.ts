/**
 * One simulated history of the router: alerts come and go, people answer, channels misbehave, the process is killed
 * between any two steps, and time passes as fast as it can be computed. The same seed gives the same history.
 */
import { createHash, type Hash } from 'node:crypto';
import type { Alert } from '#alerting/alert.ts';
import { type Answer, answer } from '#alerting/answer.ts';
import { claimOne, deliver } from '#alerting/delivery.ts';
import { flushOne } from '#alerting/groups.ts';
import { hear } from '#alerting/inbound.ts';
import { escalateOne } from '#alerting/incidents.ts';
import { receive } from '#alerting/intake.ts';
import { fingerprint, type Labels } from '#alerting/labels.ts';
import { parseMatchers } from '#alerting/matcher.ts';
import type { Outcome } from '#alerting/notify/outcome.ts';
import type { Claimed, Incident } from '#alerting/store.ts';
import { type Random, seededRandom } from '#kernel/random.ts';
import { milliseconds } from '#kernel/units.ts';
import {
  type Arrived,
  type Desk,
  makeDesk,
  pagerduty,
  policy,
  route,
  setupOf,
  slack,
  span,
  T0,
} from '#test/kit/alerting.ts';
import { Crash, type FailingStore, type MemoryStore, makeMemoryStore } from './memory-store.ts';

export type Fired = { readonly labels: Labels; readonly at: number; readonly until: number };
/** An attempt as the other side saw it. */
export type Attempt = {
  readonly at: number;
  readonly destination: string;
  readonly id: string;
  readonly outcome: Outcome['kind'];
  readonly waitUntil: number | undefined;
};
export type Answered = { readonly at: number; readonly incident: Incident; readonly what: string };
export type History = {
  readonly seed: number;
  readonly store: MemoryStore;
  readonly desk: Desk;
  /** What was accepted, by alert: a send that the router answered, or whose answer got lost. */
  readonly fired: readonly Fired[];
  readonly arrived: readonly Arrived[];
  readonly attempts: readonly Attempt[];
  readonly answered: readonly Answered[];
  readonly crashes: number;
  readonly trace: string;
};

export const PAGER = policy('pager', {
  steps: [
    { delay: span(0), targets: [{ kind: 'receiver', name: 'pager' }] },
    { delay: span(120), targets: [{ kind: 'receiver', name: 'second' }] },
    { delay: span(240), targets: [{ kind: 'receiver', name: 'third' }] },
  ],
  repeat: { times: 1, after: span(600) },
  warnings: { after: milliseconds(30_000), within: milliseconds(900_000), schedule: undefined },
});

const matchers = (text: string) => {
  const parsed = parseMatchers(text, 'default');
  if (parsed.kind === 'fault') throw new Error(parsed.message);
  return parsed.matchers;
};

export const SETUP = setupOf({
  root: route('team', {
    groupWait: span(10),
    groupInterval: span(60),
    repeatInterval: span(1_800),
    routes: [
      route('pager', {
        id: '{}/{team="docs"}/0',
        key: '{}/{team="docs"}',
        matchers: matchers('team="docs"'),
        groupBy: ['service'],
        groupWait: span(0),
        groupInterval: span(60),
      }),
    ],
  }),
  receivers: [
    { name: 'team', integrations: [slack(0)] },
    { name: 'pager', integrations: [pagerduty(0), slack(0)] },
    { name: 'second', integrations: [slack(0)] },
    { name: 'third', integrations: [slack(0)] },
  ],
  inhibitRules: [
    {
      name: undefined,
      source: matchers('severity="critical"'),
      target: matchers('severity="warning"'),
      equal: ['service'],
    },
  ],
  policies: [PAGER],
});

const ALERTS: readonly Labels[] = ['docs', 'search'].flatMap((service) => [
  { alertname: 'Down', service, team: 'docs', severity: 'critical' },
  { alertname: 'Slow', service, team: 'docs', severity: 'critical', instance: 'a' },
  { alertname: 'Late', service, team: 'docs', severity: 'warning' },
  { alertname: 'Disk', service, team: 'infra', severity: 'warning' },
  { alertname: 'Disk', service, team: 'infra', severity: 'warning', instance: 'b' },
]);

export const IN_PAGERDUTY = { by: 'grace', from: 'pagerduty' } as const;

/** How bad the weather is, 0 to 1, is drawn for each history. */
const LENGTH = 3_600_000;
/** Afterwards all alerts end, nothing fails any more, and whatever is owed must be paid. */
export const CALM = 7_200_000;

export async function simulate(seed: number): Promise<History> {
  const store = makeMemoryStore();
  const incidents = async () => [...store.tables().incidents.values()];
  const happened = await simulateOn({ store, incidents }, seed);
  return { ...happened, store };
}

/** On any store: the same seed must give the same trace on each. */
export type Kept = { readonly store: FailingStore; readonly incidents: () => Promise<readonly Incident[]> };

export async function simulateOn(kept: Kept, seed: number): Promise<Omit<History, 'store'>> {
  const world = newWorld(kept, seed);
  const { desk, random } = world;
  const events = 20 + Math.floor(random.next() * 40);
  for (let i = 0; i < events; i++) {
    await play(world, desk.time + Math.ceil((random.next() * 2 * LENGTH) / events));
    await somethingHappens(world);
  }
  world.quiet = true;
  for (const { labels } of [...world.standing.values()]) await send(world, labels, true);
  await play(world, desk.time + CALM);
  const ends = await kept.incidents();
  note(
    world,
    'end',
    ends.map(({ number, state, step, round, told }) => [number, state, step, round, told]),
  );
  const { fired, attempts, answered, crashes, trace } = world;
  return { seed, desk, fired, arrived: desk.arrived, attempts, answered, crashes, trace: trace.digest('hex') };
}

type World = Kept & {
  readonly random: Random;
  readonly desk: Desk;
  /** How often a send fails and a step is cut off, 0 to 1. */
  readonly weather: { readonly fail: number; readonly crash: number };
  readonly standing: Map<string, { readonly labels: Labels; readonly at: number }>;
  readonly fired: Fired[];
  readonly attempts: Attempt[];
  readonly answered: Answered[];
  readonly trace: Hash;
  crashes: number;
  /** Nothing fails any more. */
  quiet: boolean;
};

function newWorld(kept: Kept, seed: number): World {
  const random = seededRandom(seed);
  const desk = makeDesk(kept.store, SETUP, seed + 1);
  const world: World = {
    ...kept,
    random,
    desk,
    weather: { fail: random.next() * 0.6, crash: random.next() * 0.3 },
    standing: new Map(),
    fired: [],
    attempts: [],
    answered: [],
    trace: createHash('sha256'),
    crashes: 0,
    quiet: false,
  };
  desk.outcome = () => outcomeOf(world);
  return world;
}

const chance = ({ random }: World, p: number): boolean => random.next() < p;
const pick = <T>({ random }: World, all: readonly T[]): T => all[Math.floor(random.next() * all.length)] as T;
const note = ({ trace, desk }: World, ...what: unknown[]): void =>
  void trace.update(`${desk.time} ${JSON.stringify(what)}\n`);

function outcomeOf(world: World): Outcome {
  const { random, quiet, weather } = world;
  if (quiet || !chance(world, weather.fail)) return { kind: 'delivered', reference: undefined };
  const kind = pick(world, ['retry', 'retry', 'retry', 'ambiguous', 'refused'] as const);
  if (kind !== 'retry') return { kind, because: 'weather' };
  const after = chance(world, 0.5) ? milliseconds(1_000 + Math.floor(random.next() * 60_000)) : undefined;
  return { kind, because: 'weather', after };
}

/** Killed between two steps, or after a commit whose answer nobody hears. */
function perhapsCrash(world: World): void {
  if (world.quiet || !chance(world, world.weather.crash)) return;
  world.store.failNext = pick(world, ['before commit', 'after commit'] as const);
}

async function survive<T>(world: World, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    world.crashes++;
    note(world, 'crash', error.message);
    return undefined;
  }
}

async function send(world: World, labels: Labels, ends: boolean): Promise<void> {
  const { desk, standing, store } = world;
  const at = milliseconds(T0 + desk.time);
  const key = fingerprint(labels);
  const alert: Alert = {
    fingerprint: key,
    labels,
    annotations: {},
    generatorUrl: '',
    startsAt: milliseconds(T0 + (standing.get(key)?.at ?? desk.time)),
    endsAt: ends ? at : milliseconds(at + 100 * LENGTH),
    timeout: !ends,
    updatedAt: at,
  };
  // Like Prometheus: what was not answered is sent again.
  for (let tries = 0; tries < 10; tries++) {
    if (tries < 8) perhapsCrash(world);
    const done = await survive(world, async () => {
      await receive(store, desk.setup, [alert], at);
      return true;
    });
    if (done) break;
  }
  note(world, 'sent', labels, ends);
  const known = standing.get(key);
  if (ends && known) {
    world.fired.push({ ...known, until: desk.time });
    standing.delete(key);
  } else if (!ends && !known) standing.set(key, { labels, at: desk.time });
}

async function attempt(world: World, claimed: Claimed): Promise<void> {
  const { desk } = world;
  const before = desk.arrived.length;
  let seen: Outcome | undefined;
  const notify: Desk['around']['notify'] = async (...args) => {
    seen = await desk.around.notify(...args);
    perhapsCrash(world);
    return seen;
  };
  const marked = await survive(world, () => deliver({ ...desk.around, notify }, claimed, new AbortController().signal));
  // A wish that nobody lived to write down is forgotten.
  const wish = marked !== undefined && seen?.kind === 'retry' ? seen.after : undefined;
  world.attempts.push({
    at: desk.time,
    destination: claimed.destination,
    id: claimed.id,
    outcome: seen?.kind ?? 'refused',
    waitUntil: wish === undefined ? undefined : desk.time + wish,
  });
  note(world, 'attempt', claimed.destination, claimed.action, seen?.kind, desk.arrived.length - before);
}

/** @returns false: nothing is due. */
async function step(world: World): Promise<boolean> {
  const { desk, store } = world;
  for (const work of [flushOne, escalateOne]) {
    perhapsCrash(world);
    const done = await survive(world, () => work(desk.around));
    store.failNext = 'none';
    if (done !== false) return true;
  }
  const claimed = await claimOne(desk.around);
  if (claimed === undefined) return false;
  await attempt(world, claimed);
  store.failNext = 'none';
  return true;
}

async function play(world: World, until: number): Promise<void> {
  const { desk, store } = world;
  for (;;) {
    for (let steps = 0; await step(world); steps++) if (steps > 10_000) throw new Error('it never comes to rest');
    const next = await store.nextDue();
    if (next === undefined || next - T0 > until) break;
    const at = Math.ceil(next - T0);
    if (at <= desk.time) throw new Error(`something is due at ${at} and is not done at ${desk.time}`);
    desk.time = at;
  }
  desk.time = until;
}

async function somethingHappens(world: World): Promise<void> {
  const which = world.random.next();
  if (which < 0.5) return await send(world, pick(world, ALERTS), false);
  if (which >= 0.8) return await respond(world);
  const now = [...world.standing.values()];
  if (now.length > 0) await send(world, pick(world, now).labels, true);
}

async function respond(world: World): Promise<void> {
  const { desk } = world;
  const open = (await world.incidents()).filter(({ state }) => state !== 'resolved');
  if (open.length === 0) return;
  const incident = pick(world, open);
  const kind = pick(world, ['acknowledge', 'acknowledge', 'snooze', 'resolve', 'reopen'] as const);
  const until = milliseconds(T0 + desk.time + 300_000);
  const there = kind === 'reopen' || (kind !== 'snooze' && chance(world, 0.3));
  const by = there ? IN_PAGERDUTY : ({ by: 'ada' } as const);
  const given: Answer = kind === 'snooze' ? { kind, ...by, until } : { kind, ...by };
  if (there) await tellByWebhook(world, incident, given);
  else await answer(desk.around, incident.id, given);
  world.answered.push({ at: desk.time, incident, what: kind });
  note(world, 'answered', incident.id, kind, there);
}

/** Like PagerDuty: what was not answered is told again, and at times what was, too. */
async function tellByWebhook(world: World, incident: Incident, says: Answer): Promise<void> {
  const { desk, random, store } = world;
  const event = { source: 'pagerduty', id: `event-${random.next()}`, theirs: 'P', ours: incident.id, says } as const;
  for (let tries = 0, heard: string | undefined; heard === undefined; tries++) {
    if (tries < 8) perhapsCrash(world);
    heard = (await survive(world, () => hear(desk.around, event)))?.outcome;
    if (tries === 0 && heard === 'replayed') throw new Error('an event was heard before it was told');
  }
  store.failNext = 'none';
  if (!chance(world, 0.5)) return;
  const { outcome } = await hear(desk.around, event);
  if (outcome !== 'replayed') throw new Error(`an event that was told twice is ${outcome}`);
}
