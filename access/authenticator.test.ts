import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import { fakeClock } from '#kernel/clock.ts';
import { seededRandom } from '#kernel/random.ts';
import { parseAddresses } from './addresses.ts';
import { makeKey } from './api-key.ts';
import { type AuthenticatorOptions, credentialOf, makeAuthenticator, REFUSALS } from './authenticator.ts';
import type { KeyOutcome, Keys } from './keys.ts';
import type { Headers } from './provenance.ts';

const { id, key } = makeKey(seededRandom(3));
const KEY = key.reveal();
const facts = {
  id,
  tenant: 'acme',
  name: 'ci',
  roles: ['writer'],
  createdAt: 0,
  createdBy: 'cli',
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
} as never;

/** A program that asks for something. */
const GET = { address: '127.0.0.1', method: 'GET', hosts: ['localhost'] };

function setUp(options: Partial<AuthenticatorOptions> = {}) {
  const asked: string[] = [];
  const verify = async (text: string): Promise<KeyOutcome> => {
    asked.push(text);
    return text === KEY ? { kind: 'valid', key: facts } : { kind: 'refused', verdict: 'unknown' };
  };
  const unused = () => assert.fail('not called here');
  const keys: Keys = { verify, standing: unused, create: unused, list: unused, revoke: unused };
  const clock = fakeClock();
  const authenticate = makeAuthenticator({ clock, keys, anonymous: 'nobody', ...options });
  const ask = async (headers: Headers, address = '127.0.0.1') => {
    const found = await authenticate({ ...GET, headers, address });
    return found.kind === 'known'
      ? `${found.principal.via} ${found.principal.tenant}/${found.principal.subject}`
      : found.reason;
  };
  return { authenticate, ask, asked, clock };
}

const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

const known = `key acme/key:${id}`;
const forms: readonly [title: string, headers: Headers, want: string][] = [
  ['a bearer key', bearer(KEY), known],
  ['a bearer key under a shouted scheme', { authorization: `BEARER   ${KEY}` }, known],
  ['an X-API-Key', { 'x-api-key': KEY }, known],
  ['the same key in both', { ...bearer(KEY), 'x-api-key': KEY }, known],
  ['two different ones', { ...bearer(KEY), 'x-api-key': 'other' }, 'malformed'],
  ['the password of basic authentication', basic(`prometheus:${KEY}`), known],
  ['no credential', {}, 'missing'],
  ['an empty one', { authorization: '' }, 'malformed'],
  ['an empty X-API-Key', { 'x-api-key': '' }, 'malformed'],
  ['a scheme alone', { authorization: 'Bearer' }, 'malformed'],
  ['another scheme', { authorization: `Digest ${KEY}` }, 'malformed'],
  ['a key without its scheme', { authorization: KEY }, 'malformed'],
  ['basic authentication without a colon', basic(KEY), 'malformed'],
  ['two headers of one name', { 'x-api-key': [KEY, KEY] }, 'malformed'],
  ['a token where none is configured', bearer('a.b.c'), 'malformed'],
  ['another key', bearer(`${KEY.slice(0, -1)}x`), 'unknown'],
];
for (const [title, headers, want] of forms) {
  test(`the authenticator finds ${title}: ${want.split(' ')[0]}`, async () =>
    assert.equal(await setUp().ask(headers), want));
}

test('without a key, loopback is the default tenant with every role, and a wrong key is wrong there too', async () => {
  const { authenticate, ask } = setUp({ anonymous: 'loopback' });
  const found = await authenticate({ ...GET, headers: { host: '127.0.0.1:8080' } });
  assert(found.kind === 'known');
  assert.deepEqual(
    [found.principal.tenant, found.principal.subject, found.principal.roles.length],
    ['default', 'anonymous', 6],
  );
  assert.equal(await ask(bearer('bl_garbage')), 'unknown');
  assert.equal(await ask(bearer('garbage')), 'malformed');
});

