/** Keys and the audit trail in a real database, on every engine. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { fakeClock } from '#kernel/clock.ts';
import type { Db, Queryable } from '#kernel/database.ts';
import { type Log, silentLog } from '#kernel/log.ts';
import { seededRandom } from '#kernel/random.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { onEveryEngine } from '#test/kit/database.ts';
import { audit, auditTrail } from './audit.ts';
import { KEY_CACHE_MAX, KEY_CACHE_TTL, makeKeys, type NewKey } from './keys.ts';

const START = 1_790_000_000_000;
let seed = 1;

/** Counts the statements that reach the database. */
function counted(db: Db): { db: Db; statements: string[] } {
  const statements: string[] = [];
  const watched = (q: Queryable): Queryable => ({
    query: (text, params) => {
      statements.push(text.split(' ', 1)[0] ?? '');
      return q.query(text, params);
    },
  });
  return { statements, db: { ...db, ...watched(db), tx: (work) => db.tx((q) => work(watched(q))) } };
}

function setUp(real: Db, log: Log = silentLog) {
  const clock = fakeClock(START);
  const { db, statements } = counted(real);
  const keys = makeKeys({ db, clock, random: seededRandom(seed++), log });
  const wish: NewKey = { tenant: `t${seed}`, name: 'ci', roles: ['writer'], by: 'cli' };
  const verdict = async (text: string) => {
    const outcome = await keys.verify(text);
    return outcome.kind === 'valid' ? 'valid' : outcome.verdict;
  };
  return { clock, db, statements, keys, wish, verdict };
}

