/** A fleet with a client and a receiver of webhooks, for a test that kills in its own way. */
import { seededRandom } from '#kernel/random.ts';
import { type Fleet, type FleetOptions, startFleet } from './fleet.ts';
import type { Scene } from './moments.ts';
import { startReceiver } from './receiver.ts';
import { makeUploads } from './uploads.ts';

export type Stage = AsyncDisposable & { readonly scene: Scene; readonly fleet: Fleet };

/** Whoever is killed starts again after this. */
const PAUSE = 500;

export async function startStage(options: Omit<FleetOptions, 'canaryEverySeconds'>): Promise<Stage> {
  await using undo = new AsyncDisposableStack();
  const receiver = undo.use(await startReceiver());
  const fleet = undo.use(await startFleet({ ...options, canaryEverySeconds: 0 }));
  const uploads = makeUploads({ api: fleet.api, webhookUrl: receiver.url, random: seededRandom(1), perSecond: 1 });
  const scene: Scene = {
    fleet,
    uploads,
    receiver,
    random: seededRandom(2),
    kill: (...victims) => {
      for (const victim of victims) victim?.die(PAUSE);
    },
    killTwice: async (victim, after) => (await victim.dieTwice(PAUSE, after)) === 'killed while starting',
  };
  const rest = undo.move();
  return { scene, fleet, [Symbol.asyncDispose]: () => rest.disposeAsync() };
}
