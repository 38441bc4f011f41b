/**
 * The queue: a table of claims. docs/adr/0002-own-queue.md says why it is ours.
 *
 * A claim is a lease: whoever claimed a job owns it until `available_at`, and extends it while it works. A lease that
 * runs out makes the job due again. Each claim raises the fence, and each write in an owner's name gives its fence, so
 * an owner that was cut off and comes back can write nothing. Everything here is one statement; `now` is the shared clock
 * (kernel/shared-clock.ts), never a machine's own.
 */
import { instant, type Queryable } from '#kernel/database.ts';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';

export type NewJob = {
  readonly queue: string;
  /** Unique while the job lives: adding the same key again is no error and adds nothing. */
  readonly key: string;
  readonly documentId?: string | null;
  readonly payload?: object;
  readonly priority?: Priority;
  readonly availableAt: Milliseconds;
};
/** 0 goes first: canaries, and what has begun. Else, under load, everything would be begun and nothing come to its end. */
export type Priority = 0 | 1 | 2;
/** Of a document that has not begun its step. */
export const priorityOf = ({ canary }: { readonly canary: boolean }): Priority => (canary ? 0 : 1);

export type Claim = {
  readonly id: number;
  readonly queue: string;
  readonly key: string;
  readonly documentId: string | null;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly priority: Priority;
  readonly attempts: number;
  readonly interruptions: number;
  readonly owner: string;
  readonly fence: number;
  /** When the document was accepted, or tried again. */
  readonly createdAt: Milliseconds;
  /** The owner before this one never let go: it died, hung or was cut off. */
  readonly takenOver: boolean;
  /** When it became due: how long it waited since is the queue's latency. */
  readonly dueAt: Milliseconds;
};

/** A dead worker's job starts elsewhere when this has passed: at most 3 s after the kill, with the claimer's wake-up. */
export const LEASE = milliseconds(2_500);

export const JOBS_CHANNEL = 'worker_jobs';

/** @returns how many were new. */
export async function enqueue(q: Queryable, jobs: readonly NewJob[], now: Milliseconds): Promise<number> {
  const rows = await q.query(
    `insert into worker.jobs (queue, key, document_id, payload, priority, available_at, created_at)
     select r.queue, r.key, r.document_id, r.payload, r.priority, r.available_at, $7
     from unnest($1::text[], $2::text[], $3::uuid[], $4::jsonb[], $5::smallint[], $6::timestamptz[])
       as r (queue, key, document_id, payload, priority, available_at)
     on conflict (key) do nothing returning id`,
    [
      jobs.map((job) => job.queue),
      jobs.map((job) => job.key),
      jobs.map((job) => job.documentId ?? null),
      jobs.map((job) => JSON.stringify(job.payload ?? {})),
      jobs.map((job) => job.priority ?? 1),
      jobs.map((job) => instant(job.availableAt).toISOString()),
      instant(now),
    ],
  );
  return rows.length;
}

export type Demand = { readonly queue: string; readonly limit: number };
export type ClaimOptions = {
  readonly owner: string;
  readonly now: Milliseconds;
  readonly lease: Milliseconds;
  /** Jobs that this process is working on at this moment: never taken from itself, however late its heartbeat is. */
  readonly held: readonly number[];
};

export type Claimed = {
  readonly claims: Claim[];
  /** The soonest moment at which another job may become due in a queue whose demand is not met; undefined: none is there. */
  readonly nextDue: Milliseconds | undefined;
};

/**
 * Takes due jobs, oldest first within each priority. Two claimers never wait for each other and never get the same job.
 * The lateral reads stop as soon as the limit is met, so a long queue costs no more than a short one. The ids go through
 * an array, since a join would be planned for many rows, by reading the whole table.
 */