onEveryEngine('API keys', (db) => {
  test('a key that was made verifies, and tells whose it is', async () => {
    const { keys, wish } = setUp(db());
    const expiresAt = (START + 60_000) as Milliseconds;
    const { facts, key } = await keys.create({ ...wish, roles: ['writer', 'reader', 'writer'], expiresAt });
    assert.deepEqual(facts, {
      id: key.reveal().slice(3, 19),
      tenant: wish.tenant,
      name: 'ci',
      roles: ['writer', 'reader'],
      createdAt: START,
      createdBy: 'cli',
      expiresAt,
      revokedAt: null,
      lastUsedAt: null,
    });
    assert.deepEqual(await keys.verify(key.reveal()), { kind: 'valid', key: facts });
  });

  test('the database holds no secret, and neither does a list', async () => {
    const { keys, wish } = setUp(db());
    const { key } = await keys.create(wish);
    const secretPart = key.reveal().slice(-64);
    const rows = await db().query('select * from access.api_keys where tenant = $1', [wish.tenant]);
    const trail = await auditTrail(db(), wish.tenant, { limit: 10 });
    for (const shown of [rows, trail, await keys.list(wish.tenant)]) {
      const text = inspect(shown, { depth: 9 }) + JSON.stringify(shown);
      assert(!text.includes(secretPart) && !text.includes(Buffer.from(secretPart).toString('hex')));
    }
  });

  test('garbage, an unknown id and a wrong secret are refused; the database hears of no garbage', async () => {
    const { keys, wish, verdict, statements } = setUp(db());
    const { key } = await keys.create(wish);
    statements.length = 0;
    for (const text of ['', 'bl_', `${key.reveal()}0`, "bl_'; drop table access.api_keys; --"]) {
      assert.equal(await verdict(text), 'malformed');
    }
    assert.deepEqual(statements, []);
    assert.equal(await verdict(`bl_${'0'.repeat(16)}_${'0'.repeat(64)}`), 'unknown');
    assert.equal(await verdict(key.reveal().slice(0, -64) + '0'.repeat(64)), 'unknown');
  });

  test('a key holds to the millisecond before it expires', async () => {
    const { keys, wish, verdict, clock } = setUp(db());
    const { key } = await keys.create({ ...wish, expiresAt: (START + 100) as Milliseconds });
    await clock.advance(99);
    assert.equal(await verdict(key.reveal()), 'valid');
    await clock.advance(1);
    assert.equal(await verdict(key.reveal()), 'expired', 'also while it is in the cache');
  });

  test('a revocation takes hold here at once, and elsewhere when the cache ends', async () => {
    const { keys, wish, verdict, clock } = setUp(db());
    const { key, facts } = await keys.create(wish);
    const elsewhere = makeKeys({ db: db(), clock, random: seededRandom(0), log: silentLog });
    assert.equal((await elsewhere.verify(key.reveal())).kind, 'valid');
    assert.equal(await verdict(key.reveal()), 'valid');
    assert.equal(await keys.revoke(wish.tenant, facts.id, 'cli'), true);
    assert.equal(await verdict(key.reveal()), 'revoked');
    await clock.advance(KEY_CACHE_TTL - 1);
    assert.equal((await elsewhere.verify(key.reveal())).kind, 'valid');
    await clock.advance(1);
    assert.deepEqual(await elsewhere.verify(key.reveal()), { kind: 'refused', verdict: 'revoked' });
  });

  test('the first revocation stands, and another tenant’s key cannot be revoked', async () => {
    const { keys, wish, clock } = setUp(db());
    const { facts } = await keys.create(wish);
    assert.equal(await keys.revoke('other', facts.id, 'cli'), false);
    await keys.revoke(wish.tenant, facts.id, 'cli');
    await clock.advance(1000);
    assert.equal(await keys.revoke(wish.tenant, facts.id, 'cli'), true);
    assert.deepEqual(
      (await keys.list(wish.tenant)).map(({ revokedAt }) => revokedAt),
      [START],
    );
  });

  test('many requests with one key are one look at the database, and one touch a minute', async () => {
    const { keys, wish, verdict, statements, clock } = setUp(db());
    const { key } = await keys.create(wish);
    statements.length = 0;
    await Promise.all(Array.from({ length: 50 }, () => verdict(key.reveal())));
    assert.deepEqual(statements.sort(), ['select', 'update']);
    await clock.advance(59_999);
    await verdict(key.reveal());
    assert.deepEqual(statements.sort(), ['select', 'select', 'update']);
    await clock.advance(1);
    await verdict(key.reveal());
    assert.equal(statements.filter((verb) => verb === 'update').length, 2);
  });

  test('when a key was used is written down', async () => {
    const { keys, wish, verdict, clock } = setUp(db());
    const { key } = await keys.create(wish);
    await clock.advance(5);
    await verdict(key.reveal());
    const used = async () => (await keys.list(wish.tenant))[0]?.lastUsedAt;
    for (let tries = 0; tries < 100 && (await used()) === null; tries++);
    assert.equal(await used(), START + 5);
  });

  test('a list is of one tenant, newest first', async () => {
    const { keys, wish, clock } = setUp(db());
    for (const name of ['first', 'second']) {
      await keys.create({ ...wish, name });
      await clock.advance(1);
    }
    const found = await keys.list(wish.tenant);
    assert.deepEqual(
      found.map(({ name }) => name),
      ['second', 'first'],
    );
    assert.deepEqual(await keys.list('nobody'), []);
  });

  const wrong: readonly [title: string, change: object, because: RegExp][] = [
    ['no role', { roles: [] }, /at least one role/],
    ['a role that does not exist', { roles: ['root'] }, /at least one role that exists/],
    ['no name', { name: '  ' }, /1 to 100 characters/],
    ['a name of 101 characters', { name: 'x'.repeat(101) }, /1 to 100 characters/],
    ['a tenant that is a path', { tenant: '../x' }, /tenant must be/],
    ['an end that has passed', { expiresAt: START }, /expired already/],
  ];
  for (const [title, change, because] of wrong) {
    test(`a key with ${title} is not made`, async () => {
      const { keys, wish } = setUp(db());
      await assert.rejects(keys.create({ ...wish, ...change } as NewKey), { code: 'key_invalid', message: because });
    });
  }

  test('making and revoking stand in the audit trail, with who did it', async () => {
    const { keys, wish } = setUp(db());
    const { facts } = await keys.create({ ...wish, correlationId: 'order-7' });
    await keys.revoke(wish.tenant, facts.id, 'key:0123');
    const trail = await auditTrail(db(), wish.tenant, { limit: 10 });
    assert.deepEqual(
      trail.map(({ id: _, ...entry }) => entry),
      [
        {
          at: START,
          tenant: wish.tenant,
          subject: 'key:0123',
          action: 'keys:revoke',
          target: facts.id,
          outcome: 'done',
          correlationId: undefined,
        },
        {
          at: START,
          tenant: wish.tenant,
          subject: 'cli',
          action: 'keys:create',
          target: facts.id,
          outcome: 'done',
          correlationId: 'order-7',
        },
      ],
    );
  });
});

