/** What the watch knows, kept whole. */
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';

export async function loadCheckpoint(q: Queryable, name: string): Promise<Uint8Array | undefined> {
  const rows = await q.query<{ image: Uint8Array }>('select image from alerting.checkpoints where name = $1', [name]);
  return rows[0]?.image;
}

export async function saveCheckpoint(q: Queryable, name: string, image: Uint8Array, now: Milliseconds): Promise<void> {
  await q.query(
    `insert into alerting.checkpoints (name, at, image) values ($1, $2, $3)
     on conflict (name) do update set at = excluded.at, image = excluded.image`,
    [name, instant(now), image],
  );
}
