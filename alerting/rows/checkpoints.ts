/** What the watch knows, kept whole. */
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';

/** Of that name; where there is none, the newest: what both know is not learnt anew. */
export async function loadCheckpoint(q: Queryable, name: string): Promise<Uint8Array | undefined> {
  const rows = await q.query<{ image: Uint8Array }>(
    'select image from alerting.checkpoints order by name = $1 desc, at desc limit 1',
    [name],
  );
  return rows[0]?.image;
}

/** Those of other names, which nobody wrote for a month, go. */
export async function saveCheckpoint(q: Queryable, name: string, image: Uint8Array, now: Milliseconds): Promise<void> {
  await q.query(
    `with gone as (delete from alerting.checkpoints where name <> $1 and at < $2::timestamptz - interval '30 days')
     insert into alerting.checkpoints (name, at, image) values ($1, $2, $3)
     on conflict (name) do update set at = excluded.at, image = excluded.image`,
    [name, instant(now), image],
  );
}
