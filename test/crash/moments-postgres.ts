/**
 * Named moments on Postgres. The database is watched from outside: `worker.jobs` says who holds what, the ledger whether a
 * call is open, and a row lock of our own holds a worker's commit still until it is killed before it.
 */
import type { Db, Queryable } from '#kernel/database.ts';
import type { Kind } from './documents.ts';
import { beginUpload } from './half-upload.ts';
import { type Moment, pickOne, type Scene, somewhereIn, until } from './moments.ts';
import { allAtOnce, halfSent, justAnswered, serverAtRandom, whileStarting } from './moments-server.ts';
import type { Plan } from './vendors.ts';

export type Held = {
  readonly id: number;
  readonly queue: string;
  readonly owner: string;
  readonly fence: number;
  readonly documentId: string;
};

const CALL_OPEN = `exists (select 1 from worker.vendor_calls c
  where c.document_id = j.document_id and c.step = j.queue and c.outcome = 'started')`;

/**
 * A claim of a living worker. Its lease must be fresh: the claim of one that was killed and started again under the same
 * name a second ago is not its own any more.
 */
export async function findHeld(db: Queryable, where: string, owners: readonly string[]): Promise<Held | undefined> {
  const rows = await db.query<Held>(
    `select j.id, j.queue, j.owner, j.fence, j.document_id as "documentId" from worker.jobs j
     where j.owner = any ($1) and j.available_at > clock_timestamp() + interval '1.7 s'
       and j.document_id is not null and ${where} limit 1`,
    [owners],
  );
  return rows[0];
}

function database(scene: Scene): Db {
  if (!scene.fleet.db) throw new Error('Only a Postgres can be watched from outside');
  return scene.fleet.db;
}

const workerNames = (scene: Scene): string[] => scene.fleet.living('worker').map((one) => one.name);
const named = (scene: Scene, name: string) => scene.fleet.members.find((one) => one.name === name && one.alive());

/** The kill came while the job was in this step: its owner did not get further. */
async function isLeftBehind(db: Db, { id, fence, queue }: Held): Promise<boolean> {
  const text = 'select 1 from worker.jobs where id = $1 and fence = $2 and queue = $3';
  return (await db.query(text, [id, fence, queue])).length === 1;
}

type Wish = {
  readonly kind: Kind;
  readonly where: string;
  /** Makes the window long enough to be hit anywhere inside. */
  readonly slow?: readonly ['llamaparse' | 'openai', Plan];
  readonly window?: number;
  /** The receiver of webhooks takes this long. */
  readonly webhook?: number;
};

/** Kills the owner of a job that is in this state. */
function whileHeld({ kind, where, slow, window = 0, webhook }: Wish): Moment {
  return async (scene) => {
    const { fleet, uploads, receiver, random, kill } = scene;
    const db = database(scene);
    if (slow) await fleet.vendors.slow(...slow);
    if (webhook !== undefined) receiver.setDelay(webhook);
    try {
      await uploads.send(kind, { webhook: webhook !== undefined });
      const held = await until(() => findHeld(db, where, workerNames(scene)));
      if (!held) return false;
      await somewhereIn(random, window);
      const victim = named(scene, held.owner);
      kill(victim);
      return victim !== undefined && (await isLeftBehind(db, held));
    } finally {
      receiver.setDelay(0);
      if (slow) await fleet.vendors.mend();
    }
  };
}

/** A worker that commits what a vendor has answered waits for the row that we hold. So do heartbeats and the reaper. */
const COMMITTING = `query ~ 'worker.jobs' and query !~ 'jobs j set available_at' and query !~ 'not exists'`;

const WAITING = `application_name = 'burnline-worker' and wait_event_type = 'Lock'`;
/** A worker's statement that waits for a lock. Asked outside of a transaction, in which this view stands still. */
export async function waiting(db: Db, where: string): Promise<true | undefined> {
  const rows = await db.query(`select 1 from pg_stat_activity where ${WAITING} and (${where}) limit 1`);
  return rows.length > 0 ? true : undefined;
}

/** Kills the owner when the vendor has answered, been paid, and nothing of it is committed. */
function beforeCommit(vendor: 'llamaparse' | 'openai', where: string): Moment {
  return async (scene) => {
    const db = database(scene);
    await scene.fleet.vendors.slow(vendor, { latencyMs: 250 });
    try {
      await scene.uploads.send('note');
      const held = await until(() => findHeld(db, where, workerNames(scene)));
      if (!held) return false;
      return await db.tx(async (q) => {
        const rows = await q.query('select 1 from worker.jobs where id = $1 and fence = $2 for update', [
          held.id,
          held.fence,
        ]);
        if (rows.length === 0) return false;
        const waits = await until(async () => {
          // A transaction that stands idle is ended.
          await q.query('select 1');
          return await waiting(db, COMMITTING);
        }, 3_000);
        const victim = named(scene, held.owner);
        if (waits) scene.kill(victim);
        return waits !== undefined && victim !== undefined;
      });
    } finally {
      await scene.fleet.vendors.mend();
    }
  };
}

