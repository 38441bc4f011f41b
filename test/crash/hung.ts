/**
 * A worker that hangs: it is stopped for longer than its lease (SIGSTOP), its job is done elsewhere, and when it wakes it
 * believes to hold the job still. It must not be able to write anything then; that nothing is twice is the verdict's part.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '#test/kit/client.ts';
import { type Scene, until } from './moments.ts';
import { EMBED_OPEN, findHeld, type Held, waiting } from './moments-postgres.ts';
import { takenFrom } from './takeover.ts';

export type Hang = {
  readonly how: 'in a call' | 'in a transaction';
  readonly documentId: string;
  /** Until its job was started elsewhere; undefined when it was not while the worker hung. */
  readonly takeoverMs: number | undefined;
  /** The claims of which it heard, once awake, that they were lost. */
  readonly lost: number;
};

const HANGS_FOR = 6_000;
const WAKES_WITHIN = 5_000;
const CALL_TAKES = 1_500;
/** Whoever waits for the quota's row may be another document's job: ours comes right after. */
const SETTLE = 150;

/** @returns nothing when the moment did not come. */
export async function hang(scene: Scene, how: Hang['how']): Promise<Hang[]> {
  const { members } = scene.fleet;
  for (const member of members) await member.up();
  const before = new Map<string, number>();
  for (const { name, role, metrics } of members) if (role === 'worker') before.set(name, await lostBy(metrics()));
  const held = how === 'in a call' ? await stopInCall(scene) : await stopInTransaction(scene);
  const worker = members.find(({ name }) => name === held?.owner);
  if (!held || !worker) return [];
  const stopped = performance.now();
  const known = before.get(worker.name) ?? 0;
  try {
    const taken = await Promise.race([takenFrom(scene, held), sleep(HANGS_FOR).then(() => undefined)]);
    await sleep(Math.max(0, HANGS_FOR - (performance.now() - stopped)));
    worker.signal('SIGCONT');
    const lost = await until(async () => {
      const more = (await lostBy(worker.metrics())) - known;
      return more > 0 ? more : undefined;
    }, WAKES_WITHIN);
    return [{ how, documentId: held.documentId, takeoverMs: taken && taken - stopped, lost: lost ?? 0 }];
  } finally {
    worker.signal('SIGCONT');
  }
}

async function stopInCall({ fleet, uploads }: Scene): Promise<Held | undefined> {
  const { db, vendors } = fleet;
  if (!db) throw new Error('Only workers on a Postgres can do without each other');
  await vendors.slow('openai', { latencyMs: CALL_TAKES });
  try {
    const { id } = await uploads.send('note');
    const names = fleet.living('worker').map(({ name }) => name);
    const held = await until(() => findHeld(db, `${EMBED_OPEN} and j.document_id = '${id}'`, names));
    fleet.members.find(({ name }) => name === held?.owner)?.signal('SIGSTOP');
    return held;
  } finally {
    await vendors.mend();
  }
}

/**
 * The worst moment: its transaction holds the job's row and the row of the vendor's quota, which all workers need. We hold
 * the quota's row until it waits there, stop it, and let go.
 */
async function stopInTransaction({ fleet, uploads }: Scene): Promise<Held | undefined> {
  const { db } = fleet;
  if (!db) throw new Error('Only workers on a Postgres can do without each other');
  const names = fleet.living('worker').map(({ name }) => name);
  return await db.tx(async (q) => {
    await q.query(`select 1 from worker.vendor_limits where vendor = 'openai' for update`);
    const sending = uploads.send('note');
    // Asked on our own connection, which may not stand idle while it holds the row.
    const held = await until(async () => {
      const id = await Promise.race([sending.then((sent) => sent.id), sleep(0)]);
      return await findHeld(q, `j.queue = 'embed' and j.document_id = ${id ? `'${id}'` : 'null'}`, names);
    });
    if (!held) return undefined;
    const waits = await until(async () => {
      await q.query('select 1');
      return await waiting(db, `query like '%worker.vendor_limits%'`);
    });
    if (!waits) return undefined;
    await sleep(SETTLE);
    fleet.members.find(({ name }) => name === held.owner)?.signal('SIGSTOP');
    return held;
  });
}

async function lostBy(url: string): Promise<number> {
  const { body } = await call<string>(url).catch(() => ({ body: '' }));
  return Number(/^lease_lost_total\S* (\S+)/m.exec(body)?.[1] ?? 0);
}
