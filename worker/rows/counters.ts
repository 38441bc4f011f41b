/** Counters that are moved in the transaction they count, one set for each worker id, and exported from here. */
import type { Queryable } from '#kernel/database.ts';

export type Labels = Readonly<Record<string, string>>;
export type Increment = { readonly name: string; readonly labels: Labels; readonly by: number };
export type CounterRow = { readonly name: string; readonly labels: Labels; readonly value: number };

const canonical = (labels: Labels): string =>
  JSON.stringify(Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))));

/** In one statement and in a fixed order: two transactions of one worker can not lock each other out. */
export async function increment(q: Queryable, workerId: string, increments: readonly Increment[]): Promise<void> {
  const sums = new Map<string, { name: string; labels: string; by: number }>();
  for (const { name, labels, by } of increments) {
    const text = canonical(labels);
    const key = `${name} ${text}`;
    sums.set(key, { name, labels: text, by: (sums.get(key)?.by ?? 0) + by });
  }
  if (sums.size === 0) return;
  const rows = [...sums.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
  await q.query(
    `insert into worker.counters as c (worker_id, name, labels, value)
     select $1, * from unnest($2::text[], $3::text[], $4::float8[])
     on conflict (worker_id, name, labels) do update set value = c.value + excluded.value`,
    [workerId, rows.map((row) => row.name), rows.map((row) => row.labels), rows.map((row) => row.by)],
  );
}

export async function readCounters(q: Queryable, workerId: string): Promise<CounterRow[]> {
  const rows = await q.query<{ name: string; labels: string; value: number }>(
    'select name, labels, value from worker.counters where worker_id = $1',
    [workerId],
  );
  return rows.map((row) => ({ ...row, labels: JSON.parse(row.labels) as Labels }));
}
