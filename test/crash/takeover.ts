/**
 * How long a dead worker's job waits until it is started elsewhere: from SIGKILL to the claim of the other worker, which has
 * nothing else to do. Postgres only, since an embedded service has no other worker.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { read } from '#test/kit/client.ts';
import { type Scene, until } from './moments.ts';
import { EMBED_OPEN, findHeld, type Held } from './moments-postgres.ts';

const CALL_TAKES = 6_000;
/** The kill may come anywhere between two heartbeats. */
const SPREAD = 1_000;
const TAKEN_WITHIN = 10_000;
const FINISHED = ['completed', 'rejected', 'failed'];

/** @returns milliseconds; undefined when nobody took the job over. */
export async function measureTakeover(scene: Scene): Promise<number | undefined> {
  const { fleet, uploads, random, kill } = scene;
  const { db, vendors } = fleet;
  if (!db) throw new Error('Only workers on a Postgres take over from each other');
  for (const member of fleet.members) await member.up();
  await vendors.slow('openai', { latencyMs: CALL_TAKES });
  const { id } = await uploads.send('note');
  const where = `${EMBED_OPEN} and j.document_id = '${id}'`;
  const names = fleet.living('worker').map(({ name }) => name);
  const held = await until(() => findHeld(db, where, names));
  if (!held) return undefined;
  await sleep(random.next() * SPREAD);
  const killed = performance.now();
  kill(fleet.members.find(({ name }) => name === held.owner));
  // The next call shall be a fast one.
  const mended = vendors.mend();
  const taken = await takenFrom(scene, held);
  await mended;
  await until(async () => {
    const document = await read(fleet.api(), id ?? '').catch(() => undefined);
    return document && FINISHED.includes(document.status) ? true : undefined;
  });
  return taken && taken - killed;
}

/** When somebody else began with the job, or had done with it. */
export async function takenFrom({ fleet }: Scene, held: Held): Promise<number | undefined> {
  const taken = await until(async () => {
    const rows = await fleet.db?.query('select 1 from worker.jobs where id = $1 and fence = $2', [held.id, held.fence]);
    return rows?.length === 0 ? true : undefined;
  }, TAKEN_WITHIN);
  return taken && performance.now();
}
