/** What every way of killing needs: whom to kill, how it is written down, and waiting for a moment to come. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '#kernel/random.ts';
import type { Fleet } from './fleet.ts';
import type { Member } from './member.ts';
import type { Receiver } from './receiver.ts';
import type { Uploads } from './uploads.ts';

export type Scene = {
  readonly fleet: Omit<Fleet, 'close' | keyof AsyncDisposable>;
  readonly uploads: Uploads;
  readonly receiver: Receiver;
  readonly random: Random;
  /** SIGKILL to each of them, now, and a line in the book. Who is dead already is left alone. */
  readonly kill: (...victims: readonly (Member | undefined)[]) => void;
  /** And once more while it starts again. @returns false when it was ready before the second. */
  readonly killTwice: (victim: Member, after: number) => Promise<boolean>;
};

/** Waits for its moment and kills. @returns whether it was hit: else nobody was killed, or too late. */
export type Moment = (scene: Scene) => Promise<boolean>;

/** A moment that has not come by then is given up. */
export const MOMENT_LIMIT = 10_000;
const LOOK_EVERY = 3;

/** Asks until there is an answer. */
export async function until<T>(look: () => Promise<T | undefined>, limit = MOMENT_LIMIT): Promise<T | undefined> {
  const begun = performance.now();
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() - begun > limit) return undefined;
    await sleep(LOOK_EVERY);
  }
}

/** Somewhere inside a window that was made `ms` long. */
export const somewhereIn = (random: Random, ms: number): Promise<void> => sleep(random.next() * ms);

export function pickOne<T>(random: Random, from: readonly T[]): T | undefined {
  return from[Math.floor(random.next() * from.length)];
}