/**
 * Kills a worker in the middle of a transition: job, document and timeline are written, its counters wait for a row that
 * we hold. All of it must be undone together.
 */
const ON_COUNTERS = `query like '%worker.counters%'`;
const halfCommitted: Moment = async (scene) => {
  const db = database(scene);
  const victim = await until(async () => pickOne(scene.random, scene.fleet.living('worker')));
  if (!victim) return false;
  return await db.tx(async (q) => {
    const rows = await q.query('select 1 from worker.counters where worker_id = $1 for update', [victim.name]);
    if (rows.length === 0) return false;
    const waits = await until(async () => {
      await q.query('select 1');
      return await waiting(db, ON_COUNTERS);
    }, 4_000);
    if (!waits) return false;
    scene.kill(victim);
    // Its statement would still be carried out when we let go: a server hears late that its client is gone.
    await db.query(`select pg_terminate_backend(pid) from pg_stat_activity where ${WAITING} and ${ON_COUNTERS}`);
    return true;
  });
};

/** The API has committed the document, and neither it nor whoever sent it has heard of that. */
const committedNotAnswered: Moment = async (scene) => {
  const { uploads, fleet, kill } = scene;
  const db = database(scene);
  await fleet.server.up();
  const { made, sent } = uploads.prepare('note', { key: true });
  const half = await beginUpload(fleet.api(), made, sent);
  const held = fleet.relay?.holdCommits(COMMIT_LIMIT);
  half.finish();
  await held;
  const inDatabase = async () =>
    (await db.query('select 1 from worker.documents where sha256 = $1', [made.sha256])).length > 0 ? true : undefined;
  // The first commit that is held may be another upload's; that one is not answered either.
  const committed = await until(inDatabase, COMMIT_LIMIT);
  kill(fleet.server);
  const answered = await half.answered;
  fleet.relay?.release();
  await uploads.repeat(made, sent);
  return committed === true && answered === undefined;
};
const COMMIT_LIMIT = 3_000;

const workerAtRandom: Moment = async (scene) => {
  await until(async () => scene.fleet.living('worker')[0]);
  await somewhereIn(scene.random, 1_500);
  const victim = pickOne(scene.random, scene.fleet.living('worker'));
  scene.kill(victim);
  return victim !== undefined;
};

const UPLOAD_OPEN = `j.queue = 'parse' and not (j.payload ? 'vendorJob') and ${CALL_OPEN}`;
const JOB_STORED = `j.queue = 'parse' and j.payload ? 'vendorJob'`;
export const EMBED_OPEN = `j.queue = 'embed' and ${CALL_OPEN}`;

/** In a thread: an inline one is over before it can be seen. */
const CHUNKING_LONG = `j.queue = 'chunk' and exists (select 1 from worker.documents d
  where d.id = j.document_id and d.bytes > 100000 and d.filename = 'long.md')`;
const PARTLY_STORED = `j.queue = 'store' and exists (select 1 from worker.chunks c where c.document_id = j.document_id)`;

export const POSTGRES_MOMENTS: Readonly<Record<string, Moment>> = {
  'parse: upload open': whileHeld({
    kind: 'note',
    where: UPLOAD_OPEN,
    slow: ['llamaparse', { operation: 'upload', latencyMs: 400 }],
    window: 300,
  }),
  'parse: uploaded, not committed': beforeCommit('llamaparse', UPLOAD_OPEN),
  "parse: vendor's job stored": whileHeld({
    kind: 'page',
    where: JOB_STORED,
    slow: ['llamaparse', { operation: 'status', latencyMs: 300 }],
    window: 200,
  }),
  chunk: whileHeld({ kind: 'long', where: CHUNKING_LONG, window: 40 }),
  'embed: call open': whileHeld({
    kind: 'report',
    where: EMBED_OPEN,
    slow: ['openai', { latencyMs: 400 }],
    window: 300,
  }),
  'embed: answered, not committed': beforeCommit('openai', EMBED_OPEN),
  'store: some batches stored': whileHeld({ kind: 'long', where: PARTLY_STORED }),
  'any step: half committed': halfCommitted,
  webhook: whileHeld({ kind: 'note', where: `j.queue = 'webhook'`, webhook: 250, window: 150 }),
  'worker: at random': workerAtRandom,
  'worker: at random again': workerAtRandom,
  'api: upload half sent': halfSent,
  'api: committed, not answered': committedNotAnswered,
  'api: just answered': justAnswered,
  'api: at random': serverAtRandom,
  'all at once': allAtOnce,
  'while it starts again': whileStarting,
};
