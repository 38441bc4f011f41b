/** How full the database is of connections, asked of itself at a scrape; both engines answer. */
import type { Queryable } from '#kernel/database.ts';
import { CONNECTION_STATES } from './catalogue-operation.ts';
import { readTogether } from './read-together.ts';
import type { Telemetry } from './telemetry.ts';

type Counted = { readonly state: string; readonly count: number; readonly most: number };

export function observeConnections(telemetry: Telemetry, q: Queryable): void {
  // Postgres' own workers have no database and take no place.
  const read = readTogether(() =>
    q.query<Counted>(
      `select replace(coalesce(state, 'other'), ' ', '_') as state, count(*)::float8 as count,
         current_setting('max_connections')::float8 as most
       from pg_stat_activity where datname is not null group by 1`,
    ),
  );
  telemetry.observe('database_connections', async () => {
    const rows = await read();
    const named: readonly string[] = CONNECTION_STATES;
    return CONNECTION_STATES.map((state) => {
      const mine = rows.filter((row) => row.state === state || (state === 'other' && !named.includes(row.state)));
      return { value: mine.reduce((sum, { count }) => sum + count, 0), attributes: { state } };
    });
  });
  telemetry.observe('database_connections_max', async () =>
    (await read()).slice(0, 1).map(({ most }) => ({ value: most, attributes: {} })),
  );
}
