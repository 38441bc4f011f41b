/**
 * One simulated history of the router: alerts come and go, people answer, channels misbehave, the process is killed
 * between any two steps, and time passes as fast as it can be computed. The same seed gives the same history.
 */
import { createHash } from 'node:crypto';
import type { Alert } from '#alerting/alert.ts';
import { claimOne, deliver, SEND_LIMIT } from '#alerting/delivery.ts';
import { flushOne } from '#alerting/groups.ts';
import { answer, escalateOne } from '#alerting/incidents.ts';
import { receive } from '#alerting/intake.ts';
import { fingerprint, type Labels } from '#alerting/labels.ts';
import { parseMatchers } from '#alerting/matcher.ts';
import type { Outcome } from '#alerting/notify/outcome.ts';
import type { Policy } from '#alerting/oncall/model.ts';
import type { Claimed, Incident } from '#alerting/store.ts';
import { type Random, seededRandom } from '#kernel/random.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { type Arrived, type Desk, makeDesk, pagerduty, route, setupOf, slack, span, T0 } from '#test/kit/alerting.ts';
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

export const PAGER: Policy = {
  name: 'pager',
  steps: [
    { delay: span(0), targets: [{ kind: 'receiver', name: 'pager' }] },
    { delay: span(120), targets: [{ kind: 'receiver', name: 'second' }] },
    { delay: span(240), targets: [{ kind: 'receiver', name: 'third' }] },
  ],
  repeat: { times: 1, after: span(600) },
  warnings: { within: milliseconds(900_000), schedule: undefined },
};

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
  const random = seededRandom(seed);
  const desk = makeDesk(kept.store, SETUP, seed + 1);
  const world = makeWorld(seed, random, kept, desk);
  const events = 20 + Math.floor(random.next() * 40);
  for (let i = 0; i < events; i++) {
    await world.play(desk.time + Math.ceil((random.next() * 2 * LENGTH) / events));
    await world.event();
  }
  await world.calm();
  return await world.history();
}

function makeWorld(seed: number, random: Random, { store, incidents }: Kept, desk: Desk) {
  const chance = (p: number) => random.next() < p;
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random.next() * all.length)] as T;
  const weather = { fail: random.next() * 0.6, crash: random.next() * 0.3 };
  const fired: Fired[] = [];
  const standing = new Map<string, { labels: Labels; at: number }>();
  const attempts: Attempt[] = [];
  const answered: Answered[] = [];
  const trace = createHash('sha256');
  let crashes = 0;
  let quiet = false;
  const note = (...what: unknown[]) => void trace.update(`${desk.time} ${JSON.stringify(what)}\n`);

  desk.outcome = () => {
    if (quiet || !chance(weather.fail)) return { kind: 'delivered', reference: undefined };
    const kind = pick(['retry', 'retry', 'retry', 'ambiguous', 'refused'] as const);
    const after =
      kind === 'retry' && chance(0.5) ? milliseconds(1_000 + Math.floor(random.next() * 60_000)) : undefined;
    if (kind === 'retry') return { kind, because: 'weather', after };
    return { kind, because: 'weather' };
  };
  /** Killed between two steps, or after a commit whose answer nobody hears. */
  const perhapsCrash = () => {
    if (quiet || !chance(weather.crash)) return;
    store.failNext = pick(['before commit', 'after commit'] as const);
  };
  const survive = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      crashes++;
      note('crash', error.message);
      return undefined;
    }
  };
  const send = async (labels: Labels, ends: boolean) => {
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
      if (tries < 8) perhapsCrash();
      const done = await survive(async () => {
        await receive(store, desk.setup, [alert], at);
        return true;
      });
      if (done) break;
    }
    note('sent', labels, ends);
    const known = standing.get(key);
    if (ends && known) {
      fired.push({ ...known, until: desk.time });
      standing.delete(key);
    } else if (!ends && !known) standing.set(key, { labels, at: desk.time });
  };
  const attempt = async (claimed: Claimed) => {
    const before = desk.arrived.length;
    let seen: Outcome | undefined;
    const original = desk.around.notify;
    const notify: typeof original = async (...args) => {
      seen = await original(...args);
      perhapsCrash();
      return seen;
    };
    const marked = await survive(() => deliver({ ...desk.around, notify }, claimed, new AbortController().signal));
    // A wish that nobody lived to write down is forgotten.
    const wish = marked !== undefined && seen?.kind === 'retry' ? seen.after : undefined;
    const wait = wish === undefined ? undefined : desk.time + wish;
    attempts.push({
      at: desk.time,
      destination: claimed.destination,
      id: claimed.id,
      outcome: seen?.kind ?? 'refused',
      waitUntil: wait,
    });
    note('attempt', claimed.destination, claimed.action, seen?.kind, desk.arrived.length - before);
  };
  const step = async (): Promise<boolean> => {
    perhapsCrash();
    const flushed = await survive(() => flushOne(desk.around));
    store.failNext = 'none';
    if (flushed !== false) return true;
    perhapsCrash();
    const escalated = await survive(() => escalateOne(desk.around));
    store.failNext = 'none';
    if (escalated !== false) return true;
    const claimed = await claimOne(desk.around);
    if (claimed === undefined) return false;
    await attempt(claimed);
    store.failNext = 'none';
    return true;
  };
  const play = async (until: number) => {
    for (;;) {
      for (let steps = 0; await step(); steps++) if (steps > 10_000) throw new Error('it never comes to rest');
      const next = await store.nextDue();
      if (next === undefined || next - T0 > until) break;
      if (Math.ceil(next - T0) <= desk.time)
        throw new Error(`something is due at ${next - T0} and is not done at ${desk.time}`);
      desk.time = Math.ceil(next - T0);
    }
    desk.time = until;
  };
  const respond = async () => {
    const open = (await incidents()).filter(({ state }) => state !== 'resolved');
    if (open.length === 0) return;
    const incident = pick(open);
    const kind = pick(['acknowledge', 'acknowledge', 'snooze', 'resolve'] as const);
    const until = milliseconds(T0 + desk.time + 300_000);
    const given = kind === 'snooze' ? ({ kind, by: 'ada', until } as const) : ({ kind, by: 'ada' } as const);
    await survive(() => answer(desk.around, incident.id, given));
    answered.push({ at: desk.time, incident, what: kind });
    note('answered', incident.id, kind);
  };
  return {
    play,
    event: async () => {
      const which = random.next();
      if (which < 0.5) await send(pick(ALERTS), false);
      else if (which < 0.8) {
        const now = [...standing.values()];
        if (now.length > 0) await send(pick(now).labels, true);
      } else await respond();
    },
    calm: async () => {
      quiet = true;
      for (const { labels } of [...standing.values()]) await send(labels, true);
      await play(desk.time + CALM);
    },
    history: async (): Promise<Omit<History, 'store'>> => {
      note(
        'end',
        (await incidents()).map(({ number, state, step, round, told }) => [number, state, step, round, told]),
      );
      return {
        seed,
        desk,
        fired,
        arrived: desk.arrived,
        attempts,
        answered,
        crashes,
        trace: trace.digest('hex'),
      };
    },
  };
}

/** A send may take this long, and its claim a little longer before somebody else takes it over. */
export const SLOWEST: Milliseconds = SEND_LIMIT;
