/** Reports that people have edited, in SQL. One statement each. */
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';

export type EditedReport = {
  /** From 1. */
  readonly revision: number;
  readonly markdown: string;
  readonly editedBy: string;
  readonly editedAt: Milliseconds;
};

const REPORT = `revision, markdown, edited_by as "editedBy", edited_at as "editedAt"`;

export async function editedReport(q: Queryable, incidentId: string): Promise<EditedReport | undefined> {
  const rows = await q.query<EditedReport>(`select ${REPORT} from alerting.reports where incident_id = $1`, [
    incidentId,
  ]);
  return rows[0];
}

/** Who edited it last, and when, without its text. */
export async function lastEdit(
  q: Queryable,
  incidentId: string,
): Promise<Pick<EditedReport, 'editedBy' | 'editedAt'> | undefined> {
  const rows = await q.query<Pick<EditedReport, 'editedBy' | 'editedAt'>>(
    `select edited_by as "editedBy", edited_at as "editedAt" from alerting.reports where incident_id = $1`,
    [incidentId],
  );
  return rows[0];
}

/**
 * @param from the revision that whoever edits had before them, 0 where nobody had edited it; undefined: whatever it is.
 * @returns the new revision; undefined: it is another one meanwhile, and nothing was written.
 */
export async function saveReport(
  q: Queryable,
  incidentId: string,
  { markdown, editedBy, editedAt }: Omit<EditedReport, 'revision'>,
  from: number | undefined,
): Promise<number | undefined> {
  const rows = await q.query<{ revision: number }>(
    `insert into alerting.reports as r (incident_id, revision, markdown, edited_by, edited_at)
     select $1, 1, $2, $3, $4 where $5::int is null or $5 = 0
       or exists (select 1 from alerting.reports k where k.incident_id = $1)
     on conflict (incident_id) do update set revision = r.revision + 1, markdown = excluded.markdown,
       edited_by = excluded.edited_by, edited_at = excluded.edited_at
       where $5::int is null or r.revision = $5
     returning r.revision`,
    [incidentId, markdown, editedBy, instant(editedAt), from ?? null],
  );
  return rows[0]?.revision;
}
