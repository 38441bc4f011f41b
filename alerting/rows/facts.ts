/** Small things that all routers of one database share, in SQL. */
import { instant, type Queryable } from '#kernel/database.ts';
import type { Milliseconds } from '#kernel/units.ts';

/** What is there, or else what is given: whoever comes first decides for all. */
export async function keepFact<T>(q: Queryable, name: string, first: T, now: Milliseconds): Promise<T> {
  await q.query(
    `insert into alerting.facts (name, value, updated_at) values ($1, $2::jsonb, $3) on conflict (name) do nothing`,
    [name, JSON.stringify(first), instant(now)],
  );
  const rows = await q.query<{ value: T }>('select value from alerting.facts where name = $1', [name]);
  return rows[0]?.value ?? first;
}

export async function readFact<T>(q: Queryable, name: string): Promise<T | undefined> {
  const rows = await q.query<{ value: T }>('select value from alerting.facts where name = $1', [name]);
  return rows[0]?.value;
}

export async function putFact(q: Queryable, name: string, value: unknown, now: Milliseconds): Promise<void> {
  await q.query(
    `insert into alerting.facts (name, value, updated_at) values ($1, $2::jsonb, $3)
     on conflict (name) do update set value = excluded.value, updated_at = excluded.updated_at`,
    [name, JSON.stringify(value), instant(now)],
  );
}