export async function claim(q: Queryable, demands: readonly Demand[], options: ClaimOptions): Promise<Claimed> {
  const rows = await q.query<ClaimRow>(
    `with due as materialized (
       select d.id
       from unnest($1::text[], $2::int[]) as want (queue, most),
       lateral (
         select one.id
         from unnest(array[0, 1, 2]::smallint[]) as level (priority),
         lateral (
           select id from worker.jobs
           where queue = want.queue and priority = level.priority and available_at <= $3 and not (id = any ($6::bigint[]))
           order by available_at, id limit want.most for update skip locked
         ) as one
         limit want.most
       ) as d
     ), taken as (
       update worker.jobs j
       set owner = $4, fence = j.fence + 1, available_at = $5, due_at = j.available_at,
           taken_over = j.owner is not null, interruptions = j.interruptions + (j.owner is not null)::int
       where j.id = any (array(select id from due))
       returning j.id, j.queue, j.key, j.document_id as "documentId", j.payload, j.priority, j.attempts, j.interruptions,
         j.owner, j.fence, j.created_at as "createdAt", j.taken_over as "takenOver", j.due_at as "dueAt"
     )
     select want.queue as wanted, soonest.at as "nextDue", taken.*
     from unnest($1::text[]) as want (queue)
     cross join lateral (
       select min(first.at) as at
       from unnest(array[0, 1, 2]::smallint[]) as level (priority),
       lateral (
         select available_at as at from worker.jobs
         where queue = want.queue and priority = level.priority and not (id = any ($6::bigint[]))
           and not (id = any (array(select id from due)))
         order by available_at limit 1
       ) as first
     ) as soonest
     left join taken on taken.queue = want.queue`,
    [
      demands.map((demand) => demand.queue),
      demands.map((demand) => demand.limit),
      instant(options.now),
      options.owner,
      instant((options.now + options.lease) as Milliseconds),
      options.held,
    ],
  );
  return claimedOf(rows, demands);
}

/** A row for each job that was taken, and one for each queue of which none was. */
type ClaimRow = { readonly wanted: string; readonly nextDue: Milliseconds | null } & (Claim | { readonly id: null });

function claimedOf(rows: readonly ClaimRow[], demands: readonly Demand[]): Claimed {
  const claims: Claim[] = [];
  const soonest = new Map<string, Milliseconds>();
  for (const { wanted, nextDue, ...one } of rows) {
    if (one.id !== null) claims.push(one);
    if (nextDue !== null) soonest.set(wanted, nextDue);
  }
  const open = demands.filter(({ queue, limit }) => claims.filter((one) => one.queue === queue).length < limit);
  const next = Math.min(...open.flatMap(({ queue }) => soonest.get(queue) ?? []));
  return { claims, nextDue: Number.isFinite(next) ? milliseconds(next) : undefined };
}

type Held = Pick<Claim, 'id' | 'fence' | 'owner'>;

/**
 * Extends leases. A job whose row a transaction of its own holder has locked is left for the next time: nobody can take it
 * meanwhile, and one long transaction must not stop the heartbeat of all others.
 *
 * @returns the ids that are still held; the others were lost, and their work must stop.
 */
export async function extend(q: Queryable, claims: readonly Held[], until: Milliseconds): Promise<Set<number>> {
  const rows = await q.query<{ id: number }>(
    `with mine as materialized (
       select j.id from worker.jobs j join unnest($1::bigint[], $2::bigint[]) as m (id, fence)
         on j.id = m.id and j.fence = m.fence
       where j.id = any ($1::bigint[]) and j.owner = $4
     ), free as materialized (
       select id from worker.jobs where id = any (array(select id from mine)) for update skip locked
     ), extended as (
       update worker.jobs set available_at = $3 where id = any (array(select id from free))
     )
     select id from mine`,
    [claims.map((one) => one.id), claims.map((one) => one.fence), instant(until), claims[0]?.owner ?? ''],
  );
  return new Set(rows.map((row) => row.id));
}

/** Is it still this claim's? Locks the row until the transaction ends, so that the answer stays true. */
export async function stillHeld(q: Queryable, held: Held): Promise<boolean> {
  const rows = await q.query(`select 1 from worker.jobs where id = $1 and fence = $2 and owner = $3 for update`, [
    held.id,
    held.fence,
    held.owner,
  ]);
  return rows.length === 1;
}

/** Moves jobs out of the queue. @returns the ids that were still held; the others must not be treated as done. */
export async function finish(q: Queryable, claims: readonly Held[], now: Milliseconds): Promise<Set<number>> {
  const rows = await q.query<{ id: number }>(
    `with done as (
       delete from worker.jobs j using unnest($1::bigint[], $2::bigint[]) as mine (id, fence)
       where j.id = mine.id and j.fence = mine.fence and j.owner = $4
       returning j.*
     )
     insert into worker.finished_jobs
       (id, queue, key, document_id, attempts, interruptions, owner, created_at, finished_at)
     select id, queue, key, document_id, attempts, interruptions, owner, created_at, $3 from done
     returning id`,
    [claims.map((one) => one.id), claims.map((one) => one.fence), instant(now), claims[0]?.owner ?? ''],
  );
  return new Set(rows.map((row) => row.id));
}

export type Requeue = {
  /** Another queue: the document's next step. Then attempts and interruptions start anew. */
  readonly queue: string;
  readonly availableAt: Milliseconds;
  readonly attempts: number;
  readonly payload: object;
  /** Default: as it was. */
  readonly priority?: Priority | undefined;
  /** The claim stays with its owner until `availableAt`, who goes straight on: no other claim, no wake-up, no wait. */
  readonly keep: boolean;
};

