/** Silences in SQL. One statement each. */

import { type ApiMatcher, fromApi, type Matcher, toApi } from '#alerting/matcher.ts';
import type { Silence, SilenceState } from '#alerting/silence.ts';
import { instant, type Queryable } from '#kernel/database.ts';
import { Fault } from '#kernel/errors.ts';
import type { Milliseconds } from '#kernel/units.ts';

type SilenceRow = Omit<Silence, 'matchers'> & { readonly matchers: readonly ApiMatcher[] };

const SILENCE = `id, matchers, starts_at as "startsAt", ends_at as "endsAt", created_by as "createdBy", comment,
  annotations, updated_at as "updatedAt"`;

/** The same silence is asked for at each look at a group: its patterns are compiled once. By what they say: a silence may be changed. */
const compiled = new Map<string, readonly Matcher[]>();
const COMPILED_MOST = 10_000;

function read(row: SilenceRow): Silence {
  const text = JSON.stringify(row.matchers);
  const known = compiled.get(text);
  if (known !== undefined) return { ...row, matchers: known };
  const matchers = row.matchers.map((one) => stored(row.id, one));
  if (compiled.size >= COMPILED_MOST) compiled.clear();
  compiled.set(text, matchers);
  return { ...row, matchers };
}

/** It was checked before it was stored. */
function stored(id: string, matcher: ApiMatcher): Matcher {
  const parsed = fromApi(matcher);
  if (parsed.kind === 'matcher') return parsed.matcher;
  throw new Fault('silence_unreadable', `Cannot read the silence ${id}: ${parsed.message}`);
}

/** Active ones. */
export async function liveSilences(q: Queryable, now: Milliseconds): Promise<Silence[]> {
  const rows = await q.query<SilenceRow>(
    `select ${SILENCE} from alerting.silences where ends_at > $1 and starts_at <= $1 order by id`,
    [instant(now)],
  );
  return rows.map(read);
}

/** As they are stored: a list of them needs no expression compiled. */
export type ListedSilence = SilenceRow;
export type SilencePlace = { readonly at: Milliseconds; readonly id: string };

/** Of each state the order in which Alertmanager lists it, and what its place is. */
const LISTED = {
  active: { where: 'starts_at <= $1 and ends_at > $1', by: 'ends_at', way: 'asc', past: '>' },
  pending: { where: 'starts_at > $1', by: 'starts_at', way: 'asc', past: '>' },
  expired: { where: 'starts_at <= $1 and ends_at <= $1', by: 'ends_at', way: 'desc', past: '<' },
} as const;

/** Those of a state, after that place: active ones by their end, pending ones by their start, expired ones the latest first. */
export async function listSilences(
  q: Queryable,
  state: SilenceState,
  now: Milliseconds,
  after: SilencePlace | undefined,
  limit: number,
): Promise<ListedSilence[]> {
  const { where, by, way, past } = LISTED[state];
  return await q.query<ListedSilence>(
    `select ${SILENCE} from alerting.silences
     where ${where} and ($2::timestamptz is null or (${by}, id) ${past} ($2, $3))
     order by ${by} ${way}, id ${way} limit $4`,
    [instant(now), after === undefined ? null : instant(after.at), after?.id ?? null, limit],
  );
}

export const placeOf = (state: SilenceState, { id, startsAt, endsAt }: ListedSilence): SilencePlace => ({
  id,
  at: state === 'pending' ? startsAt : endsAt,
});

export async function silenceById(q: Queryable, id: string): Promise<Silence | undefined> {
  const rows = await q.query<SilenceRow>(`select ${SILENCE} from alerting.silences where id = $1 for update`, [id]);
  return rows[0] && read(rows[0]);
}

export async function putSilence(q: Queryable, silence: Silence): Promise<void> {
  await q.query(
    `insert into alerting.silences (id, matchers, starts_at, ends_at, created_by, comment, updated_at,
       annotations)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (id) do update set matchers = excluded.matchers, starts_at = excluded.starts_at,
       ends_at = excluded.ends_at, created_by = excluded.created_by, comment = excluded.comment,
       updated_at = excluded.updated_at, annotations = excluded.annotations`,
    [
      silence.id,
      JSON.stringify(silence.matchers.map(toApi)),
      instant(silence.startsAt),
      instant(silence.endsAt),
      silence.createdBy,
      silence.comment,
      instant(silence.updatedAt),
      JSON.stringify(silence.annotations),
    ],
  );
}

/** Those that were made, changed or ended since then. */
export async function changedSilences(
  q: Queryable,
  since: Milliseconds,
  limit: number,
): Promise<{ readonly id: string; readonly at: Milliseconds }[]> {
  return await q.query(
    `select id, updated_at as at from alerting.silences where updated_at >= $1 order by updated_at, id limit $2`,
    [instant(since), limit],
  );
}
