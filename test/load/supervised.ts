/** A child of a running `npm start`, to be killed and stopped as a member of its own: the supervisor starts it again. */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Member, Role } from '#test/crash/member.ts';
import { childrenOf } from '#test/kit/stack.ts';

export type SupervisedChild = {
  /** The supervisor. */
  readonly parent: number;
  readonly role: Role;
  /** Answers 200 when it is ready. */
  readonly health: string;
  readonly metrics: string;
};

const ended = z.looseObject({ child: z.string(), how: z.string() });

export type Supervised = Member & {
  /** Was the end that was told of just now our doing? Each kill excuses one. */
  excuses(): boolean;
};

/** @returns live: each end of a child, as the supervisor tells of it, that is not one of our kills. */
export function accidentsOf(supervisor: ChildProcess, members: readonly Supervised[]): readonly string[] {
  const accidents: string[] = [];
  const read = (line: string) => {
    if (!/"\w+ (?:ended and is started again|keeps ending and is given up)"/.test(line)) return;
    const { child, how } = ended.parse(JSON.parse(line));
    const member = members.find(({ role }) => role === child);
    if (!member?.excuses()) accidents.push(`${child} ended by itself (${how})`);
  };
  for (const stream of [supervisor.stdout, supervisor.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', read);
  }
  return accidents;
}

const UP_WITHIN = 60_000;
const LOOK_EVERY = 50;

export function supervised({ parent, role, health, metrics }: SupervisedChild): Supervised {
  let [dead, kills]: [dead: number | undefined, kills: number] = [undefined, 0];
  let rising: Promise<void> = Promise.resolve();
  const pid = (): number | undefined => childrenOf(parent).find((child) => child.role === role)?.pid;
  const fall = () => {
    dead = pid();
    if (dead === undefined) return;
    kills++;
    process.kill(dead, 'SIGKILL');
  };
  const rise = async () => {
    for (const begun = performance.now(); performance.now() - begun < UP_WITHIN; await sleep(LOOK_EVERY)) {
      const now = pid();
      if (now === undefined || now === dead) continue;
      const answer = await fetch(health, { signal: AbortSignal.timeout(1_000) }).catch(() => undefined);
      if (!answer?.ok) continue;
      dead = undefined;
      return;
    }
    throw new Error(`${role} did not start again within ${UP_WITHIN} ms`);
  };
  const die = () => {
    fall();
    rising = rise();
    rising.catch(() => {});
  };
  return {
    name: role,
    role,
    alive: () => dead === undefined,
    // How long it stays down is up to the supervisor.
    die,
    dieTwice: async (_pause, after) => {
      die();
      await sleep(after);
      if (dead === undefined) return 'was ready before';
      fall();
      return 'killed while starting';
    },
    up: async () => await rising,
    signal: (name) => {
      const now = pid();
      if (now !== undefined) process.kill(now, name);
    },
    // The supervisor ends it.
    stop: async () => 0,
    pid,
    metrics: () => `${metrics}/metrics`,
    complaints: () => [],
    excuses: () => {
      if (kills === 0) return false;
      kills--;
      return true;
    },
  };
}
