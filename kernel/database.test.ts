import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { onEveryEngine } from '#test/kit/database.ts';
import {
  databaseFault,
  instant,
  instantsParam,
  isDatabaseFault,
  jsonsParam,
  plainParams,
  textsParam,
  vectorParam,
} from './database.ts';
import { Fault } from './errors.ts';
import { milliseconds } from './units.ts';

onEveryEngine('Db', (db) => {
  test('gives the same values on every engine', async () => {
    const [row] = await db().query(
      `select 9007199254740991::int8 as i, 1.25::numeric as n, $1::timestamptz as t, $2::jsonb as j, $3::bytea as b,
         $4::text[] as a, null::text as z, true as y, count(*) as c from (values (1), (2)) as v`,
      [instant(milliseconds(1_700_000_000_123)), { a: [1, 'ü'] }, new Uint8Array([0, 255]), ['x', 'y,"{}']],
    );
    assert(row);
    const { b, ...rest } = row;
    assert.deepEqual([...(b as Uint8Array)], [0, 255]);
    assert.deepEqual(rest, {
      i: 9007199254740991,
      n: 1.25,
      t: 1_700_000_000_123,
      j: { a: [1, 'ü'] },
      a: ['x', 'y,"{}'],
      z: null,
      y: true,
      c: 2,
    });
  });

  test('takes vectors in binary and finds the nearest', async () => {
    const [row] = await db().query<{ d: number }>(`select $1::vector <-> '[1,2,4]'::vector as d`, [
      vectorParam(Float32Array.of(1, 2, 3)),
    ]);
    assert.equal(row?.d, 1);
  });

  test('takes columns of many rows in binary', async () => {
    const texts = ['', 'x,"{}\\', 'ü', '😀'];
    const jsons = ['{"a": "\\u00fc"}', '[]', '"😀"', '1'];
    const times = [0, 1_700_000_000_123, Date.UTC(2000, 0, 1) - 1, Date.UTC(9999, 0, 1)].map(milliseconds);
    const read = () =>
      db().query(
        'select t, j, at from unnest($1::text[], $2::json[], $3::timestamptz[]) with ordinality as r (t, j, at, n) order by n',
        [textsParam(texts), jsonsParam(jsons), instantsParam(times)],
      );
    const rows = texts.map((t, i) => ({ t, j: JSON.parse(jsons[i] ?? ''), at: times[i] }));
    assert.deepEqual(await read(), rows);
    // The second time it is prepared.
    assert.deepEqual(await read(), rows);
    const none = [textsParam([]), jsonsParam([]), instantsParam([])];
    assert.deepEqual(
      await db().query('select * from unnest($1::text[], $2::json[], $3::timestamptz[]) as r (t, j, at)', none),
      [],
    );
  });

  test('tx() keeps all or nothing', async () => {
    await db().query('create table if not exists kernel.probe (n int primary key)');
    await db().query('truncate kernel.probe');
    await assert.rejects(
      db().tx(async (q) => {
        await q.query('insert into kernel.probe values (1)');
        throw new Error('changed my mind');
      }),
      /changed my mind/,
    );
    assert.deepEqual(await db().query('select * from kernel.probe'), []);
    const result = await db().tx(async (q) => {
      await q.query('insert into kernel.probe values (2)');
      return 'kept';
    });
    assert.equal(result, 'kept');
    assert.deepEqual(await db().query('select * from kernel.probe'), [{ n: 2 }]);
  });

  test('tx() is usable after a statement in it failed', async () => {
    await assert.rejects(
      db().tx((q) => q.query('insert into kernel.probe values (2)')),
      (error) => isDatabaseFault(error, 'duplicate'),
    );
    assert.deepEqual(await db().query('select 1 as one'), [{ one: 1 }]);
  });

  test('names what a statement was refused for', async () => {
    await assert.rejects(db().query('selec'), (error) => isDatabaseFault(error, 'refused') && !error.retryable);
  });

  test('many transactions at once do not see each other half done', async () => {
    await db().query('truncate kernel.probe');
    await db().query('insert into kernel.probe values (0)');
    const add = () => db().tx((q) => q.query('update kernel.probe set n = n + 1'));
    await Promise.all(Array.from({ length: 20 }, add));
    assert.deepEqual(await db().query('select n from kernel.probe'), [{ n: 20 }]);
  });

  test('listen() hears what commits and not what rolls back', async () => {
    const heard: string[] = [];
    const unlisten = await db().listen('kernel_probe', (payload) => heard.push(payload));
    await db()
      .tx(async (q) => {
        await q.query(`select pg_notify('kernel_probe', 'lost')`);
        throw new Error('no');
      })
      .catch(() => {});
    await db().query(`select pg_notify('kernel_probe', 'kept')`);
    for (let i = 0; heard.length === 0 && i < 100; i++) await sleep(20);
    await unlisten();
    assert.deepEqual(heard, ['kept']);
  });
});

describe('databaseFault()', () => {
  const cases: readonly [state: string, code: string, retryable: boolean][] = [
    ['23505', 'duplicate', false],
    ['40001', 'conflict', true],
    ['40P01', 'conflict', true],
    ['57014', 'timeout', true],
    ['57P01', 'unavailable', true],
    ['08006', 'unavailable', true],
    ['ECONNREFUSED', 'unavailable', true],
    ['53300', 'unavailable', true],
    ['42601', 'refused', false],
    ['22P02', 'refused', false],
  ];
  for (const [state, code, retryable] of cases) {
    test(`reads ${state} as ${code}`, () => {
      const fault = databaseFault({ code: state, message: 'x' });
      assert(fault instanceof Fault);
      assert.deepEqual([fault.code, fault.retryable], [code, retryable]);
    });
  }
});

test('plainParams() makes a Date an ISO time and an object JSON, and leaves bytes alone', () => {
  const bytes = new Uint8Array([1]);
  assert.deepEqual(plainParams([new Date(0), { a: 1 }, bytes, undefined, ['x']]), [
    '1970-01-01T00:00:00.000Z',
    '{"a":1}',
    bytes,
    null,
    ['x'],
  ]);
});
