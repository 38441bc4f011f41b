/** A stack with two tenants that send, and everything that a scenario may lay hands on. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Random, seededRandom } from '#kernel/random.ts';
import type { Bytes } from '#kernel/units.ts';
import { openDatabase } from '#test/crash/fleet.ts';
import type { Member } from '#test/crash/member.ts';
import type { Scene } from '#test/crash/moments.ts';
import { type Receiver, startReceiver } from '#test/crash/receiver.ts';
import { makeUploads, type Uploads } from '#test/crash/uploads.ts';
import { makeVendors } from '#test/crash/vendors.ts';
import { json } from '#test/kit/client.ts';
import { removeFolder, temporaryFolder } from '#test/kit/stack.ts';
import { type Stack, type StackWish, startStack } from '#test/load/stack.ts';
import { type Disk, mountDisk } from './disk.ts';

export const NEIGHBOUR = 'neighbour';
export type Vendor = 'llamaparse' | 'openai' | 'slack' | 'pagerduty' | 'smtp';

export type Ground = AsyncDisposable & {
  readonly stack: Stack;
  readonly database: StackWish['database'];
  readonly receiver: Receiver;
  readonly db: Scene['fleet']['db'];
  /** Where the database is, if it was asked for. */
  readonly disk: Disk | undefined;
  /** Sets the wall clock of the working processes wrong, if that was asked for. */
  stepClock(ms: number): void;
};

export type GroundWish = Omit<StackWish, 'tenants' | 'folder'> & Needs;
/** What a scenario needs that others do without. */
export type Needs = {
  /** The database's, small enough to be filled. */
  readonly disk?: Bytes | undefined;
  /** Whose wall clock can be set. */
  readonly clocks?: readonly string[] | undefined;
};

/** Of one scenario: documents of its own, under a correlation ID of its own. */
export type Stage = {
  readonly ground: Ground;
  readonly run: string;
  readonly seed: number;
  readonly random: Random;
  readonly ours: Uploads;
  readonly neighbours: Uploads;
  /** What must become of a document that is none of the usual ones, by its sha256. */
  readonly expected: Map<string, string>;
  /** For the moments of the crash tests. */
  readonly scene: Scene;
  put(vendor: Vendor, plan: Readonly<Record<string, unknown>>): Promise<void>;
  heal(): Promise<void>;
  /** @throws when there is none. */
  member(name: string): Member;
  /** @throws when all is broken off. */
  wait(ms: number): Promise<void>;
  readonly signal: AbortSignal;
};

export async function openGround({ disk: size, clocks, ...wish }: GroundWish): Promise<Ground> {
  await using undo = new AsyncDisposableStack();
  const receiver = undo.use(await startReceiver());
  const disk = size === undefined ? undefined : undo.use(mountDisk(size));
  const folder = temporaryFolder();
  undo.defer(() => removeFolder(folder));
  const clock = join(folder, 'clock');
  const env = {
    ...{ WEBHOOK_PRIVATE_HOSTS: '127.0.0.1', RESTARTS_A_MINUTE: '100' },
    ...(clocks === undefined
      ? {}
      : { NODE_OPTIONS: `--import ${PRELOAD}`, CHAOS_CLOCK_FILE: clock, CHAOS_CLOCK_ROLES: clocks.join() }),
    ...wish.env,
  };
  if (disk !== undefined && wish.database === 'embedded') {
    // The vendors are elsewhere: their disk is not full.
    mkdirSync(join(folder, 'vendors'));
    symlinkSync(join(folder, 'vendors'), join(disk.folder, 'simulators'));
  }
  const place = disk === undefined ? {} : { folder: disk.folder };
  const stack = undo.use(await startStack({ ...wish, ...place, tenants: [NEIGHBOUR], env }));
  const db = stack.databaseUrl === undefined ? undefined : openDatabase(stack.databaseUrl);
  undo.defer(async () => await db?.close());
  const rest = undo.move();
  return {
    ...{ stack, database: wish.database, receiver, db, disk },
    stepClock: (ms) => writeFileSync(clock, String(ms)),
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

const PRELOAD = fileURLToPath(new URL('./clock-preload.ts', import.meta.url));

export type Pace = { readonly ours: number; readonly neighbours: number };
/** Whoever is killed starts again after this. */
const PAUSE = 500;

export function openStage(ground: Ground, run: string, seed: number, pace: Pace, signal: AbortSignal): Stage {
  const { stack, receiver, db } = ground;
  const api = () => stack.target.url;
  const send = (perSecond: number, name: string, more: number, apiKey?: string) =>
    makeUploads({
      ...{ api, webhookUrl: receiver.url, random: seededRandom(seed + more), perSecond, apiKey },
      correlationId: `${run}-${name}`,
    });
  const ours = send(pace.ours, 'ours', 1);
  const { members, simulators } = stack;
  const server = members.find(({ role }) => role === 'api' || role === 'service');
  if (!server) throw new Error('Nobody takes uploads');
  const random = seededRandom(seed);
  const scene: Scene = {
    ...{ uploads: ours, receiver, random },
    fleet: {
      engine: ground.database === 'postgres' ? 'postgres' : 'pglite',
      ...{ vendors: makeVendors(simulators), members, server, api, db, relay: undefined, accidents: stack.accidents },
      living: (role) => members.filter((one) => one.alive() && (role === undefined || one.role === role)),
    },
    kill: (...victims) => {
      for (const victim of victims) victim?.die(PAUSE);
    },
    killTwice: async (victim, after) => (await victim.dieTwice(PAUSE, after)) === 'killed while starting',
  };
  return {
    ...{ ground, run, seed, random, ours, scene, expected: new Map() },
    neighbours: send(pace.neighbours, 'neighbours', 2, stack.keys.get(NEIGHBOUR)),
    put: async (vendor, plan) => {
      const { status, body } = await json('PUT', `${simulators}/faults/${vendor}`, { seed, ...plan });
      if (status >= 300) throw new Error(`Cannot set a fault of ${vendor}: ${JSON.stringify(body)}`);
    },
    heal: async () => void (await json('DELETE', `${simulators}/faults`)),
    member: (name) => {
      const found = members.find((one) => one.name === name);
      if (!found) throw new Error(`There is no ${name}`);
      return found;
    },
    wait: async (ms) => void (await sleep(Math.max(0, ms), undefined, { signal })),
    signal,
  };
}
