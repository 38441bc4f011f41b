/** Where a router is killed: at its named steps, where those who are told have a message in hand, in waits, and at random. */
import type { Random } from '#kernel/random.ts';
import type { Member } from '#test/crash/member.ts';
import { pickOne, somewhereIn, until } from '#test/crash/moments.ts';
import { ESCALATE_AFTER } from './files.ts';
import type { Fleet } from './fleet.ts';
import { CHANNELS, type Channel, type Receivers } from './receivers.ts';
import { STEPS } from './steps.ts';
import type { Client } from './stories.ts';

export type Scene = {
  readonly fleet: Fleet;
  readonly receivers: Receivers;
  readonly client: Client;
  readonly random: Random;
  /** SIGKILL, now, and a line in the book; it starts again after a short pause, or after `pause`. */
  readonly kill: (victim: Member | undefined, pause?: number) => void;
  readonly killTwice: (victim: Member, after: number) => Promise<boolean>;
  /** From a kill to what another router did in its place. */
  readonly tookOver: (ms: number) => void;
};

/** @returns whether it was hit. */
export type Moment = (scene: Scene) => Promise<boolean>;

const LIMIT = 12_000;

/** What leads to a step: the stream of alerts alone may take long to. */
function stimulusOf(step: string): (scene: Scene) => Promise<unknown> {
  const [what = ''] = step.split(':');
  switch (what) {
    case 'reload':
      return ({ client }) => client.reload();
    case 'silence':
      return ({ client }) => client.silence();
    case 'answer':
      return async ({ client }) => {
        const story = await client.open('critical', { held: true });
        if (await until(async () => client.isTold(story), LIMIT)) await client.acknowledge(story);
        story.held = false;
      };
    case 'escalation':
      return ({ client }) => client.open('critical', { held: true });
    default:
      return ({ client, random }) => client.open(random.next() < 0.7 ? 'critical' : 'warning');
  }
}

function atStep(step: string): Moment {
  return async (scene) => {
    await somebodyLives(scene);
    const caught = scene.fleet.catchAt(step, LIMIT, (member) => scene.kill(member));
    const [victim] = await Promise.all([caught, stimulusOf(step)(scene)]);
    return victim !== undefined;
  };
}

/** The message has arrived, and its sender will never hear of that. */
function arrived(channel: Channel, pause?: number): Moment {
  return async (scene) => {
    const { fleet, receivers, client, kill } = scene;
    await somebodyLives(scene);
    let victim: Member | undefined;
    let killedAt = 0;
    const caught = receivers.trap(channel, LIMIT, (port) => {
      victim = fleet.ownerOf(port);
      killedAt = Date.now();
      kill(victim, pause);
    });
    const [one] = await Promise.all([caught, client.open('critical', { held: true })]);
    if (one === undefined || victim === undefined) return false;
    if (pause === undefined) return true;
    const again = await until(
      async () => receivers.arrived.find((other) => other !== one && other.at >= killedAt && sameMessage(other, one)),
      pause + LIMIT,
    );
    scene.tookOver(again === undefined ? Number.POSITIVE_INFINITY : again.at - killedAt);
    return true;
  };
}

const sameMessage = (a: { channel: Channel; key: string; action: string }, b: typeof a): boolean =>
  a.channel === b.channel && a.key === b.key && a.action === b.action;

/** Longer than anybody may take to go on in its place. */
const STAYS_DEAD = 11_000;

/** An alert is stored and its sender was never told; the other router pages in its place. */
const othersGoOn: Moment = async (scene) => {
  const { fleet, client, kill } = scene;
  await somebodyLives(scene);
  let killedAt = 0;
  const caught = fleet.catchAt('intake: after commit', LIMIT, (member) => {
    killedAt = Date.now();
    kill(member, STAYS_DEAD);
  });
  const [victim, story] = await Promise.all([caught, client.open('critical', { held: true })]);
  if (victim === undefined) return false;
  const page = await until(async () => client.isTold(story), STAYS_DEAD);
  // The stream may have been what was caught, and this story come to nobody.
  if (page !== undefined) scene.tookOver(Math.max(0, page.at - killedAt));
  return true;
};

/** A channel refuses for a while, and what waits for its next attempt is in nobody's memory. */
const inBackoff: Moment = async (scene) => {
  const { receivers, client, random, fleet, kill } = scene;
  await somebodyLives(scene);
  const before = receivers.refused();
  receivers.failFor(pickOne(random, CHANNELS) ?? 'slack', 3_000 + random.next() * 3_000);
  await client.open('critical');
  const hit = await until(async () => (receivers.refused() > before ? true : undefined), LIMIT);
  await somewhereIn(random, 2_000);
  kill(pickOne(random, fleet.living()));
  return hit !== undefined;
};

const inEscalationWait: Moment = async (scene) => {
  const { client, random, fleet, kill } = scene;
  await somebodyLives(scene);
  const story = await client.open('critical', { held: true });
  const page = await until(async () => client.isTold(story), LIMIT);
  await somewhereIn(random, ESCALATE_AFTER - 200);
  for (const member of fleet.living()) kill(member);
  return page !== undefined;
};

const atRandom: Moment = async (scene) => {
  const { random, fleet, kill } = scene;
  await somebodyLives(scene);
  await somewhereIn(random, 1_500);
  const victim = pickOne(random, fleet.living());
  kill(victim);
  return victim !== undefined;
};

const allAtOnce: Moment = async (scene) => {
  await somebodyLives(scene);
  await somewhereIn(scene.random, 1_000);
  for (const member of scene.fleet.living()) scene.kill(member);
  return true;
};

const whileStarting: Moment = async (scene) => {
  await somebodyLives(scene);
  const victim = pickOne(scene.random, scene.fleet.living());
  return victim !== undefined && (await scene.killTwice(victim, scene.random.next() * 1_500));
};

/** And has lived for a moment: a router that never gets to work shows nothing. */
async function somebodyLives({ fleet, random }: Scene): Promise<void> {
  await until(async () => fleet.living()[0], 60_000);
  await somewhereIn(random, 1_200);
}

const COMMON: Readonly<Record<string, Moment>> = {
  ...Object.fromEntries([...STEPS.keys()].map((step) => [step, atStep(step)])),
  ...Object.fromEntries(CHANNELS.map((channel) => [`arrived, not answered: ${channel}`, arrived(channel)])),
  'in backoff': inBackoff,
  'in an escalation wait': inEscalationWait,
  'at random': atRandom,
  'at random again': atRandom,
  'while it starts again': whileStarting,
};

export const PGLITE_MOMENTS = COMMON;
export const POSTGRES_MOMENTS: Readonly<Record<string, Moment>> = {
  ...COMMON,
  'all at once': allAtOnce,
  'the other goes on: a page in hand': arrived('pagerduty', STAYS_DEAD),
  'the other goes on: an alert just stored': othersGoOn,
};
