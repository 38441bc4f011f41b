import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { describe } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { fakeClock, systemClock } from './clock.ts';
import { describe as describeError, Fault } from './errors.ts';
import { checkTargetShape, guardedPost, http, isPublicAddress, readLimited } from './http.ts';
import { silentLog } from './log.ts';
import { splitStatements } from './migrate.ts';
import { seededRandom, systemRandom, uuidv7 } from './random.ts';
import { backoffDelay, parseRetryAfter } from './retry.ts';
import { secret } from './secret.ts';
import { limited, within } from './shutdown.ts';
import { fullBucket, take } from './token-bucket.ts';
import { type Bytes, milliseconds } from './units.ts';

describe('secret()', () => {
  test('shows its value to reveal() alone', () => {
    const hidden = secret('hunter2');
    const shown = [
      String(hidden),
      `${hidden}`,
      JSON.stringify({ hidden }),
      inspect(hidden),
      inspect({ hidden }, { depth: 9 }),
    ];
    assert(
      shown.every((text) => !text.includes('hunter2')),
      shown.join('\n'),
    );
    assert.equal(hidden.reveal(), 'hunter2');
  });
});

describe('random', () => {
  test('systemRandom never gives the same bytes twice, whatever is asked for in between', () => {
    const seen = new Set<string>();
    for (let i = 0; i < 5_000; i++) {
      const bytes = systemRandom.bytes(16 + (i % 700));
      assert.equal(bytes.length, 16 + (i % 700));
      seen.add(Buffer.from(bytes.subarray(0, 16)).toString('hex'));
    }
    assert.equal(seen.size, 5_000);
  });

  test('seededRandom() repeats itself, and other seeds differ', () => {
    const draw = (seed: number) => Array.from({ length: 5 }, seededRandom(seed).next);
    assert.deepEqual(draw(1), draw(1));
    assert.notDeepEqual(draw(1), draw(2));
  });
  test('next() is even in [0, 1)', () => {
    for (const random of [seededRandom(7), systemRandom]) {
      const bins = Array.from({ length: 10 }, () => 0);
      for (let i = 0; i < 20_000; i++) {
        const bin = Math.floor(random.next() * 10);
        bins[bin] = (bins[bin] ?? 0) + 1;
      }
      assert(
        bins.every((n) => n > 1_750 && n < 2_250),
        bins.join(),
      );
    }
  });
  test('uuidv7() sorts by time and never repeats', () => {
    const at = (ms: number) => uuidv7(milliseconds(ms), systemRandom);
    const ids = [1_000, 2_000, 1_700_000_000_000, 1_700_000_000_001].map(at);
    assert.deepEqual(ids.toSorted(), ids);
    assert(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id)));
    assert.equal(new Set(Array.from({ length: 1_000 }, () => at(5))).size, 1_000);
  });
});

describe('backoffDelay()', () => {
  const policy = { first: milliseconds(1_000), most: milliseconds(60_000) };
  test('doubles, keeps at least half, and ends at its most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.integer(), (attempt, seed) => {
        const span = Math.min(60_000, 1_000 * 2 ** (attempt - 1));
        const delay = backoffDelay(policy, attempt, seededRandom(seed));
        return delay >= span / 2 && delay <= span;
      }),
    );
  });
  test('never undercuts the wish of the other side', () => {
    assert.equal(backoffDelay(policy, 1, seededRandom(1), milliseconds(90_000)), 90_000);
  });
});

describe('parseRetryAfter()', () => {
  const cases: readonly [text: string | null, want: number | undefined][] = [
    [null, undefined],
    ['', undefined],
    ['soon', undefined],
    ['-1', undefined],
    ['0', 0],
    ['2', 2_000],
    ['1.5', 1_500],
    ['Thu, 01 Jan 1970 00:00:10 GMT', 9_000],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
  ];
  for (const [text, want] of cases) {
    test(`reads ${JSON.stringify(text)} as ${want}`, () =>
      assert.equal(parseRetryAfter(text, milliseconds(1_000)), want));
  }
});

describe('take()', () => {
  const rate = { perSecond: 10, burst: 5 };
  test('grants a burst, then the rate, and says how long to wait', () => {
    let bucket = fullBucket(rate, milliseconds(0));
    for (let i = 0; i < 5; i++) {
      const taken = take(bucket, rate, 1, milliseconds(0));
      assert.equal(taken.kind, 'granted');
      bucket = taken.bucket;
    }
    const refused = take(bucket, rate, 1, milliseconds(0));
    assert(refused.kind === 'refused' && refused.wait === 100);
    assert.equal(take(bucket, rate, 1, milliseconds(99)).kind, 'refused');
    assert.equal(take(bucket, rate, 1, milliseconds(100)).kind, 'granted');
  });
  test('never grants more than burst plus rate times time', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 200 }), (gaps) => {
        let now = 0;
        let granted = 0;
        let bucket = fullBucket(rate, milliseconds(0));
        for (const gap of gaps) {
          now += gap;
          const taken = take(bucket, rate, 1, milliseconds(now));
          bucket = taken.bucket;
          if (taken.kind === 'granted') granted++;
        }
        return granted <= rate.burst + (now / 1000) * rate.perSecond + 1e-6;
      }),
    );
  });
  test('lets a cost above the burst through a full bucket, and makes the next wait for it', () => {
    const taken = take(fullBucket(rate, milliseconds(0)), rate, 50, milliseconds(0));
    assert(taken.kind === 'granted');
    assert.equal(take(taken.bucket, rate, 1, milliseconds(4_000)).kind, 'refused');
  });
});

