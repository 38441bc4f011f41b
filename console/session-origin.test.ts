/** From where a session counts: its own pages, behind TLS and proxies, on loopback. Over real sockets, on each engine. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
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
  signIn,
} from '#test/kit/console.ts';
import { onEveryEngine } from '#test/kit/database.ts';

onEveryEngine('sessions, by where they are used from,', (db) => {
  let one: ServedConsole;
  let key = '';
  before(async () => {
    one = await serveConsole(db());
    key = (await makeKeyFor(one.keys, ['admin', 'viewer'])).key.reveal();
  });
  after(async () => await one.close());

  /** A server of its own, with which nothing is shared but the store. */
  const during = async (wish: ConsoleWish, work: (at: ServedConsole) => Promise<void>) => {
    const at = await serveConsole(db(), wish);
    await work(at).finally(at.close);
  };

  test('count for their own pages alone', async () => {
    const cookie = cookieOf(await signIn(one, { credential: key }));
    const { host } = new URL(one.url);
    const mark = { 'x-burnline-console': '1' };
    const changes: readonly [what: string, headers: Record<string, string>, status: number][] = [
      ['the page', OWN, 201],
      ['the page over plain http, where browsers say less', { origin: `http://${host}`, ...mark }, 201],
      ['the page without its header', { 'sec-fetch-site': 'same-origin' }, 403],
      ['another port of this host', { 'sec-fetch-site': 'same-site', ...mark }, 403],
      ['another port, in an old browser', { origin: 'http://127.0.0.1:3000', ...mark }, 403],
      ['another site', { 'sec-fetch-site': 'cross-site', ...mark }, 403],
      ['a sandboxed frame', { origin: 'null', ...mark }, 403],
      ['a typed address', { 'sec-fetch-site': 'none', ...mark }, 403],
      ['nobody says', mark, 403],
    ];
    for (const [what, headers, status] of changes) {
      const answer = await say('POST', `${one.url}${KEYS}`, { cookie, ...headers }, NEW_KEY);
      assert.equal(answer.status, status, `${what}: ${answer.text}`);
      if (status === 403) assert.match(String(answer.body['detail']), /own pages/);
    }
    const reads: readonly [headers: Record<string, string>, status: number][] = [
      [{ 'sec-fetch-site': 'same-origin' }, 200],
      [{ 'sec-fetch-site': 'none' }, 200],
      [{}, 200],
      [{ 'sec-fetch-site': 'same-site' }, 403],
      [{ 'sec-fetch-site': 'cross-site' }, 403],
      [{ origin: 'http://127.0.0.1:3000' }, 403],
    ];
    for (const [headers, status] of reads) {
      assert.equal((await say('GET', `${one.url}${KEYS}`, { cookie, ...headers })).status, status);
    }
  });

  test('are begun and ended by no page of another site', async () => {
    const foreign = { 'sec-fetch-site': 'cross-site' };
    const begun = await signIn(one, { credential: key }, foreign);
    assert.equal(begun.status, 403);
    assert.equal(begun.cookie, undefined);
    const cookie = cookieOf(await signIn(one, { credential: key }));
    assert.equal((await say('DELETE', `${one.url}${SESSION}`, { cookie, ...OWN, ...foreign })).status, 403);
    assert.equal(
      (await say('DELETE', `${one.url}${SESSION}`, { cookie, 'sec-fetch-site': 'same-origin' })).status,
      403,
    );
    assert.equal(await isIn(one, cookie), 200);
  });

  describe('behind TLS', () => {
    const HTTPS = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '192.0.2.1' };

    test('have a name that nobody can set from beside, and are sent by https alone', async () => {
      await during({ trustProxy: true }, async (at) => {
        const answer = await signIn(at, { credential: key }, HTTPS);
        const pair = cookieOf(answer);
        assert.match(pair, /^__Host-burnline=/);
        assert(answer.cookie?.attributes.includes('Secure'));
        assert.equal(await isIn(at, pair, HTTPS), 200);
        assert.equal(await isIn(at, pair.replace('__Host-', ''), HTTPS), 401, 'one that was tossed in by http');
        assert.equal(await isIn(at, pair), 401);
      });
    });

    test('believe the proxy only where it is trusted', async () => {
      const answer = await signIn(one, { credential: key }, HTTPS);
      assert.match(cookieOf(answer), /^burnline=/);
      assert(!answer.cookie?.attributes.includes('Secure'));
    });

    test('know it by the external URL too, and stay under its path', async () => {
      const wish = { external: 'https://burnline.test/am', prefix: '/am' };
      await during(wish, async (at) => {
        const answer = await signIn(at, { credential: key }, { host: 'burnline.test' });
        assert.match(cookieOf(answer), /^__Secure-burnline=/);
        assert(answer.cookie?.attributes.includes('Secure'));
        assert(answer.cookie?.attributes.includes('Path=/am'));
        const near = await signIn(at, { credential: key });
        assert.match(cookieOf(near), /^burnline=/, 'from this machine, by its own name');
        // A proxy may rewrite Host and tell nobody.
        const origin = { origin: 'https://burnline.test', 'x-burnline-console': '1', 'sec-fetch-site': undefined };
        const kept = cookieOf(await signIn(at, { credential: key }, origin));
        const change = await say('POST', `${at.url}${KEYS}`, { cookie: kept, ...origin }, NEW_KEY);
        assert.equal(change.status, 201, change.text);
      });
    });
  });

  describe('on loopback, where nobody needs one', () => {
    let near: ServedConsole;
    before(async () => {
      near = await serveConsole(db(), { anonymous: 'loopback' });
    });
    after(async () => await near.close());

    test('whoever is there is nobody in particular, and may sign in all the same', async () => {
      const nobody = await say('GET', `${near.url}${SESSION}`);
      assert.deepEqual([nobody.body['anonymous'], nobody.body['signedIn']], [true, false]);
      const cookie = cookieOf(await signIn(near, { credential: key }));
      const signedIn = await say('GET', `${near.url}${SESSION}`, { cookie });
      assert.deepEqual([signedIn.body['anonymous'], signedIn.body['signedIn']], [false, true]);
      await say('DELETE', `${near.url}${SESSION}`, { cookie, ...OWN });
      const after = await say('GET', `${near.url}${SESSION}`, { cookie });
      assert.deepEqual([after.status, after.body['anonymous']], [200, true]);
    });

    for (const [what, headers, status] of [
      ['a program', {}, 201],
      ['the page', OWN, 201],
      ['a page of another port', { 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:3000' }, 403],
      ['a page of another port, in an old browser', { origin: 'http://localhost:3000' }, 403],
      ['a page of another site', { 'sec-fetch-site': 'cross-site' }, 403],
      ['a name that was bound to loopback', { host: 'evil.test', 'sec-fetch-site': 'same-origin' }, 403],
    ] as const) {
      test(`${what} changes something: ${status}`, async () => {
        assert.equal((await say('POST', `${near.url}${KEYS}`, headers, NEW_KEY)).status, status);
      });
    }

    test('a name that was bound to loopback is told nothing', async () => {
      assert.equal((await say('GET', `${near.url}${SESSION}`, { host: 'evil.test' })).status, 403);
    });
  });

  test('where anybody may come, a page of another site may still change nothing', async () => {
    await during({ anonymous: 'anyone' }, async (at) => {
      const change = async (headers: Record<string, string>) =>
        (await say('POST', `${at.url}${KEYS}`, headers, NEW_KEY)).status;
      assert.deepEqual([await change({}), await change(OWN)], [201, 201]);
      assert.equal(await change({ 'sec-fetch-site': 'cross-site' }), 403);
      assert.equal(await change({ origin: 'https://evil.test' }), 403);
    });
  });
});
