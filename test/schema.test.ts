/** The schema that the migrations make, as a file: a change of it is seen in review. UPDATE_GOLDEN=1 writes it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import type { Db } from '#kernel/database.ts';
import { migrate } from '#kernel/migrate.ts';
import { MIGRATIONS, onEveryEngine } from './kit/database.ts';

const GOLDEN = 'test/golden/schema.txt';

onEveryEngine('the schema', (db, engine) => {
  test('is the one in the golden file', async () => {
    const found = await dump(db());
    if (process.env['UPDATE_GOLDEN'] === '1' && engine === 'PGlite') writeFileSync(GOLDEN, found);
    assert.equal(found, readFileSync(GOLDEN, 'utf8'), 'UPDATE_GOLDEN=1 writes it anew');
  });

  test('is not migrated twice', async () => {
    assert.deepEqual(await migrate(db(), MIGRATIONS), { applied: 0 });
  });

  test('is refused when an applied file was changed', async () => {
    const [first] = MIGRATIONS;
    assert(first);
    await assert.rejects(migrate(db(), [{ ...first, hash: 'other' }]), /was changed after it was applied/);
  });
});

async function dump(db: Db): Promise<string> {
  const columns = await db.query<{ line: string }>(
    `select format('%s.%s %s %s%s%s', n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
       case when a.attnotnull then ' not null' else '' end,
       coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')) as line
     from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
     left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
     where n.nspname in ('access', 'alerting', 'worker') and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
     order by n.nspname, c.relname, a.attnum`,
  );
  const indexes = await db.query<{ line: string }>(
    `select indexdef as line from pg_indexes where schemaname in ('access', 'alerting', 'worker') order by schemaname, indexname`,
  );
  // Postgres 18 lists "not null" among the constraints, 16 does not.
  const constraints = await db.query<{ line: string }>(
    `select format('%s %s', conrelid::regclass, pg_get_constraintdef(oid)) as line from pg_constraint
     where connamespace::regnamespace::text in ('access', 'alerting', 'worker') and contype <> 'n'
     order by conrelid::regclass::text, conname`,
  );
  return `${[...columns, ...indexes, ...constraints].map(({ line }) => line).join('\n')}\n`;
}
