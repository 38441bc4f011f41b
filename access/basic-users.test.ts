import assert from 'node:assert/strict';
import test from 'node:test';
import bcrypt from 'bcryptjs';
import { systemClock } from '#kernel/clock.ts';
import { makeAuthenticator } from './authenticator.ts';
import { hashFault, makeBasicUsers } from './basic-users.ts';
import type { Keys } from './keys.ts';

/** As `htpasswd -nbB -C 4` writes it, and as Go's bcrypt does. */
const HASH = bcrypt.hashSync('right: with a colon', 4);
const users = () => makeBasicUsers(new Map([['ada', HASH]]));

test('verify() takes the right password of a known name alone, each time', async () => {
  const known = users();
  for (let i = 0; i < 2; i++) assert.equal(await known.verify('ada', 'right: with a colon'), 'right');
  assert.equal(await known.verify('ada', 'wrong'), 'wrong');
  assert.equal(await known.verify('ada', ''), 'wrong');
  assert.equal(await known.verify('bob', 'right: with a colon'), 'wrong');
});

test('verify() does not take what begins with a right password of 72 bytes', async () => {
  const long = 'x'.repeat(72);
  const known = makeBasicUsers(new Map([['ada', bcrypt.hashSync(long, 4)]]));
  assert.equal(await known.verify('ada', long), 'right');
  assert.equal(await known.verify('ada', `${long}y`), 'wrong');
});

test('verify() lets a crowd of guessers wait in a short line, and turns the rest away', async () => {
  const known = users();
  const verdicts = await Promise.all(Array.from({ length: 50 }, (_, i) => known.verify('ada', `guess ${i}`)));
  assert.equal(verdicts.filter((one) => one === 'wrong').length, 20);
  assert.equal(verdicts.filter((one) => one === 'busy').length, 30);
  assert.equal(await known.verify('ada', 'right: with a colon'), 'right');
});

for (const [hash, fault] of [
  [HASH, undefined],
  [HASH.replace('$2b$', '$2y$'), undefined],
  [HASH.replace('$04$', '$14$'), undefined],
  [HASH.replace('$04$', '$15$'), /cost of 15/],
  ['secret', /no hash of bcrypt/],
  ['$apr1$x$y', /no hash of bcrypt/],
] as const) {
  test(`hashFault(${hash.slice(0, 7)}…) says ${fault}`, () => {
    const found = hashFault(hash);
    if (fault === undefined) assert.equal(found, undefined);
    else assert.match(found ?? '', fault);
  });
}

test('a name and a password open everything, and a key in place of the password is still a key', async () => {
  const keys = {
    verify: async () => ({ kind: 'refused', verdict: 'unknown' }),
  } as unknown as Keys;
  const authenticate = makeAuthenticator({ clock: systemClock, keys, anonymous: 'nobody', users: users() });
  const ask = async (pair: string | undefined) =>
    await authenticate({
      headers: pair === undefined ? {} : { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
      ...{ address: '10.0.0.1', method: 'GET', hosts: [] },
    });
  const known = await ask('ada:right: with a colon');
  assert(known.kind === 'known');
  assert.equal(known.principal.subject, 'basic:ada');
  const reasons = await Promise.all(['ada:wrong', 'eve:x', 'prometheus:bl_abc', undefined].map(ask));
  assert.deepEqual(
    reasons.map((one) => one.kind === 'refused' && [one.status, one.reason]),
    [
      [401, 'invalid'],
      [401, 'invalid'],
      [401, 'unknown'],
      [401, 'missing'],
    ],
  );
});
