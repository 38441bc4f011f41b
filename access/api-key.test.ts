import assert from 'node:assert/strict';
import test from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { seededRandom } from '#kernel/random.ts';
import type { Milliseconds } from '#kernel/units.ts';
import { judgeKey, makeKey, parseKey, type StoredKey } from './api-key.ts';

const NOW = 1_790_000_000_000 as Milliseconds;
const { id, key, hash } = makeKey(seededRandom(7));
const stored: StoredKey = {
  id,
  tenant: 'acme',
  name: 'ci',
  roles: ['writer'],
  secretHash: hash,
  createdAt: NOW,
  createdBy: 'cli',
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
};
const given = () => {
  const parsed = parseKey(key.reveal());
  assert(parsed);
  return parsed;
};
const at = (n: number) => (NOW + n) as Milliseconds;

test('makeKey() gives a key that parseKey() reads, with 256 bits of secret', () => {
  assert.match(key.reveal(), /^bl_[0-9a-f]{16}_[0-9a-f]{64}$/);
  assert.equal(given().id, id);
  assert.equal(hash.length, 32);
  assert.notEqual(makeKey(seededRandom(8)).key.reveal(), key.reveal());
});

test('parseKey() reads nothing else', () => {
  const text = key.reveal();
  const others = ['', 'bl_', text.slice(1), text.slice(0, -1), `${text}0`, text.toUpperCase(), `${text}\n`, ` ${text}`];
  for (const other of [...others, text.replace('bl_', 'xx_'), text.replaceAll('_', '-')]) {
    assert.equal(parseKey(other), undefined, other);
  }
  fc.assert(fc.property(fc.string(), (other) => parseKey(other) === undefined));
});

const cases: readonly [title: string, row: StoredKey | undefined, want: string][] = [
  ['takes the right secret', stored, 'valid'],
  ['knows nothing of a key that is not stored', undefined, 'unknown'],
  ['takes a key until the millisecond it expires', { ...stored, expiresAt: at(1) }, 'valid'],
  ['refuses it from then on', { ...stored, expiresAt: NOW }, 'expired'],
  ['says revoked before expired', { ...stored, expiresAt: NOW, revokedAt: at(-5) }, 'revoked'],
  ['tells a stranger neither', { ...stored, secretHash: makeKey(seededRandom(9)).hash, revokedAt: NOW }, 'unknown'],
  ['never takes a broken hash', { ...stored, secretHash: new Uint8Array(32) }, 'unknown'],
];
for (const [title, row, want] of cases) {
  test(`judgeKey() ${title}`, () => assert.equal(judgeKey(given(), row, NOW), want));
}

test('judgeKey() refuses a secret of which one digit is wrong', () => {
  fc.assert(
    fc.property(fc.nat({ max: 63 }), fc.integer({ min: 1, max: 15 }), (place, shift) => {
      const text = key.reveal();
      const where = text.length - 64 + place;
      const digit = ((Number.parseInt(text[where] ?? '', 16) + shift) % 16).toString(16);
      const wrong = parseKey(text.slice(0, where) + digit + text.slice(where + 1));
      return wrong !== undefined && judgeKey(wrong, stored, NOW) === 'unknown';
    }),
  );
});

test('a key that was given or made prints no secret', () => {
  const hidden = key.reveal().slice(-64);
  for (const text of [
    inspect(given(), { depth: 9 }),
    JSON.stringify(given()),
    inspect({ key }),
    JSON.stringify({ key }),
  ]) {
    assert(!text.includes(hidden), text);
  }
});