const sites: readonly [title: string, headers: Headers, want: 'anonymous' | 'cross_site'][] = [
  ['a program', { host: 'localhost:8080' }, 'anonymous'],
  ['a program over IPv6', { host: '[::1]:8080' }, 'anonymous'],
  ['an old program without Host', {}, 'anonymous'],
  ['an address typed into the browser', { host: 'localhost', 'sec-fetch-site': 'none' }, 'anonymous'],
  [
    'our own page',
    { host: '127.0.0.1:9093', origin: 'http://127.0.0.1:9093', 'sec-fetch-site': 'same-origin' },
    'anonymous',
  ],
  [
    'another site’s page',
    { host: 'localhost', origin: 'https://evil.test', 'sec-fetch-site': 'cross-site' },
    'cross_site',
  ],
  ['another site’s form in an old browser', { host: 'localhost', origin: 'https://evil.test' }, 'cross_site'],
  ['a sandboxed frame', { host: 'localhost', origin: 'null' }, 'cross_site'],
  ['a name that was bound to loopback', { host: 'evil.test:8080' }, 'cross_site'],
  ['a name that only begins like ours', { host: 'localhost.evil.test' }, 'cross_site'],
  ['an address that only begins like ours', { host: '127.0.0.1.evil.test' }, 'cross_site'],
];
for (const [title, headers, want] of sites) {
  test(`without a key, ${title} is ${want}`, async () => {
    const answer = await setUp({ anonymous: 'loopback' }).ask(headers);
    assert.equal(answer.split(' ')[0], want);
  });
}

test('a page of another site may speak to loopback with a key', async () => {
  const { ask } = setUp({ anonymous: 'loopback' });
  assert.equal(await ask({ ...bearer(KEY), host: 'localhost', origin: 'https://app.test' }), known);
});

test('anyone may come where that was said', async () => {
  assert.equal(
    await setUp({ anonymous: 'anyone' }).ask({ host: 'router.test' }, '192.0.2.1'),
    'anonymous default/anonymous',
  );
});

test('an address outside the list is refused before its key is looked at', async () => {
  const { ask, asked } = setUp({ allowed: parseAddresses(['192.0.2.0/24']) });
  assert.equal(await ask(bearer(KEY), '198.51.100.1'), 'address');
  assert.equal(await ask({}, '198.51.100.1'), 'address');
  assert.deepEqual(asked, []);
  assert.equal(await ask(bearer(KEY), '192.0.2.7'), known);
});

test('a guesser is slowed down at the 21st try, an owner of a key elsewhere is not', async () => {
  const { ask, asked, clock, authenticate } = setUp();
  for (let i = 0; i < 20; i++) assert.equal(await ask(bearer(`bl_guess${i}`), '192.0.2.9'), 'unknown');
  assert.equal(await ask(bearer('bl_guess'), '192.0.2.9'), 'rate_limited');
  assert.equal(asked.length, 20);
  const refused = await authenticate({ ...GET, headers: bearer('bl_guess'), address: '192.0.2.9' });
  assert(refused.kind === 'refused' && refused.status === 429 && refused.wait === 1000);
  assert.equal(await ask(bearer(KEY), '192.0.2.10'), known);
  await clock.advance(1000);
  assert.equal(await ask(bearer('bl_guess'), '192.0.2.9'), 'unknown');
});

test('guesses that come all at once are slowed down too', async () => {
  const { ask } = setUp();
  const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => ask(bearer(`bl_guess${i}`), '192.0.2.9')));
  assert.equal(answers.filter((answer) => answer === 'unknown').length, 20);
  assert.equal(answers.filter((answer) => answer === 'rate_limited').length, 10);
});

test('right credentials are not counted as guesses', async () => {
  const { ask } = setUp();
  for (let i = 0; i < 50; i++) assert.equal(await ask(bearer(KEY)), known);
});

test('a refused token says why in our words', async () => {
  const jwt = async () => ({ kind: 'refused', verdict: 'expired', because: 'it has expired' }) as const;
  const found = await setUp({ jwt }).authenticate({ ...GET, headers: bearer('a.b.c') });
  assert(found.kind === 'refused');
  assert.deepEqual(
    [found.reason, found.status, found.message],
    ['expired', 401, 'The token was refused: it has expired'],
  );
});

test('no refusal repeats what was given', async () => {
  const { authenticate } = setUp();
  for (const text of [`bl_${'7'.repeat(16)}_${'ab'.repeat(32)}`, 'hunter2hunter2', 'aaaa.bbbb.cccc']) {
    const found = await authenticate({ ...GET, headers: bearer(text) });
    assert(found.kind === 'refused' && REFUSALS.includes(found.reason));
    assert(!inspect(found, { depth: 9 }).includes(text));
  }
});

test('a database that cannot answer is an error and not a refusal', async () => {
  const verify = () => Promise.reject(new Error('connection refused'));
  const keys = { verify } as unknown as Keys;
  const authenticate = makeAuthenticator({ clock: fakeClock(), keys, anonymous: 'nobody' });
  await assert.rejects(authenticate({ ...GET, headers: bearer(KEY) }), /connection refused/);
});

test('credentialOf() does not mistake a password with colons', () => {
  assert.deepEqual(credentialOf(basic('u:a:b')), { kind: 'given', text: 'a:b', user: 'u' });
});
