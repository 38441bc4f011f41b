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
  /** `under load`: other documents come meanwhile, for both workers. The others need quiet. */
  readonly how: 'under load' | 'in a call' | 'in a transaction';
  readonly documentId: string;
  /** Until its job was started elsewhere; undefined when it was not while the worker hung. */
  readonly takeoverMs: number | undefined;
  /** The claims of which it heard, once awake, that they were lost. */
  readonly lost: number;
  /** What was different after it woke, although another worker had the document in hand and had done nothing meanwhile. */
  readonly wrote: readonly string[];
};

const HANGS_FOR = 6_000;
const WAKES_WITHIN = 5_000;
const CALL_TAKES = 1_500;
/** The call of the worker that takes over: still open when the hung one wakes, so that both hold the same step. */
const NEXT_CALL_TAKES = 5_500;
/** What a worker that wakes would do with the answer that waits for it, it does within this. */
const TRIES_WITHIN = 700;
/** Whoever waits for the quota's row may be another document's job: ours comes right after. */
const SETTLE = 150;

/** On a busy machine the moment may not come at once. */
const TRIES = 3;

/** @returns nothing when the moment did not come. */
export async function hang(scene: Scene, how: Hang['how']): Promise<Hang[]> {
  for (let tries = 1; ; tries++) {
    const found = await hangOnce(scene, how);
    if (found.length > 0 || tries >= TRIES) return found;
  }
}

async function hangOnce(scene: Scene, how: Hang['how']): Promise<Hang[]> {
  const { members } = scene.fleet;
  for (const member of members) await member.up();
  const before = new Map<string, number>();
  for (const { name, role, metrics } of members) if (role === 'worker') before.set(name, await lostBy(metrics()));
  const held = how === 'in a transaction' ? await stopInTransaction(scene) : await stopInCall(scene, how);
  const worker = members.find(({ name }) => name === held?.owner);
  if (!held || !worker) return [];
  const stopped = performance.now();
  const known = before.get(worker.name) ?? 0;
  try {
    const taken = await Promise.race([takenFrom(scene, held), sleep(HANGS_FOR).then(() => undefined)]);
    await sleep(Math.max(0, HANGS_FOR - (performance.now() - stopped)));
    const asleep = await stateOf(scene, held);
    worker.signal('SIGCONT');
    await sleep(TRIES_WITHIN);
    const wrote = how === 'in a call' ? differences(asleep, await stateOf(scene, held)) : [];
    const lost = await until(async () => {
      const more = (await lostBy(worker.metrics())) - known;
      return more > 0 ? more : undefined;
    }, WAKES_WITHIN);
    return [{ how, documentId: held.documentId, takeoverMs: taken && taken - stopped, lost: lost ?? 0, wrote }];
  } finally {
    worker.signal('SIGCONT');
    await scene.fleet.vendors.mend();
  }
}

/** Everything about a document that its owner may write, as text; the lease's end aside, which heartbeats move. */
async function stateOf({ fleet }: Scene, { documentId }: Held): Promise<readonly string[]> {
  const rows = await fleet.db?.query<{ line: string }>(
    `select 'job ' || concat_ws(' ', queue, owner, fence, attempts, interruptions, payload) as line
       from worker.jobs where document_id = $1
     union all select 'document ' || concat_ws(' ', status, attempts, updated_at) from worker.documents where id = $1
     union all select 'timeline ' || concat_ws(' ', seq, to_status, because) from worker.timeline where document_id = $1
     union all select 'call ' || concat_ws(' ', id, outcome, wasted) from worker.vendor_calls where document_id = $1
     union all select 'vectors ' || count(embedding) from worker.drafts where document_id = $1`,
    [documentId],
  );
  return (rows ?? []).map(({ line }) => line).sort();
}

const differences = (before: readonly string[], after: readonly string[]): string[] => [
  ...before.filter((line) => !after.includes(line)).map((line) => `was: ${line}`),
  ...after.filter((line) => !before.includes(line)).map((line) => `is: ${line}`),
];

async function stopInCall({ fleet, uploads }: Scene, how: Hang['how']): Promise<Held | undefined> {
  const { db, vendors } = fleet;
  if (!db) throw new Error('Only workers on a Postgres can do without each other');
  await vendors.slow('openai', { latencyMs: CALL_TAKES });
  try {
    const { id } = await uploads.send('note');
    const names = fleet.living('worker').map(({ name }) => name);
    const held = await until(() => findHeld(db, `${EMBED_OPEN} and j.document_id = '${id}'`, names));
    if (how === 'in a call') await until(async () => ((await vendors.met('openai')) > 0 ? true : undefined));
    fleet.members.find(({ name }) => name === held?.owner)?.signal('SIGSTOP');
    return held;
  } finally {
    if (how === 'in a call') await vendors.slow('openai', { latencyMs: NEXT_CALL_TAKES });
    else await vendors.mend();
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
