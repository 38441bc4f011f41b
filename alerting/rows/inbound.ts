/** What others told us, in SQL. One statement each. */
import type { HeardOnce, InboundSource } from '#alerting/store.ts';
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';

/** @returns false: it was heard before. */
export async function hearOnce(q: Queryable, event: HeardOnce, now: Milliseconds): Promise<boolean> {
  const { source, id, incidentId, theirs } = event;
  const rows = await q.query(
    `insert into alerting.inbound (source, id, incident_id, theirs, heard_at) values ($1, $2, $3, $4, $5)
     on conflict (source, id) do nothing returning id`,
    [source, id, incidentId, theirs, instant(now)],
  );
  return rows.length > 0;
}

/** The incident of ours that they call so; of several the one that was told of last. */
export async function incidentOfTheirs(
  q: Queryable,
  source: InboundSource,
  theirs: string,
): Promise<string | undefined> {
  const rows = await q.query<{ incidentId: string }>(
    `select incident_id as "incidentId" from alerting.inbound where source = $1 and theirs = $2
     order by heard_at desc, id desc limit 1`,
    [source, theirs],
  );
  return rows[0]?.incidentId;
}
