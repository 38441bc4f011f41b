/** Corrections in SQL. One statement each. */
import type { CorrectionRow } from '#alerting/correction.ts';
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { present } from './alerts.ts';

const COLUMNS = `id, objective, from_at as "from", to_at as "to", kind, amount, author, reason, entered_at as "enteredAt",
  withdrawn_at as "withdrawnAt", withdrawn_by as "withdrawnBy"`;

/** @param most that an objective may have in force. @returns false: it has them already. */
export async function addCorrection(q: Queryable, row: CorrectionRow, most: number): Promise<boolean> {
  const rows = await q.query(
    `insert into alerting.corrections (id, objective, from_at, to_at, kind, amount, author, reason, entered_at)
     select $1, $2, $3::timestamptz, $4::timestamptz, $5, $6::double precision, $7, $8, $9::timestamptz
     where (select count(*) from alerting.corrections where objective = $2 and withdrawn_at is null) < $10::int
     returning id`,
    [
      row.id,
      row.objective,
      instant(row.from),
      instant(row.to),
      row.kind,
      row.amount ?? null,
      row.author,
      row.reason,
      instant(row.enteredAt),
      most,
    ],
  );
  return rows.length > 0;
}

/** @returns false: there is none of that id in force. */
export async function withdrawCorrection(
  q: Queryable,
  objective: string,
  id: string,
  by: string,
  now: Milliseconds,
): Promise<boolean> {
  const rows = await q.query(
    `update alerting.corrections set withdrawn_at = $3, withdrawn_by = $4
     where objective = $1 and id = $2 and withdrawn_at is null returning id`,
    [objective, id, instant(now), by],
  );
  return rows.length > 0;
}

/** Those in force of all objectives, in the order in which they were entered: so they are applied. */
export async function correctionsInForce(q: Queryable): Promise<CorrectionRow[]> {
  const rows = await q.query<CorrectionRow>(
    `select ${COLUMNS} from alerting.corrections where withdrawn_at is null order by entered_at, id`,
  );
  return rows.map(read);
}

/** All that were ever entered for one, newest first. */
export async function correctionsOf(
  q: Queryable,
  objective: string,
  before: string | undefined,
  limit: number,
): Promise<CorrectionRow[]> {
  const rows = await q.query<CorrectionRow>(
    `select ${COLUMNS} from alerting.corrections
     where objective = $1 and ($2::text is null or id < $2) order by id desc limit $3`,
    [objective, before ?? null, limit],
  );
  return rows.map(read);
}

const read = (row: CorrectionRow): CorrectionRow =>
  present(row, ['from', 'to', 'enteredAt', 'withdrawnAt', 'withdrawnBy', 'amount']);
