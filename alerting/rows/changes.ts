/** Releases and other changes, in SQL. One statement each. */
import type { Change } from '#alerting/change.ts';
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { present } from './alerts.ts';

const CHANGE = 'id, at, summary, source, service, links, details, created_by as "createdBy"';

const read = (rows: readonly Change[]): Change[] => rows.map((row) => present(row, ['service']));

/** @returns false: it is there already. */
export async function insertChange(q: Queryable, change: Change, now: Milliseconds): Promise<boolean> {
  const { id, at, summary, source, service, links, details, createdBy } = change;
  const rows = await q.query(
    `insert into alerting.changes (id, at, summary, source, service, links, details, created_by, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (id) do nothing returning id`,
    [
      ...[id, instant(at), summary, source, service ?? null],
      ...[JSON.stringify(links), JSON.stringify(details), createdBy, instant(now)],
    ],
  );
  return rows.length > 0;
}

export async function findChange(q: Queryable, id: string): Promise<Change | undefined> {
  return read(await q.query<Change>(`select ${CHANGE} from alerting.changes where id = $1`, [id]))[0];
}

export type Around = { readonly from: Milliseconds; readonly to: Milliseconds; readonly service: string };

/** Of this service or of none alone, oldest first; the newest where there are more. */
export async function changesAround(q: Queryable, { from, to, service }: Around, limit: number): Promise<Change[]> {
  const rows = await q.query<Change>(
    `select ${CHANGE} from alerting.changes where at >= $1 and at <= $2 and (service is null or service = $3)
     order by at desc, id desc limit $4`,
    [instant(from), instant(to), service, limit],
  );
  return read(rows).reverse();
}

/** Newest first. @param before that one's place; undefined: from the newest on. */
export async function listChanges(
  q: Queryable,
  before: { readonly at: Milliseconds; readonly id: string } | undefined,
  limit: number,
): Promise<Change[]> {
  const rows = await q.query<Change>(
    `select ${CHANGE} from alerting.changes where $1::timestamptz is null or (at, id) < ($1, $2)
     order by at desc, id desc limit $3`,
    [before === undefined ? null : instant(before.at), before?.id ?? null, limit],
  );
  return read(rows);
}