/** Changes a job in its owner's name. @returns false when it was lost meanwhile: then nothing was changed. */
export async function requeue(q: Queryable, held: Held, change: Requeue): Promise<boolean> {
  const rows = await q.query(
    `update worker.jobs set owner = case when $7::boolean then owner end, available_at = $3, attempts = $4,
       payload = $5, interruptions = case when queue = $6 then interruptions else 0 end, queue = $6,
       priority = coalesce($9::smallint, priority)
     where id = $1 and fence = $2 and owner = $8 returning id`,
    [
      held.id,
      held.fence,
      instant(change.availableAt),
      change.attempts,
      change.payload,
      change.queue,
      change.keep,
      held.owner,
      change.priority ?? null,
    ],
  );
  return rows.length === 1;
}

/** Gives undone work back, to run at `now`. A stop is no interruption; work that broke is, and there is a limit to it. */
export async function handBack(
  q: Queryable,
  claims: readonly Held[],
  now: Milliseconds,
  broken = false,
): Promise<number> {
  const rows = await q.query(
    `update worker.jobs j set owner = null, available_at = $3, interruptions = j.interruptions + $5::int
     from unnest($1::bigint[], $2::bigint[]) as mine (id, fence)
     where j.id = mine.id and j.fence = mine.fence and j.owner = $4
     returning j.id`,
    [claims.map((one) => one.id), claims.map((one) => one.fence), instant(now), claims[0]?.owner ?? '', broken ? 1 : 0],
  );
  return rows.length;
}

/** Makes every claim void: only for the one process that has the folder to itself, at its start. */
export async function voidAllClaims(q: Queryable, now: Milliseconds): Promise<number> {
  const rows = await q.query(
    `update worker.jobs set available_at = $1 where owner is not null and available_at > $1 returning id`,
    [instant(now)],
  );
  return rows.length;
}

export type QueueState = {
  readonly ready: number;
  readonly delayed: number;
  readonly claimed: number;
  readonly oldestReady: Milliseconds | null;
};

export async function queueState(q: Queryable, now: Milliseconds): Promise<QueueState> {
  const rows = await q.query<QueueState>(
    `select count(*) filter (where available_at <= $1) as ready,
       count(*) filter (where available_at > $1 and owner is null) as delayed,
       count(*) filter (where available_at > $1 and owner is not null) as claimed,
       min(available_at) filter (where available_at <= $1) as "oldestReady"
     from worker.jobs`,
    [instant(now)],
  );
  return rows[0] ?? { ready: 0, delayed: 0, claimed: 0, oldestReady: null };
}

/** Brings forward a job that waits for its first run or its next round; one in hand, or with a payload, is left alone. */
export async function hasten(q: Queryable, key: string, at: Milliseconds): Promise<void> {
  await q.query(
    `update worker.jobs set available_at = least(available_at, $2) where key = $1 and owner is null and payload = '{}'`,
    [key, instant(at)],
  );
}

export async function dropJob(q: Queryable, key: string): Promise<void> {
  await q.query('delete from worker.jobs where key = $1', [key]);
}

/** Takes a document's jobs away from whoever has them: their fence no longer fits anything. */
export async function dropJobs(q: Queryable, documentId: string): Promise<void> {
  await q.query('delete from worker.jobs where document_id = $1', [documentId]);
}

/** Jobs of documents that are gone or at their end, webhooks aside. There should be none; the reaper looks. */
export async function dropOrphans(q: Queryable): Promise<number> {
  const rows = await q.query(
    `delete from worker.jobs j where j.document_id is not null and j.queue <> 'webhook' and not exists
       (select 1 from worker.documents d where d.id = j.document_id
        and d.status in ('queued', 'parsing', 'chunking', 'embedding', 'storing'))
     returning id`,
  );
  return rows.length;
}

/**
 * Clears dead rows out of the tables that change all the time. The embedded engine has no autovacuum at all, and a
 * server's comes once a minute: a queue that is busy for that long would read past its dead.
 */
export async function vacuumHotTables(q: Queryable): Promise<void> {
  for (const table of ['jobs', 'counters', 'vendor_limits', 'drafts', 'contents']) {
    await q.query(`vacuum (skip_locked, analyze) worker.${table}`);
  }
}

/** History is kept for a while, for people; nothing reads it. */
export async function trimHistory(q: Queryable, before: Milliseconds): Promise<void> {
  await q.query('delete from worker.finished_jobs where finished_at < $1', [instant(before)]);
}

/** Wakes whoever listens, when the transaction commits. A hint: the poll is the truth. */
export async function hint(q: Queryable): Promise<void> {
  await q.query(`select pg_notify($1, '')`, [JOBS_CHANNEL]);
}
