/** Moments of whoever takes the uploads, seen by its client alone: the same on both engines. */
import { beginUpload } from './half-upload.ts';
import type { Moment } from './moments.ts';
import { pickOne, somewhereIn } from './moments.ts';

/** A part of the body is there, and of a large one a piece is stored already. Nothing of it may count. */
export const halfSent: Moment = async ({ fleet, uploads, random, kill }) => {
  await fleet.server.up();
  const { made, sent } = uploads.prepare('bulky', { key: true });
  const half = await beginUpload(fleet.api(), made, sent);
  await somewhereIn(random, 60);
  kill(fleet.server);
  const answered = await half.answered;
  await uploads.repeat(made, sent);
  return answered === undefined;
};

/** The client holds its 202, and the server is dead before it does anything else. */
export const justAnswered: Moment = async ({ fleet, uploads, kill }) => {
  await fleet.server.up();
  const sent = await uploads.send('note');
  kill(fleet.server);
  return sent.id !== undefined;
};

export const serverAtRandom: Moment = async ({ fleet, random, kill }) => {
  await fleet.server.up();
  await somewhereIn(random, 1_500);
  const lives = fleet.server.alive();
  kill(fleet.server);
  return lives;
};

export const allAtOnce: Moment = async ({ fleet, random, kill }) => {
  for (const member of fleet.members) await member.up();
  await somewhereIn(random, 1_000);
  const victims = fleet.living();
  kill(...victims);
  return victims.length === fleet.members.length;
};

/** A start takes 1 to 2 s on an idle machine: it opens or recovers the database, looks at the migrations, claims. */
const START_TAKES = 1_300;

export const whileStarting: Moment = async ({ fleet, random, killTwice }) => {
  const victim = fleet.engine === 'pglite' ? fleet.server : pickOne(random, fleet.members);
  await victim?.up();
  return victim !== undefined && (await killTwice(victim, random.next() * START_TAKES));
};

/** No kill: the client loses its network when all is sent, and sends it again. */
export async function cutAndRepeat({
  fleet,
  uploads,
  random,
}: Pick<Parameters<Moment>[0], 'fleet' | 'uploads' | 'random'>): Promise<void> {
  const { made, sent } = uploads.prepare('note', { key: true });
  const half = await beginUpload(fleet.api(), made, sent);
  half.finish();
  await somewhereIn(random, 25);
  half.cut();
  await half.answered;
  await uploads.repeat(made, sent);
}