onEveryEngine('the audit trail', (db) => {
  const entry = (tenant: string, target: string) =>
    ({ at: START as Milliseconds, tenant, subject: 's', action: 'documents:erase', target, outcome: 'done' }) as const;

  test('an entry falls with the transaction it belongs to', async () => {
    const undone = db().tx(async (q) => {
      await audit(q, entry('falls', 'd1'));
      throw new Error('undo');
    });
    await assert.rejects(undone, /undo/);
    assert.deepEqual(await auditTrail(db(), 'falls', { limit: 10 }), []);
  });

  test('pages follow each other without a gap, newest first', async () => {
    for (const target of ['a', 'b', 'c', 'd', 'e']) await audit(db(), entry('pages', target));
    const first = await auditTrail(db(), 'pages', { limit: 2 });
    const second = await auditTrail(db(), 'pages', { limit: 2, before: first.at(-1)?.id ?? 0 });
    const third = await auditTrail(db(), 'pages', { limit: 2, before: second.at(-1)?.id ?? 0 });
    const targets = [first, second, third].map((page) => page.map(({ target }) => target).join(''));
    assert.deepEqual(targets, ['ed', 'cb', 'a']);
  });

  test('a field is cut at 200 characters, and an outcome outside its set is refused', async () => {
    await audit(db(), entry('long', 'x'.repeat(201)));
    assert.equal((await auditTrail(db(), 'long', { limit: 1 }))[0]?.target.length, 200);
    await assert.rejects(audit(db(), { ...entry('long', 'x'), outcome: 'maybe' as never }), { code: 'refused' });
  });
});

describe('keys without a database', () => {
  const broken = (fail: () => Promise<never>): Db => ({
    engine: 'pglite',
    query: fail,
    relaxed: { query: fail },
    foreground() {
      return this;
    },
    tx: fail,
    listen: fail,
    close: fail,
  });
  const KEY = `bl_${'1'.repeat(16)}_${'2'.repeat(64)}`;

  test('a failed look-up is thrown and not remembered', async () => {
    let calls = 0;
    const db = broken(async () => {
      calls++;
      throw new Error('connection refused');
    });
    const keys = makeKeys({ db, clock: fakeClock(), random: seededRandom(1), log: silentLog });
    for (let i = 0; i < 2; i++) await assert.rejects(keys.verify(KEY), /connection refused/);
    assert.equal(calls, 2);
  });

  test('a touch that fails is a line in the log, and the request goes on', async () => {
    const said: string[] = [];
    const log: Log = { ...silentLog, warn: (_fields, message) => said.push(message) };
    const real: { stored?: unknown[] } = {};
    const query: Db['query'] = async (text, params = []) => {
      if (text.startsWith('insert into access.api_keys')) real.stored = [...params];
      if (text.startsWith('update')) throw new Error('read only');
      if (!text.startsWith('select')) return [];
      const [id, tenant, name, roles, secret_hash] = real.stored ?? [];
      return [{ id, tenant, name, roles, secret_hash, expires_at: null, revoked_at: null }] as never;
    };
    const db: Db = { ...broken(async () => assert.fail()), query, tx: (work) => work({ query }) };
    const keys = makeKeys({ db, clock: fakeClock(), random: seededRandom(1), log });
    const { key } = await keys.create({ tenant: 't', name: 'n', roles: ['reader'], by: 'cli' });
    assert.equal((await keys.verify(key.reveal())).kind, 'valid');
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(said, ['Cannot note that a key was used']);
  });

  test('the cache does not grow beyond its limit under a flood of ids', async () => {
    let calls = 0;
    const query: Db['query'] = async () => {
      calls++;
      return [];
    };
    const db: Db = { ...broken(async () => assert.fail()), query };
    const keys = makeKeys({ db, clock: fakeClock(), random: seededRandom(1), log: silentLog });
    const ask = (i: number) => keys.verify(`bl_${i.toString(16).padStart(16, '0')}_${'2'.repeat(64)}`);
    for (let i = 0; i <= KEY_CACHE_MAX; i++) await ask(i);
    assert.equal(calls, KEY_CACHE_MAX + 1);
    await ask(1);
    assert.equal(calls, KEY_CACHE_MAX + 1, 'the second oldest is still there');
    await ask(0);
    assert.equal(calls, KEY_CACHE_MAX + 2, 'the oldest has gone');
  });
});
