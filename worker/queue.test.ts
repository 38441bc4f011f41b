import assert from 'node:assert/strict';
import test, { beforeEach } from 'node:test';
import { type Milliseconds, milliseconds } from '#kernel/units.ts';
import { emptyTables, onEveryEngine } from '#test/kit/database.ts';
import {
  type Claim,
  claim,
  type Demand,
  enqueue,
  extend,
  finish,
  handBack,
  type NewJob,
  queueState,
  requeue,
  stillHeld,
  voidAllClaims,
} from './queue.ts';

const LEASE = milliseconds(2_500);
const T0 = milliseconds(1_700_000_000_000);
const after = (ms: number): Milliseconds => milliseconds(T0 + ms);
const job = (key: string, more: Partial<NewJob> = {}): NewJob => ({ queue: 'parse', key, availableAt: T0, ...more });

onEveryEngine('queue', (db, engine) => {
  beforeEach(async () => await emptyTables(db()));
  const take = async (owner: string, limit: number, now = T0, held: readonly number[] = []): Promise<Claim[]> =>
    (await claim(db(), [{ queue: 'parse', limit }], { owner, now, lease: LEASE, held })).claims;
  /** What a claim says of later, when it has taken what is due. */
  const nextDue = async (demands: readonly Demand[], held: readonly number[] = [], now = T0) =>
    (await claim(db(), demands, { owner: 'w', now, lease: LEASE, held })).nextDue;
  const one = async (owner: string, now = T0): Promise<Claim> => {
    const [got] = await take(owner, 1, now);
    assert(got, `nothing for ${owner}`);
    return got;
  };

  test('enqueue() adds a key once while it lives, and again when it is gone', async () => {
    assert.equal(await enqueue(db(), [job('a'), job('b')], T0), 2);
    assert.equal(await enqueue(db(), [job('a'), job('c')], T0), 1);
    const a = await one('w');
    assert.equal(await enqueue(db(), [job('a')], T0), 0);
    await finish(db(), [a], T0);
    assert.equal(await enqueue(db(), [job('a')], T0), 1);
  });

  test('claim() gives the oldest of the highest priority first, and nothing before its time', async () => {
    await enqueue(
      db(),
      [
        job('late', { availableAt: after(1) }),
        job('normal 2', { availableAt: after(-1) }),
        job('normal 1', { availableAt: after(-2) }),
        job('low', { priority: 2, availableAt: after(-99) }),
        job('high', { priority: 0 }),
        job('other queue', { queue: 'embed' }),
      ],
      T0,
    );
    const keys: string[] = [];
    for (let i = 0; i < 4; i++) keys.push((await one('w')).key);
    assert.deepEqual(keys, ['high', 'normal 1', 'normal 2', 'low']);
    assert.deepEqual(await take('w', 10), []);
    assert.equal((await one('w', after(1))).key, 'late');
  });

  test('claim() keeps to the limit of each queue, over all priorities', async () => {
    const jobs = Array.from({ length: 30 }, (_, i) => job(`j${i}`, { priority: (i % 3) as 0 | 1 | 2 }));
    await enqueue(db(), jobs, T0);
    assert.equal((await take('w', 7)).length, 7);
    assert.equal((await queueState(db(), T0)).ready, 23);
  });

  test('claim() gives each job to one of many that ask at once', async () => {
    await enqueue(
      db(),
      Array.from({ length: 100 }, (_, i) => job(`j${i}`)),
      T0,
    );
    const rounds = await Promise.all(Array.from({ length: 20 }, (_, i) => take(`w${i}`, 5)));
    const ids = rounds.flat().map((got) => got.id);
    assert.equal(new Set(ids).size, ids.length);
    assert.equal(ids.length, 100);
  });

  test('a lease that nobody extends comes back, is counted as an interruption, and shuts its first owner out', async () => {
    await enqueue(db(), [job('a')], T0);
    const first = await one('dead');
    assert.deepEqual(await take('other', 1, after(LEASE - 1)), []);
    const second = await one('other', after(LEASE));
    assert.deepEqual([second.takenOver, second.interruptions, second.attempts], [true, 1, 0]);
    assert(second.fence > first.fence);
    assert.equal(await stillHeld(db(), first), false);
    assert.deepEqual([...(await extend(db(), [first], after(9_000)))], []);
    assert.equal((await finish(db(), [first], T0)).size, 0);
    assert.equal(
      await requeue(db(), first, { queue: 'parse', availableAt: T0, attempts: 9, payload: {}, keep: false }),
      false,
    );
    assert.equal(await handBack(db(), [first], T0), 0);
    assert.equal(await stillHeld(db(), second), true);
    assert.equal((await finish(db(), [second], T0)).size, 1);
  });

  test('extend() keeps what is held and names what is not', async () => {
    await enqueue(db(), [job('a'), job('b')], T0);
    const [a, b] = await take('w', 2);
    assert(a && b);
    await finish(db(), [b], T0);
    assert.deepEqual([...(await extend(db(), [a, b], after(10_000)))], [a.id]);
    assert.deepEqual(await take('other', 1, after(9_999)), []);
    assert.equal((await one('other', after(10_000))).key, 'a');
  });

  test('claim() never takes a job from its own hands, however late the heartbeat is', async () => {
    await enqueue(db(), [job('a')], T0);
    const mine = await one('w');
    assert.deepEqual(await take('w', 1, after(60_000), [mine.id]), []);
  });

  test('requeue() gives back with a new time, attempts and payload, and without an interruption', async () => {
    await enqueue(db(), [job('a', { payload: { vendorJob: 'x' } })], T0);
    const first = await one('w');
    assert.deepEqual(first.payload, { vendorJob: 'x' });
    const change = { queue: 'parse', availableAt: after(500), attempts: 1, payload: { vendorJob: 'y' }, keep: false };
    assert(await requeue(db(), first, change));
    assert.deepEqual(await take('w', 1, after(499)), []);
    const second = await one('w', after(500));
    assert.deepEqual([second.attempts, second.interruptions, second.takenOver], [1, 0, false]);
    assert.deepEqual(second.payload, { vendorJob: 'y' });
  });

  test('requeue() puts what has begun before those that wait, however long, and leaves it there', async () => {
    await enqueue(db(), [job('begun'), job('waits')], T0);
    const change = { queue: 'parse', availableAt: after(250), attempts: 0, payload: {}, keep: false };
    assert(await requeue(db(), await one('w'), { ...change, priority: 0 }));
    const again = await one('w', after(300));
    assert.deepEqual([again.key, again.priority], ['begun', 0]);
    assert(await requeue(db(), again, change));
    assert.equal((await one('w', after(600))).key, 'begun');
  });

  test('handBack() makes work due at once, without an interruption', async () => {
    await enqueue(db(), [job('a')], T0);
    await handBack(db(), [await one('w')], T0);
    assert.deepEqual([(await one('other')).interruptions], [0]);
  });

  test('handBack() of work that broke counts, so that there is an end to it', async () => {
    await enqueue(db(), [job('a')], T0);
    await handBack(db(), [await one('w')], T0, true);
    assert.deepEqual([(await one('other')).interruptions], [1]);
  });

  test('nothing can be written with another owner’s fence', async () => {
    await enqueue(db(), [job('a')], T0);
    const mine = { ...(await one('w')), owner: 'impostor' };
    assert.deepEqual([...(await extend(db(), [mine], after(9_000)))], []);
    assert.equal((await finish(db(), [mine], T0)).size, 0);
    assert.equal(await handBack(db(), [mine], T0), 0);
    const change = { queue: 'parse', availableAt: T0, attempts: 0, payload: {}, keep: false };
    assert.equal(await requeue(db(), mine, change), false);
  });

  test('extend() passes over a job that its own transaction has locked', { skip: engine !== 'Postgres' }, async () => {
    await enqueue(db(), [job('a'), job('b')], T0);
    const [a, b] = await take('w', 2);
    assert(a && b);
    await db().tx(async (q) => {
      assert(await stillHeld(q, a));
      assert.deepEqual([...(await extend(db(), [a, b], after(10_000)))].toSorted(), [a.id, b.id].toSorted());
    });
    assert.deepEqual(
      (await take('other', 9, after(9_000))).map(({ id }) => id),
      [a.id],
    );
  });

  test('claim() says when the next job is due: not what it has taken, nor what is in the caller’s own hands', async () => {
    await enqueue(db(), [job('a'), job('later', { availableAt: after(5_000) })], T0);
    assert.equal(await nextDue([{ queue: 'parse', limit: 9 }]), after(5_000));
    const [mine] = await db().query<{ id: number }>(`select id from worker.jobs where key = 'a'`);
    assert.equal(await nextDue([{ queue: 'parse', limit: 9 }], [mine?.id ?? 0]), after(5_000));
  });

  test('voidAllClaims() makes every claim due at once', async () => {
    await enqueue(db(), [job('a'), job('b')], T0);
    await take('w', 2);
    assert.equal(await voidAllClaims(db(), T0), 2);
    assert.equal((await take('w', 9)).length, 2);
  });

  test('finish() moves a job out, into history', async () => {
    await enqueue(db(), [job('a')], T0);
    const got = await one('w');
    await finish(db(), [got], after(5));
    const [row] = await db().query('select id, key, owner, finished_at as at from worker.finished_jobs');
    assert.deepEqual(row, { id: got.id, key: 'a', owner: 'w', at: after(5) });
    assert.deepEqual(await db().query('select id from worker.jobs'), []);
  });

  test('claim() says the soonest start or the end of the soonest lease, of all queues that it asked for', async () => {
    const both = [
      { queue: 'parse', limit: 9 },
      { queue: 'embed', limit: 9 },
    ];
    assert.equal(await nextDue(both), undefined);
    await enqueue(db(), [job('a', { availableAt: after(5_000) }), job('b')], T0);
    await one('other');
    assert.equal(await nextDue(both), after(LEASE));
    await enqueue(db(), [job('c', { queue: 'embed', availableAt: after(1_000) })], T0);
    assert.equal(await nextDue(both), after(1_000));
    assert.equal(await nextDue(both.slice(0, 1)), after(LEASE));
  });

  test('claim() says nothing of a queue that has all it asked for: there is no place for more', async () => {
    await enqueue(db(), [job('a'), job('b'), job('c', { queue: 'embed', availableAt: after(1_000) })], T0);
    const asked = [
      { queue: 'parse', limit: 1 },
      { queue: 'embed', limit: 1 },
    ];
    assert.equal(await nextDue(asked), after(1_000));
  });

  test('claim() reads no more of a long queue than it needs', { skip: engine === 'PGlite' }, async () => {
    const many = Array.from({ length: 3_000 }, (_, i) => job(`j${i}`, { priority: (i % 3) as 0 | 1 | 2 }));
    await enqueue(db(), many, T0);
    await db().query('analyze worker.jobs');
    const rows = await db().query<{ 'QUERY PLAN': string }>(
      `explain (analyze, buffers off, timing off) select one.id
       from unnest(array[0, 1, 2]::smallint[]) as level (priority),
       lateral (select id from worker.jobs where queue = 'parse' and priority = level.priority and available_at <= $1
         order by available_at, id limit 5 for update skip locked) as one limit 5`,
      [new Date(T0)],
    );
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    assert.match(plan, /Index (?:Only )?Scan using jobs_due/);
    assert.match(plan, /LockRows.*actual rows=5(?:\.00)? loops=1/);
  });
});
