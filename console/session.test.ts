/** Sessions over real sockets, with what attackers try: on each engine, and with two routers on one store. */
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { after, before, test } from 'node:test';
import bcrypt from 'bcryptjs';
import { SignJWT } from 'jose';
import { makeBasicUsers } from '#access/basic-users.ts';
import { jwtBases, makeJwtVerifier } from '#access/jwt.ts';
import { parseJwtKeys } from '#access/jwt-keys.ts';
import { KEY_CACHE_TTL } from '#access/keys.ts';
import { SESSION_LASTS, SESSIONS_MOST } from '#access/sessions.ts';
import { systemClock } from '#kernel/clock.ts';
import { Fault } from '#kernel/errors.ts';
import {
  type ConsoleWish,
  cookieOf,
  isIn,
  KEYS,
  makeKeyFor,
  NEW_KEY,
  OWN,
  SESSION,
  type ServedConsole,
  say,
  serveConsole,
  shiftedClock,
  signIn,
} from '#test/kit/console.ts';
import { onEveryEngine } from '#test/kit/database.ts';

onEveryEngine('sessions', (db) => {
  const clock = shiftedClock();
  let one: ServedConsole;
  let other: ServedConsole;
  let key = '';
  let keyId = '';
  before(async () => {
    one = await serveConsole(db(), { clock });
    other = await serveConsole(db(), { clock });
    const made = await makeKeyFor(one.keys, ['admin', 'viewer']);
    key = made.key.reveal();
    keyId = made.facts.id;
  });
  after(async () => await Promise.all([one.close(), other.close()]));

  /** A server of its own, with which nothing is shared but the store. */
  const during = async (wish: ConsoleWish, work: (at: ServedConsole) => Promise<void>) => {
    const at = await serveConsole(db(), { clock, ...wish });
    await work(at).finally(at.close);
  };

  test('are begun by a key: a cookie that no script and no other site has, for 12 hours', async () => {
    const answer = await signIn(one, { credential: key });
    const pair = cookieOf(answer);
    assert.match(pair, /^burnline=[0-9a-f]{64}$/);
    const { attributes = [] } = answer.cookie ?? {};
    const age = Number(attributes.find((text) => text.startsWith('Max-Age='))?.slice(8));
    assert(age > 43_100 && age <= SESSION_LASTS / 1_000, `${age}`);
    assert.deepEqual(attributes.filter((text) => !text.startsWith('Max-Age=')).sort(), [
      'HttpOnly',
      'Path=/',
      'SameSite=Strict',
    ]);
    const seen = await say('GET', `${one.url}${SESSION}`, { cookie: pair, 'sec-fetch-site': 'same-origin' });
    assert.deepEqual({ ...seen.body, now: 0 }, { ...answer.body, now: 0 });
    const { subject, name, may, signedIn, anonymous, people } = seen.body;
    assert.deepEqual(
      { subject, name, signedIn, anonymous, people },
      {
        subject: `key:${keyId}`,
        name: 'Ann’s phone',
        signedIn: true,
        anonymous: false,
        people: [{ name: 'ada', displayName: 'Ada Lovelace' }],
      },
    );
    assert(Array.isArray(may) && may.includes('keys:manage') && !may.includes('incidents:act'));
    assert.equal(seen.headers['cache-control'], 'no-store');
  });

  test('need a right credential, and say in words what was wrong', async () => {
    const wrong: readonly [body: object, status: number, detail: RegExp][] = [
      [{ credential: `bl_${'0'.repeat(16)}_${'0'.repeat(64)}` }, 401, /key is not known/],
      [{ credential: 'password123' }, 401, /neither an API key/],
      [{ user: 'ada', password: 'x' }, 401, /name or the password is wrong/],
      [{}, 400, /expected \{credential\} or \{user, password\}/],
      [{ credential: '' }, 400, /./],
      [{ credential: key, roles: ['operator'] }, 400, /./],
      [{ user: 'a:b', password: 'x' }, 400, /./],
    ];
    for (const [body, status, detail] of wrong) {
      const answer = await signIn(one, body);
      assert.equal(answer.status, status, answer.text);
      assert.match(String(answer.body['detail']), detail);
      assert.equal(answer.cookie, undefined);
    }
    assert.equal((await say('GET', `${one.url}${SESSION}`)).status, 401);
  });

  test('are never under a token that somebody else chose, and a second one of a browser ends its first', async () => {
    const fixed = `burnline=${'a'.repeat(64)}`;
    const first = cookieOf(await signIn(one, { credential: key }, { cookie: fixed }));
    assert.notEqual(first, fixed);
    assert.equal(await isIn(one, fixed), 401);
    const second = cookieOf(await signIn(one, { credential: key }, { cookie: first }));
    assert.equal(await isIn(one, first), 401);
    assert.equal(await isIn(one, second), 200);
  });

  test('hold at each router of the store, and are over at all of them once they are ended, whoever has a copy', async () => {
    const cookie = cookieOf(await signIn(one, { credential: key }));
    assert.equal(await isIn(other, cookie), 200);
    const out = await say('DELETE', `${other.url}${SESSION}`, { cookie, ...OWN });
    assert.equal(out.status, 204);
    assert.equal(out.cookie?.pair, 'burnline=');
    assert(out.cookie.attributes.includes('Max-Age=0'));
    for (const at of [one, other]) {
      const answer = await say('GET', `${at.url}${KEYS}`, { cookie });
      assert.equal(answer.status, 401);
      assert.match(String(answer.body['detail']), /sign in again/);
    }
    assert.equal((await say('DELETE', `${one.url}${SESSION}`, { cookie, ...OWN })).status, 204, 'twice is once');
    assert.equal((await say('DELETE', `${one.url}${SESSION}`)).status, 204);
  });

  test('end with their key: at once where it is revoked, elsewhere within its cache', async () => {
    const made = await makeKeyFor(one.keys, ['viewer']);
    const cookie = cookieOf(await signIn(one, { credential: made.key.reveal() }));
    assert.equal(await isIn(other, cookie), 200);
    await one.keys.revoke('default', made.facts.id, 'test');
    assert.equal(await isIn(one, cookie), 401);
    clock.shift(KEY_CACHE_TTL);
    assert.equal(await isIn(other, cookie), 401);
  });

  test('outlive neither 12 hours nor their key', async () => {
    const long = cookieOf(await signIn(one, { credential: key }));
    const expiresAt = clock.now() + 60_000;
    const made = await makeKeyFor(one.keys, ['viewer'], { expiresAt });
    const answer = await signIn(one, { credential: made.key.reveal() });
    assert.equal(Date.parse(String(answer.body['expiresAt'])), Math.floor(expiresAt));
    const short = cookieOf(answer);
    assert.equal(await isIn(one, short), 200);
    clock.shift(60_001);
    assert.equal(await isIn(one, short), 401);
    assert.equal(await isIn(one, long), 200);
    clock.shift(SESSION_LASTS);
    assert.equal(await isIn(one, long), 401);
    cookieOf(await signIn(one, { credential: key }));
    const rows = await db().query('select 1 from access.sessions where expires_at < $1', [new Date(clock.now())]);
    assert.deepEqual(rows, [], 'what is over is swept by whoever signs in');
  });

  test('of a token end with it, and with the key that signed it', async () => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const keys = parseJwtKeys(pair.publicKey.export({ type: 'spki', format: 'pem' }).toString());
    const options = { keys, issuer: 'https://id.test/', audience: 'burnline' };
    const exp = Math.floor(clock.now() / 1_000) + 600;
    const token = await new SignJWT({ tenant: 'default', roles: ['responder'] })
      .setProtectedHeader({ alg: 'ES256' })
      .setSubject('ann')
      .setIssuer('https://id.test/')
      .setAudience('burnline')
      .setExpirationTime(exp)
      .sign(pair.privateKey);
    const wish = { jwt: makeJwtVerifier(options, clock), jwtBases: jwtBases(options) };
    let cookie = '';
    await during(wish, async (at) => {
      const answer = await signIn(at, { credential: token });
      cookie = cookieOf(answer);
      assert.deepEqual([answer.body['subject'], answer.body['name']], ['jwt:ann', 'ann']);
      assert.equal(Date.parse(String(answer.body['expiresAt'])), exp * 1_000);
      assert.equal(await isIn(at, cookie), 200);
    });
    await during({}, async (at) => assert.equal(await isIn(at, cookie), 401, 'tokens are believed no more'));
    const rotated = { ...options, issuer: 'https://other.test/' };
    await during({ jwt: makeJwtVerifier(rotated, clock), jwtBases: jwtBases(rotated) }, async (at) =>
      assert.equal(await isIn(at, cookie), 401, 'another issuer'),
    );
    await during(wish, async (at) => assert.equal(await isIn(at, cookie), 200, 'a restart changes nothing'));
  });

  test('of a name end with its password; a remembered password changes nothing from elsewhere', async () => {
    const users = (password: string) => makeBasicUsers(new Map([['ada', bcrypt.hashSync(password, 4)]]));
    const first = users('first');
    let cookie = '';
    await during({ users: first }, async (at) => {
      cookie = cookieOf(await signIn(at, { user: 'ada', password: 'first' }));
      assert.equal((await signIn(at, { user: 'ada', password: 'second' })).status, 401);
      assert.equal(await isIn(at, cookie), 200);
      const authorization = `Basic ${Buffer.from('ada:first').toString('base64')}`;
      const change = async (headers: Record<string, string>) =>
        (await say('POST', `${at.url}${KEYS}`, { authorization, ...headers }, NEW_KEY)).status;
      assert.equal(await change({}), 201);
      assert.equal(await change({ 'sec-fetch-site': 'same-origin' }), 201);
      assert.equal(await change({ 'sec-fetch-site': 'same-site' }), 403);
      assert.equal(await change({ origin: 'https://evil.test' }), 403);
    });
    await during({ users: users('second') }, async (at) => assert.equal(await isIn(at, cookie), 401));
    await during({}, async (at) => assert.equal(await isIn(at, cookie), 401));
    await during({ users: first }, async (at) => assert.equal(await isIn(at, cookie), 200));
  });

  test('are in the store as hashes, and beginning and ending are in the audit trail', async () => {
    const made = await makeKeyFor(one.keys, ['viewer']);
    const answer = await signIn(one, { credential: made.key.reveal() });
    const token = cookieOf(answer).slice('burnline='.length);
    const held = await db().query<{ row: string }>('select s::text as row from access.sessions s');
    assert(held.length > 0 && !held.some(({ row }) => row.includes(token)));
    const hash = createHash('sha256').update(token).digest('hex');
    assert(held.some(({ row }) => row.includes(hash)));
    assert.equal(await isIn(one, `burnline=${hash}`), 401, 'who reads the table cannot sign in with it');
    await say('DELETE', `${one.url}${SESSION}`, { cookie: `burnline=${token}`, ...OWN });
    const trail = await db().query<{ action: string; target: string; correlation_id: string }>(
      `select action, target, correlation_id from access.audit where subject = $1 order by id`,
      [`key:${made.facts.id}`],
    );
    assert.deepEqual(
      trail.map(({ action }) => action),
      ['sessions:begin', 'sessions:end'],
    );
    assert.equal(trail[0]?.target, trail[1]?.target);
    assert.equal(trail[0]?.correlation_id, answer.headers['x-correlation-id']);
    assert(!JSON.stringify(trail).includes(token));
  });

  test('of one subject are so many: the oldest ends', async () => {
    const made = await makeKeyFor(one.keys, ['viewer']);
    const cookies: string[] = [];
    for (let i = 0; i <= SESSIONS_MOST; i++) {
      cookies.push(cookieOf(await signIn(one, { credential: made.key.reveal() })));
      clock.shift(1);
    }
    const [first = '', second = ''] = cookies;
    assert.deepEqual([await isIn(one, first), await isIn(one, second)], [401, 200]);
  });

  test('slow down whoever guesses, by credential or by cookie', async () => {
    await during({}, async (at) => {
      const wrong = { credential: `bl_${'1'.repeat(16)}_${'1'.repeat(64)}` };
      const guesses = await Promise.all(Array.from({ length: 40 }, () => signIn(at, wrong)));
      assert(guesses.filter(({ status }) => status === 429).length >= 10);
      assert(guesses.filter(({ status }) => status === 401).length <= 25);
      const limited = guesses.find(({ status }) => status === 429);
      assert(Number(limited?.headers['retry-after']) >= 1);
    });
    await during({}, async (at) => {
      const cookie = `burnline=${'2'.repeat(64)}`;
      const statuses = await Promise.all(Array.from({ length: 600 }, () => isIn(at, cookie)));
      const held = statuses.filter((status) => status === 429).length;
      assert(held >= 200 && held < 400, `${held} of 600`);
      assert.equal(statuses.filter((status) => status === 401).length, 600 - held);
      cookieOf(await signIn(at, { credential: key }));
    });
  });

  test('cannot be judged while the store is away: that is said, and nobody is signed out', async () => {
    const gone = new Fault('unavailable', 'Database: connection refused', { retryable: true });
    const away = { ...db(), query: () => Promise.reject(gone), tx: () => Promise.reject(gone) };
    const at = await serveConsole(away, { clock: systemClock });
    assert.equal((await say('GET', `${at.url}${SESSION}`, { cookie: `burnline=${'3'.repeat(64)}` })).status, 503);
    await at.close();
  });
});