describe('isPublicAddress()', () => {
  const inside = [
    '127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '255.255.255.255',
    '224.0.0.1',
    '::1',
    '::',
    'fe80::1',
    'fc00::1',
    '::ffff:10.0.0.1',
    '::ffff:127.0.0.1',
    '64:ff9b::a00:1',
    '2002:7f00:1::',
    '198.18.0.1',
    'nonsense',
  ];
  for (const address of inside) test(`refuses ${address}`, () => assert.equal(isPublicAddress(address), false));
  for (const address of ['8.8.8.8', '2606:4700:4700::1111']) {
    test(`lets ${address} through`, () => assert.equal(isPublicAddress(address), true));
  }
});

describe('guardedPost()', () => {
  const options = { headers: {}, timeout: milliseconds(2_000), allowedPrivateHosts: [] };
  test('refuses an address inside, also by name, and never connects', async () => {
    let connections = 0;
    const server = createServer((_request, response) => response.end()).on('connection', () => connections++);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    for (const host of ['127.0.0.1', 'localhost', '[::1]', '2130706433', '0x7f.1']) {
      await assert.rejects(
        guardedPost(`http://${host}:${port}/`, '{}', options),
        (error) => error instanceof Fault && error.code === 'target_forbidden',
        host,
      );
    }
    const allowed = { ...options, allowedPrivateHosts: ['localhost'] };
    assert.equal((await guardedPost(`http://localhost:${port}/`, '{}', allowed)).status, 200);
    assert.equal(connections, 1);
    server.close();
  });
  test('does not follow a redirect', async () => {
    const server = createServer((_request, response) =>
      response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const allowed = { ...options, allowedPrivateHosts: ['127.0.0.1'] };
    assert.equal((await guardedPost(`http://127.0.0.1:${port}/`, '{}', allowed)).status, 302);
    server.close();
  });
  for (const url of ['ftp://example.com/', 'file:///etc/passwd', 'http://user:secret@example.com/']) {
    test(`refuses the form of ${url}`, () => {
      assert.throws(
        () => checkTargetShape(new URL(url)),
        (error: Error) => !error.message.includes('secret'),
      );
    });
  }
});

test('readLimited() stops at its limit', async () => {
  const server = createServer((_request, response) => response.end('x'.repeat(10_000)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const get = () => http(`http://127.0.0.1:${port}/`, { timeout: milliseconds(2_000) });
  assert.equal((await readLimited(await get(), 10_000 as Bytes)).length, 10_000);
  await assert.rejects(readLimited(await get(), 9_999 as Bytes), /more than 9999 bytes/);
  server.close();
});

test('within() waits for work, and no longer than its limit', async () => {
  const clock = fakeClock();
  const stuck = within(clock, milliseconds(100), silentLog, 'stuck work', new Promise(() => {}));
  await clock.advance(100);
  await stuck;
  await within(systemClock, milliseconds(5_000), silentLog, 'bad work', Promise.reject(new Error('no')));
});

test('describe() tells the causes too', () => {
  assert.equal(describeError(new Error('a', { cause: new Error('b', { cause: 'c' }) })), 'a: b: c');
});

test('splitStatements() splits at ends of lines and drops comments', () => {
  const text = `-- a; b\ncreate table t (a text default ';x');\ninsert into t values ('a;b');\n`;
  assert.deepEqual(splitStatements(text), [`create table t (a text default ';x')`, `insert into t values ('a;b')`]);
});

describe('limited()', () => {
  const LIMIT = milliseconds(1_000);
  const never = () => new AbortController().signal;

  test('ends with the time, and says that it was the time', async () => {
    const clock = fakeClock();
    using limit = limited(clock, never(), LIMIT);
    await clock.advance(999);
    assert.equal(limit.signal.aborted, false);
    await clock.advance(1);
    assert.equal((limit.signal.reason as Error).name, 'TimeoutError');
    assert.equal(limit.isOver(), true);
  });

  test('ends with its parent, for the same reason', () => {
    const parent = new AbortController();
    using limit = limited(fakeClock(), parent.signal, LIMIT);
    assert.equal(limit.signal.aborted, false);
    parent.abort('the lease is lost');
    assert.equal(limit.signal.reason, 'the lease is lost');
    assert.equal(limit.isOver(), false);
    using late = limited(fakeClock(), parent.signal, LIMIT);
    assert.equal(late.signal.reason, 'the lease is lost', 'it was over before');
  });

  test('lets go of its parent and of the time when the work is over', async () => {
    const [clock, parent] = [fakeClock(), new AbortController()];
    const limit = limited(clock, parent.signal, LIMIT);
    limit[Symbol.dispose]();
    await clock.advance(2_000);
    parent.abort('later');
    assert.equal(limit.signal.aborted, false);
  });
});
