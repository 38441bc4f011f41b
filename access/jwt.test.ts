import assert from 'node:assert/strict';
import { createHmac, createPublicKey, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import test from 'node:test';
import { inspect } from 'node:util';
import { SignJWT } from 'jose';
import { fakeClock } from '#kernel/clock.ts';
import { secret } from '#kernel/secret.ts';
import { CLOCK_TOLERANCE, jwtBases, makeJwtVerifier } from './jwt.ts';
import { hs256Key, type JwtKey, parseJwtKeys } from './jwt-keys.ts';

const NOW = 1_790_000_000;
const ISSUER = 'https://id.test/';
const AUDIENCE = 'burnline';
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const SHARED = 'a shared secret of at least 32 bytes';
const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString();
const claims = { sub: 'ada', tenant: 'acme', roles: ['writer'], iss: ISSUER, aud: AUDIENCE, exp: NOW + 60 };

const verifier = (keys: readonly JwtKey[]) =>
  makeJwtVerifier({ keys, issuer: ISSUER, audience: AUDIENCE }, fakeClock(NOW * 1000));
const sign = (alg: string, key: KeyObject | Uint8Array, payload: object = claims, kid?: string) =>
  new SignJWT(payload as never).setProtectedHeader({ alg, ...(kid ? { kid } : {}) }).sign(key);
const b64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const said = async (verify: ReturnType<typeof verifier>, token: string) => {
  const outcome = await verify(token);
  return outcome.kind === 'valid' ? 'valid' : `${outcome.verdict}: ${outcome.because}`;
};

const RSA = parseJwtKeys(pem(rsa.publicKey));
const EC = parseJwtKeys(pem(ec.publicKey));
const HS = [hs256Key(secret(SHARED))];

test('a token of each algorithm speaks for its subject, tenant and roles', async () => {
  const tokens: [JwtKey[], string][] = [
    [RSA, await sign('RS256', rsa.privateKey)],
    [EC, await sign('ES256', ec.privateKey)],
    [HS, await sign('HS256', Buffer.from(SHARED))],
  ];
  for (const [keys, token] of tokens) {
    const outcome = await verifier(keys)(token);
    assert(outcome.kind === 'valid');
    assert.deepEqual(outcome.principal, { tenant: 'acme', subject: 'jwt:ada', roles: ['writer'], via: 'jwt' });
    assert.equal(outcome.grounds.until, claims.exp * 1_000);
    const bases = jwtBases({ keys, issuer: ISSUER, audience: AUDIENCE });
    assert.deepEqual([...bases], [outcome.grounds.basis]);
    assert(!outcome.grounds.basis.includes(SHARED));
  }
});

test('what a session rests on is another with another key, another issuer and another audience', () => {
  const options = { keys: [...RSA, ...EC, ...HS], issuer: ISSUER, audience: AUDIENCE };
  const all = [options, { ...options, issuer: 'https://other.test/' }, { ...options, audience: 'other' }].flatMap(
    (one) => [...jwtBases(one)],
  );
  assert.equal(new Set(all).size, 9);
});

test('an unsigned token is refused, however it spells none', async () => {
  for (const alg of ['none', 'None', 'NONE', '', undefined]) {
    for (const signature of ['', 'AA']) {
      const token = `${b64({ alg })}.${b64(claims)}.${signature}`;
      assert.match(await said(verifier([...RSA, ...HS]), token), /^(malformed|invalid)/);
    }
  }
});

test('a public key is never a shared secret: algorithm confusion does not work', async () => {
  const forged = (key: string) => {
    const content = `${b64({ alg: 'HS256' })}.${b64(claims)}`;
    return `${content}.${createHmac('sha256', key).update(content).digest('base64url')}`;
  };
  const text = pem(rsa.publicKey);
  const der = rsa.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  for (const key of [text, text.trim(), der, JSON.stringify(rsa.publicKey.export({ format: 'jwk' }))]) {
    assert.equal(await said(verifier(RSA), forged(key)), 'invalid: no key here fits its algorithm and key id');
    assert.equal(await said(verifier([...RSA, ...HS]), forged(key)), 'invalid: its signature is not ours');
  }
});

test('an algorithm outside the three is refused, also with the right key', async () => {
  for (const alg of ['RS384', 'RS512', 'PS256']) {
    assert.match(await said(verifier(RSA), await sign(alg, rsa.privateKey)), /no key here fits/);
  }
  assert.match(await said(verifier(HS), await sign('HS512', Buffer.from(SHARED.repeat(2)))), /no key here fits/);
});

test('a key inside the token is not believed', async () => {
  const own = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const content = `${b64({ alg: 'RS256', jwk: own.publicKey.export({ format: 'jwk' }) })}.${b64(claims)}`;
  const token = `${content}.${createSign('sha256').update(content).sign(own.privateKey, 'base64url')}`;
  assert.equal(await said(verifier(RSA), token), 'invalid: its signature is not ours');
});

const without = (claim: string) => Object.fromEntries(Object.entries(claims).filter(([key]) => key !== claim));
const wrong: readonly [title: string, payload: object, want: string][] = [
  ['is taken at the end of the tolerance', { ...claims, exp: NOW - CLOCK_TOLERANCE + 1 }, 'valid'],
  ['has expired after it', { ...claims, exp: NOW - CLOCK_TOLERANCE }, 'expired: it has expired'],
  ['without an end is refused', without('exp'), 'invalid: its claim "exp" is missing'],
  ['is taken shortly before it begins', { ...claims, nbf: NOW + CLOCK_TOLERANCE }, 'valid'],
  ['is refused before that', { ...claims, nbf: NOW + CLOCK_TOLERANCE + 1 }, 'invalid: it is not valid yet'],
  [
    'for another audience is refused',
    { ...claims, aud: 'other' },
    'invalid: its claim "aud" is not the one expected here',
  ],
  ['for several audiences with ours is taken', { ...claims, aud: ['other', AUDIENCE] }, 'valid'],
  ['without an audience is refused', without('aud'), 'invalid: its claim "aud" is missing'],
  ['of another issuer is refused', { ...claims, iss: 'evil' }, 'invalid: its claim "iss" is not the one expected here'],
  ['without a subject is refused', without('sub'), 'invalid: its claim "sub" is missing'],
  [
    'with an endless subject is refused',
    { ...claims, sub: 'x'.repeat(129) },
    'invalid: its claim "sub" must be 1 to 128 characters',
  ],
  ['without a tenant is refused', without('tenant'), 'invalid: its claim "tenant" is missing'],
  [
    'with a tenant that is a path is refused',
    { ...claims, tenant: '../a' },
    'invalid: its claim "tenant" is not a tenant’s name',
  ],
  ['without roles is refused', without('roles'), 'invalid: its claim "roles" is missing'],
  ['with roles in a text is refused', { ...claims, roles: 'admin' }, 'invalid: its claim "roles" must be a list'],
];
for (const [title, payload, want] of wrong) {
  test(`a token ${title}`, async () =>
    assert.equal(await said(verifier(EC), await sign('ES256', ec.privateKey, payload)), want));
}

test('a role that does not exist gives no right', async () => {
  const token = await sign('ES256', ec.privateKey, { ...claims, roles: ['root', 'reader', 7, null] });
  const outcome = await verifier(EC)(token);
  assert.deepEqual(outcome.kind === 'valid' && outcome.principal.roles, ['reader']);
});

test('what is no token is malformed, also when it is long', async () => {
  const token = await sign('ES256', ec.privateKey);
  const texts = ['', 'a', 'a.b', 'a.b.c.d', 'a.b.c', '..', `${token}.`, ` ${token}`, `${b64(null)}.e30.AA`];
  for (const text of [...texts, `${'a'.repeat(9000)}.b.c`]) {
    assert.equal(await said(verifier(EC), text), 'malformed: it is not a JSON Web Token', text.slice(0, 30));
  }
});

test('a token whose payload was changed is refused', async () => {
  const [head, , signature] = (await sign('ES256', ec.privateKey)).split('.');
  const token = `${head}.${b64({ ...claims, tenant: 'other' })}.${signature}`;
  assert.equal(await said(verifier(EC), token), 'invalid: its signature is not ours');
});

test('a key set is chosen from by name and algorithm, and a key without a name is tried', async () => {
  const jwk = (key: KeyObject, kid?: string, more: object = {}) => ({ ...key.export({ format: 'jwk' }), kid, ...more });
  const old = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const set = { keys: [jwk(old.publicKey, 'old'), jwk(ec.publicKey, 'new', { alg: 'ES256' }), jwk(rsa.publicKey)] };
  const encryption = jwk(old.publicKey, 'enc', { use: 'enc' });
  const keys = parseJwtKeys(JSON.stringify({ keys: [...set.keys, encryption] }));
  assert.deepEqual(
    keys.map(({ algorithm, id }) => `${algorithm} ${id}`),
    ['ES256 old', 'ES256 new', 'RS256 undefined'],
  );
  const verify = verifier(keys);
  assert.equal(await said(verify, await sign('ES256', ec.privateKey, claims, 'new')), 'valid');
  assert.equal(await said(verify, await sign('ES256', ec.privateKey)), 'valid');
  assert.equal(await said(verify, await sign('RS256', rsa.privateKey, claims, 'unheard of')), 'valid');
  assert.equal(
    await said(verify, await sign('ES256', ec.privateKey, claims, 'old')),
    'invalid: its signature is not ours',
  );
});

const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const files: readonly [title: string, text: string, because: RegExp][] = [
  ['a private key', rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), /holds a private key/],
  ['a private JWK', JSON.stringify(ec.privateKey.export({ format: 'jwk' })), /holds a private key/],
  ['a weak RSA key', pem(weak.publicKey), /1024 bits, at least 2048/],
  ['another curve', pem(p384.publicKey), /only RSA and P-256/],
  [
    'a public key without its PEM lines',
    rsa.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
    /neither PEM nor JSON/,
  ],
  ['a bare secret', SHARED, /neither PEM nor JSON/],
  [
    'a short symmetric key',
    JSON.stringify({ kty: 'oct', k: Buffer.alloc(31).toString('base64url') }),
    /31 bytes, at least 32/,
  ],
  [
    'an RSA key that says HS256',
    JSON.stringify({ ...createPublicKey(pem(rsa.publicKey)).export({ format: 'jwk' }), alg: 'HS256' }),
    /only RS256 fits/,
  ],
  ['an empty key set', '{"keys":[]}', /no key for signatures/],
  ['broken JSON', `{"k":"${SHARED}`, /not valid JSON/],
  ['broken PEM', `-----BEGIN PUBLIC KEY-----\n${SHARED}`, /cannot be read/],
  [
    '21 keys',
    JSON.stringify({ keys: Array.from({ length: 21 }, () => ({ kty: 'oct', k: 'x' })) }),
    /21 keys, the limit is 20/,
  ],
];
for (const [title, text, because] of files) {
  test(`parseJwtKeys() refuses ${title} and does not quote it`, () => {
    assert.throws(
      () => parseJwtKeys(text),
      (error: Error) => because.test(error.message) && !inspect(error, { depth: 9 }).includes(text.slice(5, 40)),
    );
  });
}

test('a symmetric key may be a JWK, and 32 bytes suffice', () => {
  assert.equal(
    parseJwtKeys(JSON.stringify({ kty: 'oct', k: Buffer.alloc(32, 1).toString('base64url') }))[0]?.algorithm,
    'HS256',
  );
  assert.throws(() => hs256Key(secret('x'.repeat(31))), { code: 'jwt_keys_invalid' });
});
