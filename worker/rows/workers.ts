/** Who is at work: a row for each worker, touched with every heartbeat. */
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds, Seconds } from '#kernel/units.ts';

export type WorkerRow = {
  readonly id: string;
  readonly startedAt: Milliseconds;
  readonly lastSeen: Milliseconds;
  readonly slots: number;
  /** slots / serviceSeconds is how many documents a second this worker does when nothing hinders; 0: not measured yet. */
  readonly serviceSeconds: Seconds;
};

export async function touchWorker(q: Queryable, row: WorkerRow): Promise<void> {
  await q.query(
    `insert into worker.workers (id, started_at, last_seen, slots, service_seconds) values ($1, $2, $3, $4, $5)
     on conflict (id) do update set started_at = excluded.started_at, last_seen = excluded.last_seen,
       slots = excluded.slots, service_seconds = excluded.service_seconds`,
    [row.id, instant(row.startedAt), instant(row.lastSeen), row.slots, row.serviceSeconds],
  );
}

export async function listWorkers(q: Queryable, seenSince: Milliseconds): Promise<WorkerRow[]> {
  return await q.query<WorkerRow>(
    `select id, started_at as "startedAt", last_seen as "lastSeen", slots, service_seconds as "serviceSeconds"
     from worker.workers where last_seen >= $1 order by id`,
    [instant(seenSince)],
  );
}
